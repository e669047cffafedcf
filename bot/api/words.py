"""What may stand in an answer: the grammar of its values, for the description and for the check alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from bot.problems import Problem
from knowledge.clause import Value, typed
from knowledge.complaint import unknown
from knowledge.model import Feature
from knowledge.shelf import Shelf
from rules.answers import askable
from rules.quantities import seconds

_UNKNOWN = "unknown"
_LARGEST = 1e9
DURATION = r"^(about )?([0-9]{1,9} ?(s|m|h|d|seconds?|minutes?|hours?|days?)?|an? (second|minute|hour|day))$"
"""How a duration may be written beside a number of seconds."""
_DURATION = re.compile(DURATION, re.ASCII)


def answers_schema(shelf: Shelf) -> dict[str, Any]:
    """Describe answers as JSON Schema: each feature that may be told, asked for or not, with its values."""
    return {
        "type": "object",
        "description": "Feature to value; null or “unknown” for “I don't know”, which is remembered",
        "properties": {one.id: value_schema(one) for one in shelf.features.values() if _may_be_told(one)},
        "additionalProperties": False,
    }


def _may_be_told(feature: Feature) -> bool:
    return feature.type != "text" and feature.id != "log.event"


def value_schema(feature: Feature) -> dict[str, Any]:
    """Describe what may be answered to the question of a feature."""
    text = feature.question.text if feature.question else feature.title
    if feature.type == "number":
        numbers = {"type": "number", "minimum": 0, "maximum": _LARGEST}
        words = {"type": "string", "pattern": DURATION, "examples": ["about an hour", "3605s"]}
        return {"description": text, "anyOf": [numbers, words, {"enum": [_UNKNOWN, None]}]}
    values = [True, False, "yes", "no"] if feature.type == "yes-no" else [str(one) for one in feature.choices]
    return {"description": text, "enum": [*values, _UNKNOWN, None]}


@lru_cache(maxsize=8)
def _features(shelf: Shelf) -> frozenset[str]:
    return frozenset(answers_schema(shelf)["properties"])


def answers(raw: Mapping[str, object], shelf: Shelf) -> dict[str, Value | None]:
    """Read answers; None is "I don't know". Raises Problem, with each place that is wrong."""
    found: dict[str, Value | None] = {}
    wrong = []
    for name, value in raw.items():
        try:
            found[name] = _answer(name, value, shelf)
        except ValueError as error:
            wrong.append({"at": f"body/answers/{name[:60]}", "detail": str(error)})
    if wrong:
        raise Problem("invalid", str(wrong[0]["detail"]), errors=wrong[:20])
    return found


def _answer(name: str, raw: object, shelf: Shelf) -> Value | None:
    if name not in _features(shelf):
        if name in shelf.features:
            raise ValueError(f"{name} is read from the line; it cannot be answered")
        raise ValueError(unknown("feature", name[:60], sorted(_features(shelf))))
    feature = shelf.features[name]
    if raw is None or raw == _UNKNOWN:
        return None
    if feature.type == "number":
        return _number(feature, raw)
    if feature.type == "yes-no" and raw in ("yes", "no"):
        return raw == "yes"
    return typed(feature, raw)


def _number(feature: Feature, raw: object) -> Value:
    if isinstance(raw, str):
        found = seconds(raw.removeprefix("about ")) if _DURATION.fullmatch(raw) else None
        if found is None:
            raise ValueError(f"{raw[:60]!r} is no duration; write for example 3600, “3605s”, “1h” or “about an hour”")
        raw = found
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw <= _LARGEST:
        return typed(feature, raw)
    raise ValueError(f"{str(raw)[:40]} is not a value of {feature.id}; allowed: a finite number, 0 to {_LARGEST:.0f}")


def feature_named(name: str, shelf: Shelf) -> Feature:
    """Find a feature that may be told. Raises Problem."""
    if name not in _features(shelf):
        raise Problem("no-such-entry", unknown("feature", name[:60], sorted(_features(shelf))))
    return shelf.features[name]


def question_named(name: str, shelf: Shelf) -> Feature:
    """Find a feature that may be asked for. Raises Problem."""
    if name not in askable(shelf):
        raise Problem("no-such-entry", unknown("question", name[:60], askable(shelf)))
    return shelf.features[name]
