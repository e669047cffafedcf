"""From a case to a diagnosis: one pure function, the same for every face."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from knowledge.clause import Value
from knowledge.model import STRENGTHS, Cause, Remedy
from knowledge.shelf import Shelf
from rules.answers import said
from rules.ask import answers_of, changes_something, is_quick
from rules.beside import beside
from rules.case import (
    Asked,
    Case,
    Choice,
    Cited,
    Contradicted,
    Diagnosis,
    Finding,
    Hypothesis,
    KnowledgeStamp,
    Step,
    Unread,
    Verdict,
)
from rules.commands import command, fields, product_command
from rules.observe import main_line
from rules.prose import WROTE, prose_of
from rules.read import Reading
from rules.think import Thinker, Thought, seen
from rules.weigh import ESTABLISHED, FOR, WEIGHTS, Weights, standing

VERSION = "0.1.0"
"""The version of the knowledge's shape; its hash tells the entries themselves."""


class Expert(Thinker):
    """A shelf made ready to diagnose with. Build one per process, before the first request; any thread may use it."""

    def __init__(self, shelf: Shelf, weights: Weights = WEIGHTS) -> None:
        super().__init__(shelf, weights)
        self._stamp = KnowledgeStamp(version=VERSION, hash=shelf.hash)

    def diagnose(self, case: Case) -> Diagnosis:
        """Diagnose a case. Raises PasteTooLarge."""
        reading = self.read(case.paste)
        thought = self.think(case, reading)
        hypotheses = _hypotheses(thought)
        contradictions = [*self._overruled(case, reading), *self._contradictions(case, thought)]
        question = self._question(case, thought, hypotheses, contradictions)
        verdict = None if question else _verdict(thought, hypotheses)
        steps = self._steps(thought, hypotheses, fields(thought.facts))
        symptom = thought.symptom
        return Diagnosis(
            symptom=symptom,
            about_line=_about(reading),
            records=[line.record for line in reading.lines],
            unread=_unread(reading, thought),
            facts=list(thought.facts.values()),
            hypotheses=hypotheses,
            question=question,
            verdict=verdict,
            steps=steps,
            sources=self._sources(thought, hypotheses if symptom else [], steps),
            contradictions=contradictions,
            beside=beside(hypotheses[0], hypotheses[1:]) if verdict else [],
            knowledge=self._stamp,
        )

    def asked(self, case: Case, feature: str) -> Asked:
        """Give a question as it would be asked in this case now. Raises LookupError where a feature has none."""
        return self._asked(feature, self.think(case, self.read(case.paste)))

    def _overruled(self, case: Case, reading: Reading) -> list[Contradicted]:
        """Find answers that the lines contradict. They stand once they are confirmed."""
        found = []
        for fact in seen(case, reading, self.shelf):
            told = case.answers.get(fact.feature)
            feature = self.shelf.features[fact.feature]
            if told is None or not feature.question or fact.kind != "seen" or fact.feature in case.confirmed:
                continue
            if _differs(fact.value, told):
                because = (
                    f"the log says {said(feature, fact.value)} ({fact.origin}), and you said {said(feature, told)}"
                )
                found.append(Contradicted(facts=[fact.feature], because=because, ask_again=fact.feature))
        return found

    def _contradictions(self, case: Case, thought: Thought) -> list[Contradicted]:
        found = []
        for id_, one in self.shelf.contradictions.items():
            settled = one.ask_again in case.confirmed | case.declined
            if f"contradiction/{id_}" in thought.run.fired and not settled:
                found.append(Contradicted(facts=sorted(one.when), because=one.because, ask_again=one.ask_again))
        return found

    def _question(
        self,
        case: Case,
        thought: Thought,
        hypotheses: Sequence[Hypothesis],
        contradictions: Sequence[Contradicted],
    ) -> Asked | None:
        if contradictions:
            return self._asked(contradictions[0].ask_again, thought, f"{contradictions[0].because}.")
        if thought.symptom is None:
            return None if "symptom" in case.declined else self._asked("symptom", thought)
        if not hypotheses or hypotheses[0].standing == "established":
            return None
        known = {name: fact.value for name, fact in thought.facts.items()}
        outlooks = thought.family.asking.outlooks(known, case.declined, thought.probabilities)
        if hypotheses[0].probability >= ESTABLISHED:  # nobody takes a capture to be surer of what is as good as sure
            outlooks = [one for one in outlooks if is_quick(one.feature)]
        best = next((one for one in outlooks if changes_something(one, thought.probabilities)), None)
        return self._asked(best.feature.id, thought) if best else None

    def _asked(self, feature_id: str, thought: Thought, contradiction: str = "") -> Asked:
        feature = self.shelf.features[feature_id]
        question = feature.question
        if question is None:
            raise LookupError(f"{feature_id} has no question")
        typed = product_command(question.use, thought.product, fields(thought.facts), self.shelf)
        names = ["yes", "no"] if feature.type == "yes-no" else list(feature.choices.values())
        labels = dict(zip(answers_of(feature), names, strict=True))
        return Asked(
            feature=feature_id,
            text=question.text,
            choices=[Choice(value=one, label=labels[one]) for one in thought.family.asking.offered(feature)],
            why=f"This does not go together: {contradiction} {question.why}" if contradiction else question.why,
            effort=question.effort,
            how=question.how.get(thought.product or "any", question.how.get("any", "")),
            command=typed.run if typed else None,
            reading=typed.reading if typed else None,
        )

    def _steps(self, thought: Thought, hypotheses: Sequence[Hypothesis], filled: Mapping[str, str]) -> list[Step]:
        leader = _sure(thought, hypotheses)
        remedies: list[Remedy] = []
        if leader:
            remedies = list(self.shelf.causes[leader.cause].remedies)
        elif thought.symptom:
            remedies = list(self.shelf.symptoms[thought.symptom].steps)
        product = thought.product
        fitting = [one for one in remedies if not one.only_for or product is None or product in one.only_for]
        return [self._step(remedy, product, filled) for remedy in fitting]

    def _step(self, remedy: Remedy, product: str | None, filled: Mapping[str, str]) -> Step:
        typed = command(remedy, product, filled, self.shelf)
        return Step(
            do=remedy.do,
            kind=remedy.kind,
            risk=remedy.risk,
            caution=remedy.caution,
            undo=remedy.undo,
            check=remedy.check,
            command=typed.run if typed else None,
            reading=typed.reading if typed else None,
            source=remedy.source,
        )

    def _sources(self, thought: Thought, hypotheses: Sequence[Hypothesis], steps: Sequence[Step]) -> list[Cited]:
        named = [step.source for step in steps]
        if "timing.matching_timers" in thought.facts:
            idle = thought.facts.get("timing.idle_s")
            named += self.timetable.sources(idle.value if idle else None)
        for hypothesis in hypotheses[:1]:
            named += [one.source for one in (*hypothesis.for_, *hypothesis.against) if one.source]
            named += self.shelf.causes[hypothesis.cause].sources
        ids = dict.fromkeys(name.partition("#")[0] for name in named)
        return [_cited(id_, self.shelf) for id_ in ids]


def _unread(reading: Reading, thought: Thought) -> list[Unread]:
    """Give the lines that nobody reads; sentences of which something was taken, and what they stand among, are none."""
    heard = {
        int(said[1])
        for name, fact in thought.facts.items()
        if name != "log.product" and (said := _HEARD_IN.match(fact.origin))
    }
    taken = _neighbours(reading, heard)
    return [one for one in reading.unread if one.line not in taken]


_HEARD_IN = re.compile(rf"{WROTE}, line (\d+)")


def _neighbours(reading: Reading, heard: set[int]) -> set[int]:
    """Give the lines of prose that stand together with one in which something was heard."""
    blocks: list[set[int]] = []
    for line in (one.line for one in reading.unread if not one.cut and prose_of(one.text)):
        if blocks and line - 1 in blocks[-1]:
            blocks[-1].add(line)
        else:
            blocks.append({line})
    return {line for block in blocks if block & heard for line in block}


def _about(reading: Reading) -> int | None:
    main = main_line(reading.lines)
    return main.record.line if main else None


_ROUGHLY = 0.1
"""Part by which a told number may differ from the one in the log: people round."""


def _differs(seen: Value, told: Value) -> bool:
    if isinstance(seen, float) and isinstance(told, float):
        return abs(seen - told) > _ROUGHLY * max(abs(seen), abs(told))
    return seen != told


def _hypotheses(thought: Thought) -> list[Hypothesis]:
    if not thought.facts:
        return []
    ranked = sorted(
        zip(thought.family.causes, thought.probabilities, strict=True), key=lambda one: (-one[1], one[0].id)
    )
    return [_hypothesis(cause, share, thought.findings.get(cause.id, [])) for cause, share in ranked]


def _hypothesis(cause: Cause, share: float, found: Sequence[Finding]) -> Hypothesis:
    findings = sorted(found, key=lambda one: STRENGTHS.index(one.strength))
    return Hypothesis(
        cause=cause.id,
        title=cause.title,
        probability=share,
        standing=standing(share, findings),
        for_=[one for one in findings if one.strength in FOR],
        against=[one for one in findings if one.strength not in FOR],
        refuted_by=cause.refuted_by,
    )


def _sure(thought: Thought, hypotheses: Sequence[Hypothesis]) -> Hypothesis | None:
    """Give the cause that can be named; none as long as it is open what there is to explain."""
    if thought.symptom is None or not hypotheses or hypotheses[0].standing not in ("established", "likely"):
        return None
    return hypotheses[0]


def _verdict(thought: Thought, hypotheses: Sequence[Hypothesis]) -> Verdict | None:
    leader = _sure(thought, hypotheses)
    if leader is None:
        return None
    cause = next(cause for cause in thought.family.causes if cause.id == leader.cause)
    return Verdict(
        cause=cause.id,
        title=cause.title,
        confidence=leader.probability,
        summary=cause.summary,
        explanation=cause.explanation,
    )


def _cited(id_: str, shelf: Shelf) -> Cited:
    source = shelf.sources[id_]
    return Cited(id=id_, title=source.title, address=source.address, trust=source.trust)
