"""The barrier's adapter, with each kind of entity that a barrier may be."""

import asyncio
import time
from dataclasses import replace

import pytest
from homeassistant.core import HomeAssistant

from custom_components.parkshare.barrier import Barrier, BarrierError, BarrierTiming
from custom_components.parkshare.gate.words import Cause, Command, FaultKind, Position
from tests.home.hardware import FakeCover, FakeLock, FakeSwitch, FakeValve, stand

FAST = BarrierTiming(confirm=0.05, travel=0.3, back_off=(0.01, 0.01))


def wish(target: Position, *, valid: float = 60.0) -> Command:
    now = time.time()
    return Command(number=1, target=target, cause=Cause.OWNER, booking=None, issued_at=now, expires_at=now + valid)


@pytest.mark.parametrize("kind", [FakeLock, FakeCover, FakeValve])
async def test_a_lock_a_cover_and_a_valve_go_down_and_up(
    hass: HomeAssistant, kind: type[FakeLock | FakeCover | FakeValve]
) -> None:
    thing = kind()
    domain = kind.__name__.removeprefix("Fake").lower()
    await stand(hass, **{domain: [thing]})
    barrier = Barrier(hass, f"{domain}.bay", on_means=None, timing=FAST)
    assert barrier.position is Position.UP
    await barrier.async_move(wish(Position.DOWN))
    assert barrier.position is Position.DOWN
    await barrier.async_move(wish(Position.UP))
    assert barrier.position is Position.UP
    assert thing.calls == ["down", "up"]


@pytest.mark.parametrize(("on_means", "calls"), [("down", ["on", "off"]), ("up", ["off", "on"])])
async def test_a_switch_moves_as_its_owner_said(hass: HomeAssistant, on_means: str, calls: list[str]) -> None:
    switch = FakeSwitch("bay")
    switch._attr_is_on = on_means == "up"
    await stand(hass, switch=[switch])
    barrier = Barrier(hass, "switch.bay", on_means=on_means, timing=FAST)
    assert barrier.position is Position.UP
    await barrier.async_move(wish(Position.DOWN))
    await barrier.async_move(wish(Position.UP))
    assert switch.calls == calls


async def test_a_barrier_that_is_there_already_is_left_alone(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.UP))
    assert lock.calls == []


async def test_a_state_that_is_only_assumed_is_no_reason_not_to_send(hass: HomeAssistant) -> None:
    switch = FakeSwitch("bay", assumed=True)
    await stand(hass, switch=[switch])
    await Barrier(hass, "switch.bay", on_means="down", timing=FAST).async_move(wish(Position.UP))
    assert switch.calls == ["off"]


async def test_what_a_person_insists_on_is_sent_although_the_lock_says_that_it_is_there(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(replace(wish(Position.UP), insist=True))
    assert lock.calls == ["up"]


async def test_a_command_whose_time_is_over_is_not_sent_and_told_as_such(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    later = replace(wish(Position.DOWN), issued_at=time.time() + 3600)  # the clock was set back since
    with pytest.raises(BarrierError) as failed:
        await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(later)
    assert failed.value.kind is FaultKind.TOO_LATE
    assert lock.calls == []


async def test_a_silent_lock_is_asked_three_times(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock.answers = False
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError) as failed:
        await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN))
    assert failed.value.kind is FaultKind.NO_ANSWER
    assert lock.calls == ["down"] * 3


async def test_a_command_is_not_repeated_after_its_time(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock.answers = False
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError):
        await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN, valid=0.03))
    assert lock.calls == ["down"]


async def test_a_command_of_the_past_is_never_sent(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError):
        await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN, valid=-1.0))
    assert lock.calls == []


async def test_a_jammed_lock_is_not_tried_again(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock.jams = True
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError) as failed:
        await Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN))
    assert failed.value.kind is FaultKind.JAMMED
    assert lock.calls == ["down"]


async def test_a_slow_motor_may_take_its_time_while_it_says_that_it_moves(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock.by_itself = False
    await stand(hass, lock=[lock])
    moving = hass.async_create_task(
        Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN))
    )
    await asyncio.sleep(0.15)
    lock.ends(up=False)
    await moving
    assert lock.calls == ["down"]


async def test_an_unavailable_lock_is_waited_for(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    lock.shows(available=False)
    moving = hass.async_create_task(
        Barrier(hass, "lock.bay", on_means=None, timing=FAST).async_move(wish(Position.DOWN))
    )
    await asyncio.sleep(0.08)
    lock.shows(available=True)
    await moving
    assert lock.calls == ["down"]


async def test_a_lock_that_stays_unavailable_or_is_missing_says_so(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    lock.shows(available=False)
    for entity_id, kind in (("lock.bay", FaultKind.UNAVAILABLE), ("lock.gone", FaultKind.MISSING)):
        with pytest.raises(BarrierError) as failed:
            await Barrier(hass, entity_id, on_means=None, timing=FAST).async_move(wish(Position.DOWN))
        assert failed.value.kind is kind


async def test_half_open_is_neither_up_nor_down(hass: HomeAssistant) -> None:
    cover = FakeCover()
    await stand(hass, cover=[cover])
    barrier = Barrier(hass, "cover.bay", on_means=None, timing=FAST)
    for share, position in ((0, Position.UP), (50, Position.UNKNOWN), (96, Position.DOWN)):
        cover.at(share)
        assert barrier.position is position
