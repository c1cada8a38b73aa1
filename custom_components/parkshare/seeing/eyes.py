"""How one space sees cars: its camera and other plate sources, what was seen lately, and what is odd about it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from custom_components.parkshare.const import CONF_LIGHT, CONF_PICTURE_HOURS
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.gate.words import Cause, Decision
from custom_components.parkshare.notices import Notices
from custom_components.parkshare.recognition import Look, Picture, Reader, Verdict
from custom_components.parkshare.sources import PlateSource, sources_of
from custom_components.parkshare.stopwatch import Stopwatch

from .album import USUAL_HOURS, Album, Kept
from .burst import Trouble
from .bystander import Bystander
from .evidence import Evidence
from .house_memory import HouseMemory, house_memory
from .lights import Lights
from .looking import Listener, Looking, async_end, async_to_the_end
from .oddities import Oddity, OddityKind
from .others import Others
from .settings import camera_of, policy_of, region_of


class Eyes(Listener):
    """Camera, sources, album and memory of one space.

    `judged` hears each verdict: of which booking, when that was seen on which it rests (UTC epoch seconds), and the
    look that led to it. `odd` hears each oddity, with the title of the other space where one is in it. `codes_of` gives
    the codes that the renter of a booking may show to the camera now, `code_shown` hears of one that was surely read,
    and when; each code is told once.
    """

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry[Any],
        title: str,
        space_id: str,
        settings: Mapping[str, Any],
        *,
        reader: Reader,
        notices: Notices,
        watch: Stopwatch,
        limit: float,
        pace: Callable[[], float],
        judged: Callable[[str, Verdict, float, Look], None],
        odd: Callable[[OddityKind, str], None],
        codes_of: Callable[[str], Sequence[str]] = lambda _booking: (),
        code_shown: Callable[[str, float], None] = lambda _booking, _seen_at: None,
    ) -> None:
        self._region = region_of(settings)
        self.camera = camera_of(hass, space_id, settings)
        self._lights = Lights(hass, settings.get(CONF_LIGHT) or ())
        self.album = Album(hass, space_id, hours=float(settings.get(CONF_PICTURE_HOURS, USUAL_HOURS)))
        self._hass = hass
        self._entry = entry
        self._title = title
        self._space_id = space_id
        self._policy = policy_of(settings)
        self._reader = reader
        self._notices = notices
        self._watch = watch
        self._limit = limit
        self._gate_pace = pace
        self._judged = judged
        self._odd = odd
        self._codes_of = codes_of
        self._code_shown = code_shown
        self._codes_seen: set[str] = set()
        self._sources: list[PlateSource] = sources_of(hass, settings, title)
        self._memory: HouseMemory = house_memory(hass)
        self._memory.titles[space_id] = title
        self._looking: Looking | None = None
        self._booking = ""
        self._listening: Looking | None = None
        # The newest one, and all that have not ended: each waits for the one before it.
        self._task: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._keeping: set[asyncio.Task[None]] = set()
        self._seen: Picture | None = None
        self._others = Others(self._memory)
        self._stands: Grant | None = None

    async def async_start(self) -> None:
        """Take the album up. Nothing looks because of this."""
        await self.album.async_load()

    async def async_stop(self) -> None:
        """End looking; on return the camera and the sources are off."""
        self._memory.oddities.left(self._space_id)
        self._end_looking()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._keeping, return_exceptions=True)
        self.album.stop()

    def turn_off_what_was_left_on(self) -> None:
        """Turn off what an earlier run turned on and did not live to turn off, unless somebody looks by now."""
        self._start(self._async_off_left_on(), "off")

    # What the gate asks for

    def look_for(self, grant: Grant) -> None:
        """Turn everything on and look for the car of a grant until told otherwise."""
        if self.camera is None and not self._sources:
            return
        self._end_looking()
        self._booking = grant.booking
        self._seen = None
        self._others.clear()
        self._codes_seen.clear()
        self._looking = Looking(
            self.camera,
            self._reader,
            self._sources,
            Evidence(grant.plate, self._policy, region=self._region, codes=lambda: self._codes_of(grant.booking)),
            listener=self,
            watch=self._watch,
            limit=self._limit,
        )
        self._start_after_the_one_before(self._lights.async_shine(self._looking.run), "looks")

    def expect(self, grant: Grant) -> None:
        """The booking was changed, perhaps while the camera looks for its car."""
        if self._looking and self._booking == grant.booking:
            self._looking.evidence.expected = grant.plate

    def look_longer(self) -> None:
        """There was another sign of the car."""
        if self._looking:
            self._looking.look_longer()

    def look_harder(self) -> None:
        """The car stands there and is not read: look with other settings, and for a code that the renter shows."""
        if self._looking:
            self._looking.look_harder()

    def look_no_more(self) -> None:
        """Stop looking; camera and sources go off."""
        if self._looking and self._task and not self._task.done():
            self._seen = self._looking.evidence.best_picture()
            self._end_looking()
        else:
            # Left on by a run that ended hard.
            self._start_after_the_one_before(self._async_all_off(), "camera off")
        self._looking = None

    def decided(self, decision: Decision, by: Cause, grant: Grant | None) -> bool:
        """Keep the picture behind a decision, and see whether it is odd; tells whether there is a picture.

        Whom the owner lets in may have any plate.
        """
        if grant is not None and decision is Decision.ADMIT and by is Cause.PLATE:
            self._tell(self._memory.oddities.admitted(self._space_id, self._memory.digest(grant.plate)))
        if grant is not None and decision is Decision.REFUSE and (digest := self._others.most_seen()):
            self._tell(self._memory.oddities.refused(self._space_id, grant.booking, digest, _now()))
        picture = self._looking.evidence.best_picture() if self._looking else self._seen
        self._seen = None
        if picture is None or not self.album.hours:
            return False
        task = self._start(self._async_keep(picture), "keeps a picture")
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)
        return True

    async def async_keep_now(self) -> bool:
        """Put what the camera sees now into the album; tells whether it is there."""
        picture = self._looking.newest_picture() if self._looking else None
        if picture is None:
            return False
        return await self.album.async_keep(Kept.LAST, picture.content, picture.taken_at)

    def other_plate(self) -> bytes:
        """Return what stands for the plate that is read now and is not the booked one; empty for none."""
        return self._others.nearest(_now())

    def forget(self) -> None:
        """All that followed from the looking that ended is done: what it saw is behind no later decision."""
        self._seen = None

    def stand(self, grant: Grant | None) -> None:
        """The car of a grant stands in the bay now; None for none that we know.

        While it stands there the camera is off, but a source that is on anyhow may see another car come.
        """
        if grant == self._stands:
            return
        self._stands = grant
        if self._listening:
            self._listening.stop()
            self._listening = None
        if grant is None:
            self._memory.oddities.left(self._space_id)
            return
        self._memory.oddities.parked(self._space_id, grant.booking, self._memory.digest(grant.plate))
        if sources := [source for source in self._sources if source.always_on]:
            evidence = Evidence("", self._policy)
            self._listening = Looking(
                None,
                self._reader,
                sources,
                evidence,
                listener=Bystander(self.wonder, self.source_failed),
                watch=Stopwatch(),
                limit=None,
            )
            self._start_after_the_one_before(self._listening.run(), "listens")

    # What comes of it (Listener)

    @override
    def pace(self) -> float:
        """Ask the gate, which knows whether a car is expected."""
        return self._gate_pace()

    @override
    def looked(self, verdict: Verdict, look: Look) -> None:
        """Tell the gate; remember what other cars were there."""
        if self._looking:
            evidence = self._looking.evidence
            self._judged(self._booking, verdict, evidence.seen_at, look)
            self._see_code(evidence)
            look = evidence.against(look)
        self._others.saw(verdict, look)
        self.wonder(look)

    def _see_code(self, evidence: Evidence) -> None:
        if (shown := evidence.shown_code(_now())) and shown[0] not in self._codes_seen:
            self._codes_seen.add(shown[0])
            self._code_shown(self._booking, shown[1])

    def wonder(self, look: Look) -> None:
        """See whether a look at this space shows something odd, whoever took it and for whatever reason."""
        self._tell(self._memory.oddities.seen(self._space_id, self._memory.digests(look), _now()))

    @override
    def reader_failed(self, words: str) -> None:
        """Tell the owner."""
        self._notices.reader_trouble(words)

    @override
    def reader_broke_off(self, words: str) -> None:
        """Tell the owner."""
        self._notices.reader_broke_off(words)

    @override
    def pictures_failed(self, trouble: Trouble | None) -> None:
        """Tell the owner."""
        self._notices.picture_trouble(trouble)

    @override
    def source_failed(self, name: str, words: str) -> None:
        """Tell the owner."""
        self._notices.source_trouble(name, words)

    def _tell(self, oddities: list[Oddity]) -> None:
        for oddity in oddities:
            self._odd(oddity.kind, self._memory.titles.get(oddity.other, ""))

    def _end_looking(self) -> None:
        for looking in (self._looking, self._listening):
            if looking:
                looking.stop()

    async def _async_all_off(self) -> None:
        off = [self.camera.async_off_unless_used()] if self.camera else []
        await async_to_the_end(
            asyncio.gather(self._lights.async_off_unless_used(), *off, *map(async_end, self._sources))
        )

    async def _async_off_left_on(self) -> None:
        if self.camera:
            await self.camera.async_off_if_left_on()
        await self._lights.async_off_unless_used()

    async def _async_keep(self, picture: Picture) -> None:
        await self.album.async_keep(Kept.LAST, picture.content, picture.taken_at)

    def _start_after_the_one_before(self, work: Coroutine[Any, Any, None], what: str) -> None:
        """Begin when what is under way has ended: two at a time would turn each other's camera off."""
        before = self._task

        async def then() -> None:
            try:
                if before:
                    await asyncio.wait([before])
            except asyncio.CancelledError:
                work.close()
                raise
            await work

        self._task = self._start(then(), what)
        self._tasks.add(self._task)
        self._task.add_done_callback(self._tasks.discard)

    def _start(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        return self._entry.async_create_background_task(self._hass, work, f"parkshare {self._title} {what}")


def _now() -> float:
    return dt_util.utcnow().timestamp()
