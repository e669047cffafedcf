"""Whatever stands in a site's folder is read or refused with a line; nothing in it ends or hangs the process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from knowledge.load import KnowledgeError, load_folders
from knowledge.yamlfile import YamlProblem, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdef", "bcdefg", strict=True)
)


def _problem(path: Path, content: str | bytes) -> YamlProblem:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(YamlProblem) as refused:
        read_yaml(path)
    return refused.value


@pytest.mark.parametrize(
    ("content", "line", "says"),
    [
        ("[" * 200_000, 1, "nests too deep"),
        ("[" * 100_000 + "]" * 100_000, 1, "nests too deep"),
        ("- " * 100_000, 1, "nests too deep"),
        (BOMB, 1, "too many parts"),
        ("a: &a\n  b: *a\n", 1, "nests too deep"),
        ("x" * 2_000_001, 1, "more than 2,000,000 bytes"),
        ("a: 1\nb: 2024-99-99\n", 2, "month must be in 1..12"),
        ("a: &b {x: 1}\nc:\n  <<: *b\n", 3, "cannot be read"),
        ('!!binary "x": 1\n', 1, "cannot be read"),
        ("? [a, b]\n: 1\n", 1, "a key must be a plain word"),
        ("a: 1\na: 2\n", 2, "duplicate key 'a'"),
        ("a: {\n", 2, "not YAML"),
        (b"a: \xff\n", 1, "not YAML"),
    ],
    ids=lambda one: repr(one)[:30],
)
def test_what_is_wrong_is_refused_with_its_line(tmp_path: Path, content: str, line: int, says: str) -> None:
    problem = _problem(tmp_path / "x.yaml", content)
    assert (problem.line, says in str(problem)) == (line, True), str(problem)


def test_brackets_in_patterns_are_no_nesting(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a:\n" + "  - '[^ ]+[a-z]{2}'\n" * 2000)
    assert len(read_yaml(tmp_path / "x.yaml").content["a"]) == 2000


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    causes = tmp_path / "causes"
    (causes / "folder.yaml").mkdir(parents=True)
    (causes / "dangling.yaml").symlink_to("/no/such/place")
    (causes / "zero.yaml").symlink_to("/dev/zero")
    os.mkfifo(causes / "fifo.yaml")
    with pytest.raises(KnowledgeError) as refused:
        load_folders(tmp_path)
    assert [one.message for one in refused.value.problems] == ["this is no file"] * 4
