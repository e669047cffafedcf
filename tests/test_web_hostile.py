"""Whatever is pasted, answered, noted or put into an address stays text: it makes no element and no attribute."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from bot.case_events import Outcome, Pasted
from bot.web.assets import assets
from rules.diagnose import Expert
from tests.markup import Markup
from tests.page import LINE, House, house

PAYLOADS = [
    "<script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</code></li></ol></main><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)" x="',
    "javascript:alert(1)",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<form action=//evil.example><button>x",
    "<div hx-get=/cases hx-trigger=load>",
    "<div data-hx-on::load=alert(1)>",
    "<div style=position:fixed;inset:0>x</div>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "{{ 7 * 7 }}{% include 'base.html' %}",
    "<!--><script>alert(1)</script-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#x3c;b&#x3e;",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "\u202e<script>\u2066alert(1)\u2069</script>",
    "\uff1cscript\uff1ealert(1)\uff1c/script\uff1e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07",
    "<x\tonclick\n=alert(1)>",
]
_ELEMENTS = """html head meta title link script body a header nav main p footer svg path rect g text desc h1 h2 h3 h4 ol
ul li code mark span small strong br section div details summary form input label textarea button select option optgroup
fieldset legend datalist blockquote pre time article table thead tbody tr th td"""
ELEMENTS = frozenset(_ELEMENTS.split())


@pytest.fixture
async def built(expert: Expert, tmp_path: Path) -> AsyncIterator[House]:
    one = house(expert, tmp_path)
    async with one.casebook.store:
        await one.casebook.store.migrate()
        yield one


@pytest.fixture
async def client(built: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=built.app), base_url="http://whydrop") as one:
        yield one


def wrongs(page: str) -> list[str]:
    """Say what of a page is none of ours."""
    own = {asset.address for asset in assets().values()}
    found = []
    for one in Markup(page).elements:
        attributes = one.attributes
        found += [f"<{one.tag}>"] if one.tag not in ELEMENTS else []
        found += [f"{one.tag} {name}" for name in attributes if name.startswith(("on", "style", "data-hx", "hx-on"))]
        found += [f"{one.tag} {name}" for name in ("srcdoc", "http-equiv", "formaction") if name in attributes]
        found += [f"script {attributes}" for _ in [0] if one.tag == "script" and attributes.get("src") not in own]
        found += [f"script with {one.text}" for _ in [0] if one.tag == "script" and one.text]
        links = [attributes[name] for name in ("href", "action", "src", "hx-get") if name in attributes]
        found += [f"{one.tag} to {link}" for link in links if not link.startswith(("/", "#", "https://", "http://"))]
        found += [f"{one.tag} to {link}" for link in links if link.startswith("//") or "evil" in link]
    return found


@pytest.mark.parametrize(
    "bad", ["<b>x</b>", "<p onclick=x>", "<script>1</script>", "<a href=javascript:1>", "<p style=x>"]
)
def test_this_check_can_fail(bad: str) -> None:
    assert wrongs(bad)


async def test_a_pasted_line_stays_text(client: httpx.AsyncClient, built: House) -> None:
    forms = len(Markup((await _plain(client, built)).text).all("form"))
    for payload in PAYLOADS:
        paste = (
            f"{LINE}\n{payload}\n{LINE.replace('outside', payload)}\nIt worked {payload} for an hour and then broke."
        )
        case = (await built.begin(Pasted(paste=paste))).kept.summary.id
        answer = await client.get(f"/cases/{case}")
        assert answer.status_code == 200, payload
        assert wrongs(answer.text) == [], payload
        assert len(Markup(answer.text).all("form")) == forms, payload
        for page in ("why?cause=idle-timeout", "delete"):
            assert wrongs((await client.get(f"/cases/{case}/{page}")).text) == [], payload
        verbatim = await client.get(f"/cases/{case}/paste.txt")
        assert verbatim.text == paste
        assert verbatim.headers["content-type"].startswith("text/plain")


async def _plain(client: httpx.AsyncClient, built: House) -> httpx.Response:
    case = (await built.begin(Pasted(paste=f"{LINE}\nIt worked for an hour and then broke."))).kept.summary.id
    return await client.get(f"/cases/{case}")


async def test_what_was_pasted_is_shown_as_it_is(client: httpx.AsyncClient, built: House) -> None:
    case = (await built.begin(Pasted(paste=f"{LINE}\n{PAYLOADS[0]}"))).kept.summary.id
    page = Markup((await client.get(f"/cases/{case}")).text)
    assert PAYLOADS[0] in [one.text for one in page.all("code")]


async def test_a_note_stays_text(client: httpx.AsyncClient, built: House) -> None:
    for payload in PAYLOADS:
        case = (await built.begin(Pasted(paste=LINE), Outcome(cause=None, note=payload))).kept.summary.id
        page = (await client.get(f"/cases/{case}")).text
        assert wrongs(page) == [], payload
        assert len(Markup(page).all("blockquote")) == 1, payload


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_what_is_typed_stays_text_when_it_is_shown_again(
    client: httpx.AsyncClient, built: House, payload: str
) -> None:
    case = (await built.begin(Pasted(paste=LINE))).kept.summary.id
    late = {"expected": "1", "paste": payload, payload[:40]: payload, "how": payload, "feature": "timing.idle_s"}
    forms = [
        (f"/cases/{case}/answers", {"feature": "timing.idle_s", "typed": payload}),
        (f"/cases/{case}/answers", {"feature": payload, "value": payload}),
        (f"/cases/{case}/pastes", late),
        (f"/cases/{case}/withdrawn", late),
        (f"/cases/{case}/outcome", {"how": payload, "note": payload}),
        ("/cases", {"paste": payload, "product": payload}),
        ("/signin", {"key": payload, "next": payload}),
    ]
    for address, fields in forms:
        answer = await client.post(address, data=fields)
        assert answer.status_code in (303, 403, 409, 422), address
        assert wrongs(answer.text) == [], address


@pytest.mark.parametrize("payload", PAYLOADS)
async def test_an_address_stays_text(client: httpx.AsyncClient, built: House, payload: str) -> None:
    case = (await built.begin(Pasted(paste=LINE))).kept.summary.id
    said = quote(payload, safe="")
    addresses = [
        *(f"/cases?{name}={said}" for name in ("symptom", "state", "cause", "product", "cursor")),
        *(f"/cases/{case}/{page}={said}" for page in ("why?cause", "what-if?feature")),
        f"/cases/{case}?change={said}",
        f"/cases/{said}",
        f"/handbook/causes/{said}",
        f"/handbook/rosetta/{said}",
        f"/?example={said}",
        f"/signin?next={said}",
    ]
    for address in addresses:
        answer = await client.get(address)
        assert answer.status_code < 500, address
        if answer.headers["content-type"].startswith("text/html"):
            assert wrongs(answer.text) == [], address
