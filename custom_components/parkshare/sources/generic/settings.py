"""What is stored of a source that is described by paths, beside its recipe."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Where a source's messages come from. A part of what is stored."""

    FRIGATE = "frigate"
    EVENT = "event"
    ENTITY = "entity"
    TOPIC = "mqtt"
    WEBHOOK = "webhook"


CONF_EVENT_TYPE: Final = "event_type"
CONF_ENTITY: Final = "entity"
CONF_REPEATS: Final = "repeats"
CONF_TOPIC: Final = "topic"
CONF_WEBHOOK_ID: Final = "webhook_id"
CONF_LOCAL_ONLY: Final = "local_only"
