"""Pictures as the camera at a ground lock takes them, drawn by us: asphalt, a car's front, its plate.

A pinhole camera stands at the back of the bay, 0.7 m above the ground, and looks towards the street. Lengths are
metres, the plate has the European size (520 x 112 mm), and a picture is 1280 x 720 pixels.
"""

import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

WIDTH, HEIGHT = 1280, 720
FOCAL_PX = 950.0  # 68 degrees across, as in common yard cameras
HORIZON = 300.0
CAMERA_HEIGHT = 0.7
PLATE_SIZE = (0.52, 0.112)
PLATE_CENTRE_HEIGHT = 0.45
PHOTO_LIMIT = (1920, 1080)  # a photograph is scaled down into this, as a Full HD camera would
MUD_SEED = 4
SCREEN_SIZE = (0.155, 0.072)  # of a phone, lying
SCREEN_AT = 0.6  # metres from the camera: at arm's length, by somebody who got out for it
SCREEN_HEIGHT = 0.72  # metres above the ground, before the camera

type Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What makes a picture hard to read.

    light is 1 by day and about 0.3 at dusk; blur is the radius in pixels; noise is the standard deviation in grey
    levels; yaw is how far the car stands turned, in degrees; mud is the share of the plate that mud lies on, 0 to 1.
    """

    light: float = 0.9
    blur: float = 0.6
    noise: float = 5.0
    yaw: float = 8.0
    mud: float = 0.0


def _project(x: float, height: float, depth: float) -> Point:
    scale = FOCAL_PX / max(depth, 0.3)
    return WIDTH / 2 + x * scale, HORIZON + (CAMERA_HEIGHT - height) * scale


class _Front:
    """The flat front of a car at a distance, turned by its yaw: turns metres on the front into pixels."""

    def __init__(self, distance: float, yaw: float, offset: float) -> None:
        self._distance, self._offset = distance, offset
        self._cos, self._sin = math.cos(math.radians(yaw)), math.sin(math.radians(yaw))

    def at(self, x: float, height: float, back: float = 0.0) -> Point:
        """Return the pixel of a point: x metres right of the middle, height above ground, back behind the bumper."""
        return _project(
            self._offset + x * self._cos + back * self._sin,
            height,
            self._distance + x * self._sin + back * self._cos,
        )

    def rectangle(self, left: float, bottom: float, right: float, top: float, back: float = 0.0) -> list[Point]:
        """Return the four corners, clockwise from the upper left."""
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        return [self.at(x, height, back) for x, height in corners]


def draw_plate(text: str, *, width: int) -> Image.Image:
    """Draw a plate seen straight on: black on white with the blue band, as wide as asked."""
    height = round(width * PLATE_SIZE[1] / PLATE_SIZE[0])
    plate = Image.new("RGB", (width, height), (238, 238, 232))
    pen = ImageDraw.Draw(plate)
    band = round(height * 0.38)
    pen.rectangle((0, 0, band, height), fill=(24, 52, 140))
    room = width - band - round(height * 0.3)
    size = round(height * 0.92)
    stroke = max(1, height // 40)
    while True:
        font = ImageFont.load_default(size)
        left, top, right, bottom = pen.textbbox((0, 0), text, font=font, stroke_width=stroke)
        if right - left <= room or size <= 8:
            break
        size = round(size * 0.95)
    middle = band + (width - band) / 2
    origin = (middle - (left + right) / 2, height / 2 - (top + bottom) / 2)
    pen.text(origin, text, font=font, fill=(18, 18, 20), stroke_width=stroke, stroke_fill=(18, 18, 20))
    pen.rectangle((1, 1, width - 2, height - 2), outline=(40, 40, 44), width=max(2, height // 28))
    return plate


def splash(plate: Image.Image, share: float) -> None:
    """Throw mud onto a plate until it covers the share; the same plate always gets the same mud."""
    rng = np.random.default_rng(MUD_SEED)
    width, height = plate.size
    mud = Image.new("L", plate.size)
    pen = ImageDraw.Draw(mud)
    while float(np.asarray(mud).mean()) < 255 * share:
        x, y, radius = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.12, 0.34) * height
        pen.ellipse((x - 1.6 * radius, y - radius, x + 1.6 * radius, y + radius), fill=255)
    soft = mud.filter(ImageFilter.GaussianBlur(height / 40))
    plate.paste(Image.new("RGB", plate.size, (88, 74, 58)), (0, 0), soft)


def _paste_perspective(scene: Image.Image, patch: Image.Image, corners: list[Point]) -> None:
    """Lay patch over the four corners (clockwise from the upper left) of the scene."""
    width, height = patch.size
    source = ((0, 0), (width, 0), (width, height), (0, height))
    rows, values = [], []
    for (x, y), (u, v) in zip(corners, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    coefficients = np.linalg.solve(np.array(rows, float), np.array(values, float)).tolist()
    options = {"data": coefficients, "resample": Image.Resampling.BICUBIC}
    warped = patch.transform(scene.size, Image.Transform.PERSPECTIVE, **options)
    mask = Image.new("L", patch.size, 255).transform(scene.size, Image.Transform.PERSPECTIVE, **options)
    scene.paste(warped, (0, 0), mask)


def draw_yard() -> Image.Image:
    """Draw what the camera sees when nobody is there: a hedge, the sky and the bay's asphalt."""
    scene = Image.new("RGB", (WIDTH, HEIGHT), (176, 190, 202))
    pen = ImageDraw.Draw(scene)
    pen.rectangle((0, HORIZON - 90, WIDTH, HORIZON), fill=(86, 104, 74))
    pen.rectangle((0, HORIZON, WIDTH, HEIGHT), fill=(92, 92, 94))
    for side in (-1.25, 1.25):
        line = [_project(side - 0.05, 0, 14), _project(side + 0.05, 0, 14)]
        line += [_project(side + 0.05, 0, 1.1), _project(side - 0.05, 0, 1.1)]
        pen.polygon(line, fill=(198, 198, 192))
    return scene


def draw_car(
    scene: Image.Image, plate: str, *, distance: float, yaw: float, offset: float = 0.0, mud: float = 0.0
) -> None:
    """Draw a car's front with its plate into the scene; distance is from the camera to the plate."""
    pen = ImageDraw.Draw(scene)
    front = _Front(distance, yaw, offset)
    paint, dark = (52, 84, 128), (28, 30, 34)
    pen.polygon(front.rectangle(-0.95, 0.0, 0.95, 0.06), fill=(48, 48, 50))
    for side in (-0.92, 0.68):
        pen.polygon(front.rectangle(side, 0.0, side + 0.24, 0.5, 0.4), fill=dark)
    pen.polygon(
        [front.at(-0.7, 1.42, 1.6), front.at(0.7, 1.42, 1.6), front.at(0.88, 0.9, 0.9), front.at(-0.88, 0.9, 0.9)],
        fill=(64, 78, 90),
    )
    pen.polygon(
        [front.at(-0.88, 0.92, 0.9), front.at(0.88, 0.92, 0.9), front.at(0.9, 0.72), front.at(-0.9, 0.72)],
        fill=(66, 102, 150),
    )
    pen.polygon(front.rectangle(-0.9, 0.2, 0.9, 0.74), fill=paint)
    pen.polygon(front.rectangle(-0.45, 0.58, 0.45, 0.7), fill=dark)
    for side in (-0.86, 0.56):
        pen.polygon(front.rectangle(side, 0.56, side + 0.3, 0.7), fill=(226, 230, 222))
    half_width, half_height = PLATE_SIZE[0] / 2, PLATE_SIZE[1] / 2
    pen.polygon(front.rectangle(-0.3, PLATE_CENTRE_HEIGHT - 0.08, 0.3, PLATE_CENTRE_HEIGHT + 0.08), fill=dark)
    corners = front.rectangle(
        -half_width, PLATE_CENTRE_HEIGHT - half_height, half_width, PLATE_CENTRE_HEIGHT + half_height
    )
    # Drawn little larger than it will appear: the warp takes single pixels, which of a large plate make a mess.
    drawn = draw_plate(plate, width=max(64, round(1.5 * math.dist(*corners[:2]))))
    splash(drawn, mud)
    _paste_perspective(scene, drawn, corners)


def draw_screen(scene: Image.Image, text: str, *, distance: float = SCREEN_AT) -> None:
    """Draw a phone that somebody holds to the camera, lying, with a text as large as its screen allows."""
    half_width, half_height = SCREEN_SIZE[0] / 2, SCREEN_SIZE[1] / 2
    held = _Front(distance, 4.0, 0.0)
    corners = held.rectangle(-half_width, SCREEN_HEIGHT - half_height, half_width, SCREEN_HEIGHT + half_height)
    width = round(1.5 * math.dist(*corners[:2]))
    screen = Image.new("RGB", (width, round(width * SCREEN_SIZE[1] / SCREEN_SIZE[0])), (250, 250, 250))
    pen = ImageDraw.Draw(screen)
    size = screen.height
    while True:
        font = ImageFont.load_default(size)
        box = pen.textbbox((0, 0), text, font=font)
        if box[2] - box[0] <= 0.88 * screen.width:
            break
        size = round(size * 0.95)
    origin = ((screen.width - box[0] - box[2]) / 2, (screen.height - box[1] - box[3]) / 2)
    pen.text(origin, text, font=font, fill=(8, 8, 8))
    pen.rectangle((0, 0, screen.width - 1, screen.height - 1), outline=(20, 20, 22), width=max(2, width // 40))
    _paste_perspective(scene, screen, corners)


def photograph(path: Path, *, share: float) -> Image.Image:
    """Return a photograph as the camera would see it; share (0..1] is how much of its final size it has reached."""
    with Image.open(path) as opened:
        photo = opened.convert("RGB")
    photo.thumbnail(PHOTO_LIMIT, Image.Resampling.LANCZOS)
    if share >= 1:
        return photo
    frame = draw_yard().resize(photo.size)
    near = photo.resize((max(1, round(photo.width * share)), max(1, round(photo.height * share))))
    frame.paste(near, ((photo.width - near.width) // 2, (photo.height - near.height) // 2))
    return frame


def take(scene: Image.Image, conditions: Conditions, *, seed: int) -> bytes:
    """Return the JPEG that the camera makes of a scene: its lens, its light, its noise."""
    rng = np.random.default_rng(seed)
    if conditions.blur:
        scene = scene.filter(ImageFilter.GaussianBlur(conditions.blur))
    pixels = np.asarray(scene, dtype=np.float32) * conditions.light
    # One grey noise for all three channels: three times cheaper, and the eye of the reader sees no difference.
    pixels += rng.normal(0, conditions.noise, pixels.shape[:2]).astype(np.float32)[..., None]
    encoded = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(encoded, "JPEG", quality=88)
    return encoded.getvalue()


def black(*, seed: int) -> bytes:
    """Return what a camera without light sees."""
    return take(Image.new("RGB", (WIDTH, HEIGHT)), Conditions(light=1, blur=0, noise=2), seed=seed)
