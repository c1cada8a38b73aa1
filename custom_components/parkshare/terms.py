"""The terms of a space as its owner chose them, in the words of the backend. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from .const import (
    CONF_APPROVAL,
    CONF_CANCEL_UNTIL,
    CONF_GRACE_MIN,
    CONF_LONGEST,
    CONF_NOSHOW,
    CONF_NOTICE,
    CONF_SHORTEST,
)

# What is chosen here, and how the backend calls it; its times are whole minutes.
MINUTES: Final[Mapping[str, str]] = {
    CONF_SHORTEST: "min_booking_duration",
    CONF_LONGEST: "max_booking_duration",
    CONF_NOTICE: "notice_minutes",
    CONF_CANCEL_UNTIL: "cancel_until_minutes",
    CONF_NOSHOW: "noshow_timeout",
    CONF_GRACE_MIN: "late_stop_time",
}


def terms_document(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `terms` of space.publish: what was chosen. What was left empty is as the backend has it by default."""
    chosen: dict[str, Any] = {
        word: int(settings[key]) for key, word in MINUTES.items() if settings.get(key) not in (None, "")
    }
    if not chosen.get("noshow_timeout"):
        chosen.pop("noshow_timeout", None)  # 0: the space waits until the end
    if approval := settings.get(CONF_APPROVAL):
        chosen["approval"] = approval
    return chosen
