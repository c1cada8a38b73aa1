"""Eyes for the display at the space: what a renter who stands before it reads off the picture.

The plate reader stands in for the renter's eyes, so the picture itself has to be good: nothing else tells the code.
"""

import asyncio
import io

from PIL import Image

from custom_components.parkshare.recognition import EmbeddedReader, Picture

DIGITS = 6
PATIENCE_S = 60.0  # nobody waits before a barrier here, and the cores may have much else to do
SCENE = (1280, 720)  # as if photographed from some steps away
SHARE = 0.4  # of the scene's width that the display takes


async def code_on(display: bytes) -> str:
    """Read the code off the display's picture. Raises LookupError when it shows none."""
    reader = EmbeddedReader(read_timeout=PATIENCE_S, start_timeout=PATIENCE_S)
    try:
        look = await reader.read(Picture(await asyncio.to_thread(_seen, display), 0.0))
    finally:
        await reader.stop()
    codes = [reading.text for reading in look.readings if reading.text.isdigit() and len(reading.text) == DIGITS]
    if not codes:
        raise LookupError("The display at the space shows no code")
    return codes[0]


def _seen(display: bytes) -> bytes:
    with Image.open(io.BytesIO(display)) as sheet:
        width = round(SCENE[0] * SHARE)
        small = sheet.convert("RGB").resize((width, round(width * sheet.height / sheet.width)))
    scene = Image.new("RGB", SCENE, (110, 112, 114))
    scene.paste(small, ((SCENE[0] - small.width) // 2, (SCENE[1] - small.height) // 2))
    photographed = io.BytesIO()
    scene.save(photographed, "JPEG", quality=92)
    return photographed.getvalue()
