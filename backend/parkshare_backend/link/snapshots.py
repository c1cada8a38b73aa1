"""Where a house goes on, and whole collections cut into frames."""

from dataclasses import dataclass, field
from typing import Any

import orjson

MAX_PART = 192 * 1024  # bytes of rows in one frame, well under the frame's own limit


@dataclass(frozen=True, slots=True)
class Plan:
    """How a connection starts: events after `start` follow; received is the house's last stored q."""

    resumed: bool
    head: int
    start: int
    received: int
    snapshots: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def may_resume(*, same_epoch: bool, got: int, head: int, pruned: int) -> bool:
    """Tell whether the log still holds everything after what the house has."""
    return same_epoch and pruned <= got <= head


def parts_of(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Cut a collection into frames; an empty one is one empty part, so the house hears that it is empty."""
    parts: list[list[dict[str, Any]]] = [[]]
    size = 0
    for row in rows:
        length = len(orjson.dumps(row)) + 1
        if parts[-1] and size + length > MAX_PART:
            parts.append([])
            size = 0
        parts[-1].append(row)
        size += length
    return parts
