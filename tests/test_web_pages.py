"""The page through its ASGI application: what it shows, what its forms do, and what it refuses."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from bot.case_events import Answered, Outcome, Pasted, Withdrawn
from bot.paste import MOST_BYTES
from bot.web.assets import assets
from bot.web.errors import error_page, problem_page
from bot.web.examples import EXAMPLES
from bot.web.layout import POLICY
from bot.web.pages import own_path
from knowledge.rosetta import EVENTS
from knowledge.shelf import Shelf
from rules.diagnose import Expert
from tests.markup import Markup
from tests.page import KEY, LINE, Caller, House, house

SAME = {"sec-fetch-site": "same-origin"}
HANDBOOK = ["/handbook", "/handbook/rosetta", "/handbook/questions", "/handbook/sources"]


@pytest.fixture
async def built(expert: Expert, tmp_path: Path) -> AsyncIterator[House]:
    one = house(expert, tmp_path)
    async with one.casebook.store:
        await one.casebook.store.migrate()
        yield one


@pytest.fixture
async def client(built: House) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=built.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://whydrop", headers=SAME) as one:
        yield one


async def begun(client: httpx.AsyncClient, paste: str = LINE) -> str:
    answer = await client.post("/cases", data={"paste": paste})
    assert answer.status_code == 303
    return answer.headers["location"].partition("#")[0]


async def page(client: httpx.AsyncClient, address: str, status: int = 200) -> Markup:
    answer = await client.get(address)
    assert answer.status_code == status
    return Markup(answer.text)


async def answer_first(client: httpx.AsyncClient, case: str) -> tuple[str, str]:
    """Give the first answer that is offered; tells the feature and the value."""
    shown = await page(client, case)
    fields = {name: shown.field(name) for name in ("expected", "feature", "value")}
    assert (await client.post(f"{case}/answers", data=fields)).status_code == 303
    return fields["feature"], fields["value"]


async def test_a_pasted_line_becomes_a_case_that_is_shown(client: httpx.AsyncClient) -> None:
    shown = await page(client, await begun(client))
    assert {one.text for one in shown.all("mark", class_="address")} == {"192.0.2.10", "198.51.100.7", "address"}
    assert "Asymmetric routing" in shown.all("h1")[0].text
    assert len(shown.all("svg", class_="happened")) == 1
    assert shown.all("button", name="value", value="unknown")


async def test_every_example_becomes_a_case(client: httpx.AsyncClient) -> None:
    for name, example in EXAMPLES.items():
        (area,) = (await page(client, f"/?example={name}")).all("textarea")
        assert area.text.strip() == example.paste
        shown = await page(client, await begun(client, area.text))
        assert not shown.all("li", class_="unread"), name
        assert len(shown.all("mark")) > 2, name


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda text: gzip.compress(text[:20], mtime=0) + gzip.compress(text[20:])]
)
async def test_a_file_is_taken_plain_or_packed(client: httpx.AsyncClient, pack: object) -> None:
    assert callable(pack)
    answer = await client.post("/cases", data={"paste": ""}, files={"file": ("fw.log", pack(LINE.encode()))})
    assert (await client.get(answer.headers["location"].partition("#")[0] + "/paste.txt")).text == LINE


async def test_lines_and_a_file_stand_below_each_other(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cases", data={"paste": "one\r\ntwo"}, files={"file": ("fw.log", b"three")})
    assert (await client.get(answer.headers["location"].partition("#")[0] + "/paste.txt")).text == "one\ntwo\nthree"


async def test_a_broken_gzip_is_told(client: httpx.AsyncClient) -> None:
    for content in (b"\x1f\x8bnonsense", gzip.compress(LINE.encode(), mtime=0)[:-9]):
        answer = await client.post("/cases", files={"file": ("fw.gz", content)})
        assert answer.status_code == 422
        assert "gzip" in Markup(answer.text).all("p", id="mistake")[0].text


@pytest.mark.parametrize(
    "content", [b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00", gzip.compress(b"\n\r\r\n\x1c\x00\x00\x00", mtime=0)]
)
async def test_a_capture_is_refused_with_what_to_do_and_the_lines_stay(
    client: httpx.AsyncClient, content: bytes
) -> None:
    answer = await client.post("/cases", data={"paste": LINE}, files={"file": ("fw.pcap", content)})
    assert answer.status_code == 422
    shown = Markup(answer.text)
    mistake = shown.all("p", id="mistake")[0].text
    assert mistake.startswith("This is a binary file (a packet capture); whydrop reads text: export it with tshark -r")
    assert shown.all("textarea")[0].text.strip() == LINE
    case = await begun(client)
    answer = await client.post(f"{case}/pastes", files={"file": ("fw.pcap", content)})
    assert answer.status_code == 422
    assert "This is a binary file" in answer.text


async def test_a_file_in_utf_16_is_text(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cases", data={"paste": ""}, files={"file": ("fw.log", LINE.encode("utf-16"))})
    assert (await client.get(answer.headers["location"].partition("#")[0] + "/paste.txt")).text == LINE


async def test_what_turns_writing_around_is_shown_as_its_number(client: httpx.AsyncClient, built: House) -> None:
    bad = "\u202eturned"
    note = Outcome(cause=None, note=f"first\n{bad}")
    paste = f"{LINE}\n{LINE.replace('outside', bad)}\nIt {bad} worked for an hour and then broke. {bad}"
    case = (await built.begin(Pasted(paste=paste), note)).kept.summary.id
    shown = Markup((await client.get(f"/cases/{case}")).text)
    assert shown.all("blockquote")[0].text == "first\n\u2039202E\u203aturned"
    typed = shown.all("textarea", name="note")[0].text.strip()
    assert typed == f"first\n{bad}"
    assert shown.text.count("\u202e") == typed.count("\u202e")


async def test_whoever_knows_no_kind_of_message_yet_is_told_so(client: httpx.AsyncClient) -> None:
    case = await begun(client, "hello")
    shown = await page(client, f"{case}/why?cause=idle-timeout", 404)
    assert "No cause stands anywhere yet" in shown.text


async def test_what_unpacks_to_too_much_is_refused(client: httpx.AsyncClient) -> None:
    bomb = gzip.compress(b"\n" * (MOST_BYTES + 1), mtime=0)
    answer = await client.post("/cases", files={"file": ("fw.gz", bomb)})
    assert answer.status_code == 413
    assert "unpacked" in answer.text


async def test_too_many_lines_are_refused_with_advice(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cases", data={"paste": "x y\n" * 20_001})
    assert answer.status_code == 413
    assert "20,001 lines" in answer.text


async def test_a_form_that_cannot_be_read_is_answered_with_a_page(client: httpx.AsyncClient) -> None:
    for many in ({"a": "x" * (MOST_BYTES + 1)}, {str(one): "x" for one in range(50)}):
        answer = await client.post("/cases", data=many, files={"file": ("fw.log", LINE.encode())})
        assert answer.status_code == 400
        assert Markup(answer.text).all("h1")


async def test_an_empty_paste_is_asked_for_again(client: httpx.AsyncClient) -> None:
    answer = await client.post("/cases", data={"paste": " \n"})
    assert answer.status_code == 422
    assert Markup(answer.text).all("textarea", aria_describedby="mistake")


async def test_a_product_is_taken_by_its_name_and_a_wrong_one_keeps_the_lines(
    client: httpx.AsyncClient, built: House
) -> None:
    answer = await client.post("/cases", data={"paste": LINE, "product": "asa"})
    case = answer.headers["location"].split("/")[-1].partition("#")[0]
    pasted = (await built.events(case))[0]
    assert isinstance(pasted, Pasted)
    assert pasted.product == "cisco-asa"
    answer = await client.post("/cases", data={"paste": LINE, "product": "no such box"})
    assert answer.status_code == 422
    assert Markup(answer.text).all("textarea")[0].text.strip() == LINE


async def test_an_answer_moves_the_case_and_says_what_it_moved(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    feature, value = await answer_first(client, case)
    shown = await page(client, case)
    told = [one for one in await built.events(case.split("/")[-1]) if isinstance(one, Answered)]
    assert [(one.feature, one.value) for one in told] == [(feature, value)]
    assert "%" in shown.all("p", class_="moved")[0].text
    assert shown.all("a", href=f"{case}?change={feature}#changing")


async def test_an_answer_is_changed_and_taken_back(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    feature, _ = await answer_first(client, case)
    shown = await page(client, f"{case}?change={feature}")
    assert shown.all("h2", id="changing")
    assert len(shown.all("button", aria_pressed="true")) == 1
    changed = {"expected": shown.field("expected"), "feature": feature, "value": "none"}
    assert (await client.post(f"{case}/answers", data=changed)).status_code == 303
    fields = {"expected": (await page(client, case)).field("expected"), "feature": feature}
    assert (await client.post(f"{case}/withdrawn", data=fields)).status_code == 303
    kinds = [one for one in await built.events(case.split("/")[-1]) if isinstance(one, (Answered, Withdrawn))]
    assert [type(one) for one in kinds] == [Answered, Answered, Withdrawn]
    assert not (await page(client, case)).all("a", href=f"{case}?change={feature}#changing")


async def test_i_dont_know_is_an_answer(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    shown = await page(client, case)
    fields = {"feature": shown.field("feature"), "value": "unknown", "expected": shown.field("expected")}
    await client.post(f"{case}/answers", data=fields)
    told = [one for one in await built.events(case.split("/")[-1]) if isinstance(one, Answered)]
    assert [one.value for one in told] == [None]


async def test_a_duration_is_typed_and_a_wrong_one_is_said_beside_the_field(
    client: httpx.AsyncClient, built: House
) -> None:
    case = await begun(client)
    fields = {"feature": "timing.idle_s", "typed": "a fortnightish"}
    answer = await client.post(f"{case}/answers", data=fields)
    shown = Markup(answer.text)
    assert answer.status_code == 422
    assert shown.all("input", name="typed", value="a fortnightish", aria_invalid="true")
    assert (await client.post(f"{case}/answers", data={**fields, "typed": "1h 5s"})).status_code == 303
    told = [one for one in await built.events(case.split("/")[-1]) if isinstance(one, Answered)]
    assert [one.value for one in told] == [3605.0]


@pytest.mark.parametrize("feature", ["", "no.such", "log.product", "timing.idle_is_own_timer"])
async def test_what_cannot_be_asked_cannot_be_answered(client: httpx.AsyncClient, feature: str) -> None:
    case = await begun(client)
    for form in ("answers", "withdrawn"):
        assert (await client.post(f"{case}/{form}", data={"feature": feature, "value": "yes"})).status_code == 422


async def test_who_comes_too_late_sees_the_case_as_it_is_and_loses_nothing(
    client: httpx.AsyncClient, built: House
) -> None:
    case = await begun(client)
    old = (await page(client, case)).field("expected")
    feature, _ = await answer_first(client, case)
    late = {"expected": old, "feature": "timing.worked", "value": "never"}
    answer = await client.post(f"{case}/answers", data=late)
    assert answer.status_code == 409
    assert answer.headers["hx-replace-url"] == case
    shown = Markup(answer.text)
    assert "never, every attempt fails" in shown.all("section", aria_labelledby="again")[0].text
    again = {name: shown.field(name) for name in ("expected", "feature", "value")}
    assert again["expected"] > old
    assert again["feature"] == "timing.worked"
    assert (await client.post(f"{case}/answers", data=again)).status_code == 303
    told = [one.feature for one in await built.events(case.split("/")[-1]) if isinstance(one, Answered)]
    assert told == [feature, "timing.worked"]


async def test_a_second_click_on_the_same_answer_is_no_conflict(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    shown = await page(client, case)
    fields = {name: shown.field(name) for name in ("expected", "feature", "value")}
    for _ in range(2):
        assert (await client.post(f"{case}/answers", data=fields)).status_code == 303
    assert sum(isinstance(one, Answered) for one in await built.events(case.split("/")[-1])) == 1


@pytest.mark.parametrize(("how", "kept"), [("add", f"{LINE}\nzzz 1"), ("instead", "zzz 1")])
async def test_further_lines_stand_below_or_instead(client: httpx.AsyncClient, how: str, kept: str) -> None:
    case = await begun(client)
    fields = {"expected": (await page(client, case)).field("expected"), "how": how, "paste": "zzz 1"}
    assert (await client.post(f"{case}/pastes", data=fields)).status_code == 303
    assert (await client.get(f"{case}/paste.txt")).text == kept


async def test_a_second_click_on_any_form_is_no_conflict(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    for form, fields in (
        ("pastes", {"how": "add", "paste": "zzz 1"}),
        ("outcome", {"how": "solved", "cause": "asymmetric-routing", "note": "x"}),
    ):
        told = {"expected": (await page(client, case)).field("expected"), **fields}
        for _ in range(2):
            assert (await client.post(f"{case}/{form}", data=told)).status_code == 303, form
    kinds = [type(one) for one in await built.events(case.split("/")[-1])]
    assert (kinds.count(Pasted), kinds.count(Outcome)) == (2, 1)


async def test_further_lines_that_come_too_late_are_offered_again(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    old = (await page(client, case)).field("expected")
    await answer_first(client, case)
    files = {"file": ("more.log", b"from a file")}
    answer = await client.post(f"{case}/pastes", data={"expected": old, "how": "add", "paste": "typed"}, files=files)
    assert answer.status_code == 409
    assert Markup(answer.text).all("textarea", id="again-paste")[0].text.strip() == "typed\nfrom a file"


async def test_what_each_answer_would_change_is_told(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    feature = (await page(client, case)).field("feature")
    shown = await page(client, f"{case}/what-if?feature={feature}")
    assert "would lead with" in shown.all("div", id="effects")[0].text
    assert (await page(client, f"{case}/what-if")).all("div", id="effects")
    await page(client, f"{case}/what-if?feature=no.such", 404)


async def test_why_and_why_not_are_told_of_every_cause(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    choices = (await page(client, case)).all("option")
    causes = [one.attributes["value"] for one in choices if one.attributes.get("value")]
    assert "idle-timeout" in causes
    shown = await page(client, f"{case}/why?cause=idle-timeout")
    assert "Idle timeout at the firewall" in shown.all("h1")[0].text
    assert "Against it" in shown.text
    assert "What would refute it" in shown.text
    await page(client, f"{case}/why?cause=port-closed", 404)
    await page(client, f"{case}/why?cause=nonsense", 404)


async def test_what_is_never_a_cause_says_why(client: httpx.AsyncClient, shelf: Shelf) -> None:
    case = await begun(client, EXAMPLES["reset"].paste)
    name, dispute = next(iter(shelf.symptoms["reset"].not_causes.items()))
    shown = await page(client, f"{case}/why?cause={name}")
    assert " ".join(dispute.better.split()) in " ".join(shown.text.split())


async def test_the_outcome_is_kept_and_shown(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    expected = (await page(client, case)).field("expected")
    fields = {"expected": expected, "how": "solved", "cause": "asymmetric-routing", "note": "a static route"}
    assert (await client.post(f"{case}/outcome", data=fields)).status_code == 303
    shown = await page(client, case)
    assert shown.all("blockquote")[0].text == "a static route"
    assert "closed" in shown.all("p", class_="eyebrow")[0].text
    told = (await built.events(case.split("/")[-1]))[-1]
    assert told == Outcome(solved=True, cause="asymmetric-routing", note="a static route")
    fields = {"how": "unsolved", "cause": "asymmetric-routing"}
    await client.post(f"{case}/outcome", data=fields)
    assert (await built.events(case.split("/")[-1]))[-1] == Outcome(solved=False, cause=None)
    assert (await client.post(f"{case}/outcome", data={"how": ""})).status_code == 422


async def test_a_case_is_deleted_only_once_that_was_confirmed(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    assert (await client.post(f"{case}/delete")).headers["location"] == f"{case}/delete"
    assert (await page(client, f"{case}/delete")).all("button", name="sure")
    assert (await client.post(f"{case}/delete", data={"sure": "yes"})).headers["location"] == "/cases"
    await page(client, case, 404)


async def test_a_case_is_exported(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    text = await client.get(f"{case}/export.md")
    assert f"http://whydrop{case}" in text.text
    assert text.headers["content-disposition"].startswith("attachment")
    assert (await client.get(f"{case}/export.json")).json() == {"id": case.split("/")[-1]}


async def test_links_name_the_address_that_people_use(expert: Expert, tmp_path: Path) -> None:
    one = house(expert, tmp_path, "https://drop.example")
    async with one.casebook.store:
        await one.casebook.store.migrate()
        case = (await one.begin(Pasted(paste=LINE))).kept.summary.id
        transport = httpx.ASGITransport(app=one.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            assert f"https://drop.example/cases/{case}" in (await client.get(f"/cases/{case}")).text
            own = {"origin": "https://drop.example", "cookie": "whydrop_key=b"}
            assert (await client.post("/cases", data={"paste": LINE}, headers=own)).status_code == 303
            other = {**own, "origin": "https://other.example"}
            assert (await client.post("/cases", data={"paste": LINE}, headers=other)).status_code == 403


async def test_the_list_pages_and_filters(client: httpx.AsyncClient, built: House) -> None:
    for _ in range(21):
        await built.begin(Pasted(paste=LINE))
    await built.begin(Pasted(paste="nothing that is known"))
    first = await page(client, "/cases")
    assert len(first.all("time")) == 20
    (older,) = first.all("a", rel="next")
    assert len((await page(client, older.attributes["href"])).all("time")) == 2
    some = await page(client, "/cases?symptom=out-of-state&product=cisco-asa&state=&cause=")
    assert "symptom=out-of-state" in some.all("a", rel="next")[0].attributes["href"]
    assert not (await page(client, "/cases?symptom=reset")).all("time")
    await page(client, "/cases?symptom=nonsense", 422)
    await page(client, "/cases?cursor=nonsense", 400)


async def test_a_case_of_somebody_else_is_not_there(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    built.caller = Caller(workspace="another")
    for address in (case, f"{case}/export.md", f"{case}/paste.txt", f"{case}/why?cause=idle-timeout", f"{case}/delete"):
        await page(client, address, 404)
    assert (await client.post(f"{case}/delete", data={"sure": "yes"})).status_code == 404
    assert not (await page(client, "/cases")).all("time")


async def test_who_may_only_read_is_offered_no_form_and_refused_one(client: httpx.AsyncClient, built: House) -> None:
    case = await begun(client)
    built.caller = Caller(scopes=frozenset({"read"}))
    for address in ("/", case):
        shown = await page(client, address)
        assert not shown.all("form", method="post")
        assert "Your key may only read." in shown.text
        assert "How did it end?" not in shown.text
    for form in ("", f"/{case.split('/')[-1]}/answers", f"/{case.split('/')[-1]}/delete"):
        assert (await client.post(f"/cases{form}", data={"paste": LINE, "sure": "yes"})).status_code == 403


async def test_who_is_not_let_in_is_led_to_sign_in(client: httpx.AsyncClient, built: House) -> None:
    built.caller = None
    for address in ("/", "/cases", "/cases/x"):
        answer = await client.get(address)
        assert answer.headers["location"] == f"/signin?next={address}"
    answer = await client.get("/cases?state=open&cause=idle-timeout")
    assert answer.headers["location"] == "/signin?next=/cases%3Fstate%3Dopen%26cause%3Didle-timeout"
    for address in (*HANDBOOK, "/signin"):
        assert (await client.get(address)).status_code == 200


async def test_a_key_signs_in_and_another_does_not(client: httpx.AsyncClient) -> None:
    assert (await page(client, "/signin?next=/cases")).field("next") == "/cases"
    refused = await client.post("/signin", data={"key": "wrong", "next": "/cases"})
    assert refused.status_code == 403
    assert Markup(refused.text).all("input", name="key", aria_invalid="true")
    taken = await client.post("/signin", data={"key": KEY, "next": "/cases"})
    assert taken.headers["location"] == "/cases"
    assert "HttpOnly" in taken.headers["set-cookie"]
    assert (await page(client, "/signout")).all("form", action="/signout")
    assert "whydrop_key=" in (await client.post("/signout")).headers["set-cookie"]


@pytest.mark.parametrize(
    "path", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "", "/\n"]
)
def test_signing_in_leads_nowhere_else(path: str) -> None:
    assert own_path(path) == "/"


@pytest.mark.parametrize(
    "path", ["/cases?state=open&cause=idle-timeout", "/cases/x?change=a.b", "/cases?next=//evil.example"]
)
def test_signing_in_leads_back_to_where_it_began(path: str) -> None:
    assert own_path(path) == path


FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]
OWN = [{"sec-fetch-site": "same-origin"}, {"origin": "http://whydrop"}, {}]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_form_of_another_site_is_refused(built: House, headers: dict[str, str]) -> None:
    transport = httpx.ASGITransport(app=built.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://whydrop", headers=headers) as client:
        for address in ("/cases", "/signin", "/signout"):
            assert (await client.post(address, data={"paste": LINE})).status_code == 403
    assert not (await built.casebook.list("local")).cases


@pytest.mark.parametrize("headers", OWN)
async def test_a_form_of_ours_is_taken(built: House, headers: dict[str, str]) -> None:
    transport = httpx.ASGITransport(app=built.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://whydrop", headers=headers) as client:
        assert (await client.post("/cases", data={"paste": LINE})).status_code == 303


async def test_every_answer_bears_the_headers_that_keep_it_safe(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    private = ["/", "/cases", case, f"{case}/paste.txt", f"{case}/export.json", "/cases/none", "/signin"]
    for address in (*private, *HANDBOOK):
        headers = (await client.get(address)).headers
        assert headers["content-security-policy"] == POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert ("no-store" in headers["cache-control"]) == (address in private)


async def test_files_are_kept_for_long_under_an_address_that_names_their_content(client: httpx.AsyncClient) -> None:
    for asset in assets().values():
        answer = await client.get(asset.address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(asset.media_type)
    assert (await client.get("/static/0000000000000000/whydrop.css")).status_code == 404
    assert (await client.get("/static/x/..%2f__init__.py")).status_code == 404


def test_the_style_sheet_is_small_and_asks_for_nothing_from_outside() -> None:
    content = assets()["whydrop.css"].content.decode()
    assert len(content) < 20_000
    assert "url(" not in content
    assert "@import" not in content


async def test_a_reload_behind_a_form_leads_back_to_the_case(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    for form in ("answers", "withdrawn", "pastes", "outcome"):
        assert (await client.get(f"{case}/{form}")).headers["location"] == case


async def test_every_page_of_the_handbook_is_there_and_its_links_lead_somewhere(
    client: httpx.AsyncClient, shelf: Shelf
) -> None:
    addresses = [
        *HANDBOOK,
        *(f"/handbook/causes/{id_}" for id_ in shelf.causes),
        *(f"/handbook/products/{id_}" for id_ in shelf.products),
        *(f"/handbook/rosetta/{event}" for event in EVENTS),
    ]
    shown = {address: await page(client, address) for address in addresses}
    anchors = {one: {each.attributes.get("id") for each in found.elements} for one, found in shown.items()}
    for address, found in shown.items():
        for link in found.all("a"):
            path, _, anchor = link.attributes["href"].partition("#")
            if not path.startswith(("http", "/cases")) and path != "/":
                assert not anchor or anchor in anchors[path or address], f"{address}: {link.attributes['href']}"
    for address in ("causes/none", "products/none", "rosetta/none"):
        await page(client, f"/handbook/{address}", 404)


async def test_a_page_of_a_cause_says_all_that_its_entry_says(client: httpx.AsyncClient, shelf: Shelf) -> None:
    for cause in shelf.causes.values():
        text = _even((await page(client, f"/handbook/causes/{cause.id}")).text)
        said = [cause.summary, *(one.because for one in cause.clues), *(one.do for one in cause.remedies)]
        said += [one.undo for one in cause.remedies if one.undo] + [one.better for one in cause.disputes]
        for sentence in (*said, cause.refuted_by):
            assert _even(sentence)[1:].rstrip(".") in text, (cause.id, sentence)


def _even(text: str) -> str:
    return " ".join(text.split())


async def test_no_page_names_an_id_twice_and_headings_go_down_step_by_step(client: httpx.AsyncClient) -> None:
    case = await begun(client)
    await answer_first(client, case)
    cases = ["/", "/cases", case, f"{case}/what-if", f"{case}/why?cause=idle-timeout", f"{case}/delete", "/signin"]
    for address in (*cases, *HANDBOOK, "/handbook/causes/idle-timeout", "/handbook/products/paloalto"):
        shown = await page(client, address)
        ids = [one.attributes["id"] for one in shown.elements if "id" in one.attributes]
        assert len(ids) == len(set(ids)), address
        levels = [int(one.tag[1]) for one in shown.elements if re.fullmatch("h[1-6]", one.tag)]
        assert levels[0] == 1, address
        assert levels.count(1) == 1, address
        assert all(later <= level + 1 for level, later in pairwise(levels)), address


def _request(path: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "headers": [], "path_params": {"case": "abc"}})


def test_an_error_and_a_problem_have_pages() -> None:
    answer = error_page(_request("/cases/abc"), 409, "The case went on", "Look again.")
    assert answer.status_code == 409
    assert Markup(bytes(answer.body).decode()).all("a", href="/cases/abc")
    found = problem_page("too-large", "Too large", 413, ["Paste fewer lines.", "Filter them."])
    shown = Markup(bytes(found.body).decode())
    assert found.status_code == 200
    assert [one.text for one in shown.all("li")] == ["Paste fewer lines.", "Filter them."]
