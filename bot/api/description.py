"""The description of REST, as OpenAPI: what FastAPI sees in the code, and what only the knowledge can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bot.api.shapes import CASE_ID, ProblemShown
from bot.api.words import answers_schema
from bot.problems import KINDS, PROBLEM_JSON
from knowledge.rosetta import EVENTS
from knowledge.shelf import Shelf
from rules.answers import askable

_METHODS = ("get", "post", "put", "delete")
_ALWAYS = (400, 404, 405, 408, 413, 421, 429, 500, 503)
_WITH_KEY = (401, 403)
_WITH_BODY = (415, 422)
_WITH_CASE = (409, 412)
_OPEN = ("/livez", "/readyz", "/version")
_ABOUT = """\
Paste log lines, get the cause, the proof and the next step.

**Keys.** `Authorization: Bearer whydrop_...`; a key has the scopes `read`, `write`, or both, and sees the cases of its
own workspace. On loopback with WHYDROP_DEV=1 none is needed.

**Repeating requests.** Every POST takes the header `Idempotency-Key` (1 to 255 printable ASCII characters, such as a
random UUID). The request is done once; repeated, it gets the first answer again, with `Idempotency-Replayed: true`.
The same key with another request is refused (422).

**Lost updates.** A case has an `ETag`; sent as `If-Match` with a change, it is refused (412) if the case went on
meanwhile. Without `If-Match` changes are put one after the other, and none is lost.

**Problems** are written as RFC 9457 says; `type` leads to a page that says how to mend it.

**Limits.** 429 and 503 come with `Retry-After`.
"""


def describe(api: FastAPI, shelf: Shelf, *, keys: bool) -> None:
    """Let an application describe itself so; `keys` tells whether it asks for them."""

    def described() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _described(api, shelf, keys=keys)
        return api.openapi_schema

    api.openapi = described  # type: ignore[method-assign]  # as FastAPI's documentation has it


def _described(api: FastAPI, shelf: Shelf, *, keys: bool) -> dict[str, Any]:
    found = get_openapi(
        title=api.title, version=api.version, summary=api.summary, description=_ABOUT, routes=api.routes
    )
    schemas = found["components"]["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _plain(ProblemShown.model_json_schema(ref_template="#/components/schemas/{model}"), schemas)
    schemas["Answers"] = answers_schema(shelf)
    _name_values(schemas, shelf)
    if keys:
        found["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, method, operation in _operations(found):
        _tell_problems(path, method, operation, keys=keys)
        _name_parameters(path, operation, shelf)
    _link(found["paths"])
    return found


def _plain(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    schemas.update(schema.pop("$defs", {}))
    return schema


def _name_values(schemas: dict[str, Any], shelf: Shelf) -> None:
    """Say which names are known: features, products, causes."""
    products = {"anyOf": [{"enum": sorted(shelf.products)}, {"type": "null"}]}
    for name in ("WantedDiagnosis", "WantedCase", "WantedPaste", "WantedAnswers"):
        properties = schemas[name]["properties"]
        if "product" in properties:
            properties["product"] = {**products, "description": "The product that wrote the lines"}
        if "answers" in properties:
            least = {"minProperties": 1} if name == "WantedAnswers" else {}
            properties["answers"] = (
                {"allOf": [{"$ref": "#/components/schemas/Answers"}, least]}
                if least
                else {"$ref": "#/components/schemas/Answers"}
            )
    for name in ("declined", "confirmed"):
        schemas["WantedDiagnosis"]["properties"][name]["items"] = {"enum": sorted(shelf.features)}
    causes = {"anyOf": [{"enum": sorted(shelf.causes)}, {"type": "null"}]}
    schemas["WantedOutcome"]["properties"]["cause"] = {**causes, "description": "The cause that it had been"}


def _operations(found: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in found["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method, item[method]


def _tell_problems(path: str, method: str, operation: dict[str, Any], *, keys: bool) -> None:
    open_to_all = path in _OPEN or "knowledge" in operation.get("tags", [])
    secret = not open_to_all
    if secret and keys:
        operation["security"] = [{"key": []}]
    statuses = {*_ALWAYS, *(_WITH_KEY if secret else ())}
    statuses |= set(_WITH_BODY) if "requestBody" in operation or operation.get("parameters") else set()
    statuses |= set(_WITH_CASE) if "{case}" in path else set()
    statuses |= {403, 409} if "webhooks" in path and method == "post" else set()
    for status in sorted(statuses):
        operation["responses"][str(status)] = _problem(status)


def _problem(status: int) -> dict[str, Any]:
    kinds = ", ".join(name for name, kind in KINDS.items() if kind.status == status)
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": f"A problem: {kinds}", "content": {PROBLEM_JSON: {"schema": schema}}}


def _name_parameters(path: str, operation: dict[str, Any], shelf: Shelf) -> None:
    """Say what may stand in an address."""
    names: dict[str, dict[str, Any]] = {
        "id": {"enum": sorted(_ids(path, shelf))},
        "case": {"type": "string", "pattern": CASE_ID},
        "cause": {"enum": sorted(shelf.causes)},
        "feature": {"enum": sorted(askable(shelf) if "/what-if/" in path else answers_schema(shelf)["properties"])},
        "event": {"enum": list(EVENTS)},
    }
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in names:
            parameter["schema"] = names[parameter["name"]]


def _ids(path: str, shelf: Shelf) -> Iterable[str]:
    kind = path.removeprefix("/v1/").partition("/")[0]
    if kind == "questions":
        return [one.id for one in shelf.features.values() if one.question]
    found: Mapping[str, object] = getattr(shelf, kind, {})
    return found


def _link(paths: dict[str, Any]) -> None:
    """Say what can be done with a case that was begun."""
    begun = paths["/v1/cases"]["post"]["responses"]["201"]
    case = {"case": "$response.body#/id"}
    begun["headers"] = {"Location": {"schema": {"type": "string"}}, "ETag": {"schema": {"type": "string"}}}
    begun["links"] = {
        operation["operationId"]: {"operationId": operation["operationId"], "parameters": case}
        for path, item in paths.items()
        if path.startswith("/v1/cases/{case}")
        for operation in item.values()
    }
