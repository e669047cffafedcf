"""Blocks as HTML in Slack's look: `python -m tests.slack.render FOLDER` takes pictures of all payloads."""

from __future__ import annotations

import base64
import html
import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from bot.picture import picture
from bot.slack.picture_png import picture_png
from tests.shipped import shipped_expert
from tests.slack.moments import settled

PAYLOADS = Path(__file__).parent / "payloads"
_STYLE = """
:root { --bg:#fff; --ink:#1d1c1d; --small:#616061; --line:#ddd; --link:#1264a3; --code:#f8f8f8; --mark:#e01e5a;
--button:#fff; --edge:#bbb; --primary:#007a5a; --danger:#e01e5a; --veil:#0003; } [data-theme=dark] { --bg:#1a1d21;
--ink:#d1d2d3; --small:#ababad; --line:#35373b; --link:#1d9bd1; --code:#222529; --mark:#e8912d; --button:#1a1d21;
--edge:#565856; --primary:#007a5a; --danger:#e01e5a; } * { box-sizing:border-box } body { margin:0;
background:var(--bg); color:var(--ink); width:760px; font:15px/1.46668 Lato, "Noto Sans", "Liberation Sans", Arial,
sans-serif; padding:16px 20px } .message { display:grid; grid-template-columns:36px 1fr; gap:8px } .face {
width:36px; height:36px; border-radius:4px; background:#4a154b; color:#fff; display:grid; place-items:center;
font-weight:900 } .who b { font-weight:900 } .who i { font-style:normal; background:var(--line); font-size:10px;
padding:1px 3px; border-radius:2px; margin:0 6px } .who span { color:var(--small); font-size:12px } .blocks {
max-width:600px } .blocks > * { margin:4px 0 8px } .section { display:flex; gap:16px } .section > .text { flex:1;
min-width:0; overflow-wrap:anywhere } .context { color:var(--small); font-size:13px; line-height:1.38;
overflow-wrap:anywhere } .divider { border:0; border-top:1px solid var(--line); margin:12px 0 } .header {
font-size:18px; font-weight:900; margin-top:16px } pre { background:var(--code); border:1px solid var(--line);
border-radius:4px; padding:8px; margin:4px 0; font:12px/1.5 Monaco, Menlo, "DejaVu Sans Mono", monospace;
white-space:pre-wrap; overflow-wrap:anywhere } code { background:var(--code); border:1px solid var(--line);
border-radius:3px; padding:1px 3px; font:12px "DejaVu Sans Mono", monospace; color:var(--mark) } .actions {
display:flex; flex-wrap:wrap; gap:8px } .button { background:var(--button); border:1px solid var(--edge);
border-radius:4px; font:700 13px Lato, "Liberation Sans", Arial; color:var(--ink); padding:5px 10px;
max-width:300px; white-space:nowrap; overflow:hidden; text-overflow:ellipsis } .button.primary {
background:var(--primary); color:#fff; border-color:var(--primary) } .button.danger { background:var(--danger);
color:#fff } .select { border:1px solid var(--edge); border-radius:4px; padding:5px 10px; font-size:13px;
color:var(--small); min-width:200px; max-width:300px } .select::after { content:" ⌄"; float:right } .link {
color:var(--link) } .image { border:1px solid var(--line); border-radius:8px; color:var(--small); padding:24px;
font-size:13px; background:var(--code) } img { max-width:360px } .mention { background:#1d9bd120; color:var(--link);
border-radius:3px } .modal { border:1px solid var(--line); border-radius:8px; width:520px; box-shadow:0 4px 24px
var(--veil) } .modal > header, .modal > footer { padding:16px 20px; display:flex; justify-content:space-between;
font-weight:900; font-size:18px; gap:8px } .modal > footer { justify-content:flex-end } .modal > .blocks { padding:0
20px } .input label { font-weight:700; display:block } .input small { color:var(--small); font-size:13px } .field {
border:1px solid var(--edge); border-radius:4px; padding:8px 12px; color:var(--small); margin:4px 0 } .field.lines {
min-height:120px } .text-only { white-space:pre-wrap } .input { margin:8px 0 16px } .input .select { display:block;
max-width:none }
"""


def mrkdwn(text: str) -> str:
    """Write Slack's formatting as HTML. Its texts are escaped already."""
    parts = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
    return "".join(_formatted(part) for part in parts)


def _formatted(part: str) -> str:
    if part.startswith("```") and len(part) > 5:
        return f"<pre>{part[3:-3].strip(chr(10))}</pre>"
    if part.startswith("`") and len(part) > 2:
        return f"<code>{part[1:-1]}</code>"
    part = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", r'<span class="link">\2</span>', part)
    part = re.sub(r"<@([A-Z0-9]+)>", r'<span class="mention">@somebody</span>', part)
    part = re.sub(r"(?<![A-Za-z0-9])\*(\S(?:[^*\n]*\S)?)\*(?![A-Za-z0-9])", r"<b>\1</b>", part)
    part = re.sub(r"(?<![A-Za-z0-9])_(\S(?:[^_\n]*\S)?)_(?![A-Za-z0-9])", r"<i>\1</i>", part)
    return part.replace("\n", "<br>")


def _text(found: Mapping[str, Any]) -> str:
    return mrkdwn(found["text"]) if found["type"] == "mrkdwn" else found["text"].replace("\n", "<br>")


def block(one: Mapping[str, Any]) -> str:
    """Draw a block."""
    match one["type"]:
        case "section":
            beside = element(one["accessory"]) if "accessory" in one else ""
            return f'<div class="section"><div class="text">{_text(one["text"])}</div><div>{beside}</div></div>'
        case "context":
            return f'<div class="context">{" ".join(map(_text, one["elements"]))}</div>'
        case "actions":
            return f'<div class="actions">{"".join(map(element, one["elements"]))}</div>'
        case "divider":
            return '<hr class="divider">'
        case "header":
            return f'<div class="header">{one["text"]["text"]}</div>'
        case "image":
            return _image(one)
        case "input":
            more = " <small>(optional)</small>" if one.get("optional") else ""
            hint = f"<small>{one['hint']['text']}</small>" if "hint" in one else ""
            return (
                f'<div class="input"><label>{one["label"]["text"]}{more}</label>{element(one["element"])}{hint}</div>'
            )
    raise ValueError(one["type"])


def _image(one: Mapping[str, Any]) -> str:
    """Show the picture of the case that has come to its end: no other stands in a payload."""
    data = base64.b64encode(_png()).decode()
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(one["alt_text"])}">'


@cache
def _png() -> bytes:
    expert = shipped_expert()
    drawn = picture(settled(expert).diagnosis, expert.shelf)
    return picture_png(drawn) if drawn else b""


def element(one: Mapping[str, Any]) -> str:
    """Draw an element."""
    held = one.get("placeholder", {}).get("text", "")
    match one["type"]:
        case "button":
            return f'<span class="button {one.get("style", "")}">{one["text"]["text"]}</span>'
        case "static_select":
            return f'<span class="select">{held}</span>'
        case "radio_buttons":
            return "".join(
                f"<div>{'◉' if option == one.get('initial_option') else '○'} {option['text']['text']}</div>"
                for option in one["options"]
            )
        case "plain_text_input":
            return f'<div class="field {"lines" if one.get("multiline") else ""}">{held}</div>'
        case "file_input":
            return '<div class="field">Drop a file, or choose one</div>'
    raise ValueError(one["type"])


def page(payload: Mapping[str, Any], theme: str) -> str:
    """Draw a message, a modal or a home."""
    laid = f'<div class="blocks">{"".join(map(block, payload["blocks"]))}</div>'
    if payload.get("type") == "modal":
        buttons = f'<span class="button">{payload["close"]["text"]}</span>'
        buttons += f'<span class="button primary">{payload["submit"]["text"]}</span>'
        body = f'<div class="modal"><header>{payload["title"]["text"]}</header>{laid}<footer>{buttons}</footer></div>'
    elif payload.get("type") == "home":
        body = laid
    else:
        who = '<div class="who"><b>whydrop</b><i>APP</i><span>3:12 AM</span></div>'
        body = f'<div class="message"><div class="face">w</div><div>{who}{laid}</div></div>'
    head = f'<meta charset="utf-8"><style>{_STYLE}</style>'
    return f'<!doctype html><html data-theme="{theme}">{head}<body>{body}</body></html>'


def main(folder: Path) -> None:
    """Take a picture of each payload, in light and in dark."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 760, "height": 200})
        for path in sorted(PAYLOADS.glob("*.json")):
            for theme in ("light", "dark"):
                tab.set_content(page(json.loads(path.read_text(encoding="utf-8")), theme))
                tab.screenshot(path=folder / f"{path.stem}-{theme}.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
