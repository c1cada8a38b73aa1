"""Two readers as one: who answers, who waits for whom, and what the owner is told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from custom_components.parkshare.recognition import (
    BadPicture,
    Look,
    Picture,
    Quality,
    ReaderTimeout,
    ReaderUnavailable,
    Reading,
)
from custom_components.parkshare.recognition.panel import ASK_AGAIN_S, Panel

BOX = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))
PICTURES = [Picture(b"x", 1.0), Picture(b"best", 2.0), Picture(b"y", 3.0)]
QUALITY = Quality(640, 480, 0.5, 0.5, 0.5, 0.0)


class Scripted:
    """A reader that reads its own name as soon as it is free, or fails as it is told to."""

    def __init__(self, name: str, *, quality: Quality | None = None) -> None:
        self.name = name
        self.quality = quality
        self.free = asyncio.Event()
        self.free.set()
        self.error: Exception | None = None
        self.asked: list[float] = []
        self.started = self.stopped = 0
        self.cancelled = False

    async def start(self) -> None:
        await self._work()
        self.started += 1

    async def read(self, picture: Picture) -> Look:
        self.asked.append(picture.taken_at)
        await self._work()
        reading = Reading("AB12", (1.0,) * 4, BOX, source=self.name, taken_at=picture.taken_at)
        return Look((reading,), picture.taken_at, self.name, self.quality)

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        return await self.read(max(pictures, key=lambda picture: len(picture.content)))

    async def stop(self) -> None:
        self.stopped += 1

    async def _work(self) -> None:
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.error is not None:
            raise self.error


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def chosen() -> Scripted:
    return Scripted("chosen")


@pytest.fixture
def embedded() -> Scripted:
    return Scripted("embedded", quality=QUALITY)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


type Make = Callable[..., Panel]


@pytest.fixture
async def make(chosen: Scripted, embedded: Scripted, told: list[str], clock: Clock) -> AsyncIterator[Make]:
    made: list[Panel] = []

    def make(*, together: bool) -> Panel:
        panel = Panel(
            chosen, embedded, together=together, told=told.append, patience=0.5, both_patience=0.25, clock=clock
        )
        made.append(panel)
        return panel

    yield make
    for panel in made:
        await panel.stop()


def sources(look: Look) -> list[str]:
    return [reading.source for reading in look.readings]


async def test_while_the_chosen_reader_works_the_other_one_rests(
    make: Make, chosen: Scripted, embedded: Scripted, told: list[str]
) -> None:
    panel = make(together=False)
    await panel.start()
    look = await panel.read_best(PICTURES)
    assert (look.taken_at, sources(look)) == (2.0, ["chosen"])
    assert (embedded.started, embedded.asked, told) == (0, [], [])


async def test_where_the_chosen_reader_cannot_work_the_other_one_reads_and_the_owner_is_told_once(
    make: Make, chosen: Scripted, embedded: Scripted, told: list[str], clock: Clock
) -> None:
    panel = make(together=False)
    chosen.error = ReaderUnavailable("It is gone.", "Look for it.")
    await panel.start()
    assert embedded.started == 1
    for picture in PICTURES:
        assert sources(await panel.read(picture)) == ["embedded"]
    assert told == ["It is gone. Look for it."]
    assert chosen.asked == []  # it said so when it was to start, and is not asked with every picture
    clock.now += ASK_AGAIN_S + 1
    assert sources(await panel.read(PICTURES[0])) == ["embedded"]
    assert (chosen.asked, len(told)) == ([1.0], 1)
    clock.now += ASK_AGAIN_S + 1
    chosen.error = None
    assert sources(await panel.read(PICTURES[0])) == ["chosen"]
    assert told == ["It is gone. Look for it.", ""]


async def test_a_slow_reader_costs_one_picture_its_limit_and_is_not_broken_off(
    make: Make, chosen: Scripted, told: list[str]
) -> None:
    panel = make(together=False)
    chosen.free.clear()
    assert sources(await panel.read(PICTURES[0])) == ["embedded"]
    # It is still at the first picture: the second goes straight to the other reader.
    assert sources(await panel.read(PICTURES[1])) == ["embedded"]
    chosen.free.set()
    await asyncio.sleep(0)
    assert sources(await panel.read(PICTURES[2])) == ["chosen"]
    assert (chosen.asked, chosen.cancelled, told) == ([1.0, 3.0], False, [])


async def test_a_reader_that_is_always_too_slow_is_told_of(make: Make, chosen: Scripted, told: list[str]) -> None:
    panel = make(together=False)
    for _ in range(3):
        chosen.free.clear()
        await panel.read(PICTURES[0])
        chosen.free.set()  # its answer comes, but too late
        await asyncio.sleep(0)
    assert len(told) == 1
    assert "3 times in a row" in told[0]
    assert sources(await panel.read(PICTURES[0])) == ["chosen"]
    assert told[-1] == ""


async def test_a_bad_picture_is_bad_for_every_reader(
    make: Make, chosen: Scripted, embedded: Scripted, told: list[str]
) -> None:
    panel = make(together=False)
    chosen.error = BadPicture("cut off")
    with pytest.raises(BadPicture):
        await panel.read(PICTURES[0])
    assert (embedded.asked, told) == ([], [])


async def test_a_defect_of_one_reader_does_not_keep_the_other_from_reading(
    make: Make, chosen: Scripted, told: list[str]
) -> None:
    panel = make(together=False)
    chosen.error = RuntimeError("AB12")
    for _ in range(3):
        assert sources(await panel.read(PICTURES[0])) == ["embedded"]
    assert len(told) == 1
    assert "RuntimeError" in told[0]
    assert "AB12" not in told[0]


async def test_together_both_look_at_the_same_picture_and_one_look_has_both(
    make: Make, chosen: Scripted, embedded: Scripted
) -> None:
    panel = make(together=True)
    await panel.start()
    look = await panel.read_best(PICTURES)
    assert (look.taken_at, sorted(sources(look)), look.quality) == (2.0, ["chosen", "embedded"], QUALITY)
    assert chosen.asked == embedded.asked == [2.0]
    look = await panel.read(PICTURES[0])
    assert (look.taken_at, sorted(sources(look))) == (1.0, ["chosen", "embedded"])


async def test_together_each_answers_without_the_other(
    make: Make, chosen: Scripted, embedded: Scripted, told: list[str]
) -> None:
    panel = make(together=True)
    chosen.error = ReaderUnavailable("It is gone.", "Look for it.")
    assert sources(await panel.read(PICTURES[0])) == ["embedded"]
    assert told == ["It is gone. Look for it."]
    chosen.error, embedded.error = None, ReaderTimeout("slow")
    panel = make(together=True)
    assert sources(await panel.read_best(PICTURES)) == ["chosen"]


@pytest.mark.parametrize("slow", ["chosen", "embedded"])
async def test_together_neither_waits_for_the_other_beyond_its_limit(
    make: Make, chosen: Scripted, embedded: Scripted, slow: str
) -> None:
    panel = make(together=True)
    (chosen if slow == "chosen" else embedded).free.clear()
    async with asyncio.timeout(5):
        for pictures in (PICTURES[:1], PICTURES):
            look = await panel.read_best(pictures)
            assert slow not in sources(look)
            assert look.readings


@pytest.mark.parametrize("error", [ReaderTimeout("It crashed."), ReaderUnavailable("It is gone.", "Look for it.")])
async def test_together_a_reader_that_fails_at_once_does_not_hurry_the_other(
    make: Make, chosen: Scripted, embedded: Scripted, error: Exception
) -> None:
    panel = make(together=True)
    chosen.error = error
    embedded.free.clear()
    asyncio.get_running_loop().call_later(1.0, embedded.free.set)  # beyond all that is waited where both may answer
    assert sources(await panel.read(PICTURES[0])) == ["embedded"]


async def test_together_two_cameras_at_once_are_both_read(make: Make, chosen: Scripted, embedded: Scripted) -> None:
    panel = make(together=True)
    chosen.free.clear()
    embedded.free.clear()
    asyncio.get_running_loop().call_later(0.1, embedded.free.set)
    looks = await asyncio.gather(*(panel.read(picture) for picture in PICTURES))
    assert [look.taken_at for look in looks] == [1.0, 2.0, 3.0]


async def test_a_defect_in_starting_a_reader_does_not_keep_the_other_from_starting(
    make: Make, chosen: Scripted, embedded: Scripted
) -> None:
    chosen.error = RuntimeError("AB12")
    await make(together=False).start()
    assert embedded.started == 1


async def test_where_both_fail_the_reason_is_told(make: Make, chosen: Scripted, embedded: Scripted) -> None:
    embedded.error = ReaderUnavailable("No models.", "Install again.")
    chosen.error = ReaderTimeout("slow")
    for together in (True, False):
        with pytest.raises(ReaderUnavailable, match="No models"):
            await make(together=together).read(PICTURES[0])


async def test_stopping_leaves_nothing_behind(make: Make, chosen: Scripted, embedded: Scripted) -> None:
    panel = make(together=True)
    chosen.free.clear()
    await panel.read(PICTURES[0])
    await panel.stop()
    assert (chosen.stopped, embedded.stopped, chosen.cancelled) == (1, 1, True)
