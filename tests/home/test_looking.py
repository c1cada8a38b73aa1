"""How a space looks at a car in a running Home Assistant: bursts, sources beside the camera, and what is kept of it."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.helpers import issue_registry as ir

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.recognition import Look, Picture, Reading, Region
from custom_components.parkshare.seeing.album import Kept
from custom_components.parkshare.seeing.burst import MOST_PICTURES
from tests.home.gate_house import OTHER, PLATE, House, house, reader, things
from tests.home.hardware import JPEG, PlateReader

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py

BOX = ((0, 0), (90, 0), (90, 30), (0, 30))


class FakeSource:
    """A plate source that says what a test wants it to have read."""

    def __init__(self, name: str = "Frigate") -> None:
        self.name = name
        self.always_on = False
        self.calls: list[str] = []
        self.breaks = False

    async def async_start(self, heard: Callable[[Look], None], trouble: Callable[[str], None]) -> None:
        self.calls.append("on")
        self._heard, self.trouble = heard, trouble
        if self.breaks:
            raise RuntimeError("a defect")

    async def async_stop(self) -> None:
        self.calls.append("off")

    def reads(self, *plates: str, confidence: float = 0.95) -> None:
        for plate in plates:
            reading = Reading(plate, (confidence,) * len(plate), BOX, source=self.name)
            self._heard(Look((reading,), time.time(), self.name))

    @property
    def on(self) -> bool:
        return self.calls[-1:] == ["on"]


@pytest.fixture
def source() -> Iterator[FakeSource]:
    source = FakeSource()
    with patch("custom_components.parkshare.seeing.eyes.sources_of", lambda *_: [source]):
        yield source


def notices(house: House) -> set[str]:
    prefix = f"{DOMAIN}_{house.space_id}_"
    return {key.removeprefix(prefix) for key in house.hass.data["persistent_notification"] if key.startswith(prefix)}


def issue(house: House, key: str) -> ir.IssueEntry | None:
    return ir.async_get(house.hass).async_get_issue(DOMAIN, f"{DOMAIN}_{house.space_id}_{key}")


# Bursts


async def test_what_is_taken_while_a_picture_is_read_is_read_together(
    house: House, reader: PlateReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read_for_six_pictures(pictures: Sequence[Picture]) -> Look:
        reader.bursts.append(pictures)
        begun = house.camera.pictures
        while house.camera.pictures < begun + 6:  # noqa: ASYNC110 - the camera tells nobody
            await asyncio.sleep(0.01)
        return Look((), pictures[-1].taken_at, "slow")

    monkeypatch.setattr(reader, "read_best", read_for_six_pictures)
    await house.grant()
    await house.here()
    await house.until(lambda: len(reader.bursts) > 3, within=20)
    assert len(reader.bursts[0]) == 1, "the first picture is read at once"
    assert {len(burst) for burst in reader.bursts[1:]} == {MOST_PICTURES}
    times = [picture.taken_at for burst in reader.bursts for picture in burst]
    assert times == sorted(set(times)), "no picture comes twice, each later one is newer"


async def test_when_the_plate_was_read_no_more_pictures_are_taken(house: House) -> None:
    house.camera.plate = PLATE
    await house.grant()
    await house.here()
    await house.until(lambda: house.lock.calls)
    await house.until(lambda: house.power.calls == ["on", "off"])
    taken = house.camera.pictures
    await asyncio.sleep(0.1)
    assert house.camera.pictures == taken


@pytest.mark.parametrize("house", [{"region": [0.1, 0.2, 0.8, 0.9]}], indirect=True)
async def test_pictures_say_where_to_look_and_whose_they_are(house: House, reader: PlateReader) -> None:
    await house.grant()
    await house.until(lambda: reader.bursts)
    assert reader.bursts[0][0].region == Region(0.1, 0.2, 0.8, 0.9)
    assert reader.bursts[0][0].camera == house.space_id


@pytest.mark.parametrize(
    ("house", "confidence", "opens"),
    [({"level": "strict"}, 0.95, False), ({}, 0.95, True), ({}, 0.7, False), ({"level": "lenient"}, 0.7, True)],
    indirect=["house"],
)
async def test_the_level_of_the_space_says_how_much_evidence_it_takes(
    source: FakeSource, house: House, confidence: float, opens: bool
) -> None:
    await house.grant()
    await house.until(lambda: source.on)
    source.reads(PLATE, confidence=confidence)
    await asyncio.sleep(0.1)
    assert bool(house.lock.calls) is opens


async def test_a_camera_that_hangs_holds_nothing_up(house: House) -> None:
    async def never() -> bytes:
        await asyncio.Event().wait()
        return b""

    house.camera.shows = never
    await house.grant()
    await house.until(lambda: house.camera.pictures)
    begun = time.monotonic()
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert time.monotonic() - begun < 2
    assert house.power.calls == ["on", "off"]


# The picture that is kept


async def shows_a_jpeg(house: House) -> bytes:
    return JPEG + f"{house.camera.plate}|{house.camera.pictures}".encode()


@pytest.mark.parametrize(("plate", "kind"), [(PLATE, "admitted"), (OTHER, "refused")])
async def test_the_picture_behind_a_decision_is_kept_for_the_owner(
    house: House, hass_client: Any, plate: str, kind: str
) -> None:
    events: list[Any] = []
    house.space.plate_events.async_add_listener(events.append)
    house.camera.plate, house.camera.shows = plate, lambda: shows_a_jpeg(house)
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.album.kept(Kept.LAST))
    assert (events[0].type, events[0].picture) == (kind, True)
    answer = await (await hass_client()).get("/api/image_proxy/image.bay_1_last_look")
    assert (await answer.read()).startswith(JPEG + plate.encode())
    shown = house.hass.states.get("image.bay_1_last_look")
    assert plate not in repr(shown.as_dict())
    assert plate not in str(house.space.album.kept(Kept.LAST).path)


@pytest.mark.parametrize("house", [{"picture_hours": 0}], indirect=True)
async def test_an_owner_who_wants_no_pictures_has_none(house: House) -> None:
    house.camera.plate, house.camera.shows = PLATE, lambda: shows_a_jpeg(house)
    events: list[Any] = []
    house.space.plate_events.async_add_listener(events.append)
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert [event.picture for event in events if event.type == "admitted"] == [False]
    assert house.state("image.bay_1_last_look") == "unknown"


# Sources beside the camera


async def test_a_source_is_on_while_the_camera_looks_and_its_word_opens(source: FakeSource, house: House) -> None:
    await house.grant()
    await house.until(lambda: source.on)
    source.reads(PLATE)
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    await house.until(lambda: not source.on)
    assert house.lock.calls == ["down"]
    assert all(figure >= 0 for figure in house.space.last_timings.values())


async def test_another_plate_that_a_source_reads_opens_nothing(source: FakeSource, house: House) -> None:
    await house.grant()
    await house.until(lambda: source.on)
    for _ in range(5):
        source.reads(OTHER)
        await asyncio.sleep(0.02)
    assert house.lock.calls == []


@pytest.mark.parametrize("house", [{"camera": None, "camera_power": None}], indirect=True)
async def test_a_space_without_a_camera_looks_through_its_sources(source: FakeSource, house: House) -> None:
    await house.grant()
    await house.here()
    await house.until(lambda: source.on)
    source.reads(PLATE)
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    await house.until(lambda: not source.on)


async def test_a_source_in_trouble_is_told_once_until_it_reads_again(source: FakeSource, house: House) -> None:
    told: list[Any] = []
    house.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, lambda event: told.append(event.data))
    await house.grant()
    await house.until(lambda: source.on)
    for _ in range(3):
        source.trouble("Frigate is not there. Start it.")
    await house.hass.async_block_till_done()
    assert len(told) == 1
    placeholders = issue(house, "source_Frigate").translation_placeholders
    assert placeholders == {"space": "Bay 1", "source": "Frigate", "reason": "Frigate is not there. Start it."}
    source.reads(OTHER)
    assert issue(house, "source_Frigate") is None


async def test_a_source_with_a_defect_leaves_the_camera_alone(source: FakeSource, house: House) -> None:
    source.breaks = True
    house.camera.plate = PLATE
    await house.grant()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)


async def test_a_source_is_off_when_the_space_is_unloaded(source: FakeSource, house: House) -> None:
    await house.grant()
    await house.until(lambda: source.on)
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert not source.on


# What is odd


async def test_who_keeps_trying_is_told_once_a_booking(house: House) -> None:
    house.camera.plate = OTHER
    await house.grant()
    for times in (1, 2, 3, 4):
        await house.here()
        await house.until(lambda: len(house.told("admission.decided")) == times)  # noqa: B023
        assert ("tries_again" in notices(house)) is (times >= 3)
        await house.space.async_renter_away("b1", time.time())
    assert house.state("sensor.bay_1_booking") in ("booked", "looking")


async def test_a_car_in_front_of_a_taken_bay_is_told_by_a_source_that_is_always_on(
    source: FakeSource, house: House
) -> None:
    source.always_on = True
    events: list[Any] = []
    await house.park()
    house.space.plate_events.async_add_listener(events.append)
    await house.until(lambda: source.calls == ["on", "off", "on"])
    source.reads(PLATE, PLATE, OTHER)
    assert events == []
    source.reads(OTHER, OTHER)
    assert [event.type for event in events] == ["car_while_taken"]
    assert "car_while_taken" in notices(house)
    assert house.lock.calls == ["down"]
    house.sensors("off")
    await house.until(lambda: house.state("lock.bay") == "locked")
    await house.until(lambda: not source.on)


async def test_a_source_with_a_camera_of_its_own_is_off_while_a_car_parks(source: FakeSource, house: House) -> None:
    await house.park()
    await asyncio.sleep(0.1)
    assert not source.on


async def test_unloading_in_the_middle_of_everything_leaves_all_off(
    source: FakeSource, house: House, reader: PlateReader
) -> None:
    reader.slow, source.always_on = 30.0, True
    await house.grant()
    await house.until(lambda: source.on and reader.bursts)
    source.reads(PLATE)
    house.sensors("on")
    await house.until(lambda: house.space.gate.phase is w.Phase.PARKED)
    assert house.power.calls == ["on"], "a picture is still being read"
    begun = time.monotonic()
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert time.monotonic() - begun < 5
    assert house.power.calls == ["on", "off"]
    assert not source.on
