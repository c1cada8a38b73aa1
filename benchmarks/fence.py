"""Compare our fence machine with the rules of other systems on simulated drives.

    python benchmarks/fence.py [--visits N] [--json FILE]

Errors of the fixes: the reported accuracy is lognormal with a median of 14 m, 8 % of the errors are three times
as large, and errors are correlated over 60 s. This is a simulation; no phone in the field was asked.
"""

import argparse
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from parkshare_backend.spaces.geometry import METRES_PER_DEGREE, Point
from parkshare_backend.tracking.fence import FencePolicy, FenceState, step
from parkshare_backend.tracking.fix import Fix

RANGE_M = 80.0
STAY_S = 1800.0
SPEED_MS = 8.0
START_M = 1500.0
POLICY = FencePolicy(centre=Point(0.0, 0.0), range_m=RANGE_M)

type Path_ = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """A fix on the plane around the space: seconds, metres, metres, and its accuracy in metres."""

    at: float
    x: float
    y: float
    accuracy: float


@dataclass(slots=True)
class Rule:
    """A rule that only looks at the last fix: tells inside, outside, or nothing."""

    verdict: Callable[[float, float], bool | None]
    inside: bool = False
    crossings: list[tuple[float, bool]] = field(default_factory=list)

    def see(self, seen: Seen) -> None:
        """Take one fix into account."""
        now = self.verdict(math.hypot(seen.x, seen.y), seen.accuracy)
        if now is not None and now != self.inside:
            self.inside = now
            self.crossings.append((seen.at, now))


@dataclass(slots=True)
class Ours:
    """The machine of tracking/fence.py."""

    state: FenceState = field(default_factory=FenceState)
    crossings: list[tuple[float, bool]] = field(default_factory=list)

    def see(self, seen: Seen) -> None:
        """Take one fix of the plane into account."""
        self.tell(as_fix(seen))

    def tell(self, fix: Fix) -> None:
        """Take one fix into account."""
        before = self.state.inside
        self.state = step(self.state, fix, POLICY).state
        if self.state.inside != before:
            self.crossings.append((fix.at, self.state.inside))


def as_fix(seen: Seen) -> Fix:
    """Put a fix of the plane on the equator, where a degree is the same in both directions."""
    degrees = 1 / METRES_PER_DEGREE
    return Fix(lat=seen.y * degrees, lon=seen.x * degrees, at=seen.at, received_at=seen.at, accuracy_m=seen.accuracy)


def overlap(distance: float, accuracy: float) -> float:
    """Give the share of the accuracy circle that lies within the range."""
    r, a = RANGE_M, max(accuracy, 1.0)
    if distance >= r + a:
        return 0.0
    if distance <= abs(r - a):
        return 1.0 if a <= r else (r * r) / (a * a)
    near = (distance**2 + a**2 - r**2) / (2 * distance * a)
    far = (distance**2 + r**2 - a**2) / (2 * distance * r)
    kite = 0.5 * math.sqrt(max(0.0, (a + r - distance) * (distance + a - r) * (distance - a + r) * (distance + a + r)))
    return (a * a * math.acos(max(-1, min(1, near))) + r * r * math.acos(max(-1, min(1, far))) - kite) / (
        math.pi * a * a
    )


def contained(distance: float, accuracy: float) -> bool | None:
    return True if distance + accuracy < RANGE_M else False if distance - accuracy > RANGE_M else None


def overlapping(distance: float, accuracy: float) -> bool | None:
    share = overlap(distance, accuracy)
    return True if share >= 0.75 else False if share <= 0.25 else None  # noqa: PLR2004 - Google's figures


RULES: dict[str, Callable[[], Rule | Ours]] = {
    "naive: distance < range": lambda: Rule(lambda d, _a: d < RANGE_M),
    "lenient: distance - accuracy < range": lambda: Rule(lambda d, a: d - a < RANGE_M),
    "circle contained / disjoint": lambda: Rule(contained),
    "overlap >= 75 % / <= 25 %": lambda: Rule(overlapping),
    "ours": Ours,
}


def fixes(path: Path_, every_s: float, rng: random.Random, *, cached: float = 0.0) -> Iterator[Seen]:
    """Report along a path; `cached` is the share of fixes that are followed by an old one at the space."""
    at, ex, ey = rng.uniform(0, every_s), 0.0, 0.0
    step_s = every_s
    while (place := path(at)) is not None:
        accuracy = min(200.0, max(4.0, rng.lognormvariate(math.log(14), 0.7)))
        sigma = accuracy / 1.515 * (3 if rng.random() < 0.08 else 1)  # noqa: PLR2004
        kept = math.exp(-step_s / 60)
        ex = kept * ex + math.sqrt(1 - kept**2) * rng.gauss(0, sigma)
        ey = kept * ey + math.sqrt(1 - kept**2) * rng.gauss(0, sigma)
        yield Seen(at, place[0] + ex, place[1] + ey, accuracy)
        if cached and rng.random() < cached:
            yield Seen(at + 0.5, rng.gauss(0, 20), rng.gauss(0, 20), 25.0)
        step_s = every_s * rng.uniform(0.8, 1.3)
        at += step_s


def visit(rng: random.Random) -> tuple[Path_, float, float]:
    """Drive in, park half an hour, drive on; also when the range was truly entered and left."""
    px, py = rng.gauss(0, 8), rng.gauss(0, 8)
    arrive = START_M / SPEED_MS

    def path(at: float) -> tuple[float, float] | None:
        if at < arrive:
            return px - (arrive - at) * SPEED_MS, py
        if at < arrive + STAY_S:
            return px, py
        if at < arrive + STAY_S + arrive:
            return px + (at - arrive - STAY_S) * SPEED_MS, py
        return None

    return path, arrive - RANGE_M / SPEED_MS, arrive + STAY_S + RANGE_M / SPEED_MS


def passing(rng: random.Random) -> Path_:
    offset = 130.0 * rng.choice((-1, 1))
    return lambda at: (at * 12.0 - START_M, offset) if at < 250 else None  # noqa: PLR2004


def cafe(rng: random.Random) -> Path_:
    angle = rng.uniform(0, math.tau)
    return lambda at: (150 * math.cos(angle), 150 * math.sin(angle)) if at < 3600 else None  # noqa: PLR2004


def far_away(_rng: random.Random) -> Path_:
    return lambda at: (20_000 + at * 5, 0) if at < 3600 else None  # noqa: PLR2004


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)] if values else math.nan


def measure_visits(rule: Callable[[], Rule | Ours], visits: int) -> dict[str, float]:
    rng = random.Random(5)
    delays: list[float] = []
    exits: list[float] = []
    again = 0
    for _ in range(visits):
        path, entered, left = visit(rng)
        machine = rule()
        for seen in fixes(path, 10, rng):
            machine.see(seen)
        entries = [at for at, inside in machine.crossings if inside]
        if entries:
            delays.append(entries[0] - entered)
            again += len(entries) - 1
        if machine.crossings and not machine.crossings[-1][1]:
            exits.append(machine.crossings[-1][0] - left)
    return {
        "entry_delay_p50_s": round(quantile(delays, 0.5), 1),
        "entry_delay_p95_s": round(quantile(delays, 0.95), 1),
        "missed": visits - len(delays),
        "re_entries_per_visit": round(again / visits, 3),
        "exit_delay_p50_s": round(quantile(exits, 0.5), 1),
    }


def false_entries(
    rule: Callable[[], Rule | Ours],
    case: Callable[[random.Random], Path_],
    cases: int,
    every_s: float,
    cached: float = 0,
) -> float:
    rng = random.Random(5)
    entries = 0
    for _ in range(cases):
        machine = rule()
        for seen in fixes(case(rng), every_s, rng, cached=cached):
            machine.see(seen)
        entries += sum(inside for _, inside in machine.crossings)
    return round(entries / cases, 3)


def cost_us() -> float:
    """Give the time of one step in microseconds."""
    rng = random.Random(1)
    track = [as_fix(seen) for seen in fixes(visit(rng)[0], 1, rng)]
    best = math.inf
    for _ in range(10):
        machine = Ours()
        began = time.perf_counter()
        for fix in track:
            machine.state = step(machine.state, fix, POLICY).state
        best = min(best, time.perf_counter() - began)
    return round(best / len(track) * 1e6, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--visits", type=int, default=400)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = []
    for name, rule in RULES.items():
        rows.append(
            {
                "rule": name,
                **measure_visits(rule, options.visits),
                "false_passing_130_m": false_entries(rule, passing, options.visits * 2, 10),
                "false_cafe_150_m_1_h": false_entries(rule, cafe, options.visits // 2, 30),
                "false_cached_fixes_1_h": false_entries(rule, far_away, options.visits // 2, 30, cached=0.02),
            }
        )
    result = {"visits": options.visits, "rules": rows, "step_us": cost_us()}
    print(f"{'rule':38} entry p50/p95 s  missed  re-entries  exit p50 s  false: passing / cafe / cached")
    for row in rows:
        print(
            f"{row['rule']:38} {row['entry_delay_p50_s']:6}/{row['entry_delay_p95_s']:<6}   {row['missed']:4}  "
            f"{row['re_entries_per_visit']:10}  {row['exit_delay_p50_s']:10}  {row['false_passing_130_m']} / "
            f"{row['false_cafe_150_m_1_h']} / {row['false_cached_fixes_1_h']}"
        )
    print(f"one step of ours: {result['step_us']} us")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
