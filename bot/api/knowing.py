"""What whydrop knows, over REST: causes, questions, dialects, products, sources, and events in all products' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from bot.api.diagnoses import JSON
from bot.api.showing import is_known
from bot.problems import Problem
from knowledge.complaint import unknown
from knowledge.model import Cause, Dialect, Entry, Feature, Product, Source
from knowledge.rosetta import EVENTS, rosetta
from knowledge.shelf import Shelf

router = APIRouter(prefix="/v1", tags=["knowledge"])


class Named(BaseModel):
    """An entry in a list."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str


class NamedList(BaseModel):
    """The entries of one kind."""

    entries: Sequence[Named]
    knowledge: str


class Wording(BaseModel):
    """What one product writes for an event, and what that leaves open."""

    product: str
    words: Sequence[str]
    leaves_open: str


class Rosetta(BaseModel):
    """An event in the words of every product."""

    event: str
    rows: Sequence[Wording]


class EventNames(BaseModel):
    """The events that there are words for."""

    events: Sequence[str]


def _shelf(request: Request) -> Shelf:
    found: Shelf = request.app.state.casebook.expert.shelf
    return found


def _tagged(request: Request, found: BaseModel, *, brief: bool = False) -> Response:
    """Send what changes only with the knowledge: whoever has it already is told so."""
    tag = f'"{_shelf(request).hash}"'
    if is_known(request, tag):
        return Response(status_code=304, headers={"etag": tag})
    return Response(found.model_dump_json(by_alias=True, exclude_defaults=brief), headers={**JSON, "etag": tag})


def _listed(request: Request, entries: Mapping[str, Any]) -> Response:
    named = [Named(id=id_, title=_title(entry)) for id_, entry in entries.items()]
    return _tagged(request, NamedList(entries=named, knowledge=_shelf(request).hash))


def _title(entry: Entry) -> str:
    if isinstance(entry, Feature) and entry.question:
        return entry.question.text
    return str(getattr(entry, "title", ""))


def _one(request: Request, entries: Mapping[str, Any], id_: str, kind: str) -> Response:
    if id_ not in entries:
        raise Problem("no-such-entry", unknown(kind, id_[:60], entries))
    return _tagged(request, entries[id_], brief=True)


@router.get("/causes", summary="List the causes", response_model=NamedList)
async def causes(request: Request) -> Response:
    """List what whydrop can find."""
    return _listed(request, _shelf(request).causes)


@router.get("/causes/{id}", summary="Give a cause", response_model=Cause)
async def cause(request: Request, id: str) -> Response:  # noqa: A002  (the name in the address)
    """Give a cause with its clues, remedies, sources and proof."""
    return _one(request, _shelf(request).causes, id, "cause")


def _questions(request: Request) -> dict[str, Feature]:
    return {id_: one for id_, one in _shelf(request).features.items() if one.question}


@router.get("/questions", summary="List the questions", response_model=NamedList)
async def questions(request: Request) -> Response:
    """List what whydrop may ask; the id is that of the feature."""
    return _listed(request, _questions(request))


@router.get("/questions/{id}", summary="Give a question", response_model=Feature)
async def question(request: Request, id: str) -> Response:  # noqa: A002
    """Give a feature with its question: its choices, why it is asked, and how to find out."""
    return _one(request, _questions(request), id, "question")


@router.get("/dialects", summary="List the dialects", response_model=NamedList)
async def dialects(request: Request) -> Response:
    """List the ways of writing that whydrop reads."""
    return _listed(request, _shelf(request).dialects)


@router.get("/dialects/{id}", summary="Give a dialect", response_model=Dialect)
async def dialect(request: Request, id: str) -> Response:  # noqa: A002
    """Give a dialect: how its lines are recognised, its fields, its samples."""
    return _one(request, _shelf(request).dialects, id, "dialect")


@router.get("/products", summary="List the products", response_model=NamedList)
async def products(request: Request) -> Response:
    """List the products whose timers, commands and logs whydrop knows."""
    return _listed(request, _shelf(request).products)


@router.get("/products/{id}", summary="Give a product", response_model=Product)
async def product(request: Request, id: str) -> Response:  # noqa: A002
    """Give a product's default timers, commands, and the traps of its logs."""
    return _one(request, _shelf(request).products, id, "product")


@router.get("/sources", summary="List the sources", response_model=NamedList)
async def sources(request: Request) -> Response:
    """List every document that an entry cites."""
    return _listed(request, _shelf(request).sources)


@router.get("/sources/{id}", summary="Give a source", response_model=Source)
async def source(request: Request, id: str) -> Response:  # noqa: A002
    """Give a source's title, address, kind, and how far to trust it."""
    return _one(request, _shelf(request).sources, id, "source")


@router.get("/rosetta", summary="List the events", response_model=EventNames)
async def events(request: Request) -> Response:
    """List the events that products have words for."""
    return _tagged(request, EventNames(events=EVENTS))


@router.get("/rosetta/{event}", summary="Give an event in every product's words", response_model=Rosetta)
async def event(request: Request, event: str) -> Response:
    """Give what each product writes for an event, and what it then cannot say."""
    rows = rosetta(_shelf(request), event)
    if event not in EVENTS:
        raise Problem("no-such-entry", unknown("event", event[:60], EVENTS))
    worded = [Wording(product=one.product, words=one.words, leaves_open=one.leaves_open) for one in rows]
    return _tagged(request, Rosetta(event=event, rows=worded))
