"""How well and how fast plates are read and verified on labelled photographs, side by side with RapidOCR.

    scripts/bench recognition [--plates ../shared/data/plates] [--every N] [--json FILE] [--looks] [--drawn] [--alone]

Each photograph is one look, as the worker process reads it; RapidOCR's own pipeline reads the same photograph just
before or after, in a process of its own, with its defaults and as many threads. Timings are of this machine: while
other work runs, only their ratio says something. --looks adds several looks, --drawn drawn plates in bad conditions.
"""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from benchmarks.reading.crops import one_crop
from benchmarks.reading.drawn import show_drawn
from benchmarks.reading.judging import Judged, judge_all
from benchmarks.reading.looks import show_looks
from benchmarks.reading.photographs import Run, read_all
from benchmarks.reading.report import show
from custom_components.parkshare.recognition import Level


def each_photograph(run: Run, judged: Judged) -> list[dict[str, Any]]:
    """List what was read and decided, for looking into single photographs."""
    return [
        {
            "file": photo.name,
            "plate": photo.plate,
            "readings": [[r.source, r.text, round(min(r.confidences, default=0.0), 3)] for r in photo.look.readings],
            "peer": photo.peer_texts,
            "decisions": {level.value: case.decisions[level].value for level in Level},
            "fits": [[round(fit.score, 2), fit.lead and round(fit.lead, 2), sorted(fit.judged)] for fit in case.fits],
            "ms": round(photo.took_ms, 1),
            "peer_ms": round(photo.peer_ms, 1),
        }
        for photo, case in zip(run.photos, judged.own, strict=True)
    ]


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).parents[2] / "shared" / "data" / "plates"
    parser.add_argument("--plates", type=Path, default=beside, help="folder with plates.csv (file, plate) and pictures")
    parser.add_argument("--every", type=int, default=1, help="read only every so many-th photograph, for a quick look")
    parser.add_argument("--json", type=Path, help="write the figures and each photograph's result here")
    parser.add_argument("--looks", action="store_true", help="also several looks made of one photograph")
    parser.add_argument("--drawn", action="store_true", help="also drawn plates: night, infrared, two lines, dirt")
    parser.add_argument("--alone", action="store_true", help="without RapidOCR")
    options = parser.parse_args()
    run = asyncio.run(read_all(options.plates, options.every, with_peer=not options.alone))
    crop = one_crop(run.photos[0].path)
    judged = judge_all(run.photos)
    results = show(run, judged, crop)
    if options.looks:
        results["looks"] = show_looks(run.photos)
    if options.drawn:
        results["drawn"] = show_drawn()
    if options.json:
        results["photographs"] = each_photograph(run, judged)
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
