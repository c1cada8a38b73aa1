"""What Frigate's configuration says that matters here. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class CameraCard:
    """What Frigate's configuration says of one camera."""

    name: str
    enabled: bool
    reads_plates: bool
    dedicated: bool
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """What Frigate's configuration says that matters here."""

    prefix: str
    mqtt: bool
    reads_plates: bool
    cameras: Mapping[str, CameraCard]


def card_of(config: Mapping[str, Any]) -> Card:
    """Read GET /api/config; whatever is missing in it is taken for what it usually is."""
    mqtt, lpr, cameras = (_part(config, name) for name in ("mqtt", "lpr", "cameras"))
    prefix = mqtt.get("topic_prefix")
    return Card(
        prefix=prefix if isinstance(prefix, str) else "",
        mqtt=mqtt.get("enabled") is not False,
        reads_plates=lpr.get("enabled") is True,
        cameras={name: _camera(name, _part(cameras, name)) for name in cameras},
    )


def _camera(name: str, config: Mapping[str, Any]) -> CameraCard:
    return CameraCard(
        name=name,
        # enabled may be switched off for now; enabled_in_config false means that it cannot be switched on.
        enabled=config.get("enabled_in_config", config.get("enabled")) is not False,
        reads_plates=_part(config, "lpr").get("enabled") is True,
        dedicated=config.get("type") == "lpr",
        zones=tuple(_part(config, "zones")),
    )


def _part(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, Mapping) else {}
