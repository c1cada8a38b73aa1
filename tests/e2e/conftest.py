"""One world for all end-to-end tests: started once, driven from a thread with an event loop of its own.

The test harness for Home Assistant blocks sockets, changes the event loop of every test and looks for threads and tasks
that a test leaves behind. The world is none of its business: its processes are real, and its loop runs elsewhere.
"""

import asyncio
import contextlib
import io
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_socket

from .story import STEPS, Story
from .timeline import Timeline
from .world import World

DRAWING_THREADS = 2


@dataclass
class Stage:
    """The world with both houses set up, and a way to do something in it."""

    world: World
    story: Story
    printed: io.StringIO
    loop: asyncio.AbstractEventLoop

    def do[Result](self, work: Coroutine[Any, Any, Result], *, within: float = 60.0) -> Result:
        """Run a coroutine in the world's loop and return what it returns."""
        # The harness closes this door before each test.
        pytest_socket.enable_socket()
        return asyncio.run_coroutine_threadsafe(_limited(work, within), self.loop).result()


async def _limited[Result](work: Coroutine[Any, Any, Result], within: float) -> Result:
    async with asyncio.timeout(within):
        return await work


def _start_threads(count: int) -> ThreadPoolExecutor:
    """Make a pool whose threads all run already: one that a test starts would count as left behind by it."""
    pool = ThreadPoolExecutor(count, thread_name_prefix="world")
    together = threading.Barrier(count + 1)
    for _ in range(count):
        pool.submit(together.wait)
    together.wait()
    return pool


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Make a stage in a folder, with nothing on it yet; on leaving, everything that was started is ended."""
    pytest_socket.enable_socket()  # an event loop opens a pair of sockets for itself
    loop = asyncio.SelectorEventLoop()
    pool = _start_threads(DRAWING_THREADS)
    loop.set_default_executor(pool)
    thread = threading.Thread(target=loop.run_forever, name="world")
    thread.start()
    world = World(folder)
    printed = io.StringIO()
    stage = Stage(world, Story(world, Timeline(STEPS, logs=world.logs, out=printed)), printed, loop)
    try:
        yield stage
    finally:
        stage.do(world.stop(), within=60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        pool.shutdown()
        loop.close()


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Start everything and link both houses."""
    with staged(Path(tmp_path_factory.mktemp("world"))) as stage:
        stage.do(stage.story.set_up(), within=180)
        yield stage
