"""Waiting for something to become true, with words for when it does not."""

import asyncio
import time
from collections.abc import Callable

from tests.simulators.home_api import Change


async def until(true: Callable[[], bool], otherwise: str, *, within: float = 30.0) -> None:
    """Wait until it is true. Raises TimeoutError with the words for otherwise."""
    deadline = time.monotonic() + within
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} within {within:.0f} s")
        await asyncio.sleep(0.02)


def decided(decision: str) -> Callable[[Change], bool]:
    """Accept the plate event entity once it tells of this decision."""
    return lambda change: decision in str(change.attributes.get("event_type", ""))
