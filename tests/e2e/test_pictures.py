"""What the simulated camera shows is read with the product's own reader: the story stands on it."""

from collections.abc import AsyncIterator

import pytest

from custom_components.parkshare.codes.drawing import draw_code, draw_nothing
from custom_components.parkshare.recognition import Decision, EmbeddedReader, Picture, judge
from custom_components.parkshare.recognition.levels import POLICIES, Level
from tests.simulators.car import STOPS_AT, UNREADABLE, Car

from .display import PATIENCE_S, code_on

PLATE = "AB-123-CD"
SHOWN = "5T39RHCD"


@pytest.fixture
async def reader() -> AsyncIterator[EmbeddedReader]:
    reader = EmbeddedReader(read_timeout=PATIENCE_S, start_timeout=PATIENCE_S)
    yield reader
    await reader.stop()


async def _decide(reader: EmbeddedReader, car: Car, *, distance: float, expected: str, level: Level) -> Decision:
    looks = [await reader.read(Picture(car.picture(distance, seed=seed), float(seed))) for seed in (1, 2)]
    return judge(looks, expected.replace("-", ""), POLICIES[level]).decision


@pytest.mark.parametrize("distance", [5.0, STOPS_AT, 1.6])
async def test_a_plate_under_mud_is_neither_matched_nor_mistaken(reader: EmbeddedReader, distance: float) -> None:
    car = Car(PLATE, conditions=UNREADABLE)
    decided = await _decide(reader, car, distance=distance, expected=PLATE, level=Level.LENIENT)
    assert decided is Decision.UNSURE


async def test_the_same_plate_without_mud_is_matched(reader: EmbeddedReader) -> None:
    decided = await _decide(reader, Car(PLATE), distance=STOPS_AT, expected=PLATE, level=Level.STRICT)
    assert decided is Decision.ADMIT


async def test_a_code_on_a_phone_before_the_camera_is_read_beside_an_unreadable_plate(reader: EmbeddedReader) -> None:
    car = Car(PLATE, conditions=UNREADABLE, shown=SHOWN)
    assert await _decide(reader, car, distance=STOPS_AT, expected=SHOWN, level=Level.STRICT) is Decision.ADMIT


async def test_another_code_on_the_phone_is_not_taken_for_the_right_one(reader: EmbeddedReader) -> None:
    car = Car(PLATE, conditions=UNREADABLE, shown="5T39RHCE")
    assert await _decide(reader, car, distance=STOPS_AT, expected=SHOWN, level=Level.STRICT) is not Decision.ADMIT


async def test_a_code_is_read_off_the_display_at_the_space() -> None:
    assert await code_on(draw_code("069418", "12:34")) == "069418"


async def test_a_display_without_a_code_shows_none() -> None:
    with pytest.raises(LookupError, match="no code"):
        await code_on(draw_nothing())
