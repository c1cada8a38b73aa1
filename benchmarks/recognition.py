"""How well and how fast the embedded reader and the verdict work on labelled photographs.

    .venv/bin/python benchmarks/recognition.py [--plates ../shared/data/plates] [--json FILE]

Each photograph is one look, as the worker process reads it; timings are of this machine while nothing else runs.
True accepts are of the photograph's own plate. False accepts: every other plate of the set; plates that differ in one
random character of the same class (15 for each, fixed seed); and plates that differ in one character that readers are
known to confuse. Plates that a camera cannot tell apart (O and 0, I and 1) are no errors, by design.
"""

import argparse
import asyncio
import csv
import json
import random
import string
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from custom_components.parkshare.recognition import Decision, EmbeddedReader, Look, Picture, ReaderError, judge
from custom_components.parkshare.recognition.alphabet import COLUMN
from custom_components.parkshare.recognition.ctc import greedy, log_likelihoods
from custom_components.parkshare.recognition.embedded import MODELS, MOST_THREADS
from custom_components.parkshare.recognition.normalise import fold, normalise
from custom_components.parkshare.recognition.pictures import open_picture
from custom_components.parkshare.recognition.pipeline import Pipeline
from custom_components.parkshare.recognition.verdict import DEFAULT_POLICY, neighbours

ONE_LOOK = DEFAULT_POLICY
# What one look would do if it were the two that the lower threshold asks for: an upper bound on its false accepts.
TWO_LOOKS = replace(DEFAULT_POLICY, admit_score=DEFAULT_POLICY.admit_score_two_looks)
RANDOM_NEIGHBOURS = 15
SPLIT_EVERY = 4  # photographs between two that are read again in this process, to time the networks apart


@dataclass
class Photo:
    """One photograph with what was read on it; took_ms is the whole way, worker and pipes included."""

    file: str
    plate: str
    look: Look
    took_ms: float

    @property
    def country(self) -> str:
        """The folder that it is in."""
        return self.file.split("/")[0]


async def read_all(folder: Path, every: int) -> tuple[list[Photo], float, float]:
    """Read every so many-th photograph; returns them, the worker's peak memory (MB) and its start time (ms)."""
    with (folder / "plates.csv").open() as file:
        rows = list(csv.DictReader(file))[::every]
    reader = EmbeddedReader()
    began = time.perf_counter()
    await reader.start()
    start_ms = (time.perf_counter() - began) * 1e3
    photos = []
    try:
        for index, row in enumerate(rows):
            content = (folder / row["file"]).read_bytes()
            began = time.perf_counter()
            try:
                look = await reader.read(Picture(content, float(index)))
            except ReaderError as error:
                print(f"{row['file']}: {error}")
                look = Look((), float(index))
            photos.append(Photo(row["file"], row["plate"], look, (time.perf_counter() - began) * 1e3))
        status = Path(f"/proc/{reader.pid}/status").read_text()  # noqa: ASYNC240 - nothing else runs in this loop
    finally:
        await reader.stop()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    return photos, peak, start_ms


def split_times(folder: Path, files: list[str]) -> dict[str, list[float]]:
    """Time opening, detection and recognition apart (ms for each picture), in this process with the same threads."""
    pipeline = Pipeline(MODELS, threads=MOST_THREADS)
    spent = {"open": 0.0, "detector": 0.0, "recogniser": 0.0}

    def timed(part: str, call: Any) -> Any:
        def run(*arguments: Any) -> Any:
            began = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                spent[part] += (time.perf_counter() - began) * 1e3

        return run

    pipeline._detector.run = timed("detector", pipeline._detector.run)  # type: ignore[method-assign]  # noqa: SLF001
    recogniser = pipeline._recogniser  # noqa: SLF001
    recogniser._network.run = timed("recogniser", recogniser._network.run)  # type: ignore[method-assign]  # noqa: SLF001
    times: dict[str, list[float]] = {"open": [], "detector": [], "recogniser": [], "rest": []}
    for file in files:
        spent.update(open=0.0, detector=0.0, recogniser=0.0)
        began = time.perf_counter()
        picture: Image.Image = timed("open", open_picture)((folder / file).read_bytes())
        pipeline.read(picture)
        whole = (time.perf_counter() - began) * 1e3
        for part, value in spent.items():
            times[part].append(value)
        times["rest"].append(whole - sum(spent.values()))
    return times


def could_pass(look: Look, plates: list[str]) -> list[str]:
    """Keep the plates that the look could admit at all: the score never exceeds the ratio to the best path alone."""
    passing: set[str] = set()
    known = [fold(normalise(plate)) for plate in plates]
    for reading in look.readings:
        if reading.matrix is None:
            continue
        matrix = reading.matrix.astype(np.float64)
        for twin, kept in (("O", "0"), ("Q", "0"), ("I", "1")):
            matrix[:, COLUMN[kept]] = np.logaddexp(matrix[:, COLUMN[kept]], matrix[:, COLUMN[twin]])
            matrix[:, COLUMN[twin]] = -1e9
        best, *scores = log_likelihoods(matrix, [greedy(matrix)[0], *([COLUMN[c] for c in plate] for plate in known)])
        low = TWO_LOOKS.admit_score - 1e-6
        passing |= {plate for plate, score in zip(plates, scores, strict=True) if score - best >= low}
    return sorted(passing)


def random_neighbours(plate: str, chance: random.Random) -> list[str]:
    """Draw plates that differ in one character of the same class and can be told apart by a camera."""
    normalised = normalise(plate)
    drawn: list[str] = []
    while len(drawn) < RANDOM_NEIGHBOURS:
        at = chance.randrange(len(normalised))
        pool = string.digits if normalised[at].isdigit() else string.ascii_uppercase
        other = normalised[:at] + chance.choice(pool) + normalised[at + 1 :]
        if fold(other) != fold(normalised):
            drawn.append(other)
    return drawn


def false_accepts(look: Look, plates: list[str]) -> tuple[list[str], list[str]]:
    """Return the plates that one look admits, at the one-look threshold and at that of two looks."""
    candidates = could_pass(look, plates)
    one = [plate for plate in candidates if judge([look], plate, ONE_LOOK).decision is Decision.ADMIT]
    two = [plate for plate in candidates if judge([look], plate, TWO_LOOKS).decision is Decision.ADMIT]
    return one, two


def judge_all(photos: list[Photo]) -> dict[str, Any]:
    """Count right and wrong decisions, for each country and for all."""
    chance = random.Random(7)
    groups = [*dict.fromkeys(photo.country for photo in photos), "all"]
    keys = ("photos", "admit", "unsure", "refuse", "contrary", "exact", "folded", "two_looks")
    table: dict[str, dict[str, int]] = {group: dict.fromkeys(keys, 0) for group in groups}
    pairs = {kind: {"pairs": 0, "one": 0, "two": 0} for kind in ("others", "random", "confusable")}
    wrong: list[dict[str, str]] = []
    contrary_to_others = other_looks = 0
    for photo in photos:
        verdict = judge([photo.look], photo.plate)
        texts = [reading.text for reading in photo.look.readings]
        for group in (photo.country, "all"):
            row = table[group]
            row["photos"] += 1
            row[verdict.decision.value] += 1
            row["contrary"] += verdict.contrary
            row["exact"] += photo.plate in texts
            row["folded"] += fold(normalise(photo.plate)) in {fold(text) for text in texts}
            row["two_looks"] += judge([photo.look], photo.plate, TWO_LOOKS).decision is Decision.ADMIT
        own = fold(normalise(photo.plate))
        others = sorted({p.plate for p in photos if fold(normalise(p.plate)) != own})
        for kind, plates in (
            ("others", others),
            ("random", random_neighbours(photo.plate, chance)),
            ("confusable", neighbours(own)),
        ):
            one, two = false_accepts(photo.look, plates)
            pairs[kind]["pairs"] += len(plates)
            pairs[kind]["one"] += len(one)
            pairs[kind]["two"] += len(two)
            wrong += [{"file": photo.file, "kind": kind, "expected": plate} for plate in one]
        contrary_to_others += judge([photo.look], chance.choice(others)).contrary
        other_looks += 1
    return {"table": table, "pairs": pairs, "wrong": wrong, "against_another_plate": contrary_to_others / other_looks}


def report(results: dict[str, Any]) -> None:
    """Print what people want to know."""
    print("\nOwn plate, one photograph each     admit  unsure  refuse | exact  folded | score >= -3 | counts against")
    for group, row in results["table"].items():
        n = row["photos"]
        print(
            f"  {group:<4} {n:>4} photographs       "
            f"{row['admit'] / n:8.1%}{row['unsure'] / n:8.1%}{row['refuse'] / n:8.1%} |{row['exact'] / n:6.1%}"
            f"{row['folded'] / n:8.1%} |{row['two_looks'] / n:12.1%} |{row['contrary'] / n:14.1%}"
        )
    print("\nWrong plate                          pairs   admitted by one look    score >= -3")
    for kind, row in results["pairs"].items():
        n = max(1, row["pairs"])
        print(
            f"  {kind:<12}{row['pairs']:>28}{row['one']:>10} ({row['one'] / n:.3%})"
            f"{row['two']:>9} ({row['two'] / n:.3%})"
        )
    print(f"  a look counts against another plate: {results['against_another_plate']:.1%}")
    for item in results["wrong"]:
        print(f"    {item['file']} admitted {item['expected']} ({item['kind']})")
    times = results["ms"]
    print(
        f"\nWhole picture: median {times['p50']:.0f} ms, mean {times['mean']:.0f} ms, p95 {times['p95']:.0f} ms; ",
        end="",
    )
    print(", ".join(f"{part} {value:.0f} ms" for part, value in times["parts_median"].items()) + " (medians)")
    print(f"Worker: peak {results['worker_peak_mb']:.0f} MB resident, ready after {results['worker_start_ms']:.0f} ms")


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).parent.parent.parent / "shared" / "data" / "plates"
    parser.add_argument("--plates", type=Path, default=beside, help="folder with plates.csv (file, plate) and pictures")
    parser.add_argument("--every", type=int, default=1, help="read only every so many-th photograph, for a quick look")
    parser.add_argument("--json", type=Path, help="write the figures and each photograph's result here")
    options = parser.parse_args()
    photos, peak, start_ms = asyncio.run(read_all(options.plates, options.every))
    took = [photo.took_ms for photo in photos]
    parts = split_times(options.plates, [photo.file for photo in photos[::SPLIT_EVERY]])
    results = judge_all(photos)
    results["ms"] = {
        "p50": float(np.median(took)),
        "mean": float(np.mean(took)),
        "p95": float(np.percentile(took, 95)),
        "parts_median": {part: float(np.median(values)) for part, values in parts.items()},
    }
    results |= {"worker_peak_mb": peak, "worker_start_ms": start_ms}
    report(results)
    if options.json:
        results["photographs"] = [
            {
                "file": photo.file,
                "plate": photo.plate,
                "readings": [[r.text, round(min(r.confidences, default=0.0), 3)] for r in photo.look.readings],
                "decision": (verdict := judge([photo.look], photo.plate)).decision.value,
                "score": verdict.score,
                "ms": round(photo.took_ms, 1),
            }
            for photo in photos
        ]
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
