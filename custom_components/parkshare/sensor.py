"""What of a space is told as a word, a time or an address."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .entity import SpaceEntity
from .gate.core import overstays
from .gate.words import Phase, Rung
from .hub import ParkShareConfigEntry
from .space import SpaceRuntime
from .standby import Standby, StandbyState

PARALLEL_UPDATES = 0
MAX_STATE = 255  # characters, Home Assistant's limit

SHOWN = {
    Phase.LOOKING: "looking",
    Phase.LOWERING: "lowering",
    Phase.ADMITTED: "admitted",
    Phase.PARKED: "parked",
    Phase.LEAVING: "leaving",
    Phase.WARNING: "about_to_rise",
    Phase.RAISING: "rising",
}
OPTIONS = ["none", "booked", "approaching", *SHOWN.values(), "needs_help", "bay_taken", "overstay", "fault"]
ASKED_FOR = frozenset(Rung) - {Rung.HARDER}


@dataclass(frozen=True, kw_only=True)
class SpaceSensor(SensorEntityDescription):
    """A sensor of a space; None is unknown."""

    value: Callable[[SpaceRuntime], str | datetime | None]


def booking_state(runtime: SpaceRuntime, now: float) -> str:
    """Say in one word how the space stands."""
    gate = runtime.gate
    words = (
        ("fault", gate.fault is not None),
        ("overstay", overstays(gate, now)),
        ("needs_help", gate.phase is Phase.LOOKING and gate.rung in ASKED_FOR),
        ("bay_taken", bool(gate.taken_told)),
        (SHOWN.get(gate.phase, ""), gate.phase in SHOWN),
        ("approaching", gate.near is not None),
        ("booked", any(now < right.end for right in gate.rights)),
    )
    return next((word for word, is_so in words if is_so), "none")


def _now() -> float:
    return dt_util.utcnow().timestamp()


def _next_start(runtime: SpaceRuntime) -> datetime | None:
    """When the next booking begins, or began when it is not over."""
    now = _now()
    start = next((right.start for right in runtime.gate.rights if now < right.end), None)
    return _time(start)


def _standby(runtime: SpaceRuntime) -> Standby | None:
    standby = runtime.hub.standby_of(runtime.space_id)
    return None if standby is None or standby.state is StandbyState.NONE else standby


def _standby_state(runtime: SpaceRuntime) -> str:
    standby = runtime.hub.standby_of(runtime.space_id)
    return StandbyState.NONE.value if standby is None else standby.state.value


def _standby_address(runtime: SpaceRuntime) -> str | None:
    standby = _standby(runtime)
    return standby.address[:MAX_STATE] if standby else None


def _time(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _standby_time(which: str) -> Callable[[SpaceRuntime], datetime | None]:
    def value(runtime: SpaceRuntime) -> datetime | None:
        standby = _standby(runtime)
        return _time(getattr(standby, which)) if standby else None

    return value


SENSORS = (
    SpaceSensor(
        key="booking",
        device_class=SensorDeviceClass.ENUM,
        options=OPTIONS,
        value=lambda space: booking_state(space, _now()),
    ),
    SpaceSensor(key="next_booking", device_class=SensorDeviceClass.TIMESTAMP, value=_next_start),
    SpaceSensor(
        key="standby",
        device_class=SensorDeviceClass.ENUM,
        options=[state.value for state in StandbyState],
        value=_standby_state,
    ),
    SpaceSensor(key="standby_address", value=_standby_address),
    SpaceSensor(key="standby_start", device_class=SensorDeviceClass.TIMESTAMP, value=_standby_time("start")),
    SpaceSensor(key="standby_end", device_class=SensorDeviceClass.TIMESTAMP, value=_standby_time("end")),
)


async def async_setup_entry(
    _hass: HomeAssistant, entry: ParkShareConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors of each space."""
    for subentry_id, runtime in entry.runtime_data.spaces.items():
        async_add_entities(
            (SpaceSensorEntity(runtime, description) for description in SENSORS), config_subentry_id=subentry_id
        )


class SpaceSensorEntity(SpaceEntity, SensorEntity):
    """One sensor of a space."""

    entity_description: SpaceSensor

    def __init__(self, runtime: SpaceRuntime, description: SpaceSensor) -> None:
        super().__init__(runtime, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> str | datetime | None:
        """Show it."""
        return self.entity_description.value(self._runtime)

    @override
    async def async_added_to_hass(self) -> None:
        """Follow the hub too: standbys are kept there."""
        await super().async_added_to_hass()
        self.async_on_remove(self._runtime.hub.async_add_listener(self._space_changed))
