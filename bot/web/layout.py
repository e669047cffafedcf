"""Templates become pages, and every page bears the headers that keep it safe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Protocol, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response

from bot.phrases import capital, lower, percent, reflowed, sentence
from bot.web.assets import assets
from bot.web.marked import visible
from knowledge.clause import plain

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Titled(Protocol):
    """An entry that has a title."""

    title: str


Served = TypeVar("Served", bound=Response)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "by_title": by_title,
        "capital": capital,
        "coded": coded,
        "grounds": grounds,
        "lower": lower,
        "moment": moment,
        "paragraphs": paragraphs,
        "percent": percent,
        "plain": plain,
        "sentence": sentence,
        "visible": lambda text: "\n".join(map(visible, text.split("\n"))),
    }
    made.globals |= {"asset": lambda name: assets()[name].address, "zip": zip}
    return made


def html(template: str, context: Mapping[str, object], status: int = 200, cache: str = "no-store") -> HTMLResponse:
    """Render a template. `cache` is what may keep the page; a case is kept by nobody."""
    text = _templates().get_template(template).render(context)
    return secured(HTMLResponse(text, status, {"Cache-Control": cache}))


def secured(response: Served) -> Served:
    """Put the headers on a response that every one of the page bears."""
    response.headers.update(_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def grounds(reason: str) -> tuple[str, str]:
    """Part a reason from the facts that stand behind it in brackets."""
    lead, _, rest = reason.partition(" [")
    return lead, rest.removesuffix(".").removesuffix("]")


_QUOTED = re.compile(r"`([^`]{1,200})`")


def coded(text: str) -> Markup:
    """Show what stands in backticks as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704  (it was escaped)


def paragraphs(text: str) -> list[str]:
    """Part an explanation into its paragraphs."""
    return [line for line in reflowed(text).splitlines() if line]


def moment(time: datetime) -> str:
    """Write a time for people, in UTC."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def by_title(entries: Mapping[str, Titled]) -> list[tuple[str, str]]:
    """Give ids beside titles, in the order of the titles."""
    return sorted(((id_, one.title) for id_, one in entries.items()), key=lambda one: one[1].lower())
