"""Three rooms, one direction: bot imports rules, rules imports knowledge, and nothing looks back."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("bot", "rules", "knowledge")
"""Each may import itself and those to its right."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
}
SAYS_NOTHING = frozenset(
    [
        "utils",
        "util",
        "helpers",
        "common",
        "core",
        "base",
        "manager",
        "handler",
        "service",
        "processor",
        "data",
        "result",
    ]
)
LONGEST = 40
"""Lines of a function's body, without its docstring."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Give the name of every module that is imported anywhere: at the top, in a function, for type checks only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            yield source
            yield from (f"{source}.{name.name}" for name in node.names)


def looks_back(module: str, tree: ast.AST) -> list[str]:
    """List the imports that lead to a room which may not be seen from here."""
    room = module.partition(".")[0]
    forbidden = (*ROOMS[: ROOMS.index(room)], "tests", "bench")
    return [name for name in imports(tree) if name.partition(".")[0] in forbidden or name.startswith(".")]


def importers(package: str, modules: Mapping[str, ast.AST]) -> set[str]:
    return {module for module, tree in modules.items() for name in imports(tree) if name.partition(".")[0] == package}


def cycle(modules: Mapping[str, ast.AST]) -> list[str]:
    """Give the modules of one import cycle; none if there is none."""
    graph = {module: set(imports(tree)) & modules.keys() - {module} for module, tree in modules.items()}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as found:
        return list(found.args[1])
    return []


def too_long(tree: ast.AST) -> list[str]:
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return [one.name for one in functions if _lines(one) > LONGEST]


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def names_nothing(module: str) -> bool:
    return not SAYS_NOTHING.isdisjoint(module.split("."))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_what_its_room_may_see(module: str) -> None:
    assert looks_back(module, MODULES[module]) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is(module: str) -> None:
    assert ast.get_docstring(MODULES[module])


@pytest.mark.parametrize("module", MODULES)
def test_no_function_is_longer_than_a_screen(module: str) -> None:
    assert too_long(MODULES[module]) == []


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_named_after_what_it_knows(module: str) -> None:
    assert not names_nothing(module)


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert cycle(MODULES) == []


@pytest.mark.parametrize(
    ("package", "only"),
    [
        ("durable", "rules.engine"),
        ("durable_rules_engine", "rules.engine"),
        ("re2", "knowledge.pattern"),
        ("clips", None),
        ("tests", None),
    ],
)
def test_one_module_alone_knows_a_package_that_may_be_replaced(package: str, only: str | None) -> None:
    assert importers(package, MODULES) == ({only} if only else set())


WRONG = """
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from rules.engine import Engine
def late():
    import bot.cli
def near():
    from . import load
"""


def test_these_checks_can_fail() -> None:
    wrong = ast.parse(WRONG)
    assert looks_back("knowledge.x", wrong) == ["rules.engine", "rules.engine.Engine", "bot.cli", ".", "..load"]
    assert looks_back("bot.x", ast.parse("import rules.engine, knowledge.load")) == []
    assert importers("rules", {"knowledge.x": wrong}) == {"knowledge.x"}
    one, other = ast.parse("from rules import b"), ast.parse("def f():\n    import rules.a")
    assert set(cycle({"rules.a": one, "rules.b": other})) == {"rules.a", "rules.b"}
    body = "\n".join("    x = 1" for _ in range(LONGEST))
    assert too_long(ast.parse(f'def f():\n    """\n    Say.\n    """\n{body}')) == []
    assert too_long(ast.parse(f"async def f():\n{body}\n    x = 1")) == ["f"]
    assert names_nothing("rules.utils")
    assert names_nothing("bot.common.slack")
