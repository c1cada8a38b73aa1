"""A picture drawn out of the dark, the fog or the glare before it is read. Pure: Pillow and numpy only.

What is read afterwards is judged like everything else: nothing here knows what plate is expected.
"""

import math
from typing import Final

from PIL import Image, ImageChops, ImageFilter

from .types import Effort

# Parts of the pixels that may be lost at both ends: noise, lamps and their reflections.
DARKEST: Final = 0.01
BRIGHTEST: Final = 0.005
MIDDLE: Final = 0.45  # of full brightness; where half of the pixels lie afterwards
STRONGEST: Final = 2.5  # exponent of the curve; more leaves only noise
AROUND: Final = 40  # the part of the width by which a place's surroundings reach; wider than a plate is high
LEVEL_RANGE: Final = 100.0  # of 128; what the strongest steps become
LEAST_STEP: Final = 2.0  # of 255; weaker ones are noise


def prepared(picture: Image.Image, effort: Effort) -> Image.Image:
    """Return an RGB picture as an effort wants it read, in the same size."""
    match effort:
        case Effort.STRETCHED:
            return stretched(picture)
        case Effort.LEVELLED:
            return levelled(picture)
    return picture


def stretched(picture: Image.Image) -> Image.Image:
    """Spread what there is over the whole range, and lift or lower the middle: for the dark, for fog, for too much."""
    luma = picture.convert("L")
    low, middle, high = (_below(luma, part) for part in (DARKEST, 0.5, 1 - BRIGHTEST))
    span = max(1, high - low)
    at = min(max((middle - low) / span, 0.02), 0.98)
    exponent = min(max(math.log(MIDDLE) / math.log(at), 1 / STRONGEST), STRONGEST)
    curve = [round(255 * min(max((value - low) / span, 0.0), 1.0) ** exponent) for value in range(256)]
    return picture.point(curve * 3)


def levelled(picture: Image.Image) -> Image.Image:
    """Show how each place differs from its surroundings, in grey: a plate in the dark beside a lamp, or in shadow."""
    luma = picture.convert("L")
    surroundings = luma.filter(ImageFilter.BoxBlur(max(8, picture.width // AROUND)))
    steps = ImageChops.subtract(luma, surroundings, 1, 128)
    strongest = max(LEAST_STEP, 128 - _below(steps, 0.01), _below(steps, 0.99) - 128)
    return ImageChops.subtract(luma, surroundings, strongest / LEVEL_RANGE, 128).convert("RGB")


def _below(luma: Image.Image, part: float) -> int:
    """Return the brightness that so large a part of the pixels does not exceed."""
    counts = luma.histogram()
    wanted, seen = part * sum(counts), 0
    for value, count in enumerate(counts):
        seen += count
        if seen >= wanted:
            return value
    return 255
