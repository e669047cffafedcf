"""Rules as plain data, the same for every engine: clauses that must all hold, and perhaps a fact that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from knowledge.clause import Clause, Value, parse_clause, typed
from knowledge.model import ClauseText, Strength, SymptomId
from knowledge.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Rule:
    """One clue, inference or contradiction, with typed clauses, sorted by feature, one a feature."""

    name: str
    clauses: tuple[Clause, ...]
    then: tuple[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Clued:
    """A clue as a rule: which cause it speaks of, how strongly, and where it stands in the entry."""

    rule: Rule
    cause: str
    strength: Strength
    because: str
    source: str | None


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every rule of a shelf, compiled once."""

    clues: tuple[Clued, ...]
    inferences: tuple[Rule, ...]
    contradictions: tuple[Rule, ...]

    def all_rules(self) -> list[Rule]:
        """All rules, inferences first."""
        return [*self.inferences, *self.contradictions, *(clue.rule for clue in self.clues)]


def rule_book(shelf: Shelf, symptom: SymptomId | None = None) -> RuleBook:
    """Compile the rules of a checked shelf; of one symptom's causes only, if one is given."""
    causes = [cause for cause in shelf.causes.values() if symptom is None or symptom in cause.symptoms]
    clues = tuple(
        Clued(
            Rule(f"{cause.id}/{number}", clauses_of(shelf, clue.clauses)),
            cause.id,
            clue.strength,
            clue.because,
            clue.source,
        )
        for cause in causes
        for number, clue in enumerate(cause.clues, start=1)
    )
    return RuleBook(
        clues,
        tuple(
            Rule(f"inference/{id_}", clauses_of(shelf, one.when), _then(shelf, one.then))
            for id_, one in shelf.inferences.items()
        ),
        tuple(Rule(f"contradiction/{id_}", clauses_of(shelf, one.when)) for id_, one in shelf.contradictions.items()),
    )


def clauses_of(shelf: Shelf, raw: Mapping[str, ClauseText]) -> tuple[Clause, ...]:
    """Parse the clauses of an entry."""
    return tuple(parse_clause(shelf.features[name], raw[name]) for name in sorted(raw))


def _then(shelf: Shelf, raw: Mapping[str, object]) -> tuple[str, Value]:
    ((name, value),) = raw.items()
    return name, typed(shelf.features[name], value)
