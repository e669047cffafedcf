"""The pages that the types of problems lead to."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import HTMLResponse

from bot.problems import KINDS, Problem
from bot.web.errors import problem_page

router = APIRouter(include_in_schema=False)


@router.get("/problems/{slug}")
async def problem(slug: str) -> HTMLResponse:
    """Say what a kind of problem means and how to mend it."""
    if slug not in KINDS:
        raise Problem("not-found", "there is no such kind of problem")
    kind = KINDS[slug]
    return problem_page(slug, kind.title, kind.status, kind.mending)
