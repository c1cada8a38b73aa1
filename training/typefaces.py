"""A typeface: a mask for each character at one height, from a hand of ours or from a font file.

Fonts (SIL Open Font License, listed in fonts/package.json) only widen the choice; without them all is drawn from
strokes. A typeface is made from its number alone, so that every run and every process has the same ones.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from training.hands import KINDS
from training.strokes import family

CAP_HEIGHT = 64  # px, of the masks
HANDS_OF_A_KIND = 80
_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Of each package only upright faces that plates resemble: not hairlines, not ultra-black.
_WEIGHTS = ("400", "500", "600", "700", "800")

type Typeface = dict[str, Image.Image]


class Typefaces:
    """All typefaces, made when first asked for; fonts is a folder of @fontsource packages, or None."""

    def __init__(self, fonts: Path | None) -> None:
        self._files = _files(fonts) if fonts else []

    def choose(self, random: Random, kinds: Sequence[str], *, font_share: float = 0.3) -> Typeface:
        """Choose one of the kinds (hands.KINDS), or sometimes a font."""
        if self._files and random.random() < font_share:
            return _font(self._files[random.randrange(len(self._files))])
        return _hand(random.choice(kinds), random.randrange(HANDS_OF_A_KIND))


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("@fontsource/*/files/*-latin-*-normal.woff2"))
    files = [file for file in found if file.stem.split("-")[-2] in _WEIGHTS and "-latin-ext-" not in file.name]
    if not files:
        raise FileNotFoundError(f"No typefaces in {folder}: run npm ci there, as scripts/train-reader does.")
    return files


@cache
def _hand(kind: str, number: int) -> Typeface:
    return family(KINDS[kind](Random(f"{kind} {number}")), CAP_HEIGHT)


@cache
def _font(file: Path) -> Typeface:
    """Cut the characters out of a font, all brought to one height: plates have no overshoot worth keeping."""
    font = ImageFont.truetype(file, 90)
    return {character: _cut(character, font) for character in _CHARACTERS}


def _cut(character: str, font: ImageFont.FreeTypeFont) -> Image.Image:
    left, top, right, bottom = font.getbbox(character)
    mask = Image.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(mask).text((4 - left, 4 - top), character, font=font, fill=255)
    mask = mask.crop(mask.getbbox())
    return mask.resize((max(6, round(mask.width * CAP_HEIGHT / mask.height)), CAP_HEIGHT), Image.Resampling.BILINEAR)
