"""What is sent to a phone: the data of the companion app's notify action. Pure.

Android and iOS read different keys of one notification; each ignores the other's.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from homeassistant.components.notify.const import ATTR_DATA, ATTR_MESSAGE, ATTR_TITLE

from .phones import CLEAR
from .questions import VALID_S

GROUP: Final = "parkshare"
# On Android how loud a channel is can't be changed any more once it exists: so there are two.
CHANNEL: Final = "ParkShare"
QUIET_CHANNEL: Final = "ParkShare news"
# The phone rings although it sleeps or is set to be quiet: somebody waits.
URGENT: Final = {
    "channel": CHANNEL,
    "importance": "high",
    "priority": "high",
    "ttl": 0,
    "push": {"interruption-level": "time-sensitive"},
}
QUIET: Final = {"channel": QUIET_CHANNEL, "importance": "low", "push": {"interruption-level": "passive"}}


class Button(NamedTuple):
    """One button of a question; grave ones ask the phone's owner to unlock it first."""

    action: str
    title: str
    grave: bool


def question(title: str, message: str, *, tag: str, buttons: Sequence[Button], image: str | None) -> dict[str, Any]:
    """Return a question that rings, goes away when nobody can answer it any more, and shows a picture if there is one.

    image is a path of this Home Assistant, which the app fetches signed in.
    """
    actions = [{"action": each.action, "title": each.title} | _unlocked(each) for each in buttons]
    picture = {} if image is None else {"image": image}
    asked = {"tag": tag, "group": GROUP, "actions": actions, "timeout": int(VALID_S)}
    return {ATTR_TITLE: title, ATTR_MESSAGE: message, ATTR_DATA: URGENT | asked | picture}


def telling(title: str, message: str, *, tag: str, urgent: bool) -> dict[str, Any]:
    """Return something that is told; it takes the place of what has the same tag."""
    how = URGENT if urgent else QUIET
    return {ATTR_TITLE: title, ATTR_MESSAGE: message, ATTR_DATA: how | {"tag": tag, "group": GROUP}}


def clearing(tag: str) -> dict[str, Any]:
    """Return what takes a notification away."""
    return {ATTR_MESSAGE: CLEAR, ATTR_DATA: {"tag": tag}}


def _unlocked(button: Button) -> dict[str, Any]:
    return {"authenticationRequired": True} if button.grave else {"destructive": True}
