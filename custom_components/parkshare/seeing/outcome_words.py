"""What a test of the camera found, in words for the owner of the space."""

from collections.abc import Mapping, Sequence
from typing import Any

from custom_components.parkshare.const import CONF_LEVEL, CONF_OWNER_PLATE
from custom_components.parkshare.recognition import Decision, Look, judge
from custom_components.parkshare.recognition.levels import POLICIES, Level
from custom_components.parkshare.words import Words

from .camera_test import Outcome


def own_decision(looks: Sequence[Look], settings: Mapping[str, Any]) -> Decision | None:
    """Tell what the house would have decided about the owner's own plate; None if they gave none."""
    if not (plate := settings.get(CONF_OWNER_PLATE)):
        return None
    policy = POLICIES[Level(settings.get(CONF_LEVEL, Level.BALANCED))]
    return judge(looks, plate, policy).decision


def advice_texts(outcome: Outcome, words: Words) -> list[str]:
    """Say each piece of advice in one or two sentences."""
    return [words(f"advice_{advice.hint}", **advice.values) for advice in outcome.advice]


def seen_texts(outcome: Outcome, words: Words) -> list[str]:
    """Say each text that was read in one line."""
    return [
        words(
            "test_seen",
            text=seen.text,
            pictures=seen.pictures,
            all=outcome.pictures,
            percent=round(seen.confidence * 100),
            width=seen.width,
        )
        for seen in outcome.seen
    ]


def as_list(lines: Sequence[str]) -> str:
    """Write lines as a list of a text that a browser lays out."""
    return "\n".join(f"- {line}" for line in lines)
