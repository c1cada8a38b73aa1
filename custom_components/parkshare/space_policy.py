"""How the gate of a space behaves, from what its owner chose."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .const import CONF_GRACE_MIN, CONF_OCCUPANCY, CONF_RAISING
from .gate.policy import DEFAULT_POLICY, GatePolicy
from .gate.words import Raising


def policy_of(settings: Mapping[str, Any], policy: GatePolicy = DEFAULT_POLICY) -> GatePolicy:
    """Return the policy of a space. A house with fewer than two sensors is never automatic, whatever is stored."""
    enough = len(set(settings.get(CONF_OCCUPANCY) or ())) >= policy.clears_to_raise
    usual = Raising.AUTOMATIC if enough else Raising.ASK
    try:
        raising = Raising(settings.get(CONF_RAISING, usual))
    except ValueError:  # a word of a newer release
        raising = Raising.ASK
    if raising is Raising.AUTOMATIC and not enough:
        raising = Raising.ASK
    minutes = settings.get(CONF_GRACE_MIN)
    return replace(policy, raising=raising, grace=policy.grace if minutes is None else float(minutes) * 60)
