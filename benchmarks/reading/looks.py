"""Several looks at one car, made of one photograph: how much more is admitted, and how many more wrong plates.

Moved, scaled, darkened and compressed again, but of the same moment: dirt, light and the typeface are the same in all,
so their errors are far more alike than those of a car that drives up. What several real looks gain is not measured.
"""

import asyncio
import io
import random
from collections.abc import Sequence
from dataclasses import replace

from PIL import Image, ImageEnhance

from benchmarks.reading.judging import could_pass, random_neighbours
from benchmarks.reading.photographs import Photo
from custom_components.parkshare.recognition import Decision, EmbeddedReader, Look, Picture, ReaderError, judge
from custom_components.parkshare.recognition.pictures import open_picture

EVERY = 3  # photographs between two that are used: each costs three readings more
VARIANTS = 3


def variant(content: bytes, chance: random.Random) -> bytes:
    """Make a picture that the camera might have taken a moment later."""
    picture = open_picture(content)
    wide, high = picture.size
    cut = tuple(round(side * chance.uniform(0.0, 0.02)) for side in (wide, high, wide, high))
    picture = picture.crop((cut[0], cut[1], wide - cut[2], high - cut[3]))
    scale = chance.uniform(0.92, 1.06)
    picture = picture.resize((round(wide * scale), round(high * scale)), Image.Resampling.BICUBIC)
    picture = ImageEnhance.Brightness(picture).enhance(chance.uniform(0.75, 1.2))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=chance.randint(70, 92))
    return out.getvalue()


async def looked_again(reader: EmbeddedReader, photo: Photo, chance: random.Random) -> list[Look]:
    """Return the photograph's look and those of its variants, a second apart."""
    looks = [replace(photo.look, taken_at=0.0)]
    for at in range(1, VARIANTS + 1):
        try:
            looks.append(await reader.read(Picture(variant(photo.path.read_bytes(), chance), float(at))))
        except ReaderError as error:
            print(f"{photo.name}: {error}")
    return looks


async def _run(photos: Sequence[Photo]) -> dict[str, float]:
    reader, chance = EmbeddedReader(), random.Random(3)
    one = several = wrong_one = wrong_several = pairs = 0
    try:
        for photo in photos:
            looks = await looked_again(reader, photo, chance)
            one += _admits(looks[:1], photo.plate)
            several += _admits(looks, photo.plate)
            near = random_neighbours(photo.plate, chance)
            pairs += len(near)
            passing = set().union(*(could_pass(look, near) for look in looks))
            wrong_one += sum(_admits(looks[:1], plate) for plate in passing)
            wrong_several += sum(_admits(looks, plate) for plate in passing)
    finally:
        await reader.stop()
    count = len(photos)
    return {
        "photographs": count,
        "one": one / count,
        "several": several / count,
        "random_one": wrong_one / pairs,
        "random_several": wrong_several / pairs,
    }


def _admits(looks: Sequence[Look], plate: str) -> bool:
    return judge(looks, plate).decision is Decision.ADMIT


def show_looks(photos: Sequence[Photo]) -> dict[str, float]:
    """Print what several looks change; returns it."""
    row = asyncio.run(_run(photos[::EVERY]))
    print(
        f"\n{VARIANTS + 1} looks made of one photograph ({row['photographs']:.0f} of them; alike, so little is gained)"
    )
    print(f"  own plate admitted   one look {row['one']:.1%}   all looks {row['several']:.1%}")
    print(f"  random neighbours    one look {row['random_one']:.2%}   all looks {row['random_several']:.2%}")
    return row
