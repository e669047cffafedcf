"""The page in a real Chromium: with and without JavaScript, by keyboard, and as those see it who see differently."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from rules.diagnose import Expert
from tests.page import KEY, LINE, Caller, House, house

pytestmark = pytest.mark.early

pytest_plugins = ["tests.browser"]

Opened = Callable[..., Page]
Serving = Callable[[House], AbstractContextManager[str]]
IDLE = (
    'date=2024-03-03 time=10:15:54 devname="fw1" logid="0001000014" type="traffic" srcip=192.0.2.20 srcport=40112 '
    'dstip=198.51.100.40 dstport=1433 proto=6 action=deny msg="no session matched"\n'
    "The connections are idle for an hour and then break; a retry works at once."
)


@pytest.fixture
def opened(browser: Browser, site: str) -> Iterator[Opened]:
    """Give a function that opens a window; at the end nothing may have been complained about in any of them."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_(**wanted: Any) -> Page:
        context = browser.new_context(base_url=site, **wanted)
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if complains(said) else None)
        page.on("pageerror", lambda wrong: complaints.append(str(wrong)))
        page.on("request", lambda one: None if one.url.startswith(site) else complaints.append(one.url))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


def complains(said: ConsoleMessage) -> bool:
    """Tell whether a browser complains; that a form was not taken is no complaint."""
    return said.type in ("error", "warning") and not re.search(r"status of 4(?:09|22)\b", said.text)


def begin(page: Page, paste: str = LINE) -> str:
    """Paste lines; gives the path of the case."""
    page.goto("/")
    page.get_by_label("Log lines").fill(paste)
    page.get_by_role("button", name="Find the cause").click()
    expect(page.locator("#pasted")).to_be_visible()
    return re.sub(r"^https?://[^/]+|#.*$", "", page.url)


@pytest.mark.parametrize("script", [True, False])
def test_a_case_from_its_line_to_its_outcome(opened: Opened, script: bool) -> None:
    page = opened(java_script_enabled=script)
    begin(page)
    expect(page.locator("mark.flags").first).to_have_text("SYN ACK")
    page.get_by_role("button", name="there are two lines, gateways or firewalls").click()
    expect(page.locator(".moved")).to_contain_text("Asymmetric routing")
    expect(page.locator("#given + ul strong")).to_have_text("there are two lines, gateways or firewalls")

    page.get_by_role("link", name="Change your answer").click()
    expect(page.locator("#changing")).to_be_visible()
    page.locator("section", has=page.locator("#changing")).get_by_role("button", name="none of these").click()
    expect(page.locator("#given + ul strong")).to_have_text("none of these")
    page.get_by_role("button", name="Take back").click()
    expect(page.locator("#given")).to_have_count(0)

    page.get_by_label("Why, or why not").select_option("idle-timeout")
    page.get_by_role("button", name="Tell").click()
    expect(page.locator("h1")).to_have_text("Idle timeout at the firewall")
    page.get_by_role("link", name="Back to the case").click()

    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    assert download.value.suggested_filename.endswith(".md")

    page.get_by_label("Solved", exact=True).check()
    page.get_by_label("What it was").select_option("asymmetric-routing")
    page.get_by_label("Note").fill("a second line")
    page.get_by_role("button", name="Keep this").click()
    expect(page.locator("blockquote")).to_have_text("a second line")
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator("h1")).to_have_text("Cases")


@pytest.mark.parametrize("script", [True, False])
def test_a_duration_is_typed(opened: Opened, script: bool) -> None:
    page = opened(java_script_enabled=script)
    case = begin(page)
    page.goto(f"{case}?change=timing.idle_s")
    field = page.get_by_label("A duration").first
    field.fill("a while")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is no duration")
    expect(page.get_by_label("A duration").first).to_have_value("a while")
    page.get_by_label("A duration").first.fill("1h 5s")
    page.get_by_label("A duration").first.press("Enter")
    expect(page.locator("#given + ul strong")).to_have_text("3605 s")


@pytest.mark.parametrize("script", [True, False])
def test_what_each_answer_would_change_is_worked_out_when_it_is_asked_for(opened: Opened, script: bool) -> None:
    page = opened(java_script_enabled=script)
    begin(page)
    page.get_by_text("What each answer would change").click()
    if not script:
        page.get_by_role("link", name="Work it out").click()
    expect(page.get_by_text("would lead with").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_two_windows_of_one_case_lose_nothing(opened: Opened, script: bool) -> None:
    page = opened(java_script_enabled=script)
    case = begin(page)
    other = page.context.new_page()
    other.goto(case)
    other.get_by_role("button", name="there are two lines, gateways or firewalls").click()
    expect(other.locator(".moved")).to_be_visible()
    page.get_by_role("button", name="none of these").click()
    again = page.get_by_role("alert")
    expect(again).to_contain_text("none of these")
    again.get_by_role("button", name="Send it again").click()
    expect(page.locator("#given + ul strong")).to_have_text("none of these")
    assert case in page.url


def test_an_answer_swaps_the_page_tells_what_it_moved_and_goes_on_at_the_next_question(opened: Opened) -> None:
    page = opened()
    case = begin(page)
    page.evaluate("window.same = true")
    page.get_by_role("button", name="there are two lines, gateways or firewalls").click()
    expect(page.locator("#said")).to_contain_text("Asymmetric routing")
    expect(page.locator("#question")).to_be_focused()
    assert page.evaluate("window.same")
    assert page.url.endswith(case)
    kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "192.0.2.10" not in kept
    assert "history-cache" not in kept
    page.get_by_role("link", name="Change your answer").click()
    expect(page.locator("#changing")).to_be_focused()


@pytest.mark.parametrize("content", [LINE.encode(), gzip.compress(LINE.encode(), mtime=0)])
def test_a_file_is_dropped_on_the_page(opened: Opened, content: bytes) -> None:
    page = opened()
    page.goto("/")
    held = page.evaluate_handle(
        "bytes => { const held = new DataTransfer();"
        " held.items.add(new File([new Uint8Array(bytes)], 'fw.log')); return held; }",
        list(content),
    )
    for event in ("dragover", "drop"):
        page.dispatch_event("[data-drop] textarea", event, {"dataTransfer": held})
    expect(page.locator("#said")).to_have_text("fw.log was taken")
    page.get_by_role("button", name="Find the cause").click()
    expect(page.locator("mark.address").first).to_have_text("192.0.2.10")


def test_a_file_is_chosen(opened: Opened) -> None:
    page = opened(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Or a file").set_input_files(
        {"name": "fw.log", "mimeType": "text/plain", "buffer": LINE.encode()}
    )
    page.get_by_role("button", name="Find the cause").click()
    expect(page.locator("mark.address").first).to_have_text("192.0.2.10")


def test_a_command_and_the_link_are_copied(opened: Opened) -> None:
    page = opened(permissions=["clipboard-read", "clipboard-write"])
    case = begin(page)
    command = page.locator("#step-1")
    page.locator("[data-copy=step-1]").click()
    expect(page.locator("[data-copy=step-1]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == command.inner_text()
    page.locator("[data-copy=link]").click()
    expect(page.locator("[data-copy=link]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith(case)


def test_without_javascript_no_copy_button_is_offered(opened: Opened) -> None:
    page = opened(java_script_enabled=False)
    begin(page)
    expect(page.locator("[data-copy=link]")).to_be_hidden()


def test_the_keyboard_is_enough(opened: Opened) -> None:
    page = opened()
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Log lines")).to_be_focused()
    page.keyboard.insert_text(LINE)
    tab_to(page, "Find the cause")
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_visible()
    tab_to(page, "there are two lines, gateways or firewalls")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('form')?.className").startswith("choices")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a button has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    pytest.fail(f"Tab does not lead to {name!r}")


PLACES: Mapping[str, str] = {
    "paste": "/?example=asa",
    "case": "{case}",
    "verdict": "{verdict}",
    "change": "{case}?change=timing.idle_s",
    "why": "{case}/why?cause=idle-timeout",
    "what-if": "{case}/what-if",
    "delete": "{case}/delete",
    "cases": "/cases?symptom=out-of-state",
    "signin": "/signin",
    "signout": "/signout",
    "handbook": "/handbook",
    "cause": "/handbook/causes/idle-timeout",
    "product": "/handbook/products/paloalto",
    "rosetta": "/handbook/rosetta",
    "event": "/handbook/rosetta/out-of-state",
    "questions": "/handbook/questions",
    "sources": "/handbook/sources",
}
WINDOWS: Mapping[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "small": {"color_scheme": "light", "viewport": {"width": 375, "height": 800}},
}


@pytest.fixture(scope="module")
def places(browser: Browser, site: str) -> Mapping[str, str]:
    """Give the address of every kind of page."""
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        case = begin(page)
        page.get_by_role("button", name="there are two lines, gateways or firewalls").click()
        expect(page.locator(".moved")).to_be_visible()
        verdict = begin(page, IDLE)
        expect(page.locator("#proof")).to_be_visible()
    return {name: one.format(case=case, verdict=verdict) for name, one in PLACES.items()}


def unfolded(page: Page, address: str) -> None:
    """Open a page and all that is folded on it."""
    page.goto(address)
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    if page.locator("[hx-trigger='toggle once']").count():
        expect(page.locator(".later ul").first).to_be_visible()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("place", PLACES)
def test_everybody_can_read_and_use_it(opened: Opened, places: Mapping[str, str], place: str, window: str) -> None:
    page = opened(**WINDOWS[window])
    unfolded(page, places[place])
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [375, 320])
def test_nothing_scrolls_sideways_on_a_small_screen(opened: Opened, places: Mapping[str, str], width: int) -> None:
    page = opened(viewport={"width": width, "height": 700})
    wide = []
    for place, address in places.items():
        unfolded(page, address)
        if page.evaluate("document.documentElement.scrollWidth") > width:
            wide.append(place)
    assert wide == []


@pytest.mark.parametrize("width", [375, 320])
def test_no_word_of_a_list_is_broken_on_a_small_screen(opened: Opened, places: Mapping[str, str], width: int) -> None:
    page = opened(viewport={"width": width, "height": 700})
    page.goto(places["cases"])
    row = page.locator(".cases a").first
    across = row.bounding_box()
    assert across
    for part in ("strong", "span", "time"):
        box = row.locator(part).first.bounding_box()
        assert box
        assert box["x"] - across["x"] < 30
    assert page.evaluate(_WORDS_BROKEN) == []


_WORDS_BROKEN = """[...document.querySelectorAll(".cases strong")].flatMap((title) => {
  const text = title.firstChild;
  return [...text.data.matchAll(/\\S+/g)].filter((word) => {
    const range = document.createRange();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return range.getClientRects().length > 1;
  }).map((word) => word[0]);
})"""


def tops(page: Page, *ids: str) -> list[float]:
    """Tell how far down headings begin."""
    boxes = [page.locator(f"#{id_}").bounding_box() for id_ in ids]
    return [box["y"] for box in boxes if box]


def test_on_a_small_screen_the_question_comes_first_and_a_long_line_folds(opened: Opened) -> None:
    page = opened(viewport={"width": 360, "height": 800})
    begin(page, f"{LINE} {'field=value ' * 400}the end")
    order = ["question", "pasted", "ranking", "proof", "picture", "steps", "facts", "outcome"]
    found = tops(page, *order)
    assert len(found) == len(order)
    assert found == sorted(found)
    assert found[0] < 400
    line = page.locator(".lines code")
    folded = line.bounding_box()
    assert folded
    assert folded["height"] < 400
    page.get_by_text("Show the whole line").click()
    whole = line.bounding_box()
    assert whole
    assert whole["height"] > 2000
    expect(line.locator("mark.flags")).to_have_text("SYN ACK")


def test_a_missing_page_says_so_and_can_be_read(browser: Browser, site: str) -> None:
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        page.goto("/cases/nothing")
        expect(page.locator("h1")).to_have_text("There is no such case")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


FAILURES: Mapping[str, tuple[dict[str, Any], str]] = {
    "fault": ({"status": 500, "content_type": "application/problem+json", "body": "{}"}, "Something went wrong"),
    "fault with a page": ({"status": 500, "content_type": "text/html", "body": "<h1>x</h1>"}, "Something went wrong"),
    "busy": ({"status": 503, "content_type": "text/html", "headers": {"retry-after": "1"}}, "Please wait 1 second,"),
    "too often": (
        {"status": 429, "content_type": "application/problem+json", "headers": {"retry-after": "17"}},
        "Please wait 17 seconds, then try again.",
    ),
    "refused": ({"status": 403, "content_type": "text/html", "body": "<h1>x</h1>"}, "This was refused"),
    "signed out": ({"status": 401, "content_type": "application/problem+json", "body": "{}"}, "You are signed out"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_answer_that_was_not_kept_is_told_beside_the_question(browser: Browser, site: str, failure: str) -> None:
    answered, words = FAILURES[failure]
    with browser.new_context(base_url=site) as context:
        page = context.new_page()
        case = begin(page)
        page.route("**/answers", lambda route: route.fulfill(**answered))
        choice = page.get_by_role("button", name="there are two lines, gateways or firewalls")
        choice.click()
        told = page.locator("section.asked").get_by_role("alert")
        expect(told).to_contain_text(words)
        expect(told).to_be_in_viewport()
        assert page.url.endswith(case)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        page.unroute("**/answers")
        choice.click()
        expect(page.locator(".moved")).to_be_visible()
        expect(told).to_have_count(0)


def test_whoever_was_signed_out_meanwhile_signs_in_again_and_comes_back(
    browser: Browser, serving: Serving, expert: Expert, tmp_path: Path
) -> None:
    built = house(expert, tmp_path)
    with serving(built) as address, browser.new_context(base_url=address) as context:
        page = context.new_page()
        case = begin(page)
        page.goto(f"{case}?change=timing.idle_s")
        built.caller = None
        page.get_by_role("button", name="I don't know").first.click()
        told = page.get_by_role("alert")
        expect(told).to_contain_text("You are signed out, and nothing was kept.")
        built.caller = Caller()
        told.get_by_role("link", name="Sign in again").click()
        page.get_by_label("Key").fill(KEY)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator("#changing")).to_be_visible()
        assert page.url == f"{address}{case}?change=timing.idle_s"


def test_a_service_that_stopped_is_told_beside_the_question(
    browser: Browser, serving: Serving, expert: Expert, tmp_path: Path
) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        with serving(house(expert, tmp_path)) as address:
            page.goto(f"{address}/?example=asa")
            page.get_by_role("button", name="Find the cause").click()
            expect(page.locator("#question")).to_be_visible()
        page.get_by_role("button", name="I don't know").click()
        expect(page.locator("section.asked").get_by_role("alert")).to_contain_text("whydrop cannot be reached")


def test_nothing_that_was_pasted_runs(opened: Opened) -> None:
    page = opened()
    bad = "<img src=x onerror=window.ran=1><script>window.ran=1</script><svg onload=window.ran=1> hx-get=/cases"
    case = begin(page, f"{LINE}\n{bad}\n{LINE.replace('outside', bad)}")
    page.get_by_label("Solved", exact=True).check()
    page.get_by_label("Note").fill(bad)
    page.get_by_role("button", name="Keep this").click()
    expect(page.locator("blockquote")).to_have_text(bad)
    page.goto(case)
    assert page.evaluate("window.ran ?? null") is None
    assert page.locator("main img").count() == 0
