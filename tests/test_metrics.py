"""What is counted, in both formats of Prometheus, and that nobody can make the labels grow."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from bot.case_events import Outcome, Pasted
from bot.metrics import BUCKETS_S, Metrics, exposition
from bot.telemetry import Seen, Watch

SEEN = Seen("GET", "/v1/cases/{case}", 200, 0.02, 10, 20, "id1", None, None, "private")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3", "abc")


def samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Give the samples of a name by the values of their labels, these in the order of the labels' names."""
    text = exposition(metrics.registry)[0].decode()
    found = [one for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]
    return {tuple(one.labels[label] for label in sorted(one.labels)): one.value for one in found}


async def test_requests_are_counted_by_method_template_and_status(metrics: Metrics) -> None:
    api = FastAPI()
    during: list[float] = []

    @api.get("/v1/cases/{case}")
    async def one(case: str) -> PlainTextResponse:
        during.append(samples(metrics, "whydrop_in_flight")[()])
        return PlainTextResponse(case)

    watch = Watch(api, [metrics.began], [metrics.ended])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(watch), base_url="http://localhost") as client:
        for number in range(30):
            await client.get(f"/v1/cases/{number}")
            await client.get(f"/nowhere/{number}")
            await client.request(f"ODD{number}", f"/v1/cases/{number}")
    assert samples(metrics, "whydrop_requests_total") == {
        ("GET", "/v1/cases/{case}", "200"): 30,
        ("GET", "other", "404"): 30,
        ("other", "/v1/cases/{case}", "405"): 30,
    }
    assert samples(metrics, "whydrop_request_seconds_count") == {("/v1/cases/{case}",): 60, ("other",): 30}
    assert set(during) == {1}
    assert samples(metrics, "whydrop_in_flight") == {(): 0}


def test_times_fall_into_buckets_from_a_millisecond_to_half_a_minute(metrics: Metrics) -> None:
    metrics.ended(SEEN)
    metrics.ended(SEEN._replace(seconds=60))
    found = {bound: count for (bound, _), count in samples(metrics, "whydrop_request_seconds_bucket").items()}
    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (0.001, 30)
    assert (found["0.01"], found["0.025"], found["30.0"], found["+Inf"]) == (0, 1, 1, 2)


def test_refusals_are_counted_by_their_reason(metrics: Metrics) -> None:
    for status in (200, 401, 413, 413, 429, 503):
        metrics.ended(SEEN._replace(status=status))
    metrics.ended(SEEN._replace(status=503, route="/readyz"))
    assert samples(metrics, "whydrop_refused_total") == {("key",): 1, ("size",): 2, ("rate",): 1, ("busy",): 1}


def test_cases_and_diagnoses_are_counted(metrics: Metrics) -> None:
    metrics.happened(Pasted(paste=""))
    metrics.happened(Pasted(paste=""))
    metrics.happened(Outcome(solved=True, cause=None))
    metrics.diagnosed("reset", "likely")
    metrics.diagnosed(None, None)
    assert samples(metrics, "whydrop_cases_total") == {("pasted",): 2, ("solved",): 1}
    assert samples(metrics, "whydrop_diagnoses_total") == {("likely", "reset"): 1, ("none", "none"): 1}


def test_what_waits_is_asked_for_when_it_is_shown(metrics: Metrics) -> None:
    waiting, deliveries = 3, {"pending": 2, "failed": 1}
    metrics.waiting(lambda: waiting)
    metrics.deliveries(lambda: deliveries)
    assert samples(metrics, "whydrop_waiting") == {(): 3}
    assert samples(metrics, "whydrop_deliveries") == {("pending",): 2, ("failed",): 1}
    waiting, deliveries = 0, {"pending": 5}
    assert samples(metrics, "whydrop_waiting") == {(): 0}
    assert samples(metrics, "whydrop_deliveries") == {("pending",): 5}


def test_what_runs_is_told(metrics: Metrics) -> None:
    assert samples(metrics, "whydrop_build_info") == {("abc", "1.2.3"): 1}
    assert samples(metrics, "process_resident_memory_bytes")[()] > 0


def test_two_apps_count_apart(metrics: Metrics) -> None:
    Metrics("1.2.3", "abc").happened(Pasted(paste=""))
    assert samples(metrics, "whydrop_cases_total") == {}


def test_openmetrics_is_written_for_whoever_wants_it(metrics: Metrics) -> None:
    metrics.ended(SEEN)
    metrics.deliveries(lambda: {"pending": 1})
    text, content_type = exposition(metrics.registry, "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    families = {one.name for one in openmetrics.text_string_to_metric_families(text.decode())}  # type: ignore[no-untyped-call]
    assert {"whydrop_requests", "whydrop_request_seconds", "whydrop_deliveries"} <= families
    assert exposition(metrics.registry)[1].startswith("text/plain")


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=x",
        "text/plain;version=1.x",
        "text/plain;version=;escaping=x",
        "application/openmetrics-text;version=9999999999.0.0;escaping=\xe9",
        "application/openmetrics-text;version=1.0.0.<script>",
        ";;;=,,,",
        "x" * 10_000,
    ],
)
def test_no_accept_is_too_odd(metrics: Metrics, accept: str) -> None:
    text, content_type = exposition(metrics.registry, accept)
    assert b"whydrop_build_info" in text
    assert content_type.partition(";")[0] in {"text/plain", "application/openmetrics-text"}
    assert "<" not in content_type
