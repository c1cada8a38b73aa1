"""Small pictures, drawn once and shown again with other noise: many cameras have to run beside everything else."""

import io
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from PIL import Image

from tests.simulators import picture
from tests.simulators.car import Car
from tests.simulators.ground_lock import Scenes

SIZE = (800, 450)
NOISES = 12  # so many pictures of the same scene differ, as those of a camera do
NOISE = 3.0  # standard deviation in grey levels
DISTANCES = 0.5  # metres; nearer ones look the same


def _noisy(scene: Image.Image, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    pixels = np.asarray(scene, dtype=np.float32)
    pixels = pixels + rng.normal(0, NOISE, pixels.shape[:2]).astype(np.float32)[..., None]
    encoded = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(encoded, "JPEG", quality=85)
    return encoded.getvalue()


@lru_cache(maxsize=400)
def _scene(plate: str | None, distance: float) -> Image.Image:
    scene = picture.draw_yard()
    if plate is not None:
        picture.draw_car(scene, plate, distance=distance, yaw=picture.Conditions().yaw)
    return scene.resize(SIZE, Image.Resampling.LANCZOS)


@lru_cache(maxsize=2000)
def _seen(plate: str | None, distance: float, noise: int) -> bytes:
    return _noisy(_scene(plate, distance), noise)


@lru_cache(maxsize=NOISES)
def _dark(noise: int) -> bytes:
    return _noisy(Image.new("RGB", SIZE), noise)


@dataclass
class LightCar(Car):
    """A car whose pictures cost next to nothing."""

    conditions: picture.Conditions = field(default_factory=picture.Conditions)

    def picture(self, distance: float, *, seed: int) -> bytes:
        """Return one of the few pictures of it at about this distance."""
        return _seen(self.plate, max(DISTANCES, round(distance / DISTANCES) * DISTANCES), seed % NOISES)


class LightScenes(Scenes):
    """The yard and the night, small."""

    def yard(self, seed: int) -> bytes:
        """Return one of the few pictures of the empty yard."""
        return _seen(None, 0.0, seed % NOISES)

    def dark(self, seed: int) -> bytes:
        """Return one of the few pictures of the night."""
        return _dark(seed % NOISES)
