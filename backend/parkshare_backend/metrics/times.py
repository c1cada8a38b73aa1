"""How long requests took, counted without a lock, a label look-up or an allocation for each of them.

Everything happens on the event loop, so the locks of prometheus_client would only cost: a request is one look-up of
its route and two additions, and the samples are made when somebody reads them.
"""

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
# What a client can invent must not make series: other methods count as one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
OTHER = "OTHER"
_CLASSES = 6  # 1xx to 5xx; the first place is unused


class _Series:
    """The answers of one route, method and class of status."""

    __slots__ = ("counts", "sum")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0


class RequestTimes(Collector):
    """The histogram of all requests."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], list[_Series | None]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request; route is the canonical one, with names in place of ids."""
        classes = self._routes.get((route, method))
        if classes is None:
            classes = self._routes.setdefault((route, method if method in METHODS else OTHER), [None] * _CLASSES)
        series = classes[status // 100] if status < _CLASSES * 100 else None
        if series is None:
            series = classes[min(status // 100, _CLASSES - 1)] = _Series()
        series.counts[bisect_left(BOUNDS, seconds)] += 1
        series.sum += seconds

    def collect(self) -> Iterator[Metric]:
        """Give the samples."""
        family = HistogramMetricFamily(
            "parkshare_http_request_seconds",
            "Time from the first byte of a request to its answer, by canonical route.",
            labels=["route", "method", "status"],
        )
        for (route, method), classes in self._routes.items():
            for number, series in enumerate(classes):
                if series is not None:
                    family.add_metric([route, method, f"{number}xx"], _buckets(series.counts), series.sum)
        yield family


def _buckets(counts: list[int]) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets
