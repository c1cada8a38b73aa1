"""What the simulated ground lock tells Home Assistant about itself: MQTT discovery, and the words of its topics."""

import json
from enum import StrEnum
from typing import Any

from .barrier import Position, Wish

PREFIX = "homeassistant"


class Kind(StrEnum):
    """As what the barrier appears in Home Assistant."""

    LOCK = "lock"
    COVER = "cover"


# The words that Home Assistant's MQTT lock and MQTT cover expect for states and commands. A cover knows no "jammed":
# it reports that it stopped, halfway.
STATES: dict[Kind, dict[Position, str]] = {
    Kind.LOCK: {
        Position.UP: "LOCKED",
        Position.LOWERING: "UNLOCKING",
        Position.DOWN: "UNLOCKED",
        Position.RAISING: "LOCKING",
        Position.JAMMED: "JAMMED",
    },
    Kind.COVER: {
        Position.UP: "closed",
        Position.LOWERING: "opening",
        Position.DOWN: "open",
        Position.RAISING: "closing",
        Position.JAMMED: "stopped",
    },
}
COMMANDS: dict[str, Wish] = {
    "LOCK": Wish.UP,
    "UNLOCK": Wish.DOWN,
    "OPEN": Wish.DOWN,
    "CLOSE": Wish.UP,
    "STOP": Wish.STOP,
}


class Topics:
    """The topics of one ground lock; base is sim/<id>."""

    def __init__(self, identifier: str) -> None:
        """Derive them from the lock's id."""
        base = f"sim/{identifier}"
        self.online = f"{base}/online"
        self.barrier = f"{base}/barrier"
        self.barrier_set = f"{base}/barrier/set"
        self.barrier_online = f"{base}/barrier/online"
        self.radar = f"{base}/radar"
        self.magnetic = f"{base}/magnetic"
        self.picture = f"{base}/picture"
        self.camera_online = f"{base}/picture/online"
        self.power = f"{base}/camera_power"
        self.power_set = f"{base}/camera_power/set"
        self.control = f"{base}/control"


def announcements(identifier: str, name: str, kind: Kind) -> dict[str, str]:
    """Return the retained discovery messages: topic -> payload."""
    topics = Topics(identifier)
    device = {
        "identifiers": [identifier],
        "name": name,
        "manufacturer": "Simulated",
        "model": "Ground lock with camera",
    }
    online = {"topic": topics.online}

    def entity(component: str, key: str, title: str, **options: Any) -> tuple[str, str]:
        payload = {
            "name": title,
            "unique_id": f"{identifier}_{key}",
            "object_id": f"{identifier}_{key}",
            "default_entity_id": f"{component}.{identifier}_{key}",
            "device": device,
            "availability": [online],
            **options,
        }
        return f"{PREFIX}/{component}/{identifier}/{key}/config", json.dumps(payload)

    barrier: dict[str, Any] = {"state_topic": topics.barrier, "command_topic": topics.barrier_set, "optimistic": False}
    # The lock has a radio of its own: it may be gone while the camera and the sensors are there.
    barrier["availability"] = [online, {"topic": topics.barrier_online}]
    barrier["availability_mode"] = "all"
    if kind is Kind.COVER:
        barrier["device_class"] = "gate"
    return dict(
        [
            entity(kind.value, "barrier", "Barrier", **barrier),
            entity("binary_sensor", "radar", "Radar", state_topic=topics.radar, device_class="occupancy"),
            entity("binary_sensor", "magnetic", "Magnetic", state_topic=topics.magnetic, device_class="occupancy"),
            entity("switch", "camera_power", "Camera power", state_topic=topics.power, command_topic=topics.power_set),
            entity(
                "camera",
                "camera",
                "Camera",
                topic=topics.picture,
                availability=[online, {"topic": topics.camera_online}],
                availability_mode="all",
            ),
        ]
    )
