"""Labelled cases from a folder: each file holds one, or a list of them."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from knowledge.yamlfile import YamlProblem, read_yaml
from rules.score import Labelled


def labelled_cases(folder: Path) -> dict[str, Labelled]:
    """Load every case below a folder, by the path of its file and its number in it. Raises ValueError."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    found = {}
    for path in sorted(folder.rglob("*.yaml")):
        name = str(path.relative_to(folder).with_suffix(""))
        try:
            content = read_yaml(path).content
            for number, raw in enumerate(content if isinstance(content, list) else [content], start=1):
                id_ = f"{name}/{number}" if isinstance(content, list) else name
                found[id_] = Labelled.model_validate(raw)
        except YamlProblem as wrong:
            raise ValueError(f"{path}:{wrong.line}: {wrong}") from None
        except ValidationError as wrong:
            error = wrong.errors()[0]
            raise ValueError(f"{path}: {'.'.join(map(str, error['loc']))}: {error['msg']}") from None
    return found
