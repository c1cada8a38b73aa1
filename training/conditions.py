"""What weather, light and the camera do to a crop: brightness in, brightness out (float32, 0..1, at sensor size)."""

import io
from collections.abc import Callable
from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

type Grey = NDArray[np.float32]


def weathered(crop: Grey, random: Random, noise: np.random.Generator, hardness: float) -> Image.Image:
    """Do to a crop what happens between the plate and the file; hardness (0..1) is how often and how much."""

    def happens(share: float) -> bool:
        return random.random() < share * hardness

    if happens(0.15):
        crop = _dirt(crop, random, noise)
    if happens(0.25):
        crop = _uneven_light(crop, random)
    if happens(0.18):
        crop = _shadow(crop, random)
    crop = _blurred(crop, random, hardness, moved=happens(0.1))
    if happens(0.05):
        crop = _rain(crop, random, noise)
    if happens(0.08):
        crop = _glare(crop, random)
    crop = _exposed(crop, random, happens)
    if happens(0.8):
        # A sensor's noise is seen in proportion to what it has to amplify, not to the whole range.
        spread = float(np.quantile(crop, 0.9) - np.quantile(crop, 0.1))
        strength = min(0.08, abs(random.gauss(0, 0.1)) * min(0.5, spread)) + 0.003
        crop = crop + noise.standard_normal(crop.shape, np.float32) * np.float32(strength)
    picture = Image.fromarray((np.clip(crop, 0, 1) * 255).astype(np.uint8))
    if happens(0.15):
        picture = picture.filter(ImageFilter.UnsharpMask(1.0, random.randint(40, 180), 0))
    return _compressed(picture, random) if happens(0.75) else picture


def _smooth(shape: tuple[int, int], noise: np.random.Generator, rows: int, columns: int) -> Grey:
    """Return smooth noise of about normal height."""
    small = Image.fromarray(noise.standard_normal((rows, columns), np.float32))
    return np.asarray(small.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _dirt(crop: Grey, random: Random, noise: np.random.Generator) -> Grey:
    """Dust and mud: patches that take the colour of dirt."""
    cover = _smooth(crop.shape, noise, random.randint(2, 8), random.randint(4, 20))
    cover = np.clip((cover - random.uniform(0.3, 1.4)) * random.uniform(0.2, 1.0), 0, random.uniform(0.2, 0.7))
    return crop * (1 - cover) + np.float32(random.uniform(0.05, 0.75)) * cover


def _uneven_light(crop: Grey, random: Random) -> Grey:
    rows = np.linspace(random.uniform(0.5, 1.2), random.uniform(0.5, 1.2), crop.shape[0], dtype=np.float32)
    columns = np.linspace(random.uniform(0.5, 1.2), random.uniform(0.5, 1.2), crop.shape[1], dtype=np.float32)
    return crop * rows[:, None] * columns


def _shadow(crop: Grey, random: Random) -> Grey:
    """The edge of a shadow runs across: of the car's own overhang, a tree, a bumper."""
    down, across = np.mgrid[0 : crop.shape[0], 0 : crop.shape[1]].astype(np.float32)
    steep = random.uniform(-1, 1) if random.random() < 0.5 else random.uniform(-0.1, 0.1)
    edge = down / crop.shape[0] + steep * across / crop.shape[1] - random.uniform(0.05, 0.95)
    soft = np.clip(edge * random.uniform(3, 30) * random.choice((-1, 1)) + 0.5, 0, 1)
    return crop * (1 - soft * np.float32(random.uniform(0.15, 0.6)))


def _blurred(crop: Grey, random: Random, hardness: float, *, moved: bool) -> Grey:
    """Blur by the optics, in pixels and for large crops also in parts of a letter; sometimes also by movement."""
    radius = min(abs(random.gauss(0.2, 0.3)) * hardness, crop.shape[0] * 0.045)
    if random.random() < 0.3 * hardness:
        radius = max(radius, crop.shape[0] * random.uniform(0.01, 0.045))
    if radius > 0.15:
        crop = (
            np.asarray(Image.fromarray(crop * 255).convert("L").filter(ImageFilter.GaussianBlur(radius)), np.float32)
            / 255
        )
    if moved:
        length = max(2, round(crop.shape[0] * random.uniform(0.03, 0.13)))
        axis = 1 if random.random() < 0.75 else 0
        length = length if axis else max(2, length // 2)
        padded = np.pad(crop, [(0, length - 1), (0, 0)] if axis == 0 else [(0, 0), (0, length - 1)], mode="edge")
        size = crop.shape[axis]
        crop = np.mean([np.take(padded, range(at, at + size), axis) for at in range(length)], axis=0, dtype=np.float32)
    return crop


def _rain(crop: Grey, random: Random, noise: np.random.Generator) -> Grey:
    """Streaks and drops, brighter or darker than what is behind."""
    streaks = noise.random(crop.shape, np.float32) > 1 - random.uniform(0.002, 0.015)
    cover = (
        np.asarray(
            Image.fromarray((streaks * 255).astype(np.uint8)).filter(
                ImageFilter.BoxBlur((0.4, max(1.0, crop.shape[0] / 12)))
            ),
            np.float32,
        )
        / 255
    )
    cover = np.clip(cover * crop.shape[0] / 5, 0, 0.7)
    return crop * (1 - cover) + np.float32(random.uniform(0.2, 1.0)) * cover


def _glare(crop: Grey, random: Random) -> Grey:
    """A lamp's reflection: a bright spot that bleeds over the letters."""
    down, across = np.mgrid[0 : crop.shape[0], 0 : crop.shape[1]].astype(np.float32)
    wide, tall = crop.shape[1] * random.uniform(0.05, 0.3), crop.shape[0] * random.uniform(0.15, 0.6)
    x, y = random.random() * crop.shape[1], random.random() * crop.shape[0]
    return crop + np.float32(random.uniform(0.2, 0.9)) * np.exp(
        -(((across - x) / wide) ** 2) - ((down - y) / tall) ** 2
    )


def _exposed(crop: Grey, random: Random, happens: Callable[[float], bool]) -> Grey:
    """Expose: from deep night to blown out; infrared makes retroreflecting plates burn."""
    crop = np.clip(crop, 0, 1) ** np.float32(random.uniform(0.65, 1.5))
    if happens(0.08):  # infrared lamps: what reflects burns out, the rest is dark
        bright = float(np.quantile(crop, 0.85))
        return np.clip(crop * np.float32(random.uniform(1.0, 1.5) / max(bright, 0.15)), 0, 1)
    if happens(0.06):  # night without lamps: little light
        return np.float32(random.uniform(0.0, 0.1)) + crop * np.float32(random.uniform(0.15, 0.4))
    if happens(0.7):
        dark = random.uniform(0.0, 0.3)
        return np.float32(dark) + crop * np.float32(random.uniform(0.5, 1.1 - dark))
    return crop


def _compressed(picture: Image.Image, random: Random) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=random.randint(22, 95))
    stream.seek(0)
    return Image.open(stream)
