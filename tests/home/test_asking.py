"""The owner is asked on the phone. The companion app's integration and its notify actions are the real ones."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from homeassistant.core import Context, HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.parkshare.asking import Asked, Asking, asking as asking_module
from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate.words import Notice
from custom_components.parkshare.notices import Notices
from tests.home.owner_phone import ACTION, MakePhone, OwnerPhone, cloud, make_phone, other_phone, phone
from tests.home.support import space_data

__all__ = ["cloud", "make_phone", "other_phone", "phone"]  # fixtures

SPACE = "0199d1a0-0000-7000-8000-00000000ab01"
BOOKING = "b1"


@pytest.fixture
def expected_lingering_timers() -> bool:
    """The HTTP client and server of the test keep their connections for a moment."""
    return True


class Bay:
    """What an answer acts on, and what the camera of the bay has read."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.waiting = BOOKING
        self.other = b""
        self.refusal: HomeAssistantError | None = None
        self.kept = 0
        self.disk_hangs = False

    async def let_in(self, booking: str, by: str | None) -> None:
        self._do("let in", booking, by)

    async def refuse(self, booking: str, by: str | None) -> None:
        self._do("refuse", booking, by)

    async def raise_(self, by: str | None) -> None:
        self._do("raise", "", by)

    def waits(self, booking: str) -> bool:
        return booking == self.waiting

    async def async_keep_now(self) -> bool:
        self.kept += 1
        if self.disk_hangs:
            await asyncio.Event().wait()
        return False

    def other_plate(self) -> bytes:
        return self.other

    @property
    def deeds(self) -> list[str]:
        return [what for what, *_ in self.done]

    def _do(self, what: str, booking: str, by: str | None) -> None:
        if self.refusal:
            raise self.refusal
        self.done.append((what, booking, by or ""))


@pytest.fixture
def bay() -> Bay:
    return Bay()


type Start = Callable[..., Awaitable[Asking]]


@pytest.fixture
async def start(hass: HomeAssistant, bay: Bay) -> AsyncIterator[Start]:
    """Start asking on some phones."""
    entry = MockConfigEntry(domain=DOMAIN)
    entry.add_to_hass(hass)
    running: list[Asking] = []

    async def begin(*phones: OwnerPhone | str, **settings: Any) -> Asking:
        devices = [each if isinstance(each, str) else each.device_id for each in phones]
        data = space_data(asked=devices, **settings)
        notices = Notices(hass, SPACE, "Bay 1", data)
        await notices.async_load()
        asking = Asking(
            hass,
            entry,
            SPACE,
            "Bay 1",
            data,
            let_in=bay.let_in,
            refuse=bay.refuse,
            raise_=bay.raise_,
            waits=bay.waits,
            view=bay,
            notices=notices,
        )
        asking.start()
        running.append(asking)
        return asking

    yield begin
    for asking in running:
        await asking.stop()


def notices(hass: HomeAssistant) -> dict[str, str]:
    prefix = f"{DOMAIN}_{SPACE}_"
    said = hass.data.get("persistent_notification", {})
    return {key.removeprefix(prefix): each["message"] for key, each in said.items() if key.startswith(prefix)}


async def done(bay: Bay, count: int = 1) -> list[tuple[str, ...]]:
    async with asyncio.timeout(5):
        while len(bay.done) < count:  # noqa: ASYNC110 - an answer comes from outside
            await asyncio.sleep(0.01)
    return bay.done


# The question


async def test_the_owner_is_asked_with_a_picture_and_two_buttons(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    question = await phone.asked()
    assert "Rosa" in question.message
    assert "Bay 1" in question.message
    assert "could not be read" in question.message
    assert list(question.buttons) == ["Let in", "Refuse"]
    assert question.data["image"] == "/api/camera_proxy/camera.bay"
    assert question.data["push"]["interruption-level"] == "time-sensitive"
    assert question.data["importance"] == "high"
    assert bay.kept == 1


async def test_the_owner_is_asked_although_the_disk_hangs(
    start: Start, phone: OwnerPhone, bay: Bay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking_module, "PICTURE_PATIENCE", 0.05)
    bay.disk_hangs = True
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    assert (await phone.asked()).data["image"] == "/api/camera_proxy/camera.bay"


async def test_the_owner_hears_that_another_plate_was_read(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    bay.other = b"x"
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    assert "another plate" in (await phone.asked()).message


async def test_the_question_speaks_the_language_of_the_house(
    hass: HomeAssistant, start: Start, phone: OwnerPhone
) -> None:
    hass.config.language = "de"
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    assert list((await phone.asked()).buttons) == ["Einlassen", "Abweisen"]


@pytest.mark.parametrize(("words", "deed"), [("Let in", "let in"), ("Refuse", "refuse")])
async def test_an_answer_is_done_for_its_booking_in_the_name_of_who_gave_it(
    hass: HomeAssistant, start: Start, other_phone: OwnerPhone, bay: Bay, words: str, deed: str
) -> None:
    asking = await start(other_phone)
    asking.ask_let_in(BOOKING, "Rosa")
    await other_phone.asked()
    await other_phone.tap(words)
    ((what, booking, by),) = await done(bay)
    assert (what, booking) == (deed, BOOKING)
    user = await hass.auth.async_get_user(by)
    assert user is not None
    assert user.name == "Otto"
    await other_phone.quiet()
    assert "needs_help" not in notices(hass)


async def test_the_owner_is_asked_whether_to_raise(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    asking = await start(phone)
    asking.tell(Notice.ASK_RAISE)
    assert list((await phone.asked()).buttons) == ["Raise", "Leave it down"]
    await phone.tap("Raise")
    await done(bay)
    assert bay.deeds == ["raise"]


async def test_leave_it_down_moves_nothing(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    asking = await start(phone)
    asking.tell(Notice.STAYS_DOWN)
    await phone.asked()
    await phone.tap("Leave it down")
    await phone.quiet()
    assert not bay.done


async def test_the_owner_hears_why_the_barrier_can_not_rise(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    bay.refusal = HomeAssistantError(translation_domain=DOMAIN, translation_key="raise_refused_occupied")
    asking = await start(phone)
    asking.ask_raise()
    await phone.asked()
    await phone.tap("Raise")
    assert "A sensor sees a car" in (await phone.told("could not be done")).message


# What an answer is not worth


async def test_an_answer_counts_once(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    action = (await phone.asked()).buttons["Let in"]
    await phone.fire(action)
    await phone.fire(action)
    await phone.told("answered already")
    assert bay.deeds == ["let in"]


async def test_of_two_opposite_answers_the_first_counts_and_the_second_owner_is_told(
    start: Start, phone: OwnerPhone, other_phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone, other_phone)
    asking.ask_let_in(BOOKING, "Rosa")
    yes = (await phone.asked()).buttons["Let in"]
    no = (await other_phone.asked()).buttons["Refuse"]
    await asyncio.gather(other_phone.fire(no), phone.fire(yes))
    await asyncio.gather(
        phone.until(lambda each: not any(came.buttons for came in each.shown.values())),
        other_phone.until(lambda each: not any(came.buttons for came in each.shown.values())),
    )
    (first,) = await done(bay)
    later, words = (phone, "is refused") if first[0] == "refuse" else (other_phone, "is let in")
    await later.told(words)


async def test_the_other_phone_hears_how_it_was_answered(
    start: Start, phone: OwnerPhone, other_phone: OwnerPhone
) -> None:
    asking = await start(phone, other_phone)
    asking.ask_let_in(BOOKING, "Rosa")
    await asyncio.gather(phone.asked(), other_phone.asked())
    await phone.tap("Refuse")
    told = await other_phone.told("is refused")
    assert not told.buttons
    assert told.data["importance"] == "low"
    await phone.quiet()


async def test_an_answer_after_the_booking_was_over_does_nothing(
    hass: HomeAssistant, start: Start, phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    await phone.asked()
    bay.waiting = "b2"
    await phone.tap("Let in")
    await phone.told("too late")
    assert not bay.done
    assert "needs_help" not in notices(hass)


async def test_another_car_is_asked_about_anew(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    bay.other = b"first"
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    first = await phone.asked()
    bay.other = b"second"
    await phone.tap("Let in")
    second = await phone.told("Another car stands there now")
    assert not bay.done
    assert bay.kept == 2, "with a new picture"
    await phone.fire(first.buttons["Let in"])
    await phone.told("answered already")
    assert not bay.done
    await phone.fire(second.buttons["Let in"])
    await done(bay)
    assert bay.deeds == ["let in"]


async def test_a_plate_that_is_read_anew_each_time_does_not_ask_for_ever(
    start: Start, phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    taps = 0
    while not bay.done:
        taps += 1
        bay.other = b"%d" % taps
        question = await phone.asked()
        del phone.shown[question.data["tag"]]
        await phone.fire(question.buttons["Let in"])
        await phone.until(lambda each: bay.done or each.shown)
    assert taps == 3


async def test_an_answer_after_a_restart_is_told_that_it_is_too_late(start: Start, phone: OwnerPhone, bay: Bay) -> None:
    before = await start(phone)
    before.ask_let_in(BOOKING, "Rosa")
    action = (await phone.asked()).buttons["Let in"]
    await before.stop()
    again = await start(phone)
    again.ask_let_in(BOOKING, "Rosa")
    await phone.until(lambda each: action not in next(iter(each.shown.values())).buttons.values())
    await phone.fire(action)
    await phone.told("too late")
    assert not bay.done


async def test_a_forged_answer_does_nothing_and_is_told_to_nobody(
    hass: HomeAssistant, start: Start, phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    question = await phone.asked()
    start_of_action, _, token = question.buttons["Let in"].rpartition("_")
    forged = f"{start_of_action}_{'0' * len(token)}"
    for action in (forged, f"{start_of_action}_", start_of_action, "PARKSHARE", "", None, 7):
        hass.bus.async_fire(ACTION, {"action": action}, context=Context(user_id="nobody"))
    hass.bus.async_fire(ACTION, {})
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not bay.done
    assert [each.message for each in phone.came] == [question.message]
    assert len(token) == 32


async def test_nobody_is_asked_any_more_when_the_plate_was_read_meanwhile(
    hass: HomeAssistant, start: Start, phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    action = (await phone.asked()).buttons["Let in"]
    asking.over(Asked.LET_IN)
    await phone.quiet()
    assert "needs_help" not in notices(hass)
    await phone.fire(action)
    await phone.told("too late")
    assert not bay.done


async def test_a_question_that_is_taken_back_at_once_never_stays_on_the_phone(
    hass: HomeAssistant, start: Start, phone: OwnerPhone
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    asking.over()
    await phone.until(lambda each: each.came)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not phone.shown


async def test_after_ten_minutes_the_question_goes_away_and_its_answer_is_too_late(
    hass: HomeAssistant, start: Start, phone: OwnerPhone, bay: Bay
) -> None:
    asking = await start(phone)
    asking.ask_let_in(BOOKING, "Rosa")
    action = (await phone.asked()).buttons["Let in"]
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=601))
    await phone.quiet()
    await phone.fire(action)
    await phone.told("too late")
    assert not bay.done


# Phones


async def test_without_a_phone_the_dashboard_says_what_to_press(hass: HomeAssistant, start: Start) -> None:
    asking = await start()
    asking.ask_let_in(BOOKING, "Rosa")
    assert "Let in now" in notices(hass)["needs_help"]
    asking.over(Asked.LET_IN)
    assert "needs_help" not in notices(hass)


async def test_a_phone_that_can_not_be_reached_is_told_of_once_and_the_others_are_asked(
    hass: HomeAssistant,
    start: Start,
    phone: OwnerPhone,
    make_phone: MakePhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    deaf = await make_phone("Deaf", push=False)
    asking = await start(phone, deaf, "no such device")
    for _ in range(2):
        asking.ask_let_in(BOOKING, "Rosa")
        await phone.asked()
        await hass.async_block_till_done(wait_background_tasks=True)
    unreached = [text for key, text in notices(hass).items() if key.startswith("phone_unreached")]
    assert len(unreached) == 2
    assert any("Deaf" in text for text in unreached)
    assert caplog.text.count("could not be notified") == 2
    assert "webhook" not in caplog.text.partition("could not be notified")[2].lower()


async def test_a_notify_action_that_breaks_is_told_of_until_it_works(
    hass: HomeAssistant, start: Start, phone: OwnerPhone, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(call: ServiceCall) -> None:
        raise RuntimeError("a token in an error")

    real = hass.services.async_services_for_domain("notify")["mobile_app_olivia"].job.target
    hass.services.async_register("notify", "mobile_app_olivia", breaks)
    asking = await start(phone)
    asking.tell(Notice.FAULT)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [key for key in notices(hass) if key.startswith("phone_unreached")]
    assert "a token in an error" not in caplog.text
    hass.services.async_register("notify", "mobile_app_olivia", real)
    asking.tell(Notice.FAULT)
    await phone.told("barrier")
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not [key for key in notices(hass) if key.startswith("phone_unreached")]


# Tellings


@pytest.mark.parametrize(
    ("notice", "level"),
    [
        (Notice.OVERSTAY, "time-sensitive"),
        (Notice.BAY_TAKEN, "time-sensitive"),
        (Notice.FAULT, "time-sensitive"),
        (Notice.ADMITTED_BUT_FAULTY, "time-sensitive"),
        (Notice.ENDS_SOON, "passive"),
    ],
)
async def test_what_can_not_wait_is_told_and_taken_away_when_it_is_over(
    start: Start, phone: OwnerPhone, notice: Notice, level: str
) -> None:
    asking = await start(phone)
    asking.tell(notice)
    told = await phone.told("Bay 1")
    assert told.data["push"]["interruption-level"] == level
    assert not told.buttons
    asking.over(notice)
    await phone.quiet()


async def test_no_plate_no_number_and_no_token_is_logged(
    start: Start, phone: OwnerPhone, caplog: pytest.LogCaptureFixture
) -> None:
    asking = await start(phone)
    caplog.clear()
    asking.ask_let_in(BOOKING, "Rosa")
    token = (await phone.asked()).buttons["Let in"].rpartition("_")[2]
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("custom_components.parkshare")]
    assert not [line for line in ours if token in line]
