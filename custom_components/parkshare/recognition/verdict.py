"""The verdict: is the car in these pictures the expected one?

Pure: no clock, no I/O. This is 1:1 verification of a known plate, not identification: each place of each look is
scored by the likelihood of the expected plate against that of what the readers would say themselves and of the
expected plate's confusable neighbours (scoring.py). A second witness is, strongest first: another reader at the same
place of the same look, another reader in another look, the same reader in another picture some time later. The same
picture again is none. A match is evidence, not authentication: a printed photograph passes too.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from .alphabet import CHARACTERS
from .levels import DEFAULT_POLICY, VerdictPolicy
from .normalise import fold, normalise
from .scoring import fit
from .sights import Sight, Worth, weigh
from .told import CLEARLY_READ, NO_PLATE_EXPECTED, UNKNOWN_CHARACTERS, evidence_of, what_is_missing
from .types import Decision, Look, Reading, Verdict

__all__ = ["DEFAULT_POLICY", "VerdictPolicy", "judge", "score"]


def judge(looks: Sequence[Look], expected: str, policy: VerdictPolicy = DEFAULT_POLICY) -> Verdict:
    """Say whether the looks show the expected plate: admit, refuse, or unsure with what to do about it."""
    plate = fold(normalise(expected))
    if not plate:
        return Verdict(Decision.UNSURE, NO_PLATE_EXPECTED, len(looks), evidence=(NO_PLATE_EXPECTED,))
    distinct = _distinct(looks)
    repeated = len(looks) - len(distinct)
    sights = [weigh(look, plate, policy) for look in distinct]
    agreeing = sorted((sight for sight in sights if sight.worth), key=lambda sight: sight.strength, reverse=True)
    contrary = _most_said([sight for sight in sights if sight.other_plate])
    shown = max((sight for sight in sights if sight.fit is not None), key=lambda sight: sight.strength, default=None)
    best_score = shown.fit.score if shown is not None and shown.fit is not None else -np.inf
    if admitting := _admitting(agreeing, policy):
        decision, shown = Decision.ADMIT, admitting[0]
        reason = CLEARLY_READ if len(admitting) == 1 else f"{len(agreeing)} pictures agree on the expected plate."
    elif not agreeing and len(contrary) >= policy.contrary_looks:
        decision, shown = Decision.REFUSE, contrary[-1]
        reason = f"{len(contrary)} pictures clearly show another plate."
    elif not agreeing and not set(plate) <= set(CHARACTERS):
        decision, reason = Decision.UNSURE, UNKNOWN_CHARACTERS
    else:
        decision, reason = Decision.UNSURE, what_is_missing(sights, repeated=repeated)
    return Verdict(
        decision,
        reason,
        len(looks),
        len(agreeing),
        len(contrary),
        best_score if np.isfinite(best_score) else None,
        best_at=shown.taken_at if shown is not None else None,
        evidence=evidence_of(sights, shown, contrary=len(contrary), repeated=repeated, policy=policy),
    )


def score(reading: Reading, expected: str) -> float:
    """Score one reading alone: how much likelier the expected plate is than any other text (natural logarithm)."""
    return fit([reading], fold(normalise(expected))).score


def _distinct(looks: Sequence[Look]) -> list[Look]:
    """Drop looks that repeat an earlier one to the last digit: a frozen camera sends one picture again and again."""
    seen: set[tuple[object, ...]] = set()
    distinct: list[Look] = []
    for look in sorted(looks, key=lambda look: look.taken_at):
        key = (look.source, *((r.source, r.text, r.confidences, r.box) for r in look.readings))
        if look.readings and key in seen:
            continue
        seen.add(key)
        distinct.append(look)
    return distinct


def _admitting(agreeing: Sequence[Sight], policy: VerdictPolicy) -> list[Sight]:
    """Return the sight, or the two, that are enough to admit, the strongest first; none if there are none."""
    if agreeing and agreeing[0].worth is Worth.CLEAR:
        return [agreeing[0]]
    return next(([one, two] for one, two in combinations(agreeing, 2) if _independent(one, two, policy)), [])


def _independent(one: Sight, two: Sight, policy: VerdictPolicy) -> bool:
    """Tell whether two sights that speak for the plate are two witnesses."""
    assert one.fit is not None  # noqa: S101 - only a place that fits speaks for a plate
    assert two.fit is not None  # noqa: S101
    worths = sorted((one.worth, two.worth))
    if not one.fit.agreeing & two.fit.agreeing:
        return worths[1] >= Worth.SECOND
    return worths[0] >= Worth.PROBABLE and abs(one.taken_at - two.taken_at) >= policy.looks_apart_s


def _most_said(contrary: list[Sight]) -> list[Sight]:
    """Keep those that say the same: readings that differ among themselves are a bad view, not another car."""
    groups: dict[str, list[Sight]] = {}
    for sight in contrary:
        groups.setdefault(sight.other_plate, []).append(sight)
    return max(groups.values(), key=len, default=[])
