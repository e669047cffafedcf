"""What is counted, for Prometheus: with labels of a few values each, whatever is asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bot.case_events import CaseEvent, Outcome
from bot.telemetry import Seen
from knowledge.model import SymptomId
from rules.case import Standing

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

_CONTENT_TYPE = re.compile(r"[a-z/-]+(; [a-z]+=[A-Za-z0-9.-]{1,20})*", re.ASCII)
_REFUSALS = {401: "key", 413: "size", 429: "rate", 503: "busy"}
_NO_REFUSAL = "/readyz"
"""It answers 503, and is not busy."""


class Metrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self, version: str, knowledge: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "whydrop_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "whydrop_request_seconds", "Seconds of a request", ["route"], buckets=BUCKETS_S, registry=self.registry
        )
        self._in_flight = Gauge("whydrop_in_flight", "Requests being answered", registry=self.registry)
        self._diagnoses = Counter(
            "whydrop_diagnoses", "Diagnoses by their first hypothesis", ["symptom", "standing"], registry=self.registry
        )
        self._cases = Counter("whydrop_cases", "What happened to cases", ["happened"], registry=self.registry)
        self._refused = Counter("whydrop_refused", "Requests refused", ["why"], registry=self.registry)
        built = Gauge("whydrop_build_info", "What is running", ["version", "knowledge"], registry=self.registry)
        built.labels(version, knowledge).set(1)
        self._one: dict[tuple[str, str, int], Counter] = {}
        self._time: dict[str, Histogram] = {}
        for why in _REFUSALS.values():
            self._refused.labels(why)  # zero from the start, so that the first one is an increase

    def began(self) -> None:
        """Count a request that begins."""
        self._in_flight.inc()

    def ended(self, seen: Seen) -> None:
        """Count a request that has ended."""
        self._in_flight.dec()
        which = seen.method, seen.route, seen.status
        one = self._one.get(which)  # `labels` would cost more than to count
        if one is None:
            one = self._one[which] = self._requests.labels(*which)
        one.inc()
        time = self._time.get(seen.route)
        if time is None:
            time = self._time[seen.route] = self._seconds.labels(seen.route)
        time.observe(seen.seconds)
        if seen.status in _REFUSALS and seen.route != _NO_REFUSAL:
            self._refused.labels(_REFUSALS[seen.status]).inc()

    def diagnosed(self, symptom: SymptomId | None, standing: Standing | None) -> None:
        """Count a diagnosis, by its symptom and the standing of its first hypothesis."""
        self._diagnoses.labels(symptom or "none", standing or "none").inc()

    def happened(self, event: CaseEvent) -> None:
        """Count what happened in a case."""
        told = event.kind if not isinstance(event, Outcome) else "solved" if event.solved else "unsolved"
        self._cases.labels(told).inc()

    def waiting(self, count: Callable[[], int]) -> None:
        """Show how many wait for a thread, as `count` says when it is asked."""
        Gauge("whydrop_waiting", "Diagnoses that wait for a thread", registry=self.registry).set_function(count)

    def deliveries(self, count: Callable[[], Mapping[str, int]]) -> None:
        """Show how many deliveries are in each state, as `count` says when it is asked; it must not wait."""
        self.registry.register(_Deliveries(count))


class _Deliveries(Collector):
    def __init__(self, count: Callable[[], Mapping[str, int]]) -> None:
        self._count = count

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Say what there will be, without counting."""
        return [self._empty()]

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Count."""
        found = self._empty()
        for state, number in self._count().items():
            found.add_metric([state], number)
        return [found]

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily("whydrop_deliveries", "Deliveries of webhooks by state", labels=["state"])


def exposition(registry: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """Write all metrics as the header Accept wants them; with their content type."""
    try:
        encoder, content_type = choose_encoder(accept)
    except TypeError:  # a version that is none
        encoder, content_type = choose_encoder("")
    if not _CONTENT_TYPE.fullmatch(content_type):  # it repeats the version that was asked for
        encoder, content_type = choose_encoder("")
    return encoder(registry), content_type
