"""Pictures of the knowledge, written as HTML here: the matrix of evidence and causes, and the tree of questions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.marks import (
    COLOURS,
    FONT,
    LEGEND,
    MARK_STYLE,
    SIGNS,
    clash,
    groups_of,
    kind_of,
    leads,
    safe,
    spelt,
    weightiest,
)
from bot.vector import matrix_svg, tree_svg
from knowledge.model import Cause
from rules.diagnose import Expert
from rules.workbench import Matrix, Node, Row, matrix, tree


def drawings(expert: Expert) -> Iterator[tuple[str, str]]:
    """Draw everything: the name of each file, and what it holds."""
    for symptom in sorted({symptom for cause in expert.shelf.causes.values() for symptom in cause.symptoms}):
        name = expert.shelf.symptoms[symptom].title
        evidence, questions = matrix(expert.shelf, symptom), tree(expert, symptom)
        yield f"matrix-{symptom}.html", matrix_html(evidence, f"{name}: evidence and causes")
        yield f"matrix-{symptom}.svg", matrix_svg(evidence, f"{name}: evidence and causes")
        yield f"tree-{symptom}.html", tree_html(questions, f"{name}: the questions")
        yield f"tree-{symptom}.svg", tree_svg(questions, f"{name}: the questions")


def _page(title: str, style: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{COLOURS}{style}</style></head>\n'
        f"<body><h1>{safe(title)}</h1>\n{body}\n</body></html>\n"
    )


_TABLE_STYLE = f"""
body {{ margin: 0; height: 100vh; display: flex; flex-direction: column; background: var(--page); color: var(--ink);
  font: 14px/1.3 {FONT}; }}
h1 {{ font-size: 1.25rem; margin: .8rem 1rem .2rem; }} p {{ margin: .2rem 1rem .7rem; color: var(--faint); }}
p b {{ color: var(--ink); font-weight: normal; margin-right: .9rem; }}
div {{ flex: 1; overflow: auto; border-top: 1px solid var(--line); }}
table {{ border-collapse: separate; border-spacing: 0; }}
thead th {{ position: sticky; top: 0; z-index: 2; height: 17rem; padding: .4rem 0; background: var(--page);
  border-bottom: 2px solid var(--line); vertical-align: bottom; font-weight: normal; }}
thead th span {{ writing-mode: vertical-rl; transform: rotate(180deg); max-height: 16.4rem; line-height: 1.05; }}
thead th:first-child {{ left: 0; z-index: 4; }}
th:first-child {{ position: sticky; left: 0; min-width: 17rem; max-width: 17rem; padding: .15rem .6rem .15rem 1rem;
  text-align: left; font-weight: normal; background: var(--page); border-right: 2px solid var(--line); z-index: 1; }}
tr.group th:first-child {{ left: auto; top: 17.9rem; z-index: 3; max-width: none; background: var(--group);
  font-weight: 600; white-space: nowrap; }} tr.group span {{ position: sticky; left: 1rem; }}
td {{ min-width: 2.1rem; height: 1.6rem; padding: 0; text-align: center; border-right: 1px solid var(--line);
  border-bottom: 1px solid var(--line); }}
th:first-child {{ border-bottom: 1px solid var(--line); }}
tr:hover td, tr:hover th:first-child {{ background: var(--band); }}
i {{ display: inline-block; min-width: 1.5rem; text-align: center; line-height: 1.25rem; border-radius: 3px;
  font-style: normal; font-weight: 700; border: 1px solid transparent; }}
i.beside {{ border: 1px dashed currentColor; opacity: .85; }}
sup {{ font-size: .62rem; line-height: 0; font-weight: 400; }}
"""


def matrix_html(evidence: Matrix, title: str) -> str:
    """Draw the matrix as a table whose head and first column stay in sight."""
    signs = "".join(f'<b><i class="{kind_of(one)}">{sign}</i> {one}</b>' for one, sign in SIGNS.items())
    heads = "".join(f"<th scope=col><span>{safe(cause.title)}</span></th>" for cause in evidence.causes)
    rows = "\n".join(part for group in groups_of(evidence.rows) for part in _table_rows(group, evidence.causes))
    table = f"<table><thead><tr><th>Evidence</th>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table>"
    return _page(title, _TABLE_STYLE + MARK_STYLE, f"<p>{signs}{safe(LEGEND)}</p><div>{table}</div>")


def _table_rows(group: Sequence[Row], causes: Sequence[Cause]) -> Iterator[str]:
    feature = group[0].feature
    title = f'<span title="{safe(feature.id)}">{safe(feature.title)}</span>'
    yield f"<tr class=group><th scope=rowgroup colspan={len(causes) + 1}>{title}</th></tr>"
    for row in group:
        cells = "".join(f"<td>{_cell(row, cause)}</td>" for cause in causes)
        yield f"<tr><th scope=row>{safe(row.value)}</th>{cells}</tr>"


def _cell(row: Row, cause: Cause) -> str:
    marks = row.marks.get(cause.id)
    if not marks:
        return ""
    first = weightiest(marks)
    more = f"<sup>{len(marks)}</sup>" if len(marks) > 1 else ""
    kind = kind_of(first.strength) + (" beside" if first.beside else "")
    return f'<i class="{kind}" title="{safe(spelt(row, cause, marks))}">{SIGNS[first.strength]}{more}</i>'


_TREE_STYLE = f"""
body {{ margin: 1rem 1.5rem 3rem; background: var(--page); color: var(--ink); font: 15px/1.45 {FONT}; }}
h1 {{ font-size: 1.25rem; }} ul {{ list-style: none; margin: .15rem 0 .3rem .45rem; padding-left: 1.1rem;
  border-left: 2px solid var(--line); }}
li {{ margin: .3rem 0; }} summary {{ cursor: pointer; display: inline; font-weight: 600; }}
details {{ display: inline; }}
.answer {{ background: var(--group); border-radius: 3px; padding: .05rem .4rem; margin-right: .4rem; }}
small {{ color: var(--faint); font-weight: normal; margin-left: .4rem; font-size: .85rem; }}
"""


def tree_html(root: Node, title: str) -> str:
    """Draw the tree as a list whose branches fold."""
    note = "<p>What is asked first and, after each answer, next; and which cause leads then.</p>"
    return _page(title, _TREE_STYLE, f"{note}\n{_branch(root, is_open=True)}")


def _branch(node: Node, *, is_open: bool) -> str:
    if node.question is None:
        return f"<span>{safe(leads(node))}</span>" + (
            f"<small>{safe(clash(node))}</small>" if node.contradiction else ""
        )
    rows = "\n".join(
        f"<li><span class=answer>{safe(answer)}</span>{_branch(one, is_open=one.question is None or is_open)}</li>"
        for answer, one in node.branches
    )
    head = f"<summary>{safe(node.question)}<small>so far: {safe(leads(node))}</small></summary>"
    return f"<details{' open' if is_open else ''}>{head}\n<ul>{rows}</ul></details>"
