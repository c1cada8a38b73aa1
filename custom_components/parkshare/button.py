"""The owner's hand: let in now, raise the barrier, answer a standby offer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import override

from homeassistant.components.button import ButtonEntity, ButtonEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import SpaceEntity
from .hub import ParkShareConfigEntry
from .space import SpaceRuntime
from .standby import StandbyState

PARALLEL_UPDATES = 1


@dataclass(frozen=True, kw_only=True)
class SpaceButton(ButtonEntityDescription):
    """A button of a space. press gets who presses it, and raises HomeAssistantError with the reason why it can't be."""

    press: Callable[[SpaceRuntime, str | None], Awaitable[None]]
    available: Callable[[SpaceRuntime], bool] = lambda _: True


def _is_offered(runtime: SpaceRuntime) -> bool:
    standby = runtime.hub.standby_of(runtime.space_id)
    return standby is not None and standby.state is StandbyState.OFFERED


BUTTONS = (
    SpaceButton(key="let_in_now", press=lambda space, by: space.async_let_in_now(by=by)),
    SpaceButton(key="raise", press=lambda space, by: space.async_raise(by=by)),
    SpaceButton(
        key="accept_standby",
        press=lambda space, _: space.hub.async_accept_standby(space.space_id),
        available=_is_offered,
    ),
    SpaceButton(
        key="decline_standby",
        press=lambda space, _: space.hub.async_decline_standby(space.space_id),
        available=_is_offered,
    ),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the buttons of each space."""
    for subentry_id, runtime in entry.runtime_data.spaces.items():
        async_add_entities(
            (SpaceButtonEntity(runtime, description) for description in BUTTONS), config_subentry_id=subentry_id
        )


class SpaceButtonEntity(SpaceEntity, ButtonEntity):
    """One button."""

    entity_description: SpaceButton

    def __init__(self, runtime: SpaceRuntime, description: SpaceButton) -> None:
        super().__init__(runtime, description.key)
        self.entity_description = description

    @property
    @override
    def available(self) -> bool:
        """Tell whether there is something to answer."""
        return self.entity_description.available(self._runtime)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub too: standbys are kept there."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.hub.async_add_listener(self._space_changed))

    @override
    async def async_press(self) -> None:
        """Do it."""
        await self.entity_description.press(self._runtime, self._context.user_id if self._context else None)
