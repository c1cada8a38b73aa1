"""Where something stands in a message: the path language of the plate sources.

Pure: standard library only. A path is written the way people point into JSON:

    plate                      a name
    data.results[0].plate      names and places in lists, counted from 0; [-1] is the last
    results.0.plate            the same: a number is a place in a list, and a name elsewhere
    "a.b".plate                a name with a dot, bracket or bar in it, in quotes
    original_plate | plate     the first of several that leads to something
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LONGEST_PATH: Final = 200  # characters
MOST_STEPS: Final = 20

type Step = str | int
type Way = tuple[Step, ...]

# One step of a way, with the dot before it if it has one.
_STEP: Final = re.compile(r'(?P<dot>\.)?(?:"(?P<quoted>[^"]+)"|(?P<name>[^.\[\]|"]+)|\[(?P<index>-?\d{1,6})\])')


class BadPathError(ValueError):
    """A path that says nothing; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Path:
    """One or more ways to one thing in a message, tried in this order."""

    text: str
    ways: tuple[Way, ...]

    def find(self, message: Any) -> Any:
        """Return what stands there, None if nothing does. What is there but null counts as nothing."""
        for way in self.ways:
            if (found := _follow(way, message)) is not None:
                return found
        return None


def parse_path(text: str) -> Path:
    """Read a path as somebody wrote it; raises BadPathError."""
    if len(text) > LONGEST_PATH:
        raise BadPathError(f"is longer than {LONGEST_PATH} characters")
    ways = tuple(_way(part.strip()) for part in _alternatives(text))
    return Path(text.strip(), ways)


def _alternatives(text: str) -> list[str]:
    """Split at the bars that stand outside of quotes."""
    parts, quoted = [""], False
    for character in text:
        if character == '"':
            quoted = not quoted
        if character == "|" and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _way(text: str) -> Way:
    if not text:
        raise BadPathError("is empty, or has nothing on one side of |")
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        # A dot stands before every name but the first, and never before a bracket.
        if found is None or bool(found["dot"]) != (bool(steps) and found["index"] is None):
            raise BadPathError(f"cannot be read from its character {at + 1} on")
        steps.append(int(found["index"]) if found["index"] is not None else (found["quoted"] or found["name"].strip()))
        at = found.end()
    if len(steps) > MOST_STEPS:
        raise BadPathError(f"has more than {MOST_STEPS} steps")
    return tuple(steps)


def _follow(way: Way, message: Any) -> Any:
    for step in way:
        if isinstance(message, Mapping):
            message = message.get(step if isinstance(step, str) else str(step))
        elif isinstance(message, Sequence) and not isinstance(message, (str, bytes, bytearray)):
            message = _place(message, step)
        else:
            return None
    return message


def _place(items: Sequence[Any], step: Step) -> Any:
    if isinstance(step, str):
        if not (step.isascii() and step.isdigit() and len(step) <= 6):  # noqa: PLR2004 - as in brackets
            return None
        step = int(step)
    return items[step] if -len(items) <= step < len(items) else None
