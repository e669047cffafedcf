"""The handbook: what is known, for everybody to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from bot.web.clue_words import ClueWords, clue_words
from bot.web.doors import Refused
from bot.web.layout import html
from knowledge.model import Cause, Command, Dialect, Product, Remedy, Symptom
from knowledge.rosetta import EVENTS, rosetta
from knowledge.shelf import Shelf
from rules.commands import fields
from rules.diagnose import Expert
from rules.weigh import FOR

_CACHE = "private, max-age=300"


@dataclass(frozen=True, slots=True)
class RemedyWords:
    """A remedy with its command for each product that has one, its fields left open."""

    remedy: Remedy
    commands: Sequence[tuple[Product, Command]]


@dataclass(frozen=True, slots=True)
class Handbook:
    """The pages about one shelf."""

    expert: Expert

    @property
    def shelf(self) -> Shelf:
        """All that is known."""
        return self.expert.shelf

    def add_to(self, router: APIRouter) -> None:
        """Make the routes."""
        router.add_api_route("/handbook", self.index, methods=["GET"])
        router.add_api_route("/handbook/causes/{id_}", self.cause, methods=["GET"])
        router.add_api_route("/handbook/products/{id_}", self.product, methods=["GET"])
        router.add_api_route("/handbook/rosetta", self.events, methods=["GET"])
        router.add_api_route("/handbook/rosetta/{event}", self.event, methods=["GET"])
        router.add_api_route("/handbook/questions", self.questions, methods=["GET"])
        router.add_api_route("/handbook/sources", self.sources, methods=["GET"])

    async def index(self) -> Response:
        """List causes by symptom, and products."""
        return self._page("index", {"families": self._families(), "products": self._products()})

    async def cause(self, id_: str) -> Response:
        """Show a cause as a page."""
        cause = self.shelf.causes.get(id_)
        if cause is None:
            raise Refused(404, "There is no such cause", "The handbook lists all that are known.")
        clues = [clue_words(clue, self.shelf) for clue in cause.clues]
        context = {
            "cause": cause,
            "symptoms": [self.shelf.symptoms[one] for one in cause.symptoms],
            "for_it": _strongest_first([one for one in clues if one.strength in FOR]),
            "against": _strongest_first([one for one in clues if one.strength not in FOR]),
            "remedies": [self._remedy(one) for one in cause.remedies],
        }
        return self._page("cause", context)

    async def product(self, id_: str) -> Response:
        """Show what is known of a product."""
        product = self.shelf.products.get(id_)
        if product is None:
            raise Refused(404, "There is no such product", "The handbook lists all that are known.")
        context = {"product": product, "commands": _filled(product.commands), "dialects": self._dialects(id_)}
        return self._page("product", context | {"stands": self.shelf.features["log.stands"].choices[product.stands]})

    async def events(self) -> Response:
        """List the events that lines tell of."""
        return self._page("rosetta", {"events": self._events()})

    async def event(self, event: str) -> Response:
        """Show what every product calls one event."""
        events = self._events()
        if event not in events:
            raise Refused(404, "There is no such event", "The table lists all that are known.")
        return self._page("event", {"event": event, "events": events, "rows": rosetta(self.shelf, event)})

    async def questions(self) -> Response:
        """List every question."""
        asked = [one for one in self.shelf.features.values() if one.question]
        return self._page("questions", {"features": asked, "used": self._used()})

    async def sources(self) -> Response:
        """List every source."""
        return self._page(
            "sources", {"sources": sorted(self.shelf.sources.values(), key=lambda one: one.title.lower())}
        )

    def _page(self, name: str, context: Mapping[str, Any]) -> Response:
        return html(f"handbook/{name}.html", {"shelf": self.shelf, **context}, cache=_CACHE)

    def _families(self) -> list[tuple[Symptom, list[Cause]]]:
        causes = sorted(self.shelf.causes.values(), key=lambda one: one.title.lower())
        return [(one, [each for each in causes if one.id in each.symptoms]) for one in self.shelf.symptoms.values()]

    def _products(self) -> list[Product]:
        return sorted(self.shelf.products.values(), key=lambda one: one.title.lower())

    def _dialects(self, product: str) -> list[Dialect]:
        return [
            one
            for one in self.shelf.dialects.values()
            if product == one.product or any(rule.product == product for rule in one.products)
        ]

    def _events(self) -> Mapping[str, str]:
        labels = self.shelf.features["log.event"].choices
        return {event: str(labels.get(event, event)) for event in EVENTS}

    def _remedy(self, remedy: Remedy) -> RemedyWords:
        own = {id_: Command(run=run, source=remedy.source) for id_, run in remedy.commands.items()}
        shared = {one.id: one.commands[remedy.use] for one in self._products() if remedy.use in one.commands}
        known = _filled({**shared, **own})
        return RemedyWords(remedy, [(self.shelf.products[id_], known[id_]) for id_ in known])

    def _used(self) -> Mapping[str, Sequence[Cause]]:
        """Give, by feature, the causes whose clues look at it."""
        used: dict[str, dict[str, Cause]] = {}
        for cause in self.shelf.causes.values():
            for clue in cause.clues:
                for feature in clue.clauses:
                    used.setdefault(feature, {})[cause.id] = cause
        return {name: sorted(causes.values(), key=lambda one: one.title) for name, causes in used.items()}


def _strongest_first(clues: Sequence[ClueWords]) -> list[ClueWords]:
    return sorted(clues, key=lambda one: one.rank)


def _filled(commands: Mapping[str, Command]) -> dict[str, Command]:
    """Name what has to be filled in: <client> for {client}."""
    open_ = fields({})
    return {name: one.model_copy(update={"run": one.run.format_map(open_)}) for name, one in commands.items()}
