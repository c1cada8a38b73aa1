"""Thresholds and what they cost: the whole curve, and figures on photographs that a threshold was not chosen on."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.reading.judging import KINDS, Judged
from custom_components.parkshare.recognition import POLICIES, Level

THRESHOLDS = (-8.0, -7.0, -6.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 6.0)
LEADS = (-5.0, -3.0, -1.0)
SPLITS = 40
MOST_RANDOM = 0.001  # part of random one-character neighbours that a threshold may admit where it is chosen


@dataclass(frozen=True)
class Point:
    """What one threshold of the score gives: parts of the pairs of each kind."""

    threshold: float
    lead: float
    accepted: float
    others: float
    random: float
    lookalike: float
    longer: float


def scores(judged: Judged, lead: float) -> tuple[np.ndarray, list[tuple[int, str, float]]]:
    """Return the score of each photograph's own plate, and photograph, kind and score of wrong ones."""

    def best(fits: Sequence[object]) -> float:
        return max((f.score for f in fits if f.lead is not None and f.lead >= lead), default=-np.inf)  # type: ignore[attr-defined]

    own = np.array([best(case.fits) for case in judged.own])
    return own, [(case.photo, case.kind, best(case.fits)) for case in judged.wrong]


def curve(judged: Judged) -> list[Point]:
    """Return the figures of all thresholds."""
    points = []
    for lead in LEADS:
        own, wrong = scores(judged, lead)
        for threshold in THRESHOLDS:
            rate = {
                kind: sum(score >= threshold for _, k, score in wrong if k == kind) / max(1, judged.pairs[kind])
                for kind in KINDS
            }
            points.append(Point(threshold, lead, float((own >= threshold).mean()), **rate))
    return points


@dataclass(frozen=True)
class Held:
    """Figures on halves that thresholds were not chosen on: mean and spread (5 % and 95 %) over the splits."""

    thresholds: tuple[float, float]
    accepted: tuple[float, float, float]
    random: tuple[float, float, float]
    lookalike: tuple[float, float, float]
    others: int


def held_out(judged: Judged) -> Held:
    """Choose the threshold on a random half of the photographs, look at the other; many times."""
    lead = POLICIES[Level.BALANCED].lead_score
    own, wrong = scores(judged, lead)
    count = len(own)
    chance = random.Random(11)
    results = []
    for _ in range(SPLITS):
        chosen_on = set(chance.sample(range(count), count // 2))
        threshold = _choose(wrong, chosen_on, judged.pairs["random"] * len(chosen_on) / count)
        rest = [index for index in range(count) if index not in chosen_on]
        part = len(rest) / count
        passed = [kind for photo, kind, score in wrong if photo not in chosen_on and score >= threshold]
        results.append(
            (
                threshold,
                float((own[rest] >= threshold).mean()),
                passed.count("random") / max(1.0, judged.pairs["random"] * part),
                passed.count("lookalike") / max(1.0, judged.pairs["lookalike"] * part),
                passed.count("others"),
            )
        )
    columns = list(zip(*results, strict=True))
    return Held(
        (min(columns[0]), max(columns[0])),
        _spread(columns[1]),
        _spread(columns[2]),
        _spread(columns[3]),
        sum(int(value) for value in columns[4]),
    )


def _choose(wrong: list[tuple[int, str, float]], photos: set[int], pairs: float) -> float:
    """Return the lowest threshold that admits few enough random neighbours and no other plate."""
    for threshold in np.arange(THRESHOLDS[0], 8.0, 0.5).tolist():
        passed = [kind for photo, kind, score in wrong if photo in photos and score >= threshold]
        if "others" not in passed and passed.count("random") <= MOST_RANDOM * pairs:
            return float(threshold)
    return 8.0


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return float(np.mean(values)), float(np.percentile(values, 5)), float(np.percentile(values, 95))
