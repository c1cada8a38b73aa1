"""Somebody sets the clock of the house while it runs: a person hears of it, and nothing waits for the time to come."""

import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.parkshare.clock_watch import BELIEVED_AFTER, CHECK_EVERY, STEP, ClockSteps
from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import GatePolicy
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.facts import format_time
from tests.home.gate_house import POLICY, House, house, reader, things
from tests.home.house_facts import fact

__all__ = ["house", "reader", "things"]  # fixtures, which stand in for those of conftest.py

HOUR = 3600.0


class Clock:
    """The clock of the house; the loop's own clock goes on as it is, as when somebody sets the clock of a machine."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.by = 0.0
        right, right_utc = time.time, dt_util.utcnow

        def utcnow() -> datetime:
            return right_utc() + timedelta(seconds=self.by)

        def now() -> float:
            return right() + self.by

        monkeypatch.setattr("time.time", now)
        monkeypatch.setattr("homeassistant.helpers.event.time_tracker_timestamp", now)
        monkeypatch.setattr(dt_util, "utcnow", utcnow)


@pytest.fixture
def gate_policy() -> GatePolicy:
    """Patient enough for a slow machine."""
    return replace(POLICY, clear_max_age=180.0, departure_debounce=3.0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def looked_at(hass: HomeAssistant) -> None:
    async_fire_time_changed(hass, dt_util.utcnow() + CHECK_EVERY + timedelta(seconds=1))
    await hass.async_block_till_done()


@pytest.mark.parametrize(("by", "step"), [(-HOUR, True), (HOUR, True), (STEP + 0.1, True), (STEP - 0.1, False)])
async def test_a_step_of_the_clock_is_noticed_once(hass: HomeAssistant, clock: Clock, by: float, *, step: bool) -> None:
    steps = ClockSteps(hass)
    assert steps.since_last() == 0.0
    clock.by = by
    assert steps.since_last() == (pytest.approx(by, abs=0.05) if step else 0.0)
    assert steps.since_last() == 0.0


async def test_a_clock_that_is_put_right_little_by_little_makes_no_step(hass: HomeAssistant, clock: Clock) -> None:
    steps = ClockSteps(hass)
    for _ in range(10):
        clock.by += STEP / 2
        assert steps.since_last() == 0.0


@pytest.mark.parametrize("by", [-HOUR, HOUR])
async def test_the_barrier_rises_though_the_clock_is_set_while_the_car_leaves(
    house: House, clock: Clock, by: float
) -> None:
    await house.grant(starts_in=-2 * HOUR, lasts=4 * HOUR)
    house.camera.plate = "MABC123"
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    house.sensors("on")
    await house.until(lambda: house.space.gate.phase is w.Phase.PARKED)
    house.sensors("off")
    assert house.space.gate.phase is w.Phase.LEAVING
    clock.by = by
    await looked_at(house.hass)
    house.sensors("off")
    await house.until(lambda: house.lock.calls == ["down", "up"], within=30)
    await house.until(lambda: house.space.gate.phase is w.Phase.IDLE)


async def test_a_clock_that_is_set_is_told_within_two_looks_and_recorded(house: House, clock: Clock) -> None:
    house.hub.on_clock(time.time())
    clock.by = -HOUR
    for look in range(1, BELIEVED_AFTER + 1):
        assert "clock_wrong" not in repairs(house.hass)
        await looked_at(house.hass)
        assert ("clock_wrong" in repairs(house.hass)) is (look == BELIEVED_AFTER)
    await house.space.async_done()
    lines = (await house.hass.async_add_executor_job(record_of, house)).splitlines()
    assert [line for line in lines if '"kind":"clock"' in line and '"seconds":-3600' in line]
    clock.by = 0.0
    await looked_at(house.hass)
    assert "clock_wrong" not in repairs(house.hass)


@pytest.mark.parametrize("fast", [-HOUR, HOUR, 30.0])
async def test_a_renter_who_says_that_they_are_there_is_heard_though_the_clock_of_the_house_is_wrong(
    house: House, fast: float
) -> None:
    await house.grant(starts_in=-2 * HOUR, lasts=4 * HOUR)
    house.hub.on_clock(time.time() - fast)
    await house.hub.on_event(near(house, time.time() - fast))
    await house.until(lambda: house.space.gate.phase is w.Phase.LOOKING)


@pytest.mark.parametrize("fast", [-HOUR, 0.0, HOUR])
async def test_what_a_renter_said_long_ago_arms_nothing_whatever_the_clocks_show(house: House, fast: float) -> None:
    await house.grant(starts_in=-2 * HOUR, lasts=4 * HOUR)
    house.hub.on_clock(time.time() - fast)
    await house.hub.on_event(near(house, time.time() - fast - 200.0))
    await house.hass.async_block_till_done()
    assert house.space.gate.phase is w.Phase.IDLE


@pytest.mark.parametrize("by", [-HOUR, HOUR])
async def test_a_renter_is_heard_though_the_clocks_of_house_and_backend_were_set_together(
    house: House, clock: Clock, by: float
) -> None:
    """Both may run on one machine."""
    await house.grant(starts_in=-2 * HOUR, lasts=4 * HOUR)
    house.hub.on_clock(time.time())
    clock.by = by
    for _ in range(BELIEVED_AFTER):
        await looked_at(house.hass)
    await house.hub.on_event(near(house, time.time()))
    await house.until(lambda: house.space.gate.phase is w.Phase.LOOKING)
    assert "clock_wrong" not in repairs(house.hass)


async def test_a_time_of_the_backend_is_ours_as_long_as_the_clocks_agree(alone: ParkShareHub) -> None:
    hub, now = alone, time.time()
    assert hub.time_here(now) == now
    hub.on_clock(now - 59)
    assert hub.time_here(now) == now
    hub.on_clock(now - 90)
    assert hub.time_here(now - 90) == pytest.approx(now, abs=5)


def repairs(hass: HomeAssistant) -> set[str]:
    return {issue.translation_key for issue in ir.async_get(hass).issues.values() if issue.domain == DOMAIN}


def record_of(house: House) -> str:
    return Path(house.hass.config.path(f".storage/parkshare.record.{house.space_id}.jsonl")).read_text()


def near(house: House, at: float) -> object:
    return fact("renter.near", {"booking": "b1", "space": house.space_id, "at": format_time(at), "source": "here"})
