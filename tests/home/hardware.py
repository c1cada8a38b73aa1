"""Things that stand on a bay, as entities of a test platform: barriers with faults, a camera, its power switch.

And a reader that reads what the camera shows: a picture is `plate|number`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, override

from homeassistant.components.camera import Camera
from homeassistant.components.cover import CoverEntity, CoverEntityFeature
from homeassistant.components.lock import LockEntity
from homeassistant.components.switch import SwitchEntity
from homeassistant.components.valve import ValveEntity, ValveEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from pytest_homeassistant_custom_component.common import setup_test_component_platform

from custom_components.parkshare.recognition import Look, Picture, Reading

JPEG = b"\xff\xd8\xff"  # how a picture begins that a house may keep


class FakeLock(LockEntity):
    """A ground lock as a lock. `answers` false: takes commands and never says a word."""

    _attr_should_poll = False

    def __init__(self, name: str = "bay") -> None:
        self._attr_name = name
        self._attr_is_locked = True
        self.calls: list[str] = []
        self.answers = True
        self.jams = False
        self.by_itself = True  # goes on to the end of its way without a test's help

    def shows(self, **attributes: Any) -> None:
        for key, value in attributes.items():
            setattr(self, f"_attr_{key}", value)
        self.async_write_ha_state()

    async def _go(self, *, up: bool) -> None:
        self.calls.append("up" if up else "down")
        if not self.answers:
            return
        self.shows(is_jammed=False, is_locking=up, is_unlocking=not up)
        if self.jams:
            self.shows(is_jammed=True, is_locking=False, is_unlocking=False)
        elif self.by_itself:
            self.ends(up=up)

    def ends(self, *, up: bool) -> None:
        self.shows(is_locked=up, is_locking=False, is_unlocking=False)

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        await self._go(up=True)

    @override
    async def async_unlock(self, **kwargs: Any) -> None:
        await self._go(up=False)


class FakeCover(CoverEntity):
    """A barrier as a cover with a position."""

    _attr_should_poll = False
    _attr_supported_features = CoverEntityFeature.OPEN | CoverEntityFeature.CLOSE
    _attr_current_cover_position = 0
    _attr_name = "bay"

    def __init__(self) -> None:
        self.calls: list[str] = []

    @property
    @override
    def is_closed(self) -> bool:
        return self.current_cover_position == 0

    def at(self, position: int) -> None:
        self._attr_current_cover_position = position
        self.async_write_ha_state()

    @override
    async def async_open_cover(self, **kwargs: Any) -> None:
        self.calls.append("down")
        self.at(100)

    @override
    async def async_close_cover(self, **kwargs: Any) -> None:
        self.calls.append("up")
        self.at(0)


class FakeValve(ValveEntity):
    """A barrier as a valve without a position."""

    _attr_should_poll = False
    _attr_supported_features = ValveEntityFeature.OPEN | ValveEntityFeature.CLOSE
    _attr_reports_position = False
    _attr_is_closed = True
    _attr_name = "bay"

    def __init__(self) -> None:
        self.calls: list[str] = []

    @override
    async def async_open_valve(self) -> None:
        self.calls.append("down")
        self._attr_is_closed = False
        self.async_write_ha_state()

    @override
    async def async_close_valve(self) -> None:
        self.calls.append("up")
        self._attr_is_closed = True
        self.async_write_ha_state()


class FakeSwitch(SwitchEntity):
    """A switch: of a barrier, or of the camera's power."""

    _attr_should_poll = False
    _attr_is_on = False

    def __init__(self, name: str, *, assumed: bool = False) -> None:
        self._attr_name = name
        self._attr_assumed_state = assumed
        self.calls: list[str] = []

    async def _go(self, *, on: bool) -> None:
        self.calls.append("on" if on else "off")
        self._attr_is_on = on
        self.async_write_ha_state()

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._go(on=True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._go(on=False)


class FakeCamera(Camera):
    """A camera in front of the barrier; without power it is unavailable."""

    _attr_should_poll = False
    _attr_name = "bay"

    def __init__(self, power: FakeSwitch) -> None:
        super().__init__()
        self.power = power
        self.plate = ""
        self.frozen = False
        self.pictures = 0
        self.shows: Callable[[], Awaitable[bytes | None]] | None = None  # what it gives instead of its pictures

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        if not self.power.is_on:
            return None
        if not self.frozen:
            self.pictures += 1
        if self.shows is not None:
            return await self.shows()
        return f"{self.plate}|{self.pictures}".encode()


class PlateReader:
    """Reads the plate that the fake camera shows, without a doubt."""

    name = "fake"

    def __init__(self) -> None:
        self.reads = 0
        self.slow = 0.0
        self.bursts: list[Sequence[Picture]] = []

    async def start(self) -> None:
        """Ready at once."""

    async def read(self, picture: Picture) -> Look:
        self.reads += 1
        await asyncio.sleep(self.slow)
        plate = picture.content.removeprefix(JPEG).split(b"|")[0].decode()
        readings = (
            (Reading(plate, (0.99,) * len(plate), ((0, 0), (9, 0), (9, 3), (0, 3)), source=self.name),) if plate else ()
        )
        return Look(readings, picture.taken_at, f"{self.name} {self.reads}")

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        self.bursts.append(pictures)
        return await self.read(pictures[-1])

    async def stop(self) -> None:
        """Nothing to give back."""


async def stand(hass: HomeAssistant, **entities: list[Any]) -> None:
    """Set entities of the test platform up, by domain."""
    for domain, each in entities.items():
        setup_test_component_platform(hass, domain, each)
        assert await async_setup_component(hass, domain, {domain: {"platform": "test"}})
    await hass.async_block_till_done()
