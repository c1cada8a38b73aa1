"""Drawn plates in conditions that the photographs lack: night, infrared, dirt, two lines, from the side, far away.

Drawn, so easier in some ways (one typeface, clean edges) and harder in none that we know of: the figures compare
conditions with each other and with the drawn plain day; they promise nothing about a real night. The drawing is not
the one that our own reader was trained on, and uses Pillow's own typeface.
"""

import asyncio
import io
import random
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.reading.judging import could_pass, random_neighbours
from custom_components.parkshare.recognition import POLICIES, Decision, EmbeddedReader, Level, Look, Picture, judge

SIZE = (1280, 720)  # px of the camera's picture
ORDER = (Decision.ADMIT, Decision.UNSURE, Decision.REFUSE)
INK = (15, 15, 25)
SPACE = 10  # px between characters as drawn
EACH = 30  # plates for each condition
type Scene = NDArray[np.float32]  # height x width x 3, 0..1


@dataclass(frozen=True)
class Condition:
    """How a plate is shown: its width in px, and what is done to the picture."""

    name: str
    width: int = 150
    lines: int = 1
    slant: float = 0.0
    after: Callable[[Scene, np.random.Generator], Scene] | None = None


def night(scene: Scene, chance: np.random.Generator) -> Scene:
    """Little light, much noise, two headlamps."""
    rows, columns = np.mgrid[0 : scene.shape[0], 0 : scene.shape[1]].astype(np.float32)
    glow = sum(np.exp(-((columns - x) ** 2 + (rows - 470) ** 2) / 60**2) for x in (430, 850))
    return scene * 0.22 + glow[:, :, None] * 0.9 + chance.normal(0, 0.045, scene.shape).astype(np.float32)


def infrared(scene: Scene, chance: np.random.Generator) -> Scene:
    """Grey; the plate shines back, its surroundings are dark, letters lose contrast."""
    grey = scene.mean(axis=2, keepdims=True).repeat(3, axis=2)
    bright = np.where(grey > 0.75, 0.95, grey * 0.35 + 0.2 * (grey < 0.2))  # noqa: PLR2004 - the plate's ground
    return bright + chance.normal(0, 0.03, scene.shape).astype(np.float32)


def dirt(scene: Scene, chance: np.random.Generator) -> Scene:
    """Brown blotches over a tenth of what there is."""
    small = chance.random((scene.shape[0] // 7, scene.shape[1] // 7)).astype(np.float32)
    blotches = np.asarray(Image.fromarray((small * 255).astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC))
    there = (blotches > np.quantile(blotches, 0.9))[:, :, None]
    return np.where(there, scene * 0.35 + np.float32([0.25, 0.2, 0.13]), scene)


def blur(scene: Scene, _: np.random.Generator) -> Scene:
    """The car moves: eight pixels on the way."""
    return np.mean([np.roll(scene, shift, axis=1) for shift in range(-4, 4)], axis=0)


CONDITIONS = (
    Condition("day"),
    Condition("two lines", lines=2, width=110),
    Condition("far (70 px)", width=70),
    Condition("from the side", slant=0.35),
    Condition("dirt", after=dirt),
    Condition("moving", after=blur),
    Condition("night", after=night),
    Condition("infrared", after=infrared),
)


def random_plate(chance: random.Random) -> str:
    """Draw a plate of a common layout."""
    layout = chance.choice(("LLDDDLL", "LLLDDDD", "LDDDDLL", "LLLDDD", "DDDDLLL", "LLDDLLL", "DLLLDDD"))
    return "".join(chance.choice(string.digits if c == "D" else string.ascii_uppercase) for c in layout)


def scene(plate: str, condition: Condition, chance: np.random.Generator) -> bytes:
    """Draw a dark car with the plate on it, as the JPEG that a camera would give."""
    picture = Image.new("RGB", SIZE, (118, 122, 126))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((300, 180, 980, 620), fill=(40, 44, 58))
    draw.rectangle((360, 210, 920, 360), fill=(74, 84, 96))
    tile = _tile(plate, condition)
    left, top = 640 - tile.width // 2 + int(chance.integers(-60, 60)), 500 + int(chance.integers(-30, 30))
    picture.paste(tile, (left, top), tile.getchannel("A"))
    values = np.asarray(picture, dtype=np.float32) / 255
    values = values + chance.normal(0, 0.012, values.shape).astype(np.float32)
    if condition.after is not None:
        values = condition.after(values, chance)
    out = io.BytesIO()
    Image.fromarray((np.clip(values, 0, 1) * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6)).save(
        out, "JPEG", quality=82
    )
    return out.getvalue()


def _tile(plate: str, condition: Condition) -> Image.Image:
    """Draw the plate large, then as wide as it is to be and seen from where the camera stands."""
    half = -(-len(plate) // condition.lines)
    rows = [plate[at : at + half] for at in range(0, len(plate), half)]
    font = ImageFont.load_default(size=88)
    widest = max(_length(row, font) for row in rows)
    tile = Image.new("RGBA", (round(widest) + 60, 104 * len(rows) + 24), (235, 235, 230, 255))
    draw = ImageDraw.Draw(tile)
    draw.rectangle((3, 3, tile.width - 4, tile.height - 4), outline=(20, 20, 20), width=4)
    for index, row in enumerate(rows):
        x = (tile.width - _length(row, font)) / 2
        for character in row:
            # Bold, as plates are.
            draw.text((x, 8 + index * 104), character, font=font, fill=INK, stroke_width=2, stroke_fill=INK)
            x += font.getlength(character) + SPACE
    slant = condition.slant
    if slant:
        high = tile.height * slant * 0.5
        quad = (0, 0, 0, tile.height, tile.width, tile.height + high, tile.width, -high)
        squeezed = (round(tile.width * (1 - slant)), tile.height)
        tile = tile.transform(squeezed, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC)
    return tile.resize(
        (condition.width, max(8, round(tile.height * condition.width / tile.width))), Image.Resampling.LANCZOS
    )


def _length(row: str, font: Any) -> float:
    return sum(font.getlength(character) + SPACE for character in row) - SPACE


async def drawn(reader: EmbeddedReader) -> dict[str, dict[str, float]]:
    """Read drawn plates in every condition; returns the parts of decisions and of false accepts (balanced level)."""
    chance, noise = random.Random(5), np.random.default_rng(5)
    table: dict[str, dict[str, float]] = {}
    for condition in CONDITIONS:
        said: Counter[str] = Counter()
        pairs = wrong = 0
        for index in range(EACH):
            plate = random_plate(chance)
            look = await reader.read(Picture(scene(plate, condition, noise), float(index)))
            said[judge([look], plate).decision.value] += 1
            near = random_neighbours(plate, chance)
            pairs += len(near)
            wrong += sum(_admits(look, other) for other in could_pass(look, near))
        table[condition.name] = {each.value: said[each.value] / EACH for each in ORDER} | {"random": wrong / pairs}
    return table


def _admits(look: Look, plate: str) -> bool:
    return judge([look], plate, POLICIES[Level.BALANCED]).decision is Decision.ADMIT


def show_drawn() -> dict[str, dict[str, float]]:
    """Print the table; returns it."""

    async def run() -> dict[str, dict[str, float]]:
        reader = EmbeddedReader()
        try:
            return await drawn(reader)
        finally:
            await reader.stop()

    table = asyncio.run(run())
    print(f"\nDrawn, not photographed ({EACH} each, balanced)   admit   unsure   refuse   random neighbours")
    for name, row in table.items():
        print(f"  {name:<40}" + "".join(f"{row[each.value]:9.1%}" for each in ORDER) + f"{row['random']:12.2%}")
    return table
