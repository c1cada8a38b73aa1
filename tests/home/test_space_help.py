"""What people hear when a renter does not get in, does not leave, or finds the bay taken."""

import time
from dataclasses import replace

import pytest
from homeassistant.components import persistent_notification

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import GatePolicy
from tests.home.gate_house import MAGNETIC, OTHER, PLATE, POLICY, RADAR, House, house, reader, things

__all__ = ["house", "reader", "things"]

NUMBER = "+49 30 5550123"


@pytest.fixture
def gate_policy() -> GatePolicy:
    return replace(
        POLICY,
        harder_after=0.1,
        owner_after=0.2,
        code_after=0.3,
        call_after=0.4,
        taken_settle=0.1,
        not_in_after=0.3,
        not_in_here_after=0.1,
        disagree_after=0.2,
        warn_before=2.0,
    )


def notified(house: House, key: str) -> bool:
    return f"{DOMAIN}_{house.space_id}_{key}" in house.hass.data["persistent_notification"]


def happened(house: House) -> dict[str, str]:
    return dict(house.hass.states.get("event.bay_1_plate").attributes)


@pytest.mark.parametrize("house", [{"phone": NUMBER}], indirect=True)
async def test_a_renter_whose_plate_does_not_admit_gets_one_help_after_the_other(house: House) -> None:
    await house.grant()
    await house.here()
    await house.until(lambda: len(house.told("help.offered")) == 4)
    offered = house.told("help.offered")
    assert [d["rung"] for d in offered] == ["harder", "owner", "code", "call"]
    assert [d.get("phone") for d in offered] == [None, None, None, NUMBER]
    assert notified(house, "needs_help")
    assert house.state("sensor.bay_1_booking") == "needs_help"
    assert (happened(house)["event_type"], happened(house)["rung"]) == ("help", "call")
    assert house.lock.calls == []


async def test_when_the_plate_admits_after_all_nobody_is_asked_any_more(house: House) -> None:
    await house.grant()
    await house.here()
    await house.until(lambda: notified(house, "needs_help"))
    house.camera.plate = PLATE
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert not notified(house, "needs_help")


async def test_the_right_code_lowers_the_barrier_and_is_told_as_such(house: House) -> None:
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.gate.rung is w.Rung.CODE)
    await house.space.async_code("b1", time.time())
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert house.lock.calls == ["down"]
    (decided,) = house.told("admission.decided")
    assert (decided["decision"], decided["by"]) == ("admit", "code")


async def test_whom_the_owner_refuses_no_code_lets_in_but_the_booked_plate_does(house: House) -> None:
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.gate.rung is w.Rung.CODE)
    await house.space.async_refuse("b1")
    (decided,) = house.told("admission.decided")
    assert (decided["decision"], decided["by"]) == ("refuse", "owner")
    await house.space.async_code("b1", time.time())
    assert house.lock.calls == []
    house.camera.plate = PLATE
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)


async def test_a_wrong_car_alone_makes_nobody_ask_the_owner_for_the_renter(house: House) -> None:
    house.camera.plate = OTHER
    await house.grant()
    await house.space.async_renter_near("b1", time.time(), "position")
    await house.until(lambda: house.told("admission.decided"))
    house.camera.plate = None
    before = len(house.told("help.offered"))
    await house.until(lambda: not notified(house, "needs_help") or before)
    assert house.lock.calls == []


@pytest.mark.parametrize("house", [{"grace_min": 0}], indirect=True)
async def test_owner_and_backend_hear_before_and_after_the_end_of_a_stay_and_nothing_moves(house: House) -> None:
    await house.grant(lasts=63.0)
    house.camera.plate = PLATE
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    house.sensors("on")
    await house.until(lambda: house.told("stay.ending"))
    assert notified(house, "ends_soon")
    await house.until(lambda: house.told("stay.overstayed"))
    assert notified(house, "overstay")
    (overstayed,) = house.told("stay.overstayed")
    seq, _, digest = overstayed["record"].partition(":")
    assert int(seq) > 0
    assert len(digest) == 64
    assert house.lock.calls == ["down"]
    house.sensors("off")
    await house.until(lambda: house.told("stay.left"))
    assert not notified(house, "overstay")
    assert not notified(house, "ends_soon")


async def test_a_car_of_nobody_in_the_bay_is_told_before_the_booking_and_taken_back(house: House) -> None:
    house.sensors("on")
    await house.grant(starts_in=900.0)
    await house.until(lambda: house.told("bay.taken"))
    assert notified(house, "bay_taken")
    assert house.state("sensor.bay_1_booking") == "bay_taken"
    house.sensors("off")
    await house.until(lambda: house.told("bay.free"))
    assert not notified(house, "bay_taken")


async def test_a_lock_that_says_down_and_is_up_is_noticed_and_the_owners_word_is_sent_again(house: House) -> None:
    house.camera.plate = PLATE
    await house.grant()
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    await house.until(lambda: notified(house, "not_in"))
    assert house.told("help.offered")[-1]["rung"] == "call"
    await house.press("let_in_now")
    await house.until(lambda: house.lock.calls == ["down", "down"])


async def test_sensors_that_disagree_about_a_car_are_told_and_nothing_rises_after_that_stay(house: House) -> None:
    await house.park()
    house.sensors("off", RADAR)
    await house.until(lambda: notified(house, "sensors_disagree"))
    assert house.lock.calls == ["down"]
    house.sensors("off", MAGNETIC)
    await house.until(lambda: notified(house, "stays_down"))
    assert house.lock.calls == ["down"]


@pytest.mark.parametrize(
    ("house", "notice"), [({"raising": "ask"}, "ask_raise"), ({"raising": "never"}, "stays_down")], indirect=["house"]
)
async def test_an_owner_who_wants_it_raises_themselves(house: House, notice: str) -> None:
    await house.park()
    house.sensors("off")
    await house.until(lambda: notified(house, notice))
    assert house.lock.calls == ["down"]
    await house.press("raise_the_barrier")
    await house.until(lambda: house.lock.calls == ["down", "up"])
    await house.until(lambda: not notified(house, notice))


@pytest.mark.parametrize("house", [{"occupancy": [RADAR], "raising": "automatic"}], indirect=True)
async def test_with_one_sensor_nothing_rises_by_itself_whatever_is_stored(house: House) -> None:
    await house.park()
    house.sensors("off", RADAR)
    await house.until(lambda: notified(house, "ask_raise"))
    assert house.lock.calls == ["down"]


async def test_what_was_told_is_told_again_after_a_restart_unless_somebody_dismissed_it(house: House) -> None:
    house.sensors("on")
    await house.grant(starts_in=900.0)
    await house.until(lambda: notified(house, "bay_taken"))
    house.hass.data["persistent_notification"].clear()  # as a restart of Home Assistant does
    await house.restart()
    assert notified(house, "bay_taken")
    persistent_notification.async_dismiss(house.hass, f"{DOMAIN}_{house.space_id}_bay_taken")
    await house.hass.async_block_till_done()
    house.hass.data["persistent_notification"].clear()
    await house.restart()
    assert not notified(house, "bay_taken")
