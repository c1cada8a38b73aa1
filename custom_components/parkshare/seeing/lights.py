"""The lights of a space: on while somebody looks for a booked car, off again after.

Only a light that was off is turned on, and only that one is turned off. Which those are is on disk before anything is
switched, so that none burns for ever after a crash. A person who switches one of them off and on meanwhile finds it
off after: whose word came last can't be told of every kind of light.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from homeassistant.const import SERVICE_TURN_OFF, SERVICE_TURN_ON, STATE_OFF
from homeassistant.core import HomeAssistant, callback
from homeassistant.util.hass_dict import HassKey

from .looking import async_to_the_end
from .switched import switched_of


class HouseLights:
    """All lights of this house that ParkShare may turn on. One may stand at two spaces."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass
        self._switched = switched_of(hass)
        self._lookers: Counter[str] = Counter()
        self._turning = asyncio.Lock()

    async def async_on(self, lights: Collection[str]) -> None:
        """Turn on what is off."""
        self._lookers.update(lights)
        async with self._turning:
            dark = [each for each in lights if self._is_off(each)]
            if dark and await self._switched.async_note(*dark):
                await asyncio.gather(*(self._switched.async_call(each, SERVICE_TURN_ON) for each in dark))

    async def async_off(self, lights: Collection[str]) -> None:
        """Turn off what we turned on, unless somebody else still looks."""
        self._lookers.subtract(lights)
        await self.async_off_unless_used(lights)

    async def async_off_unless_used(self, lights: Collection[str]) -> None:
        """Turn off what we turned on and nobody needs: a run that ended hard may have left it on."""
        async with self._turning:
            ours = await self._switched.async_ours()
            done = [each for each in lights if each in ours and self._lookers[each] <= 0]
            await asyncio.gather(*map(self._async_off, done))

    async def _async_off(self, light: str) -> None:
        if not self._switched.is_there(light):
            self._switched.when_there(light, lambda: self.async_off_unless_used((light,)))
            return
        if self._is_off(light) or await self._switched.async_call(light, SERVICE_TURN_OFF):
            await self._switched.async_forget(light)

    def _is_off(self, light: str) -> bool:
        state = self._hass.states.get(light)
        return state is not None and state.state == STATE_OFF


LIGHTS: Final[HassKey[HouseLights]] = HassKey("parkshare_lights")


@callback
def house_lights(hass: HomeAssistant) -> HouseLights:
    """Return the lights of this house."""
    return hass.data.setdefault(LIGHTS, HouseLights(hass))


class Lights:
    """The lights of one space."""

    def __init__(self, hass: HomeAssistant, lights: Collection[str]) -> None:
        self._hass = hass
        self._lights = tuple(lights)
        self._house = house_lights(hass)

    async def async_shine(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do some work in their light: they are on meanwhile, and off when it ends, however it ends.

        The work does not wait for them: a dark picture is better than none.
        """
        if not self._lights:
            await work()
            return
        on = self._hass.async_create_background_task(self._house.async_on(self._lights), "parkshare lights on")
        try:
            await work()
        finally:
            off = self._hass.async_create_background_task(self._async_off_after(on), "parkshare lights off")
            await async_to_the_end(off)

    async def async_off_unless_used(self) -> None:
        """Turn off what a run that ended hard left on."""
        if self._lights:
            await self._house.async_off_unless_used(self._lights)

    async def _async_off_after(self, on: asyncio.Task[None]) -> None:
        # Turning on is not broken off half-way: what is counted and noted has to stay true.
        await asyncio.wait({on})
        await self._house.async_off(self._lights)
