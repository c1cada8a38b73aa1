"""One line in the log for each request, but for the hot routes: those are told once a minute, by their number.

A phone on its way reports every few seconds. A line for each would cost the server more than the report itself, and
tell the operator less: so of a route with `hot=True` the answered requests are counted and told together. Whatever was
refused or failed has its own line always, and the metrics count every request.
"""

from dataclasses import dataclass

import structlog

TOLD_EVERY_S = 60.0
_REFUSED = 400

log = structlog.get_logger()


@dataclass(slots=True)
class _Many:
    """What was not told yet of one route."""

    count: int = 0
    took_s: float = 0.0
    longest_s: float = 0.0


class AccessLog:
    """Tells of requests."""

    def __init__(self) -> None:
        self._many: dict[tuple[str, str], _Many] = {}
        self._told_at: float | None = None

    def answered(self, method: str, path: str, status: int, took_s: float, *, hot: bool) -> None:
        """Tell of one request; path is the canonical one, with names in place of ids."""
        if not hot or status >= _REFUSED:
            log.info("http", method=method, path=path, status=status, took_ms=round(took_s * 1000, 1))
            return
        if (many := self._many.get((method, path))) is None:
            many = self._many[method, path] = _Many()
        many.count += 1
        many.took_s += took_s
        many.longest_s = max(many.longest_s, took_s)

    async def sweep(self, now: float) -> None:
        """Tell what was counted, once a minute."""
        if self._told_at is None or now - self._told_at >= TOLD_EVERY_S:
            self._told_at = now
            self.tell()

    def tell(self) -> None:
        """Tell what was counted."""
        counted, self._many = self._many, {}
        for (method, path), many in counted.items():
            mean_ms, longest_ms = round(many.took_s / many.count * 1000, 2), round(many.longest_s * 1000, 1)
            log.info(
                "http.many", method=method, path=path, count=many.count, mean_ms=mean_ms, longest_ms=longest_ms
            )  # fmt: skip
