"""Several readers as one: the chosen one with the embedded one behind it, or both together.

Two different readers that agree on a plate are worth more than two looks of one (verdict.py): together, both look at
the same picture, and one look has the readings of both, each with its own source.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, Final

from .types import Look, Picture, Reader, ReaderError, ReaderTimeout, ReaderUnavailable

# So long the fallback waits for the chosen reader, and so long a look waits for the second of two.
PATIENCE_S: Final = 4.0
BOTH_PATIENCE_S: Final = 1.5
# One that is slow by chance, or because it warms up, is not worth the owner's attention.
SLOW_BEFORE_TOLD: Final = 3
# A reader that said it cannot work is asked again after so long, not with each picture.
ASK_AGAIN_S: Final = 30.0

_SLOW_REMEDY: Final = "Look at the load of the machine that it runs on."


class Panel:
    """A chosen reader and the fallback, which is the embedded one.

    told hears in plain words why the chosen one does not work, once for each trouble, and an empty text when it works
    again. A reader that is too slow is not cancelled (that would cost its worker) but left to finish, and passed over
    while it is busy.
    """

    def __init__(
        self,
        chosen: Reader,
        fallback: Reader,
        *,
        together: bool,
        told: Callable[[str], None],
        patience: float = PATIENCE_S,
        both_patience: float = BOTH_PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = f"{chosen.name} + {fallback.name}" if together else chosen.name
        self._chosen = _Member(chosen)
        self._fallback = _Member(fallback)
        self._together = together
        self._told = told
        self._patience = patience
        self._both_patience = both_patience
        self._clock = clock
        self._said: str | None = None
        self._rests_until = 0.0
        self._slow = 0

    async def start(self) -> None:
        """Warm both up as far as they are needed; raises ReaderUnavailable only where neither can work."""
        starting = self._begin_chosen(_start(self._chosen.reader))
        if self._together or starting is None:
            # The chosen one may take its time (it may have to be installed): the other reads meanwhile.
            await self._fallback.reader.start()
        elif not await _within(starting, self._patience) or _error_of(starting) is not None:
            await self._fallback.reader.start()

    async def read(self, picture: Picture) -> Look:
        """Read one picture."""
        return await (self._both([picture]) if self._together else self._first([picture]))

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Read the best of some pictures of one moment; together, the fallback chooses and both read that one."""
        return await (self._both(pictures) if self._together else self._first(pictures))

    async def stop(self) -> None:
        """Stop both."""
        await asyncio.gather(self._chosen.stop(), self._fallback.stop())

    async def _first(self, pictures: Sequence[Picture]) -> Look:
        """Ask the chosen reader, and the fallback where that cannot answer in time."""
        asking = self._ask_chosen(pictures)
        if asking is not None:
            if not await _within(asking, self._patience):
                self._too_slow(asking, self._patience)
            elif (error := _error_of(asking)) is None:
                return asking.result()
            elif not isinstance(error, (ReaderTimeout, ReaderUnavailable)):
                raise error  # the picture is bad: no reader will read it
        return await _ask(self._fallback.reader, pictures)

    async def _both(self, pictures: Sequence[Picture]) -> Look:
        """Let both read the same picture. Either alone will do, and neither waits for the other beyond its limit."""
        reading = self._fallback.begin(_ask(self._fallback.reader, pictures))
        shown = pictures[-1]
        if len(pictures) > 1 and reading is not None and await _within(reading, self._both_patience):
            # The fallback is at home and rates all of them; the chosen one reads the picture that it chose.
            at = reading.result().taken_at if _error_of(reading) is None else shown.taken_at
            shown = next((picture for picture in pictures if picture.taken_at == at), shown)
        asking = self._ask_chosen([shown])
        tasks = [task for task in (reading, asking) if task is not None]
        if not await _one_answers(tasks, self._patience):
            if asking is not None and not asking.done():
                self._too_slow(asking, self._patience)
            # There is nobody else to wait for; if it is busy for another camera, this picture waits its turn.
            if reading is None:
                return await _ask(self._fallback.reader, [shown])
            await asyncio.wait([reading])
        elif not all(task.done() for task in tasks):
            await asyncio.wait(tasks, timeout=self._both_patience)
            if asking is not None and not asking.done():
                self._too_slow(asking, self._both_patience)
        return _merged(tasks)

    # The chosen reader's trouble

    def _ask_chosen(self, pictures: Sequence[Picture]) -> asyncio.Task[Look] | None:
        """Begin to ask the chosen reader; None while it rests or is still busy."""
        if self._clock() < self._rests_until:
            return None
        return self._begin_chosen(_ask(self._chosen.reader, pictures))

    def _begin_chosen[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        task = self._chosen.begin(work)
        if task is not None:
            task.add_done_callback(self._concluded)
        return task

    def _too_slow(self, task: asyncio.Task[Look], seconds: float) -> None:
        """Count a task that nobody waits for any more. One may be slow by chance or because it warms up."""
        self._chosen.late.add(task)
        self._slow += 1
        if self._slow >= SLOW_BEFORE_TOLD:
            self._tell(f"It did not answer within {seconds:g} s, {self._slow} times in a row. {_SLOW_REMEDY}")

    def _concluded(self, task: asyncio.Task[Any]) -> None:
        """Learn from how the chosen reader's work ended; what came too late is no sign that it works."""
        late = task in self._chosen.late
        self._chosen.late.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ReaderUnavailable):
            self._rests_until = self._clock() + ASK_AGAIN_S
            self._tell(f"{error.reason} {error.remedy}")
        elif late or task.cancelled():
            return
        elif isinstance(error, ReaderTimeout):
            self._slow += 1
            if self._slow >= SLOW_BEFORE_TOLD:
                self._tell(f"{error} {_SLOW_REMEDY}")
        else:
            self._slow = 0
            self._tell("")

    def _tell(self, text: str) -> None:
        if text != self._said and (text or self._said):
            self._said = text
            self._told(text)


class _Member:
    """One reader of the panel, asked one thing at a time; what it was too slow for goes on without anybody waiting."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.late: set[asyncio.Task[Any]] = set()
        self._task: asyncio.Task[Any] | None = None

    def begin[T](self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
        """Begin something; None where it is busy."""
        if self._task is not None and not self._task.done():
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(_seen)
        self._task = task
        return task

    async def stop(self) -> None:
        task, self._task = self._task, None
        await self.reader.stop()
        if task is not None:
            task.cancel()
            await asyncio.wait([task])


def _seen(task: asyncio.Task[Any]) -> None:
    """Look at an exception that may have nobody left to look at it."""
    if not task.cancelled():
        task.exception()


async def _start(reader: Reader) -> None:
    await _sound(reader, reader.start())


async def _ask(reader: Reader, pictures: Sequence[Picture]) -> Look:
    return await _sound(reader, reader.read(pictures[0]) if len(pictures) == 1 else reader.read_best(pictures))


async def _sound[T](reader: Reader, work: Awaitable[T]) -> T:
    """Await a reader's work: a defect of one must not keep the other from reading."""
    try:
        return await work
    except ReaderError:
        raise
    except Exception as error:
        raise ReaderTimeout(f"The plate reader {reader.name} has a defect ({type(error).__name__}).") from error


async def _within(task: asyncio.Task[Any], seconds: float) -> bool:
    done, _ = await asyncio.wait([task], timeout=seconds)
    return bool(done)


async def _one_answers(tasks: Sequence[asyncio.Task[Look]], seconds: float) -> bool:
    """Wait until a task has an answer that is no error; tells whether one has. None of them is broken off."""
    waiting = set(tasks)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if any(_error_of(task) is None for task in done):
                    return True
    return False


def _error_of(task: asyncio.Task[Any]) -> ReaderError | None:
    """Return what a finished task failed with."""
    if task.cancelled():
        return ReaderTimeout("The plate reader was stopped.")
    error = task.exception()
    if error is None or isinstance(error, ReaderError):
        return error
    raise error


def _merged(tasks: Sequence[asyncio.Task[Look]]) -> Look:
    """Make one look of those that came; without any, raise the first reason why not."""
    looks = [task.result() for task in tasks if task.done() and _error_of(task) is None]
    if not looks:
        raise next(error for task in tasks if task.done() and (error := _error_of(task)) is not None)
    first = looks[0]
    readings = tuple(reading for look in looks if look.taken_at == first.taken_at for reading in look.readings)
    quality = next((look.quality for look in looks if look.quality is not None), None)
    return Look(readings, first.taken_at, " + ".join(look.source for look in looks), quality)
