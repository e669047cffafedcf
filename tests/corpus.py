"""Real log lines of public projects. Their licences keep them out of the repository: they are read from beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "lines.jsonl"

Entry = Mapping[str, Any]


def lines() -> list[Entry]:
    """Give every line with what is known of it: id, vendor, product, line, event, doubt, and its published parse."""
    return [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
