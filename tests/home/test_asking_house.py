"""A renter stands there unread, and the owner's phone decides: the whole way through a running house."""

from dataclasses import replace
from typing import Any

import pytest
from homeassistant.core import HomeAssistant

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.policy import GatePolicy
from tests.home.gate_house import OTHER, PLATE, POLICY, RADAR, House, house, reader, things
from tests.home.hardware import JPEG, PlateReader
from tests.home.owner_phone import MakePhone, OwnerPhone, cloud, make_phone

__all__ = ["cloud", "house", "make_phone", "reader", "things"]  # fixtures

LAST_LOOK = "image.bay_1_last_look"
# The ladder stops at the owner: what comes after is not what these tests are about.
LADDER = replace(POLICY, harder_after=0.1, owner_after=0.2, code_after=60.0, call_after=90.0)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """The HTTP client and server of the test keep their connections for a moment."""
    return True


@pytest.fixture
def gate_policy(request: pytest.FixtureRequest) -> GatePolicy:
    return replace(LADDER, **getattr(request, "param", {}))


@pytest.fixture
async def phone(hass: HomeAssistant, house: House, make_phone: MakePhone) -> OwnerPhone:
    """The phone that the running house asks. It comes after the house: a web server takes no pages once it runs."""
    phone = await make_phone("Olivia")
    (subentry,) = house.entry.subentries.values()
    data = dict(subentry.data) | {"asked": [phone.device_id]}
    assert await hass.config_entries.async_unload(house.entry.entry_id)
    hass.config_entries.async_update_subentry(house.entry, subentry, data=data)
    await house.start()
    return phone


def camera_shows(house: House, plate: str) -> None:
    """The camera gives pictures that the house may keep."""

    async def picture() -> bytes:
        return JPEG + f"{plate}|{house.camera.pictures}".encode()

    house.camera.shows = picture


async def unread(house: House, phone: OwnerPhone, plate: str = "") -> None:
    """The renter stands there and the owner is asked."""
    camera_shows(house, plate)
    await house.grant()
    await house.here()
    await house.until(lambda: phone.shown)


async def test_the_owner_sees_the_picture_and_lets_in(
    hass: HomeAssistant, house: House, phone: OwnerPhone, hass_client: Any
) -> None:
    await unread(house, phone)
    question = await phone.asked()
    assert "Rosa" in question.message
    assert question.data["image"].startswith(f"/api/image_proxy/{LAST_LOOK}?at=")
    picture = await (await hass_client()).get(question.data["image"])
    assert picture.status == 200
    assert (await picture.read()).startswith(JPEG)
    await phone.tap("Let in")
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert house.lock.calls == ["down"]
    (decided,) = house.told("admission.decided")
    assert (decided["decision"], decided["by"]) == ("admit", "owner")
    await house.until(lambda: not phone.shown)
    assert f"{DOMAIN}_{house.space_id}_needs_help" not in hass.data["persistent_notification"]


async def test_whom_the_owner_refuses_is_not_let_in_and_not_asked_about_again(house: House, phone: OwnerPhone) -> None:
    await unread(house, phone)
    await phone.tap("Refuse")
    await house.until(lambda: "b1" in house.space.gate.barred)
    await house.here()
    await house.until(lambda: not phone.shown)
    assert house.lock.calls == []
    assert len([each for each in phone.came if each.buttons]) == 1


async def test_the_question_goes_away_when_the_plate_is_read_after_all(house: House, phone: OwnerPhone) -> None:
    await unread(house, phone)
    action = (await phone.asked()).buttons["Refuse"]
    camera_shows(house, PLATE)
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    await house.until(lambda: not phone.shown)
    await phone.fire(action)
    await phone.told("too late")
    assert house.lock.calls == ["down"]
    assert "b1" not in house.space.gate.barred


async def test_an_answer_after_a_restart_moves_nothing(house: House, phone: OwnerPhone) -> None:
    await unread(house, phone)
    action = (await phone.asked()).buttons["Let in"]
    await house.restart()
    await phone.fire(action)
    await phone.told("too late")
    assert house.lock.calls == []


async def test_an_answer_after_the_booking_moves_nothing(house: House, phone: OwnerPhone) -> None:
    await unread(house, phone)
    action = (await phone.asked()).buttons["Let in"]
    await house.hub.grants.async_withdraw("b1")
    await house.space.async_grants_changed()
    await house.until(lambda: not phone.shown)
    await phone.fire(action)
    await phone.told("too late")
    assert house.lock.calls == []


@pytest.mark.parametrize("gate_policy", [{"refuse_settle": 60.0}], indirect=True)
async def test_another_car_in_the_place_of_the_first_is_not_let_in_by_the_tap_for_the_first(
    house: House, phone: OwnerPhone, reader: PlateReader
) -> None:
    await unread(house, phone, OTHER)
    first = await phone.asked()
    assert "another plate" in first.message
    camera_shows(house, "LMN456")
    reads = reader.reads
    await house.until(lambda: reader.reads > reads + 4)
    await phone.tap("Let in")
    await house.until(lambda: any("Another car" in each.message for each in phone.shown.values()))
    assert house.lock.calls == []
    await phone.tap("Let in")
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)


@pytest.mark.parametrize("house", [{"raising": "ask"}], indirect=True)
@pytest.mark.parametrize("gate_policy", [{"raising": w.Raising.ASK}], indirect=True)
async def test_the_owner_raises_from_the_phone_and_hears_when_a_car_is_there_again(
    house: House, phone: OwnerPhone
) -> None:
    await house.park()
    house.sensors("off")
    await house.until(lambda: any("Raise" in each.buttons for each in phone.shown.values()))
    assert house.lock.calls == ["down"]
    house.sensors("on", RADAR)
    await phone.tap("Raise")
    await phone.told("could not be done")
    assert house.lock.calls == ["down"]
