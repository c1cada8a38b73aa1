"""What must not go wrong while a space looks: nothing opens for another car, and nothing ends the looking for good."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.ledger import Ledger
from custom_components.parkshare.recognition import DEFAULT_POLICY, Look, Picture, ReaderTimeout
from custom_components.parkshare.seeing.evidence import Evidence
from custom_components.parkshare.seeing.looking import Listener, Looking
from custom_components.parkshare.space import SpaceRuntime
from custom_components.parkshare.stopwatch import Stopwatch
from tests.home.gate_house import OTHER, PLATE, POLICY, House, house, reader, things
from tests.home.hardware import PlateReader
from tests.home.test_looking import FakeSource, shows_a_jpeg, source

__all__ = ["house", "reader", "source", "things"]  # fixtures, which stand in for those of conftest.py

SECRET = "rtsp://admin:hunter2@192.0.2.7/live"


# Another car


async def test_a_car_that_came_too_early_and_left_does_not_open_for_what_stands_there_then(
    house: House, reader: PlateReader
) -> None:
    # Few looks: the sight of the car is still among those that are judged.
    house.space.policy = replace(POLICY, verdict_max_age=0.5, look_pace=0.15)
    house.camera.plate = PLATE
    await house.grant(starts_in=1.5)
    await house.here()
    await house.until(lambda: reader.reads > 3)
    house.camera.plate = ""
    start = house.space.gate.rights[0].start
    await house.until(lambda: time.time() > start + 0.3)
    assert house.space.gate.phase is w.Phase.LOOKING
    assert house.lock.calls == []
    house.camera.plate = PLATE
    await house.until(lambda: house.lock.calls)


async def test_the_car_of_the_booking_before_does_not_open_for_the_one_that_begins(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, save = asyncio.Event(), Ledger.async_save

    async def slow_disk(ledger: Ledger, gate: w.Gate) -> bool:
        if gate.booking == "b2":
            await written.wait()
        return await save(ledger, gate)

    monkeypatch.setattr(Ledger, "async_save", slow_disk)
    house.camera.plate = OTHER
    end = time.time() + 1.0
    for booking, start, plate in (("b1", end - 3600, PLATE), ("b2", end, "HHZZ4321")):
        grant = Grant(booking=booking, space=house.space_id, start=start, end=start + 3600, plate=plate, alias="Rosa")
        await house.hub.grants.async_put(grant)
    await house.space.async_grants_changed()
    house.hub.hass.async_create_task(house.space.async_renter_near("b2", time.time(), "here"))
    await house.here()
    await house.until(lambda: house.space.gate.booking == "b2")
    taken, house.camera.plate = house.camera.pictures, PLATE
    await house.until(lambda: house.camera.pictures > taken + 5)
    written.set()
    await asyncio.sleep(0.2)
    assert house.lock.calls == []


async def test_what_the_camera_saw_of_an_earlier_car_is_not_shown_for_the_owners_word(house: House) -> None:
    events: list[Any] = []
    house.camera.plate, house.camera.shows = OTHER, lambda: shows_a_jpeg(house)
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.last_verdict)
    await house.hub.grants.async_withdraw("b1")
    await house.space.async_grants_changed()
    await house.space.async_done()
    assert house.space.gate.phase is w.Phase.IDLE
    house.space.plate_events.async_add_listener(events.append)
    await house.space.async_let_in_now()
    assert next((each.type, each.picture) for each in events if each.by == "owner") == ("admitted", False)


# Looking goes on


async def test_a_defect_of_a_reader_does_not_end_the_looking(
    house: House, reader: PlateReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails, read_best = [RuntimeError("a defect"), KeyError("another")], reader.read_best

    async def start() -> None:
        raise OSError("a defect")

    async def breaks(pictures: Sequence[Picture]) -> Look:
        if fails:
            raise fails.pop()
        return await read_best(pictures)

    monkeypatch.setattr(reader, "read_best", breaks)
    monkeypatch.setattr(reader, "start", start)
    monkeypatch.setattr("custom_components.parkshare.seeing.looking.NEXT_READER", 0.02)
    house.camera.plate = PLATE
    await house.grant()
    await house.here()
    await house.until(lambda: house.lock.calls)
    assert house.power.calls[0] == "on"


async def test_a_camera_that_gives_something_odd_does_not_end_the_looking(house: House) -> None:
    odd: list[Any] = [42, "a text", bytearray(b"x")]

    async def shows() -> Any:
        return odd.pop() if odd else f"{PLATE}|{house.camera.pictures}".encode()

    house.camera.shows = shows
    await house.grant()
    await house.here()
    await house.until(lambda: house.lock.calls)


async def test_a_reader_that_never_answers_costs_one_picture(
    house: House, reader: PlateReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.parkshare.seeing.looking.READ_LIMIT", 0.1)
    house.camera.plate, reader.slow = PLATE, 30.0
    await house.grant()
    await house.here()
    await house.until(lambda: reader.reads)
    reader.slow = 0.0
    await house.until(lambda: house.lock.calls)


async def test_a_source_that_never_ends_does_not_keep_the_next_looking_waiting(
    source: FakeSource, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("custom_components.parkshare.seeing.looking.END_LIMIT", 0.1)
    monkeypatch.setattr(source, "async_stop", never)
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.last_verdict)
    await house.space.async_renter_away("b1", time.time())
    house.camera.plate = PLATE
    await house.here()
    await house.until(lambda: house.lock.calls)
    await house.until(lambda: house.power.calls[-1] == "off")


async def test_signs_of_a_car_that_go_on_keep_the_camera_looking(house: House, reader: PlateReader) -> None:
    policy = replace(POLICY, watch=0.2, look_budget=0.3)
    with patch("custom_components.parkshare.SpaceRuntime", partial(SpaceRuntime, policy=policy)):
        await house.restart()
    await house.grant()
    begun = time.monotonic()
    while time.monotonic() < begun + 1.5:
        await house.here()
        await asyncio.sleep(0.1)
    house.camera.plate = PLATE
    await house.here()
    await house.until(lambda: house.lock.calls)


async def test_without_further_signs_looking_ends_by_itself() -> None:
    source = FakeSource()
    evidence = Evidence(PLATE, DEFAULT_POLICY)
    looking = Looking(None, PlateReader(), [source], evidence, listener=Listener(), watch=Stopwatch(), limit=0.2)
    task = asyncio.create_task(looking.run())
    await asyncio.sleep(0.1)
    looking.look_longer()
    await asyncio.sleep(0.15)
    assert source.on
    await asyncio.wait_for(task, 1)
    assert not source.on
    looking.look_longer()  # too late, and no harm


# Off again, and quiet


async def test_the_camera_goes_off_though_the_space_is_unloaded_in_just_that_moment(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, turn_off = asyncio.Event(), house.power.async_turn_off

    async def slow(**_: Any) -> None:
        begun.set()
        await asyncio.sleep(0.2)
        await turn_off()

    monkeypatch.setattr(house.power, "async_turn_off", slow)
    await house.grant()
    await house.here()
    await house.until(lambda: house.camera.pictures)
    house.hass.async_create_task(house.space.async_renter_away("b1", time.time()))
    await begun.wait()
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert house.power.calls == ["on", "off"]


async def test_what_a_switch_says_of_its_failure_is_not_logged(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(**_: Any) -> None:
        raise ValueError(f"cannot connect to {SECRET}")

    monkeypatch.setattr(house.power, "async_turn_on", fails)
    await house.grant()
    await house.until(lambda: "turn_on of switch.power failed" in caplog.text)
    assert not [record for record in caplog.records if "parkshare" in record.name and SECRET in record.getMessage()]


async def test_a_reader_that_breaks_off_again_and_again_is_told_once_a_looking(
    house: House, reader: PlateReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[Any] = []

    async def breaks(pictures: Sequence[Picture]) -> Look:
        tries.append(pictures)
        raise ReaderTimeout("The reader did not answer.")

    monkeypatch.setattr(reader, "read_best", breaks)
    with patch("custom_components.parkshare.standing.persistent_notification.async_create") as told:
        await house.grant()
        await house.until(lambda: len(tries) > 4)
    assert [call.kwargs["notification_id"].rsplit("_")[-1] for call in told.call_args_list] == ["off"]
