"""Which facts can be had at all, which of them meet some clauses, and how they rank the causes of a symptom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, product

from knowledge.clause import Bounds, Clause, Value, typed
from knowledge.model import SymptomId
from knowledge.shelf import Shelf
from rules.ask import Facts, follow_rules
from rules.case import Fact
from rules.diagnose import Expert
from rules.rule import Clued
from rules.weigh import WEIGHTS

READ_OFF = frozenset(
    {
        "flow.client",
        "flow.server",
        "flow.service_port",
        "handshake.client_sent_syn",
        "handshake.completed",
        "handshake.syn_seen",
        "log.event",
        "log.product",
        "log.stands",
        "packet.destination",
        "packet.destination_port",
        "packet.flags",
        "packet.interface",
        "packet.source",
        "packet.source_port",
        "reset.by",
        "reset.data_after",
        "reset.phase",
        "reset.ttl",
        "route.both_directions",
        "route.middlebox",
        "route.second_path",
        "scope.one_source_many_targets",
        "scope.same_port_again",
        "scope.spread",
        "server.closes_first",
        "session.closed_before",
        "session.duration_s",
        "session.server_bytes",
        "session.since_end_s",
        "symptom",
        "timing.idle_is_other_timer",
        "timing.idle_is_own_timer",
        "timing.idle_longer_than_session",
        "timing.idle_reached_own_timer",
        "timing.idle_s",
        "timing.matching_timers",
    }
)
"""Features that the code states by itself: of a record, of several lines together, and by comparisons."""

_MOST_WAYS = 200
_DEEPEST = 4
"""Inferences one after the other that are followed back."""


class Reach:
    """What can be known in a case of one symptom, or while it is open which, and what it makes of the causes.

    It does without the engine, so that thousands of made-up cases take no time; the tests hold both to the same result.
    """

    def __init__(self, expert: Expert, symptom: SymptomId | None) -> None:
        self.symptom = symptom
        self.nothing: dict[str, Value] = {} if symptom is None else {"symptom": symptom}
        told = {
            name: Fact(feature=name, value=one, origin="you said", kind="told") for name, one in self.nothing.items()
        }
        family = expert.family(told)
        self._shelf = expert.shelf
        self._compare = expert.timetable.compare
        self._book = family.book
        self._given = given_values(expert.shelf)
        self.causes = family.causes
        self._index = {cause.id: place for place, cause in enumerate(family.causes)}

    @cached_property
    def clues(self) -> Mapping[str, Clued]:
        """Every clue of these causes, by its name."""
        return {clue.rule.name: clue for clue in self._book.clues}

    @cached_property
    def _clues_on(self) -> Mapping[str, Sequence[Clued]]:
        """Clues by the feature of their first clause: one is enough to find them by."""
        found: dict[str, list[Clued]] = defaultdict(list)
        for clue in self._book.clues:
            found[clue.rule.clauses[0].feature].append(clue)
        return found

    def ways(self, clauses: Sequence[Clause]) -> Iterator[dict[str, Value]]:
        """Give facts that meet all these clauses together and contradict neither each other nor the symptom."""
        for facts in self._together(clauses, _DEEPEST):
            whole = {**self.nothing, **facts}
            known = self.closed(whole)
            fits = known.get("symptom") == self.symptom
            if fits and all_hold(clauses, known) and not self.contradicted(known):
                yield whole

    def _together(self, clauses: Sequence[Clause], depth: int) -> Iterator[dict[str, Value]]:
        single = [list(islice(self._single(clause, depth), _MOST_WAYS)) for clause in clauses]
        for parts in islice(product(*single), _MOST_WAYS):
            merged: dict[str, Value] = {}
            for part in parts:
                merged = part | merged
            if all(merged[name] == value for part in parts for name, value in part.items()):
                yield merged

    def _single(self, clause: Clause, depth: int) -> Iterator[dict[str, Value]]:
        """Give facts that meet one clause: directly if they can be given, else what they follow from."""
        given = self._given.get(clause.feature, frozenset())
        for value in self._samples(clause):
            if given is None or value in given:
                yield {clause.feature: value}
        if given is not None and depth:
            for rule in self._book.inferences:
                if rule.then and rule.then[0] == clause.feature and clause.holds(rule.then[1]):
                    yield from self._together(rule.clauses, depth - 1)

    def _samples(self, clause: Clause) -> list[Value]:
        if not isinstance(clause.test, Bounds):
            return sorted(clause.test, key=str)
        feature = self._shelf.features[clause.feature]
        ends = [end for end in (clause.test.low, clause.test.high) if end is not None]
        numbers = [*(float(one) for one in feature.choices), *ends, sum(ends) / len(ends)]
        numbers += [end + step for end in ends for step in (1.0, -1.0)]
        lowest = 0.0 if feature.unit == "s" else float("-inf")
        return [one for one in dict.fromkeys(numbers) if one >= lowest and clause.holds(one)]

    def closed(self, facts: Facts) -> dict[str, Value]:
        """Add all that follows from facts."""
        return follow_rules(self._book.inferences, {**self._compare(facts), **facts})

    def contradicted(self, known: Facts) -> bool:
        """Tell whether facts do not go together."""
        return any(all_hold(rule.clauses, known) for rule in self._book.contradictions)

    def scores(self, known: Facts) -> list[float]:
        """Weigh every cause by all that is known."""
        scores = [WEIGHTS.prior(cause.prior) for cause in self.causes]
        for feature in known:
            for clue in self._clues_on.get(feature, ()):
                if all_hold(clue.rule.clauses, known):
                    scores[self._index[clue.cause]] += WEIGHTS.log_odds(clue.strength)
        return scores

    def place(self, cause: str, scores: Sequence[float], less: float = 0.0) -> tuple[int, int]:
        """Tell how many causes are ahead of one, and how many level with it, with so much taken off its own score."""
        at = self._index[cause]
        own = round(scores[at] - less, 9)
        rivals = [round(one, 9) for place, one in enumerate(scores) if place != at]
        return sum(one > own for one in rivals), rivals.count(own)

    def lead(self, cause: str, scores: Sequence[float]) -> float:
        """Tell by how much a cause leads its best rival."""
        at = self._index[cause]
        return scores[at] - max((one for place, one in enumerate(scores) if place != at), default=float("-inf"))


def given_values(shelf: Shelf) -> Mapping[str, frozenset[Value] | None]:
    """Give the values of each feature that can be told, or stated by a line; None stands for all of them."""
    found: dict[str, frozenset[Value] | None] = defaultdict(frozenset)
    for dialect in shelf.dialects.values():
        for rule in dialect.facts:
            for name, raw in rule.facts.items():
                found[name] = (found[name] or frozenset()) | {typed(shelf.features[name], raw)}
    anything = [one.id for one in shelf.features.values() if one.question]
    return {**found, **dict.fromkeys((*anything, *READ_OFF, *shelf.phrases))}


def all_hold(clauses: Sequence[Clause], known: Facts) -> bool:
    """Tell whether what is known meets all these clauses."""
    return all(clause.feature in known and clause.holds(known[clause.feature]) for clause in clauses)
