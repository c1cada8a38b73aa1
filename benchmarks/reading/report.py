"""The table for people, the targets, and the same figures for programs."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.reading.curve import Held, Point, curve, held_out
from benchmarks.reading.judging import KINDS, Judged, confusions
from benchmarks.reading.photographs import Photo, Run
from custom_components.parkshare.recognition import Decision, Level

CONFUSIONS_SHOWN = 24
ORDER = (Decision.ADMIT, Decision.UNSURE, Decision.REFUSE)


@dataclass(frozen=True)
class Target:
    """One line of what was promised."""

    what: str
    wanted: str
    measured: str
    met: bool


def targets(run: Run, judged: Judged, crop: dict[str, float]) -> list[Target]:
    """Compare with the promises; those about the peer only if it ran."""
    photos, pairs = run.photos, judged.pairs
    accepted = judged.accepted(Level.BALANCED)
    others = len(judged.falsely(Level.BALANCED, "others"))
    near = len(judged.falsely(Level.BALANCED, "random")) / max(1, pairs["random"])
    found = [
        Target("balanced: right plates admitted, one photograph", ">= 95 %", f"{accepted:.1%}", accepted >= 0.95),  # noqa: PLR2004
        Target("balanced: other plates of the set admitted", "0", f"{others} of {pairs['others']}", others == 0),
        Target("balanced: random one-character neighbours", "<= 0.25 %", f"{near:.2%}", near <= 0.0025),  # noqa: PLR2004
        Target("worker's peak resident memory", "<= 250 MB", f"{run.worker_mb:.0f} MB", run.worker_mb <= 250),  # noqa: PLR2004
        Target("one crop over the bare inference", "<= 1.3", f"{crop['ratio']:.2f}", crop["ratio"] <= 1.3),  # noqa: PLR2004
    ]
    if run.peer_mb:
        ahead = _part(photos, Photo.is_exact) - _part(photos, Photo.peer_is_exact)
        found += [
            Target("exact, any box: points ahead of the peer", ">= 5", f"{ahead * 100:+.1f}", ahead >= 0.05),  # noqa: PLR2004
            Target("median time over the peer's", "<= 0.33", f"{run.ratio:.2f}", run.ratio <= 1 / 3),
        ]
    return found


def _part(photos: Sequence[Photo], test: Any) -> float:
    return sum(map(test, photos)) / max(1, len(photos))


def show(run: Run, judged: Judged, crop: dict[str, float]) -> dict[str, Any]:
    """Print all of it; returns the figures."""
    points, held = curve(judged), held_out(judged)
    figures = {
        "reading": _show_reading(run),
        "verification": _show_verification(judged),
        "curve": [asdict(point) for point in points],
        "held_out": asdict(held),
        "speed": _show_speed(run, crop),
        "confusions": _show_confusions(run.photos),
    }
    _show_curve(points, held)
    print("\nTargets")
    reached = targets(run, judged, crop)
    for target in reached:
        print(f"  {'met   ' if target.met else 'MISSED'}  {target.what:<50} {target.wanted:>10}   {target.measured}")
    figures["targets"] = [asdict(target) for target in reached]
    return figures


def _groups(photos: Sequence[Photo]) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {}
    for index, photo in enumerate(photos):
        groups.setdefault(photo.country, []).append(index)
    return groups | {"all": list(range(len(photos)))}


def _show_reading(run: Run) -> dict[str, Any]:
    print("\nReading whole photographs: the label is exactly what some box says; in brackets O = 0 and I = 1")
    print("                      ours             first text alone      RapidOCR")
    table = {}
    for group, indices in _groups(run.photos).items():
        photos = [run.photos[index] for index in indices]
        row = {
            "photographs": len(photos),
            "exact": _part(photos, Photo.is_exact),
            "folded": _part(photos, Photo.is_folded),
            "first_exact": _part(photos, Photo.first_is_exact),
            "peer_exact": _part(photos, Photo.peer_is_exact),
            "peer_folded": _part(photos, Photo.peer_is_folded),
        }
        table[group] = row
        print(
            f"  {group:<4}{len(photos):>5}   {row['exact']:10.1%} ({row['folded']:.1%}){row['first_exact']:14.1%}"
            f"{row['peer_exact']:18.1%} ({row['peer_folded']:.1%})"
        )
    return table


def _show_verification(judged: Judged) -> dict[str, Any]:
    print("\nOwn plate expected, one look each          admit   unsure   refuse")
    table: dict[str, Any] = {}
    groups = _groups(judged.photos)
    for level in Level:
        for group, indices in groups.items():
            said = [judged.own[index].decisions[level] for index in indices]
            row = {decision.value: said.count(decision) / max(1, len(said)) for decision in ORDER}
            table.setdefault(level.value, {})[group] = row
            print(f"  {level.value:<9} {group:<4}{len(said):>5}         " + "".join(f"{v:9.1%}" for v in row.values()))
    print(f"  looks that count against their own plate: {judged.contrary}")
    print("\nWrong plate expected              " + "".join(f"{kind:>24}" for kind in KINDS))
    for level in Level:
        counts = {kind: len(judged.falsely(level, kind)) for kind in KINDS}
        table[level.value]["falsely"] = counts
        cells = (f"{n} of {judged.pairs[k]} ({n / max(1, judged.pairs[k]):.2%})" for k, n in counts.items())
        print(f"  {level.value:<9} admitted             " + "".join(f"{cell:>24}" for cell in cells))
    for case in judged.wrong:
        if case.decisions[Level.BALANCED] is Decision.ADMIT:
            print(f"    {judged.photos[case.photo].name} admitted {case.plate} ({case.kind})")
    table["pairs"] = dict(judged.pairs)
    return table


def _show_curve(points: list[Point], held: Held) -> None:
    print("\nThe whole curve, one look: the score of all readers together at least .., one reader alone at least ..")
    print("   score    one  |  own plate    others    random   lookalike    longer")
    for point in points:
        print(
            f"  {point.threshold:6.1f} {point.lead:6.1f}  |{point.accepted:10.1%}{point.others:11.3%}"
            f"{point.random:10.2%}{point.lookalike:12.2%}{point.longer:10.2%}"
        )
    low, high = held.thresholds
    print(f"Threshold chosen on a random half ({low:g} to {high:g}), figures of the other half, mean (5 % to 95 %):")
    for what, (mean, least, most) in (
        ("own plate", held.accepted), ("random", held.random), ("lookalike", held.lookalike)
    ):  # fmt: skip
        print(f"  {what:<10} {mean:7.2%}  ({least:.2%} to {most:.2%})")
    print(f"  others admitted in all halves together: {held.others}")


def _show_speed(run: Run, crop: dict[str, float]) -> dict[str, Any]:
    speed: dict[str, Any] = {"worker_mb": run.worker_mb, "peer_mb": run.peer_mb, "worker_start_ms": run.worker_start_ms}
    print("\nSpeed and memory, in turn on the same photographs      median      p95     mean    peak memory")
    for name, times, memory in (("ours", run.took_ms, run.worker_mb), ("RapidOCR", run.peer_ms, run.peer_mb)):
        row = {
            "p50_ms": statistics.median(times),
            "p95_ms": float(np.percentile(times, 95)),
            "mean_ms": statistics.fmean(times),
        }
        speed[name] = row
        print(f"  {name:<50}" + "".join(f"{value:6.0f} ms" for value in row.values()) + f"{memory:9.0f} MB")
    speed["ratio"] = run.ratio if run.peer_mb else None
    for country, indices in _groups(run.photos).items():
        ours, peer = (statistics.median([times[i] for i in indices]) for times in (run.took_ms, run.peer_ms))
        speed[country] = {"ours_ms": ours, "peer_ms": peer}
        print(f"    {country:<4} median {ours:6.0f} ms, RapidOCR {peer:6.0f} ms")
    print(
        f"  worker ready after {run.worker_start_ms:.0f} ms; one crop {crop['ours_ms']:.1f} ms, the bare network "
        f"on the same input {crop['bare_ms']:.1f} ms: {crop['ratio']:.2f}"
    )
    return speed | {"one_crop": crop}


def _show_confusions(photos: Sequence[Photo]) -> list[dict[str, Any]]:
    pairs = confusions(photos).most_common()
    print("\nConfusions, expected -> read in the nearest text of each photograph ('-': left out or added)")
    shown = [f"{expected or '-'}->{read or '-'} {count}" for (expected, read), count in pairs[:CONFUSIONS_SHOWN]]
    print("  " + ", ".join(shown))
    return [{"expected": expected, "read": read, "count": count} for (expected, read), count in pairs]
