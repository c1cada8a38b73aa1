"""What can be a barrier, and how barriers of all kinds move, answer late, lie still, jam, or fall silent."""

import asyncio
import time
from typing import Any, override

import pytest
from homeassistant.components.cover import CoverEntityFeature
from homeassistant.components.valve import ValveEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from custom_components.parkshare.barrier import Barrier, BarrierError, BarrierTiming
from custom_components.parkshare.barrier_kinds import Unfit, unfit
from custom_components.parkshare.gate.words import Cause, Command, FaultKind, Position
from tests.home.hardware import FakeCover, FakeLock, FakeSwitch, FakeValve, stand

FAST = BarrierTiming(confirm=0.1, travel=0.4, back_off=(0.02, 0.02))
OPEN, CLOSE, SET = CoverEntityFeature.OPEN, CoverEntityFeature.CLOSE, CoverEntityFeature.SET_POSITION
TILT = CoverEntityFeature.OPEN_TILT | CoverEntityFeature.CLOSE_TILT | CoverEntityFeature.STOP_TILT


def wish(target: Position, *, valid: float = 60.0) -> Command:
    now = time.time()
    return Command(number=1, target=target, cause=Cause.OWNER, booking=None, issued_at=now, expires_at=now + valid)


def barrier(hass: HomeAssistant, entity_id: str, *, on_means: str | None = None) -> Barrier:
    return Barrier(hass, entity_id, on_means=on_means, timing=FAST)


class AnyCover(FakeCover):
    """A cover that only goes to positions."""

    _attr_supported_features = SET

    @override
    async def async_set_cover_position(self, **kwargs: Any) -> None:
        self.calls.append(str(kwargs["position"]))
        self.at(kwargs["position"])


class AnyValve(FakeValve):
    """A valve that only goes to positions."""

    _attr_supported_features = ValveEntityFeature.SET_POSITION
    _attr_reports_position = True
    _attr_current_valve_position = 0

    @override
    async def async_set_valve_position(self, position: int) -> None:
        self.calls.append(str(position))
        self._attr_current_valve_position = position
        self.async_write_ha_state()


@pytest.mark.parametrize("kind", [AnyCover, AnyValve])
async def test_what_only_goes_to_positions_is_sent_to_its_ends(
    hass: HomeAssistant, kind: type[AnyCover | AnyValve]
) -> None:
    thing, domain = kind(), kind.__name__.removeprefix("Any").lower()
    await stand(hass, **{domain: [thing]})
    entity_id = f"{domain}.bay"
    assert unfit(hass, entity_id) is None
    await barrier(hass, entity_id).async_move(wish(Position.DOWN))
    await barrier(hass, entity_id).async_move(wish(Position.UP))
    assert thing.calls == ["100", "0"]


@pytest.mark.parametrize(
    ("entity_id", "features", "reason"),
    [
        ("cover.x", OPEN | CLOSE, None),
        ("cover.x", OPEN | CLOSE | TILT, None),
        ("cover.x", OPEN | SET, None),
        ("cover.x", OPEN, Unfit.ONE_WAY),
        ("cover.x", CLOSE | TILT, Unfit.ONE_WAY),
        ("cover.x", CoverEntityFeature(0), Unfit.ONE_WAY),
        ("cover.x", TILT, Unfit.TILTS_ONLY),
        ("cover.x", None, None),
        ("valve.x", ValveEntityFeature.OPEN, Unfit.ONE_WAY),
        ("valve.x", ValveEntityFeature.SET_POSITION, None),
        ("switch.x", 0, None),
        ("lock.x", 0, None),
    ],
)
def test_what_cannot_be_moved_both_ways_is_no_barrier(
    hass: HomeAssistant, entity_id: str, features: int | None, reason: Unfit | None
) -> None:
    hass.states.async_set(entity_id, "closed", {} if features is None else {"supported_features": int(features)})
    assert unfit(hass, entity_id) is reason


@pytest.mark.parametrize(
    ("entity_id", "classes"),
    [
        ("cover.x", {None, "door", "garage", "gate", "shutter"}),
        ("valve.x", {None}),
        ("switch.x", {None, "outlet", "switch"}),
    ],
)
def test_only_what_keeps_a_car_out_when_it_is_closed_is_a_barrier(
    hass: HomeAssistant, entity_id: str, classes: set[str | None]
) -> None:
    every = {
        "cover.x": ["awning", "blind", "curtain", "damper", "door", "garage", "gate", "shade", "shutter", "window"],
        "valve.x": ["water", "gas"],
        "switch.x": ["outlet", "switch"],
    }[entity_id]
    fit = set()
    for device_class in (None, *every):
        hass.states.async_set(
            entity_id, "on", {"supported_features": 3} | ({"device_class": device_class} if device_class else {})
        )
        if unfit(hass, entity_id) is not Unfit.CLASS:
            fit.add(device_class)
    assert fit == classes


@pytest.mark.parametrize(
    ("code_format", "default", "needs"),
    [(None, None, False), (r"^\d{4}$", None, True), (r"^\d{4}$", "12", True), (r"^\d{4}$", "1234", False)],
)
def test_a_lock_that_wants_a_code_needs_one_by_default(
    hass: HomeAssistant, code_format: str | None, default: str | None, needs: bool
) -> None:
    registry = er.async_get(hass)
    entry = registry.async_get_or_create("lock", "test", "1", suggested_object_id="bay")
    if default:
        registry.async_update_entity_options(entry.entity_id, "lock", {"default_code": default})
    hass.states.async_set(entry.entity_id, "locked", {"code_format": code_format} if code_format else {})
    assert unfit(hass, entry.entity_id) is (Unfit.NEEDS_CODE if needs else None)


async def test_the_default_code_of_a_lock_moves_it_and_stands_in_no_log(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    class CodeLock(FakeLock):
        _attr_code_format = r"^\d{4}$"
        _attr_unique_id = "code lock"

        def __init__(self) -> None:
            super().__init__()
            self.codes: list[Any] = []

        @override
        async def async_unlock(self, **kwargs: Any) -> None:
            self.codes.append(kwargs.get("code"))
            await super().async_unlock()

    lock = CodeLock()
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError):
        await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert lock.codes == []
    er.async_get(hass).async_update_entity_options("lock.bay", "lock", {"default_code": "4711"})
    await hass.async_block_till_done()
    await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert lock.codes == ["4711"]
    assert "4711" not in caplog.text


async def test_a_closed_cover_whose_position_says_open_is_believed_to_be_nowhere(hass: HomeAssistant) -> None:
    for state, share, position in (
        ("closed", 0, Position.UP),
        ("closed", 3, Position.UP),
        ("closed", 100, Position.UNKNOWN),
        ("open", 94, Position.UNKNOWN),
        ("open", 95, Position.DOWN),
        ("opening", 99, Position.MOVING),
        ("closing", 1, Position.MOVING),
        ("unknown", 100, Position.UNKNOWN),
    ):
        hass.states.async_set("cover.bay", state, {"current_position": share})
        assert barrier(hass, "cover.bay").position is position, (state, share)


async def test_a_lock_that_answers_late_is_not_asked_again(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock.answers = False
    await stand(hass, lock=[lock])
    late = Barrier(hass, "lock.bay", on_means=None, timing=BarrierTiming(confirm=0.02, back_off=(0.5, 0.5)))
    moving = hass.async_create_task(late.async_move(wish(Position.DOWN)))
    await asyncio.sleep(0.1)
    lock.ends(up=False)
    await moving
    assert lock.calls == ["down"]


async def test_an_action_that_never_comes_back_is_not_waited_for_when_the_state_says_done(hass: HomeAssistant) -> None:
    class Blocking(FakeLock):
        ended = False

        @override
        async def async_unlock(self, **kwargs: Any) -> None:
            await super().async_unlock()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended = True

    lock = Blocking()
    await stand(hass, lock=[lock])
    await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert lock.calls == ["down"]
    await asyncio.sleep(0)
    assert lock.ended, "nothing of a command goes on after it"


async def test_a_command_that_is_called_back_leaves_no_action_behind(hass: HomeAssistant) -> None:
    class Slow(FakeLock):
        @override
        async def async_lock(self, **kwargs: Any) -> None:
            await asyncio.sleep(0.05)
            await super().async_lock()

    lock = Slow()
    lock._attr_is_locked = False
    await stand(hass, lock=[lock])
    moving = hass.async_create_task(barrier(hass, "lock.bay").async_move(wish(Position.UP)))
    await asyncio.sleep(0.01)
    moving.cancel()
    await asyncio.sleep(0.1)
    assert lock.calls == []
    assert not lock.is_locked


async def test_an_action_that_raises_its_secrets_is_tried_thrice_and_says_only_what_kind_of_error_it_was(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    class Talkative(FakeLock):
        @override
        async def async_unlock(self, **kwargs: Any) -> None:
            self.calls.append("down")
            raise ConnectionError("http://me:secret@lock")

    lock = Talkative()
    await stand(hass, lock=[lock])
    with pytest.raises(BarrierError) as failed:
        await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert (failed.value.kind, lock.calls) == (FaultKind.NO_ANSWER, ["down"] * 3)
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_cover_that_tells_its_way_by_its_position_alone_may_take_its_time(hass: HomeAssistant) -> None:
    class Silent(FakeCover):
        @override
        async def async_open_cover(self, **kwargs: Any) -> None:
            self.calls.append("down")
            self.at(20)

    cover = Silent()
    await stand(hass, cover=[cover])
    moving = hass.async_create_task(barrier(hass, "cover.bay").async_move(wish(Position.DOWN)))
    for share in (40, 60, 80, 100):
        await asyncio.sleep(0.08)
        cover.at(share)
    await moving
    assert cover.calls == ["down"]


async def test_a_jam_of_before_is_no_reason_not_to_try_and_a_new_one_ends_it_at_once(hass: HomeAssistant) -> None:
    lock = FakeLock()
    lock._attr_is_jammed = True
    await stand(hass, lock=[lock])
    await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert lock.calls == ["down"]
    lock.jams = True
    begun = time.monotonic()
    with pytest.raises(BarrierError) as failed:
        await Barrier(hass, "lock.bay", on_means=None, timing=BarrierTiming()).async_move(wish(Position.UP))
    assert (failed.value.kind, lock.calls) == (FaultKind.JAMMED, ["down", "up"])
    assert time.monotonic() - begun < BarrierTiming().confirm


async def test_an_optimistic_barrier_is_told_even_what_it_already_says(hass: HomeAssistant) -> None:
    switch = FakeSwitch("bay", assumed=True)
    await stand(hass, switch=[switch])
    await barrier(hass, "switch.bay", on_means="up").async_move(wish(Position.DOWN))
    assert switch.calls == ["off"]


async def test_a_barrier_that_says_nothing_after_a_restart_is_moved_and_believed_when_it_speaks(
    hass: HomeAssistant,
) -> None:
    lock = FakeLock()
    lock._attr_is_locked = None
    await stand(hass, lock=[lock])
    assert (hass.states.get("lock.bay").state, barrier(hass, "lock.bay").position) == ("unknown", Position.UNKNOWN)
    await barrier(hass, "lock.bay").async_move(wish(Position.DOWN))
    assert lock.calls == ["down"]


async def test_waiting_for_an_unavailable_barrier_ends_with_the_command(hass: HomeAssistant) -> None:
    lock = FakeLock()
    await stand(hass, lock=[lock])
    lock.shows(available=False)
    patient = Barrier(hass, "lock.bay", on_means=None, timing=BarrierTiming(confirm=30.0, back_off=(0.01, 0.01)))
    with pytest.raises(BarrierError) as failed:
        async with asyncio.timeout(10):
            await patient.async_move(wish(Position.UP, valid=0.05))
    assert failed.value.kind is FaultKind.UNAVAILABLE
    lock.shows(available=True)
    await asyncio.sleep(0.05)
    assert lock.calls == []


async def test_an_optimistic_barrier_that_takes_a_moment_to_send_does_send(hass: HomeAssistant) -> None:
    class Slow(FakeSwitch):
        @override
        async def async_turn_on(self, **kwargs: Any) -> None:
            await asyncio.sleep(0.03)
            await super().async_turn_on()

    switch = Slow("bay", assumed=True)
    switch._attr_is_on = True
    await stand(hass, switch=[switch])
    await barrier(hass, "switch.bay", on_means="down").async_move(wish(Position.DOWN))
    assert switch.calls == ["on"]


async def test_a_barrier_that_may_be_rising_without_a_word_is_sent_down_though_it_still_says_down(
    hass: HomeAssistant,
) -> None:
    lock = FakeLock()
    lock._attr_is_locked = False
    lock.answers = False
    await stand(hass, lock=[lock])
    slow = barrier(hass, "lock.bay")
    with pytest.raises(BarrierError):
        await slow.async_move(wish(Position.UP))
    await slow.async_move(wish(Position.DOWN))
    assert lock.calls == ["up", "down"]
    await slow.async_move(wish(Position.DOWN))
    assert lock.calls == ["up", "down"], "once is enough"
