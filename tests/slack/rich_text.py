"""The shapes of rich_text (docs.slack.dev: rich-text-block), which tables and task cards hold too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.slack.shapes import Check, Problem, address, flag, list_of, one_of, shape, string, typed, whole

PAGE = "rich-text-block"
_STYLE = shape(PAGE, {}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "unlink"), flag))
_STYLED: dict[str, Check] = {"style": _STYLE}


def _calls(key: str, form: str, inner: Check) -> Check:
    """Check an element that calls people, and tell whom."""

    def check(value: Any, at: str) -> Iterator[Problem]:
        yield from inner(value, at)
        called = form.format(value.get(key, ""))
        yield Problem(at, f"mentions {called}", PAGE, refused=False, mention=called)

    return check


_PARTS = typed(
    PAGE,
    {
        "text": shape(PAGE, {"text": string(12_000)}, _STYLED),
        "link": shape(PAGE, {"url": address()}, {**_STYLED, "text": string(3000), "unsafe": flag}),
        "emoji": shape(PAGE, {"name": string(100)}, {**_STYLED, "unicode": string(100), "skin_tone": whole(1, 6)}),
        "date": shape(
            PAGE,
            {"timestamp": whole(0, 10**11), "format": string(255)},
            {**_STYLED, "url": address(), "fallback": string(255)},
        ),
        "color": shape(PAGE, {"value": string(20)}, _STYLED),
        "user": _calls("user_id", "<@{}>", shape(PAGE, {"user_id": string(20)}, _STYLED)),
        "usergroup": _calls("usergroup_id", "<!subteam^{}>", shape(PAGE, {"usergroup_id": string(20)}, _STYLED)),
        "channel": _calls("channel_id", "<#{}>", shape(PAGE, {"channel_id": string(20)}, _STYLED)),
        "broadcast": _calls("range", "<!{}>", shape(PAGE, {"range": one_of("here", "channel", "everyone")}, _STYLED)),
    },
)
_MANY = 3000
_WORDS: dict[str, Check] = {"elements": list_of(_PARTS, 1, _MANY)}
_BORDER: dict[str, Check] = {"border": whole(0, 1)}
_SECTION = shape(PAGE, _WORDS)
_ELEMENTS = typed(
    PAGE,
    {
        "rich_text_section": _SECTION,
        "rich_text_preformatted": shape(PAGE, _WORDS, {**_BORDER, "language": string(50)}),
        "rich_text_quote": shape(PAGE, _WORDS, _BORDER),
        "rich_text_list": shape(
            PAGE,
            {
                "style": one_of("bullet", "ordered"),
                "elements": list_of(typed(PAGE, {"rich_text_section": _SECTION}), 1, _MANY),
            },
            {**_BORDER, "indent": whole(0, 8), "offset": whole(0, 10_000)},
        ),
    },
)
RICH_TEXT = shape(PAGE, {"elements": list_of(_ELEMENTS, 1, _MANY)}, {"block_id": string(255)})
