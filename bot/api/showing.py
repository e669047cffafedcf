"""A case as REST shows it, and the tag and the link that stand for it."""

from __future__ import annotations

from fastapi import Request

from bot.api.shapes import CaseShown, ConcludedThen, ToldOutcome
from bot.case_events import Concluded, KeptCase, Outcome
from bot.casebook import Consulted


def shown(consulted: Consulted, link: str) -> CaseShown:
    """Show a case as it stands."""
    summary, case = consulted.kept.summary, consulted.case
    return CaseShown(
        id=summary.id,
        version=summary.version,
        state=summary.state,
        created=summary.created,
        updated=summary.updated,
        link=link,
        paste=case.paste,
        product=case.product,
        answers=dict(case.answers),
        declined=sorted(case.declined),
        confirmed=sorted(case.confirmed),
        concluded=_concluded(consulted.kept),
        outcome=_outcome(consulted.kept) if summary.state == "closed" else None,
        diagnosis=consulted.diagnosis,
    )


def _concluded(kept: KeptCase) -> ConcludedThen | None:
    for one in reversed(kept.events):
        if isinstance(one.event, Concluded):
            event = one.event
            return ConcludedThen(at=one.at, cause=event.cause, confidence=event.confidence, knowledge=event.knowledge)
    return None


def _outcome(kept: KeptCase) -> ToldOutcome | None:
    for one in reversed(kept.events):
        if isinstance(one.event, Outcome):
            return ToldOutcome(at=one.at, **one.event.model_dump(exclude={"kind"}))
    return None


def tag_of(consulted: Consulted) -> str:
    """Give the ETag of a case: its version, and the knowledge that diagnosed it."""
    return f'"{consulted.kept.summary.version}-{consulted.diagnosis.knowledge.hash}"'


def is_known(request: Request, tag: str) -> bool:
    """Tell whether whoever asks has it already, by the header If-None-Match."""
    stated = request.headers.get("if-none-match", "").strip()
    return stated == "*" or tag in stated


def base_of(request: Request) -> str:
    """Give the address of the service, without a slash at its end."""
    public: str | None = request.app.state.settings.public_url
    return public or str(request.base_url).rstrip("/")


def link_of(request: Request, case: str) -> str:
    """Give the address of a case's page."""
    return f"{base_of(request)}/cases/{case}"
