"""Find every entry by walking the folders, load it, and cross-check it against all others."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from knowledge.check import cross_check
from knowledge.model import (
    Cause,
    Contradiction,
    Dialect,
    Entry,
    Feature,
    Inference,
    Macro,
    Phrases,
    Product,
    Source,
    Symptom,
)
from knowledge.shelf import KINDS, Shelf
from knowledge.yamlfile import Where, YamlFile, YamlProblem, read_yaml

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """What is wrong, and where."""

    path: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


class KnowledgeError(Exception):
    """Entries that were refused; one line each."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, sorted(problems))))
        self.problems = sorted(problems)


_ONE_A_FILE: dict[str, type[Entry]] = {
    "causes": Cause,
    "symptoms": Symptom,
    "dialects": Dialect,
    "products": Product,
}
_MANY_A_FILE: dict[str, type[Entry]] = {"features": Feature, "sources": Source}


class _Loading:
    """What was loaded so far, and what is wrong with it."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.files: dict[tuple[str, str], tuple[YamlFile, Where]] = {}
        self.problems: list[Problem] = []
        self.digest = hashlib.sha256()

    def refuse(self, file: YamlFile, where: Where, message: str) -> None:
        self.problems.append(Problem(shown(file.path), file.line_of(where), message))

    def place(self, kind: str, id_: str, file: YamlFile, where: Where, model: type[Entry], raw: Any) -> None:
        if (kind, id_) in self.files:
            other, there = self.files[kind, id_]
            self.refuse(file, where, f"duplicate {id_!r}; it stands in {shown(other.path)}:{other.line_of(there)}")
            return
        if not isinstance(raw, dict):
            self.refuse(file, where, f"{id_!r} must be a mapping of {', '.join(_keys(model))}")
            return
        try:
            entry = model.model_validate({**raw, "id": id_} if "id" in model.model_fields else raw)
        except ValidationError as wrong:
            for error in wrong.errors():
                self.refuse(file, (*where, *_plain_where(error["loc"])), _allowed(error, model))
            return
        self.found[kind][id_] = entry
        self.files[kind, id_] = (file, where)


def shown(path: Path) -> str:
    """Name a file from the working folder where it lies inside it."""
    try:
        return str(path.resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)


def load_shelf(*more: Path) -> Shelf:
    """Load our entries and those of the given folders. Raises KnowledgeError with every problem found."""
    return load_folders(HERE, *more)


def load_folders(*folders: Path) -> Shelf:
    """Load and cross-check the entries of these folders only. Raises KnowledgeError with every problem found."""
    from_disk = _Loading()
    with _without_collecting():
        for folder in folders:
            _walk(from_disk, folder)
    shelf = Shelf(**from_disk.found, files=from_disk.files, hash=from_disk.digest.hexdigest()[:16])
    problems = from_disk.problems or list(_cross_check(shelf))
    if problems:
        raise KnowledgeError(problems)
    return shelf


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no garbage meanwhile: nearly all that is read stays, and looking took a third of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _cross_check(shelf: Shelf) -> Iterator[Problem]:
    for kind, id_, where, message in cross_check(shelf):
        file, start = shelf.files[kind, id_]
        yield Problem(shown(file.path), file.line_of((*start, *where)), message)


def _walk(loading: _Loading, folder: Path) -> None:
    if not folder.is_dir():
        loading.problems.append(Problem(str(folder), 1, "this folder does not exist"))
        return
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        if path.suffix == ".yml":
            loading.problems.append(Problem(shown(path), 1, "the name of an entry's file ends in .yaml"))
        else:
            _load_file(loading, path, _kind_of(path.relative_to(folder)))


def _kind_of(path: Path) -> str:
    return path.parts[0] if len(path.parts) > 1 else path.stem


def _load_file(loading: _Loading, path: Path, kind: str) -> None:
    try:
        file = read_yaml(path)
    except YamlProblem as wrong:
        loading.problems.append(Problem(shown(path), wrong.line, str(wrong)))
        return
    loading.digest.update(path.read_bytes())
    if kind not in _allowed_kinds():
        loading.refuse(file, (), f"no such kind of entry {kind!r}; allowed: {', '.join(sorted(_allowed_kinds()))}")
    elif kind in _ONE_A_FILE:
        loading.place(kind, path.stem, file, (), _ONE_A_FILE[kind], file.content)
    elif not isinstance(file.content, dict):
        loading.refuse(file, (), f"{path.name} must be a mapping of ids to entries")
    elif kind == "phrases":
        _load_phrases(loading, file)
    elif kind in _MANY_A_FILE:
        for id_, raw in file.content.items():
            loading.place(kind, str(id_), file, (id_,), _MANY_A_FILE[kind], raw)
    else:
        _load_inferences(loading, file)


def _allowed_kinds() -> set[str]:
    return {*_ONE_A_FILE, *_MANY_A_FILE, "inferences", "phrases"}


def _load_phrases(loading: _Loading, file: YamlFile) -> None:
    """Load how features are said: each feature's values, and under `macros` what the patterns share."""
    for name, raw in file.content.items():
        if name != "macros":
            loading.place("phrases", str(name), file, (name,), Phrases, {"values": raw})
        elif not isinstance(raw, dict):
            loading.refuse(file, (name,), "'macros' must be a mapping of names to patterns")
        else:
            for id_, pattern in raw.items():
                loading.place("macros", str(id_), file, (name, id_), Macro, {"pattern": pattern})


def _load_inferences(loading: _Loading, file: YamlFile) -> None:
    models: dict[str, type[Entry]] = {"inferences": Inference, "contradictions": Contradiction}
    for group, entries in file.content.items():
        if group not in models:
            loading.refuse(file, (group,), f"{group!r} is not allowed; allowed: {', '.join(models)}")
        elif not isinstance(entries, dict):
            loading.refuse(file, (group,), f"{group!r} must be a mapping of ids to entries")
        else:
            for id_, raw in entries.items():
                loading.place(group, str(id_), file, (group, id_), models[group], raw)


def _plain_where(loc: tuple[int | str, ...]) -> Where:
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(("function-", "list["))))


def _keys(model: type[Entry]) -> list[str]:
    return sorted(name.replace("_", " ") for name in model.model_fields if name != "id")


def _allowed(error: Any, model: type[Entry]) -> str:
    key = error["loc"][-1] if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        owner = model if len(error["loc"]) == 1 else None
        allowed = f"; allowed: {', '.join(_keys(owner))}" if owner else ""
        return f"{key!r} is not allowed here{allowed}"
    if error["type"] == "missing":
        return f"{key!r} is missing"
    return f"{key!r}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r:.80}"
