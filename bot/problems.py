"""What can be wrong with a request, as RFC 9457 writes it; each kind has a page that says how to mend it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PROBLEM_JSON = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its status, its title, and what to do about it, in sentences."""

    status: int
    title: str
    mending: Sequence[str]


KINDS: Mapping[str, Kind] = {
    "malformed": Kind(
        400,
        "The request cannot be read",
        [
            "Look at the detail: it names the header or the part that is wrong.",
            "Idempotency-Key: 1 to 255 printable ASCII characters, no blank.",
        ],
    ),
    "no-key": Kind(
        401,
        "A key is needed",
        [
            "Send the header `Authorization: Bearer whydrop_...`, or sign in on the page.",
            "Whoever runs the service makes a key with `python -m bot keys create NAME`.",
            "On your own machine, `make run` serves without keys on loopback (WHYDROP_DEV=1).",
        ],
    ),
    "wrong-key": Kind(
        401,
        "The key is not valid",
        ["It may be mistyped, revoked or expired; which one is not told.", "Ask whoever runs the service for another."],
    ),
    "missing-scope": Kind(
        403,
        "The key may not do this",
        [
            "It has not the scope that is named in the detail.",
            "Make one that has: `python -m bot keys create NAME --scope read --scope write`.",
        ],
    ),
    "cross-site": Kind(
        403,
        "The request comes from another site",
        [
            "Open whydrop's own page and do it there.",
            "A program sends no Origin header, and its key in the Authorization header.",
        ],
    ),
    "refused-target": Kind(
        403,
        "whydrop does not send there",
        [
            "A webhook's address begins with https:// and is one that the whole internet can reach.",
            "Private, loopback and link-local addresses are refused, and names that lead to them.",
        ],
    ),
    "not-found": Kind(404, "There is no such page", ["The addresses are listed in /openapi.json."]),
    "no-such-case": Kind(
        404,
        "There is no such case",
        [
            "It may have been deleted, or have gone by the retention time.",
            "A key sees the cases of its own workspace only.",
        ],
    ),
    "no-such-entry": Kind(
        404,
        "whydrop knows nothing of that name",
        [
            "The detail names what is near.",
            "The lists are at /v1/causes, /v1/questions, /v1/dialects, /v1/products and /v1/sources.",
        ],
    ),
    "no-such-webhook": Kind(404, "There is no such webhook", ["GET /v1/webhooks lists those of your workspace."]),
    "method": Kind(405, "That cannot be done here", ["The header Allow names what can be done at this address."]),
    "too-slow": Kind(408, "The request did not arrive in time", ["Send it again, as a whole."]),
    "other-symptom": Kind(
        409,
        "That cause is none of the case's",
        [
            "The hypotheses of the case name the causes that one can ask about.",
            "There are none while it is not known what kind of message it is.",
        ],
    ),
    "case-full": Kind(
        409,
        "The case has as many events as one may have",
        ["Begin a new case with the same lines and answers."],
    ),
    "too-many-webhooks": Kind(
        409, "The workspace has as many webhooks as it may have", ["Delete one: DELETE /v1/webhooks/{webhook}."]
    ),
    "stale": Kind(
        412,
        "The case went on since you read it",
        [
            "Read it again: its ETag has changed, because of an answer or because of newer knowledge.",
            "Then repeat the request with the new ETag in If-Match, or without If-Match.",
        ],
    ),
    "too-large": Kind(
        413,
        "The request is too large",
        ["Paste only the lines around the drop or the reset, or those with its addresses."],
    ),
    "not-json": Kind(415, "The body is not JSON", ["Send JSON, with the header `Content-Type: application/json`."]),
    "encoded": Kind(
        415, "The body is compressed", ["Send it as it is, without a header Content-Encoding: its size is no matter."]
    ),
    "misdirected": Kind(
        421,
        "That is not this service's name",
        [
            "Without keys whydrop answers to localhost, 127.0.0.1 and [::1] only.",
            "To serve others make keys, and leave WHYDROP_DEV away.",
        ],
    ),
    "invalid": Kind(
        422,
        "The request is not of the form that is wanted",
        [
            "`errors` names each place and what is allowed there.",
            "/openapi.json describes the whole form, with examples.",
        ],
    ),
    "key-reused": Kind(
        422,
        "The Idempotency-Key came with another request before",
        ["A key stands for one request: repeat that one exactly, or take a new key, such as a random UUID."],
    ),
    "too-many-requests": Kind(
        429,
        "Too many requests",
        [
            "Wait as many seconds as the header Retry-After says.",
            "Whoever runs the service sets the rate with WHYDROP_RATE.",
        ],
    ),
    "fault": Kind(
        500,
        "A fault of whydrop's",
        [
            "Nothing was kept. It is safe to repeat the request, best with an Idempotency-Key.",
            "Tell whoever runs the service the X-Request-Id of the answer.",
        ],
    ),
    "unavailable": Kind(
        503,
        "The database cannot be used now",
        [
            "Wait as many seconds as the header Retry-After says, and repeat the request.",
            "Whoever runs the service finds in its log what is wrong: it may be full, gone, or not reached.",
        ],
    ),
    "busy": Kind(
        503,
        "whydrop is busy",
        ["Wait as many seconds as the header Retry-After says, and repeat the request.", "Nothing of it was kept."],
    ),
}
"""Every kind by the name that its page has under /problems/."""

_BY_STATUS = {404: "not-found", 405: "method", 408: "too-slow", 413: "too-large", 415: "not-json"}


class Problem(Exception):
    """A request that cannot be answered as it is. `more` are further members of the problem."""

    def __init__(self, kind: str, detail: str = "", headers: Mapping[str, str] | None = None, **more: object) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    @property
    def status(self) -> int:
        """The status of the answer."""
        return KINDS[self.kind].status


@dataclass(frozen=True, slots=True)
class Worded:
    """A problem as it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def worded(problem: Problem, base: str = "") -> Worded:
    """Write a problem. `base` is the service's address, before /problems/."""
    kind = KINDS[problem.kind]
    content = {
        "type": f"{base}/problems/{problem.kind}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail or kind.mending[0],
        **problem.more,
    }
    return Worded(kind.status, json.dumps(content).encode(), {"content-type": PROBLEM_JSON, **problem.headers})


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """Give the problem that a mere status stands for."""
    kind = _BY_STATUS.get(status, "malformed" if status < 500 else "fault")
    return Problem(kind, detail, headers)
