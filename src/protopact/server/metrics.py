"""What the registry counts. Counting is a few additions; `exposition` tells the counts."""

from __future__ import annotations

import threading
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.metrics_core import Metric

_BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class _Times:
    """How many answers took how long: counts by bucket, the last one without a bound."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS_S) + 1))
    total_s: float = 0.0


class Metrics:
    """A registry's counts. Routes are those of the table, so there are few, whatever paths are asked for.

    `prepared` counts the answers that were sent as they lay ready.
    """

    def __init__(self) -> None:
        """Count from zero."""
        self.prepared = 0
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, str, int], int] = {}
        self._times: dict[tuple[str, str], _Times] = {}
        self._refused: dict[int, int] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Count an answer; a route of no path is told as `unknown`."""
        known = (method if route else "", route or "unknown")
        with self._lock:
            self._answers[*known, status] = self._answers.get((*known, status), 0) + 1
            times = self._times.setdefault(known, _Times())
            times.buckets[bisect_left(_BUCKETS_S, took_s)] += 1
            times.total_s += took_s

    def refused(self, status: int) -> None:
        """Count a call that was refused before it was read to its end."""
        with self._lock:
            self._refused[status] = self._refused.get(status, 0) + 1

    def watch(self, name: str, told: str, measure: Callable[[], float]) -> None:
        """Have a value measured whenever the counts are asked for."""
        self._gauges[name] = (told, measure)

    def collect(self) -> Iterator[Metric]:
        """Give the counts as Prometheus' client library wants them."""
        from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        with self._lock:
            answers, refused = dict(self._answers), dict(self._refused)
            times = {known: (list(entry.buckets), entry.total_s) for known, entry in self._times.items()}
        yield CounterMetricFamily("protopact_prepared", "Answers that were sent as they lay ready", self.prepared)
        counted = CounterMetricFamily("protopact_requests", "Answered calls", labels=["method", "route", "status"])
        for (method, route, status), number in answers.items():
            counted.add_metric([method, route, str(status)], number)
        yield counted
        lost = CounterMetricFamily("protopact_refused", "Calls refused before they were read", labels=["status"])
        for status, number in refused.items():
            lost.add_metric([str(status)], number)
        yield lost
        took = HistogramMetricFamily("protopact_request_seconds", "Time to answer", labels=["method", "route"])
        for (method, route), (buckets, total_s) in times.items():
            took.add_metric([method, route], _cumulative(buckets), total_s)
        yield took
        for name, (told, measure) in self._gauges.items():
            yield GaugeMetricFamily(f"protopact_{name}", told, measure())


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    told, number = [], 0
    for bound, count in zip((*map(str, _BUCKETS_S), "+Inf"), buckets, strict=True):
        number += count
        told.append((bound, float(number)))
    return told
