"""The shell of asking: questions go out to the phones of one space's owner, answers come back as events."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Protocol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import CONF_ASKED, CONF_CAMERA, DOMAIN
from custom_components.parkshare.gate.words import Notice
from custom_components.parkshare.notices import Notices
from custom_components.parkshare.seeing.album import Kept
from custom_components.parkshare.words import async_words

from .messages import Button
from .phones import Phones
from .questions import VALID_S, Answer, Asked, Choice, Question, Questions, Worth
from .sending import Sending

ANSWERED: Final = "mobile_app_notification_action"  # the event that the companion app fires for a button
# What is told on the phone, and whether it may wake somebody. What is asked there is not told beside it.
TOLD: Final[Mapping[Notice, bool]] = {
    Notice.FAULT: True,
    Notice.ADMITTED_BUT_FAULTY: True,
    Notice.OVERSTAY: True,
    Notice.BAY_TAKEN: True,
    Notice.NOT_IN: True,
    Notice.ROSE: True,
    Notice.SENSORS_DISAGREE: False,
    Notice.ENDS_SOON: False,
}
# A plate that is read a little differently each time looks like one car after the other.
MOST_AGAIN: Final = 2
PICTURE_PATIENCE: Final = 3.0  # s; a disk that hangs keeps no owner from being asked

type Deed = Callable[[str, str | None], Awaitable[None]]


class View(Protocol):
    """What is asked of the space's eyes."""

    async def async_keep_now(self) -> bool:
        """Put what the camera sees now into the album; tells whether it is there."""

    def other_plate(self) -> bytes:
        """Return what stands for the plate that is read now and is not the booked one; empty for none."""


class Asking:
    """What one space asks and tells its owner on the phone.

    let_in and refuse get the booking and the id of the user who answered (None where unknown), raise_ the user only;
    each raises HomeAssistantError with the reason if it can't be done. waits tells whether the renter of a booking
    still waits before the barrier.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        space_id: str,
        title: str,
        settings: Mapping[str, Any],
        *,
        let_in: Deed,
        refuse: Deed,
        raise_: Callable[[str | None], Awaitable[None]],
        waits: Callable[[str], bool],
        view: View,
        notices: Notices,
    ) -> None:
        self._hass = hass
        self._entry = entry
        self._space_id = space_id
        self._title = title
        self._camera: str = settings.get(CONF_CAMERA) or ""
        self._let_in, self._refuse, self._raise = let_in, refuse, raise_
        self._waits = waits
        self._view = view
        self._notices = notices
        self._phones = Phones(hass, settings.get(CONF_ASKED) or ())
        self._sending = Sending(hass, self._phones, space_id, title, notices)
        self._questions = Questions(space_id.replace("-", "")[-12:].upper())
        self._expiries: dict[Asked, CALLBACK_TYPE] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends: list[CALLBACK_TYPE] = []
        # What may stand on the phones. Of what an earlier run told there nothing is known.
        self._told = set(TOLD)

    def start(self) -> None:
        """Listen for answers."""
        self._ends.append(self._hass.bus.async_listen(ANSWERED, self._heard))

    async def stop(self) -> None:
        """Listen no more. What is open then is answered by nobody: a tap on it does nothing."""
        while self._ends:
            self._ends.pop()()
        for kind in Asked:
            self._take_back(kind)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What the gate wants to be asked and told

    @callback
    def ask_let_in(self, booking: str, alias: str) -> None:
        """Ask whether the renter who stands there may come in. The dashboard says so, too: a phone may lie at home."""
        self._notices.needs_help(alias)
        if self._phones:
            self._work(self._async_ask_let_in(booking, alias))

    @callback
    def ask_raise(self) -> None:
        """Ask whether the bay is empty and the barrier may rise; the dashboard says so by a notice of its own."""
        if self._phones:
            self._work(self._async_ask(self._open(Asked.RAISE), "asking_raise"))

    @callback
    def tell(self, notice: Notice) -> None:
        """Tell on the phone what can't wait until somebody looks at the dashboard; other notices do nothing here."""
        if notice in {Notice.ASK_RAISE, Notice.STAYS_DOWN}:
            self.ask_raise()
        elif notice in TOLD:
            self._told.add(notice)
            told = self._sending.async_tell(notice, f"gate_{notice}", urgent=TOLD[notice], to=self._phones.device_ids)
            self._work(told)

    @callback
    def over(self, *what: Asked | Notice) -> None:
        """It is no longer so: questions are taken back, notifications cleared. Without words: all questions."""
        for each in what or tuple(Asked):
            kind = Asked.RAISE if each in {Notice.ASK_RAISE, Notice.STAYS_DOWN} else each
            if kind is Asked.LET_IN:
                self._notices.needs_no_help()
            if self._take_back(kind) if isinstance(kind, Asked) else kind in self._told:
                self._told -= {kind}
                self._work(self._sending.async_clear(kind, to=self._phones.device_ids))

    # Asking

    async def _async_ask_let_in(self, booking: str, alias: str, *, again: int = 0) -> None:
        other = self._view.other_plate()
        # Open before the picture is there: whatever ends the waiting meanwhile ends the question.
        question = self._open(Asked.LET_IN, booking=booking, alias=alias, other=other, again=again)
        await self._async_ask(question, "asking_let_in_other" if other else "asking_let_in_unread")

    async def _async_ask(self, question: Question, text: str) -> None:
        image = await self._async_image()
        words = await async_words(self._hass)
        if self._questions.open(question.kind) is not question:
            return
        said = words(text, space=self._title, alias=question.alias)
        if question.again:
            said = f"{words('asking_another_car')} {said}"
        buttons = [
            Button(
                self._questions.action(question, choice),
                words(f"asking_{question.kind}_{choice}".lower()),
                grave=choice is Choice.YES,
            )
            for choice in Choice
        ]
        await self._sending.async_ask(question.kind, said, buttons=buttons, image=image)

    def _open(self, kind: Asked, **about: Any) -> Question:
        self._end_expiry(kind)
        question = self._questions.ask(kind, _now(), **about)

        @callback
        def expired(_now: datetime) -> None:
            del self._expiries[kind]
            if self._questions.take_back(kind):
                self._work(self._sending.async_clear(kind, to=self._phones.device_ids))

        self._expiries[kind] = async_call_later(self._hass, VALID_S, expired)
        return question

    def _take_back(self, kind: Asked) -> bool:
        self._end_expiry(kind)
        return self._questions.take_back(kind) is not None

    def _end_expiry(self, kind: Asked) -> None:
        if end := self._expiries.pop(kind, None):
            end()

    async def _async_image(self) -> str | None:
        """Return where the app fetches the picture: the one that is kept now, else what the camera shows then."""
        kept = False
        with suppress(TimeoutError):
            async with asyncio.timeout(PICTURE_PATIENCE):
                kept = await self._view.async_keep_now()
        entity_id = er.async_get(self._hass).async_get_entity_id("image", DOMAIN, f"{self._space_id}_{Kept.LAST}")
        if kept and entity_id and (state := self._hass.states.get(entity_id)):
            # The app keeps pictures by their address: with its time in it each one is another.
            return f"/api/image_proxy/{entity_id}?at={state.last_updated_timestamp:.0f}"
        return f"/api/camera_proxy/{self._camera}" if self._camera else None

    # Answers

    @callback
    def _heard(self, event: Event) -> None:
        action = event.data.get("action")
        if isinstance(action, str) and (answer := self._questions.answered(action, _now())):
            if answer.worth is Worth.COUNTS:
                self._end_expiry(answer.kind)
            self._work(self._async_follow(answer, event.context.user_id))

    async def _async_follow(self, answer: Answer, by: str | None) -> None:
        question = answer.question
        if answer.worth is Worth.ANSWERED and answer.first:
            await self._async_reply(answer, by, f"asking_was_{answer.kind}_{answer.first}".lower())
        elif answer.worth is Worth.LATE or question is None:
            await self._async_reply(answer, by, "asking_too_late")
        elif question.kind is Asked.LET_IN and not self._waits(question.booking):
            self._notices.needs_no_help()
            await asyncio.gather(
                self._async_reply(answer, by, "asking_too_late"),
                self._sending.async_clear(answer.kind, to=self._others(by)),
            )
        elif answer.choice is Choice.YES and self._is_another_car(question):
            await self._async_ask_let_in(question.booking, question.alias, again=question.again + 1)
        else:
            await self._async_do(answer, question, by)

    def _is_another_car(self, question: Question) -> bool:
        """Tell whether another plate is read now than when the picture was taken that the owner looked at."""
        if question.kind is not Asked.LET_IN or question.again >= MOST_AGAIN:
            return False
        other = self._view.other_plate()
        return bool(other) and other != question.other

    async def _async_do(self, answer: Answer, question: Question, by: str | None) -> None:
        try:
            match question.kind, answer.choice:
                case Asked.LET_IN, Choice.YES:
                    await self._let_in(question.booking, by)
                case Asked.LET_IN, Choice.NO:
                    await self._refuse(question.booking, by)
                case Asked.RAISE, Choice.YES:
                    await self._raise(by)
        except HomeAssistantError as err:
            reason = await self._async_reason(err)
            every = self._phones.device_ids
            await self._sending.async_tell(answer.kind, "asking_failed", urgent=True, to=every, reason=reason)
            return
        if question.kind is Asked.LET_IN:
            self._notices.needs_no_help()
        text = f"asking_was_{answer.kind}_{answer.choice}".lower()
        await asyncio.gather(
            self._sending.async_clear(answer.kind, to=self._phones.of_user(by)),
            self._sending.async_tell(answer.kind, text, urgent=False, to=self._others(by)),
        )

    async def _async_reply(self, answer: Answer, by: str | None, text: str) -> None:
        """Tell who answered what became of it. An event that comes from none of the phones is told to nobody."""
        # A newer question may be open: it must not be covered by what became of an older one.
        await self._sending.async_tell(answer.kind, text, urgent=False, to=self._phones.of_user(by), beside=True)

    def _others(self, by: str | None) -> tuple[str, ...]:
        own = self._phones.of_user(by)
        return tuple(each for each in self._phones.device_ids if each not in own)

    async def _async_reason(self, err: HomeAssistantError) -> str:
        """Return why something can't be done, in the language of the house."""
        words = await async_words(self._hass, "exceptions")
        key = f"{err.translation_key}.message"
        known = err.translation_domain == DOMAIN and words.all_of(key)
        return words(key, **(err.translation_placeholders or {})) if known else str(err)

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._entry.async_create_background_task(self._hass, work, f"parkshare {self._title} asks")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _now() -> float:
    return dt_util.utcnow().timestamp()
