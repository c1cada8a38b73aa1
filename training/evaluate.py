"""How well a reader verifies plates on labelled photographs: python -m training.evaluate FOLDER [OTHER ...].

Only ever looks: nothing here feeds back into training. Runs with ncnn in the product's own environment. Photographs
are read in place (a folder with plates.csv: file, x, y, width, height, plate). Each plate is cut out more than once,
and the best score counts, as in the product: the whole plate as its label frames it, slightly trimmed and slightly
loose; or with --detected the lines of text that the product's detector finds there, in the product's own cuts.
"""

import argparse
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from custom_components.parkshare.recognition.alphabet import FOLDED, LATIN
from custom_components.parkshare.recognition.box_reader import LOOSE, TIGHT, WIDER
from custom_components.parkshare.recognition.ctc import greedy, log_likelihoods
from custom_components.parkshare.recognition.detect import detect
from custom_components.parkshare.recognition.network import Network
from custom_components.parkshare.recognition.own_reader import OwnReader
from custom_components.parkshare.recognition.recognise import crop

type Box = tuple[int, int, int, int]  # left, top, right, bottom
type Cutter = Callable[[Image.Image, Box], list[Image.Image]]

PHOTOGRAPHS = Path(__file__).parents[2] / "shared" / "data" / "plates"
THRESHOLDS = (-1.0, -2.0, -3.0, -4.0)
_FOLD = str.maketrans(FOLDED)
_NEIGHBOURS = 15  # plates with one other character, for each plate
_SEEN_WIDE = 220  # px: how wide a plate is in the detector's input
# What is added to each side, as parts of the box's height: left and right, top and bottom.
_FRAMINGS = ((0.0, 0.0), (0.02, -0.1), (0.06, 0.06))


@dataclass(frozen=True, slots=True)
class _Seen:
    """One photograph's plate and what a reader says of its crops (36 x 37 log-probabilities each, folded)."""

    country: str
    plate: str
    text: str
    matrices: tuple[NDArray[np.float64], ...]

    def score(self, plates: list[str]) -> NDArray[np.float64]:
        """Return the best log-likelihood ratio of each plate to what was read, over all crops."""
        scores = []
        for matrix in self.matrices:
            columns, _ = greedy(matrix)
            all_texts = [columns, *(_columns(plate) for plate in plates)]
            likelihoods = log_likelihoods(matrix, all_texts)
            scores.append(likelihoods[1:] - likelihoods[0])
        return np.max(scores, axis=0)


def _columns(plate: str) -> list[int]:
    return [1 + LATIN.index(character) for character in plate.translate(_FOLD)]


def _folded(matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Add O and Q to 0 and I to 1, and take logarithms."""
    chances = matrix.astype(np.float64)
    for one, other in FOLDED.items():
        chances[:, 1 + LATIN.index(other)] += chances[:, 1 + LATIN.index(one)]
        chances[:, 1 + LATIN.index(one)] = 0
    return np.log(chances + 1e-6)


def read_all(reader: OwnReader, photographs: Path, cut_out: Cutter) -> list[_Seen]:
    """Read each photograph's plate."""
    seen = []
    with (photographs / "plates.csv").open() as table:
        for row in csv.DictReader(table):
            picture = Image.open(photographs / row["file"]).convert("RGB")
            raw = [np.exp(reader.read(crop))[:, : 1 + len(LATIN)] for crop in cut_out(picture, _box(row))]
            raw = raw or [np.eye(1, 1 + len(LATIN))]  # nothing was found: nothing is read
            clearest = max(raw, key=lambda matrix: float(matrix.max(axis=1).min()))
            text = "".join(LATIN[column - 1] for column in greedy(np.log(clearest + 1e-9))[0])
            matrices = tuple(_folded(matrix) for matrix in raw)
            seen.append(_Seen(row["file"].split("/")[0], row["plate"], text, matrices))
    return seen


def _box(row: dict[str, str]) -> Box:
    x, y, width, height = (int(row[name]) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def framed(picture: Image.Image, box: Box) -> list[Image.Image]:
    """Cut out the whole plate, as its label says."""
    left, top, right, bottom = box
    height = bottom - top
    return [
        picture.crop(
            (round(left - a * height), round(top - b * height), round(right + a * height), round(bottom + b * height))
        )
        for a, b in _FRAMINGS
    ]


def detected(detector: Network) -> Cutter:
    """Return what cuts out the lines of text on the plate, as the product finds them with the label's help."""

    def cut_out(picture: Image.Image, box: Box) -> list[Image.Image]:
        left, top, right, bottom = box
        wide, tall = right - left, bottom - top
        window = (
            max(0.0, left - wide / 2), max(0.0, top - tall), min(float(picture.width), right + wide / 2),
            min(float(picture.height), bottom + tall),
        )  # fmt: skip
        crops = []
        for found in detect(detector, picture, window, _SEEN_WIDE / wide).boxes:
            x, y = found.corners.mean(axis=0)
            if left <= x <= right and top <= y <= bottom and found.width > wide / 3:
                crops += [crop(picture, found, cut) for cut in (TIGHT, LOOSE, *WIDER)]
        return crops

    return cut_out


def neighbours(plate: str, random: Random) -> list[str]:
    """Return plates that differ in one character of the same kind, none of them equal when folded."""
    found = []
    while len(found) < _NEIGHBOURS:
        at = random.randrange(len(plate))
        kind = LATIN[:10] if plate[at].isdigit() else LATIN[10:]
        other = plate[:at] + random.choice(kind) + plate[at + 1 :]
        if other.translate(_FOLD) != plate.translate(_FOLD):
            found.append(other)
    return found


def report(name: str, seen: list[_Seen]) -> None:
    """Print exact readings, true-accepts and false accepts."""
    random = Random(0)
    plates = sorted({one.plate for one in seen})
    own = np.array([one.score([one.plate])[0] for one in seen])
    near = np.concatenate([one.score(neighbours(one.plate, random)) for one in seen])
    others = [[plate for plate in plates if plate.translate(_FOLD) != one.plate.translate(_FOLD)] for one in seen]
    far = np.concatenate([one.score(some) for one, some in zip(seen, others, strict=True)])
    countries = np.array([one.country for one in seen])
    exact = np.array([one.text == one.plate for one in seen])
    folded = np.array([one.text.translate(_FOLD) == one.plate.translate(_FOLD) for one in seen])
    each = {name: countries == name for name in sorted(set(countries))}
    print(f"{name}: {len(seen)} plates")
    for title, right in (("exact", exact), ("exact, folded", folded)):
        print(f"  {title:22} {right.mean():6.1%}  " + "  ".join(f"{c} {right[m].mean():.1%}" for c, m in each.items()))
    for threshold in THRESHOLDS:
        right = own >= threshold
        counts = (
            f"near {np.mean(near >= threshold):.2%} of {len(near)}, others {np.sum(far >= threshold)} of {len(far)}"
        )
        parts = "  ".join(f"{c} {right[m].mean():.1%}" for c, m in each.items())
        print(f"  accepted at {threshold:+.0f}         {right.mean():6.1%}  {parts}  falsely: {counts}")


def main() -> None:
    """Compare readers on the photographs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="each with own.ncnn.param and own.ncnn.bin")
    parser.add_argument("--photographs", type=Path, default=PHOTOGRAPHS)
    parser.add_argument("--detected", type=Path, metavar="MODELS", help="the product's models (scripts/models)")
    told = parser.parse_args()
    if not (told.photographs / "plates.csv").exists():
        parser.exit(2, f"There are no labelled photographs in {told.photographs}.\n")
    cut_out = detected(Network(told.detected, "det", threads=1)) if told.detected else framed
    for folder in told.folders:
        report(folder.name, read_all(OwnReader(folder), told.photographs, cut_out))


if __name__ == "__main__":
    main()
