"""A house with two spaces sees the plate of a parked car a second time."""

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from unittest.mock import patch

import pytest
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.plate_events import PlateEvent
from custom_components.parkshare.space import SpaceRuntime
from tests.home.conftest import SetUp
from tests.home.gate_house import MAGNETIC, OTHER, PLATE, POLICY, RADAR, House, reader, things
from tests.home.hardware import FakeCamera, FakeLock, stand
from tests.home.support import space_data

__all__ = ["reader", "things"]  # fixtures, which stand in for those of conftest.py


class TwoSpaces(House):
    """The house of the other tests with a second space beside the first."""

    async def stand(self) -> None:
        self.other_lock, self.other_camera = FakeLock("yard"), FakeCamera(self.power)
        self.other_camera._attr_name = "yard"
        await stand(
            self.hass,
            lock=[self.lock, self.other_lock],
            switch=[self.power],
            camera=[self.camera, self.other_camera],
        )
        self.sensors("off")

    @property
    def yard(self) -> SpaceRuntime:
        return next(space for space in self.hub.spaces.values() if space.space_id != self.space_id)

    async def comes_to_the_yard(self, plate: str, *, booked: str) -> None:
        start = time.time() - 60
        grant = Grant(booking="b2", space=self.yard.space_id, start=start, end=start + 3600, plate=booked, alias="Otto")
        await self.hub.grants.async_put(grant)
        self.other_camera.plate = plate
        await self.yard.async_grants_changed()
        await self.yard.async_renter_near("b2", time.time(), "here")


@pytest.fixture
async def two(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    socket_enabled: None,
    make_entry: Callable[..., MockConfigEntry],
    set_up: SetUp,
) -> AsyncIterator[TwoSpaces]:
    power = getattr(request, "param", {})
    bay = space_data(name="Bay 1", occupancy=[RADAR, MAGNETIC], **power)
    yard = space_data(name="Yard", barrier="lock.yard", camera="camera.yard", occupancy=[], **power)
    house = TwoSpaces(hass, make_entry(spaces=(bay, yard)), set_up)
    await house.stand()
    if not power:
        await hass.services.async_call("switch", "turn_on", {"entity_id": "switch.power"}, blocking=True)
    with patch("custom_components.parkshare.SpaceRuntime", partial(SpaceRuntime, policy=POLICY)):
        await house.start()
        yield house


@pytest.fixture
def events(two: TwoSpaces) -> list[PlateEvent]:
    events: list[PlateEvent] = []
    two.yard.plate_events.async_add_listener(events.append)
    return events


def told(house: TwoSpaces) -> str | None:
    notice = house.hass.data["persistent_notification"].get(f"{DOMAIN}_{house.yard.space_id}_seen_elsewhere")
    return notice and notice["message"]


async def test_the_booked_plate_at_a_second_space_is_told_once_with_both_names(
    two: TwoSpaces, events: list[PlateEvent]
) -> None:
    await two.park()
    await two.comes_to_the_yard(PLATE, booked=PLATE)
    await two.until(lambda: two.yard.gate.phase is w.Phase.ADMITTED)
    assert [event.type for event in events if event.type == "seen_elsewhere"] == ["seen_elsewhere"]
    assert "Bay 1" in told(two)
    assert "Yard" in told(two)
    assert PLATE not in told(two)


async def test_it_is_told_too_where_another_car_is_booked(two: TwoSpaces, events: list[PlateEvent]) -> None:
    await two.park()
    await two.comes_to_the_yard(PLATE, booked=OTHER)
    await two.until(lambda: told(two))
    assert two.other_lock.calls == []


async def test_whom_the_owner_lets_in_is_not_taken_for_the_booked_car(two: TwoSpaces, events: list[PlateEvent]) -> None:
    await two.park()
    await two.comes_to_the_yard("", booked=PLATE)
    await two.yard.async_let_in_now()
    await two.until(lambda: "admitted" in [event.type for event in events])
    assert told(two) is None


async def test_after_the_car_has_left_it_may_stand_at_the_other_space(two: TwoSpaces, events: list[PlateEvent]) -> None:
    await two.park()
    two.sensors("off")
    await two.until(lambda: two.lock.calls == ["down", "up"])
    await two.comes_to_the_yard(PLATE, booked=PLATE)
    await two.until(lambda: two.yard.gate.phase is w.Phase.ADMITTED)
    assert "seen_elsewhere" not in [event.type for event in events]
    assert told(two) is None


async def test_a_parked_car_is_known_again_after_a_restart(two: TwoSpaces) -> None:
    await two.park()
    await two.restart()
    await two.comes_to_the_yard(PLATE, booked=PLATE)
    await two.until(lambda: told(two))


@pytest.mark.parametrize("two", [{"camera_power": "switch.power"}], indirect=True)
async def test_what_feeds_the_cameras_of_two_spaces_goes_off_when_both_have_looked(two: TwoSpaces) -> None:
    await two.grant()
    await two.here()
    await two.comes_to_the_yard("", booked=OTHER)
    await two.until(lambda: two.camera.pictures and two.other_camera.pictures)
    await two.hub.grants.async_withdraw("b1")
    await two.space.async_grants_changed()
    await two.space.async_done()
    taken = two.other_camera.pictures
    await two.until(lambda: two.other_camera.pictures > taken + 3)
    assert "off" not in two.power.calls
    await two.hub.grants.async_withdraw("b2")
    await two.yard.async_grants_changed()
    await two.until(lambda: two.power.calls[-1] == "off")
