"""Photographs made worse step by step: what the owner's advice is based on (recognition/advice.py)."""

import argparse
import asyncio
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.reading.photographs import labelled
from custom_components.parkshare.recognition import Decision, EmbeddedReader, Picture, Quality, ReaderError, judge
from custom_components.parkshare.recognition.advice import advise

WIDEST: Final = 1280  # px; larger photographs are shrunk to it, so that a step means the same in each
SEED: Final = 3
FIGURES: Final = ("brightness", "contrast", "sharpness", "glare", "plate_width", "plate_tilt")

type Worse = Callable[[Image.Image, float], Image.Image]


@dataclass
class Step:
    """What came of all photographs at one step of one way to be worse."""

    admitted: int = 0
    hints: list[str] = field(default_factory=list)
    qualities: list[Quality] = field(default_factory=list)

    def figure(self, name: str) -> float | None:
        """Return the median of a figure over the photographs that have it."""
        known = [value for quality in self.qualities if (value := getattr(quality, name)) is not None]
        return round(median(known), 3) if known else None


class Spoiler:
    """The ways to be worse, with noise as a sensor adds it afterwards."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(SEED)

    def steps(self) -> Iterator[tuple[str, float, Worse]]:
        """Name each way with its strengths."""
        yield "as it is", 0, lambda picture, _: picture
        for radius in (1, 2, 3):
            yield "blurred by px", radius, lambda picture, by: picture.filter(ImageFilter.GaussianBlur(by))
        for factor in (0.3, 0.15, 0.08, 0.04):
            yield "light times", factor, self._lit
        for factor in (2, 3, 5):
            yield "overexposed times", factor, self._lit
        for factor in (0.4, 0.2, 0.1):
            yield "contrast times", factor, lambda picture, by: self._lit(picture, by, about=128)
        for angle in (10, 18, 26, 34):
            yield "turned by degrees", angle, _turned

    def _lit(self, picture: Image.Image, factor: float, *, about: float = 0) -> Image.Image:
        values = about + (np.asarray(picture, dtype=np.float32) - about) * factor
        noisy = values + self._chance.normal(0, 3, values.shape)
        return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def _turned(picture: Image.Image, angle: float) -> Image.Image:
    return picture.rotate(angle, Image.Resampling.BICUBIC, expand=True)


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=88)
    return file.getvalue()


async def measure(folder: Path, every: int) -> dict[tuple[str, float], Step]:
    """Read each photograph at each step; a step without a reading counts as not admitted."""
    spoiler, reader = Spoiler(), EmbeddedReader(read_timeout=60)
    found: dict[tuple[str, float], Step] = {}
    try:
        for path, plate in labelled(folder, every):
            with Image.open(path) as photograph:
                picture = photograph.convert("RGB")
            picture.thumbnail((WIDEST, WIDEST))
            for way, strength, worse in spoiler.steps():
                step = found.setdefault((way, strength), Step())
                try:
                    look = await reader.read(Picture(_jpeg(worse(picture, strength)), 0.0))
                except ReaderError:
                    continue
                step.admitted += judge([look], plate).decision is Decision.ADMIT
                step.hints += [advice.hint.value for advice in advise([look])]
                if look.quality is not None:
                    step.qualities.append(look.quality)
    finally:
        await reader.stop()
    return found


def main() -> None:
    """Read, and print a line for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    beside = Path(__file__).parents[2] / "shared" / "data" / "plates"
    parser.add_argument("--plates", type=Path, default=beside, help="folder with plates.csv (file, plate) and pictures")
    parser.add_argument("--every", type=int, default=9, help="read only every so many-th photograph")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    found = asyncio.run(measure(options.plates, options.every))
    count = len(labelled(options.plates, options.every))
    print(f"{count} photographs, one look each, balanced level; medians")
    results = []
    for (way, strength), step in found.items():
        told = {hint: step.hints.count(hint) for hint in sorted(set(step.hints))}
        results.append(
            {"way": way, "strength": strength, "admitted": step.admitted, "of": count, "told": told}
            | {name: step.figure(name) for name in FIGURES}
        )
        figures = "  ".join(f"{name} {results[-1][name]}" for name in FIGURES)
        print(f"{way:>18} {strength:<5} admitted {step.admitted:>3}  {figures}\n{'':26}told {told}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
