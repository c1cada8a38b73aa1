"""A car stands there and its plate is not read: the house looks harder. Pictures are drawn, the reader is real."""

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
import pytest
from PIL import Image, ImageFilter

from custom_components.parkshare.recognition import (
    WHOLE,
    Decision,
    Effort,
    EmbeddedReader,
    Look,
    Picture,
    Quality,
    Region,
    Verdict,
    judge,
)
from custom_components.parkshare.recognition.contrast import levelled, stretched
from custom_components.parkshare.recognition.embedded import MODELS
from custom_components.parkshare.recognition.levels import POLICIES, Level
from custom_components.parkshare.seeing.evidence import Evidence
from custom_components.parkshare.seeing.looking import Listener, Looking
from custom_components.parkshare.stopwatch import Stopwatch
from tests.recognition.matrices import look, reading
from tests.simulators.picture import Conditions, draw_car, draw_yard, take

PLATE = "MABC1234"
# One character each: a letter and a digit that readers take for each other, and one that they do not.
NEIGHBOURS = ("MABC1284", "MA8C1234", "NABC1234", "MABC1231", "MABC123")
BALANCED = POLICIES[Level.BALANCED]
BESIDE = Region(0.0, 0.0, 0.25, 0.3)  # a region that was drawn where no car stops
HARDER = (Effort.THOROUGH, Effort.STRETCHED, Effort.LEVELLED)


def yard(plate: str = PLATE) -> Image.Image:
    """The part of the picture in which the car is; the less there is to look through, the quicker is the test."""
    scene = draw_yard()
    if plate:
        draw_car(scene, plate, distance=3.5, yaw=8)
    return scene.crop((400, 240, 880, 510))


def night(seed: int) -> bytes:
    """What a camera without an infrared lamp sees: 3 % of the light of day."""
    return take(yard(), Conditions(light=0.03, noise=1), seed=seed)


def glare(seed: int) -> bytes:
    """What a camera behind a dirty pane sees against the sun: nearly everything is nearly white."""
    pixels = np.asarray(yard().filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    noise = np.random.default_rng(seed).normal(0, 0.7, pixels.shape[:2])[..., None]
    encoded = io.BytesIO()
    pale = (243 + (pixels - 128) * 0.035 + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pale).save(encoded, "JPEG", quality=92)
    return encoded.getvalue()


def day(seed: int) -> bytes:
    return take(yard(), Conditions(), seed=seed)


@pytest.fixture(scope="module")
def models() -> None:
    assert (MODELS / "SHA256SUMS").exists(), "The models are not there yet: run scripts/models."


@pytest.fixture
async def eye(models: None, socket_enabled: None) -> AsyncIterator[EmbeddedReader]:
    """The reader, with time for a machine that does much else."""
    reader = EmbeddedReader(read_timeout=100.0)
    yield reader
    await reader.stop()


class Stand(Listener):
    """Hears the verdicts."""

    def __init__(self) -> None:
        self.verdicts: list[Verdict] = []
        self.news = asyncio.Event()

    def looked(self, verdict: Verdict, look: Look) -> None:
        self.verdicts.append(verdict)
        self.news.set()

    async def more(self, count: int) -> list[Verdict]:
        """Wait for so many more verdicts."""
        wanted = len(self.verdicts) + count
        while len(self.verdicts) < wanted:
            self.news.clear()
            await self.news.wait()
        return self.verdicts[-count:]

    async def until(self, decision: Decision, *, most: int) -> bool:
        """Wait for a decision, at most so many verdicts."""
        for _ in range(most):
            (verdict,) = await self.more(1)
            if verdict.decision is decision:
                return True
        return False


class DrawnCamera:
    """A camera that takes a new picture of the same scene each time."""

    def __init__(self, draw: Callable[[int], bytes], region: Region) -> None:
        self._draw = draw
        self._region = region
        self.taken = 0

    async def async_on(self) -> None:
        """It is on."""

    async def async_off(self) -> None:
        """It stays on."""

    async def async_picture(self) -> Picture:
        self.taken += 1
        content = await asyncio.to_thread(self._draw, self.taken)
        return Picture(content, time.time(), self._region, "bay")


@pytest.mark.parametrize(("draw", "region"), [(night, WHOLE), (day, BESIDE)], ids=["night", "beside"])
async def test_what_the_usual_look_does_not_read_is_read_after_looking_harder(
    eye: EmbeddedReader, draw: Callable[[int], bytes], region: Region
) -> None:
    camera, stand = DrawnCamera(draw, region), Stand()
    evidence = Evidence(PLATE, BALANCED, region=region)
    looking = Looking(camera, eye, (), evidence, listener=stand, watch=Stopwatch(), limit=None)  # type: ignore[arg-type]
    run = asyncio.create_task(looking.run())
    usual = await stand.more(1)
    assert not any(verdict.agreeing for verdict in usual)
    looking.look_harder()
    read = await stand.until(Decision.ADMIT, most=6)
    looking.stop()
    await run
    assert read


@pytest.mark.parametrize("draw", [night, glare], ids=["night", "glare"])
async def test_no_other_plate_is_admitted_by_looking_harder(eye: EmbeddedReader, draw: Callable[[int], bytes]) -> None:
    usual = await eye.read(Picture(draw(9), 9.0))
    looks = [await eye.read(Picture(draw(seed), float(seed), effort=effort)) for seed, effort in enumerate(HARDER)]
    assert not judge([usual], PLATE, BALANCED).agreeing
    assert judge(looks, PLATE, BALANCED).decision is Decision.ADMIT
    assert not [other for other in NEIGHBOURS if judge(looks, other, BALANCED).decision is Decision.ADMIT]


async def test_an_empty_yard_in_the_dark_shows_no_plate_however_hard_one_looks(eye: EmbeddedReader) -> None:
    dark = take(yard(""), Conditions(light=0.03, noise=1), seed=3)
    looks = [await eye.read(Picture(dark, float(at), effort=effort)) for at, effort in enumerate(HARDER)]
    assert judge(looks, PLATE, BALANCED).agreeing == 0


@pytest.mark.parametrize("treat", [stretched, levelled])
@pytest.mark.parametrize("colour", [(0, 0, 0), (128, 128, 128), (255, 255, 255)])
def test_a_picture_without_anything_in_it_stays_a_picture(
    treat: Callable[[Image.Image], Image.Image], colour: tuple[int, int, int]
) -> None:
    treated = treat(Image.new("RGB", (64, 48), colour))
    assert treated.size == (64, 48)
    assert treated.mode == "RGB"


# What is seen beside the bay, and codes


def shows(text: str, *, at: float, left: float = 0.5) -> Look:
    """A look that reads a text in the middle of a picture or farther left (part of its width)."""
    x = left * 1000 + at
    box = ((x, 400.0), (x + 90, 400.0), (x + 90, 430.0), (x, 430.0))
    return Look((reading(text, at=at, box=box),), at, "fake", Quality(1000, 1000, 0.5, 0.5, 0.5, 0.0))


def evidence(*codes: str, region: Region = WHOLE) -> Evidence:
    return Evidence(PLATE, BALANCED, region=region, codes=lambda: codes)


@pytest.mark.parametrize(("left", "decision"), [(0.1, Decision.UNSURE), (0.5, Decision.REFUSE)])
def test_a_neighbours_car_outside_of_the_region_turns_nobody_away(left: float, decision: Decision) -> None:
    seen = evidence(region=Region(0.4, 0.0, 1.0, 1.0))
    seen.look_harder()
    verdicts = [seen.heard(shows("KXY98765", at=at, left=left), "") for at in (1.0, 2.0, 3.0)]
    assert verdicts[-1].decision is decision


def test_a_code_that_the_renter_shows_is_no_other_plate() -> None:
    decisions = []
    for codes in ((), ("7K4TR9XA", "H3NP6WEF")):
        seen = evidence(*codes)
        seen.look_harder()
        verdicts = [seen.heard(shows("7K4TR9XA", at=at), "") for at in (100.0, 101.0)]
        decisions.append(verdicts[-1].decision)
    assert decisions == [Decision.REFUSE, Decision.UNSURE]
    assert not seen.against(shows("7K4TR9XA", at=102.0)).readings


@pytest.mark.parametrize("text", ["7K4TR9XB", "7K4TR9X", "MABC1234"])
def test_nothing_else_is_taken_for_the_code(text: str) -> None:
    seen = evidence("7K4TR9XA")
    seen.look_harder()
    for at in (100.0, 101.0, 102.0):
        seen.heard(look(reading(text, at=at), at=at), "")
    assert seen.shown_code(102.0) is None


def test_the_code_counts_only_while_it_is_right_and_only_when_the_house_looks_harder() -> None:
    codes = ["7K4TR9XA"]
    seen = Evidence(PLATE, BALANCED, codes=lambda: codes)
    for at in (100.0, 101.0):
        seen.heard(look(reading("7K4TR9XA", at=at), at=at), "")
    assert seen.shown_code(101.0) is None
    seen.look_harder()
    assert seen.shown_code(101.0) == ("7K4TR9XA", 101.0)
    assert seen.shown_code(300.0) is None, "that was long ago"
    codes[:] = ["H3NP6WEF"]
    assert seen.shown_code(101.0) is None
