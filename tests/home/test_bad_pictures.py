"""Whatever a camera sends instead of a picture: the owner is told once, and the next good picture opens as ever."""

import asyncio
import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from homeassistant.core import callback
from homeassistant.helpers import issue_registry as ir
from PIL import Image

from custom_components.parkshare.const import DOMAIN
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.recognition import Look, Picture, ReaderTimeout, ReaderUnavailable
from custom_components.parkshare.recognition.pictures import open_picture
from custom_components.parkshare.seeing.burst import Fault
from tests.home.gate_house import PLATE, House, house, things
from tests.home.hardware import PlateReader

__all__ = ["house", "things"]  # fixtures, which stand in for those of conftest.py

SECRET = "rtsp://admin:hunter2@192.0.2.7/live"


def jpeg(width: int = 640, height: int = 480) -> bytes:
    encoded = io.BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few hundred kilobytes that says of itself how large it is, and unpacks to that size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes((width + 1) * min(height, 20_000)), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


BAD = {
    "an error page": b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>",
    "a picture that is cut off": jpeg()[:9000],
    "a PNG bomb": png_of(20_000, 20_000),
    "a hundred megapixels": png_of(10_000, 10_000),
    "a stamp": jpeg(8, 8),
    "more bytes than a picture has": bytes(21_000_000),
}


class OpeningReader(PlateReader):
    """Opens pictures as the real one does, which would read them in its own process."""

    def __init__(self) -> None:
        super().__init__()
        self.plate = ""
        self.fails: list[Exception] = []

    async def read_best(self, pictures: Any) -> Look:
        if self.fails:
            raise self.fails.pop(0)
        picture = pictures[-1]
        open_picture(picture.content)
        return await super().read(Picture(self.plate.encode(), picture.taken_at))


@pytest.fixture
def reader() -> Iterator[OpeningReader]:
    reader = OpeningReader()
    with patch("custom_components.parkshare.hub.EmbeddedReader", return_value=reader):
        yield reader


@pytest.fixture(autouse=True)
def impatient() -> Iterator[None]:
    """A tenth of a second is a while here."""
    patience = dict.fromkeys(Fault, 0.1)
    with (
        patch("custom_components.parkshare.seeing.burst.Streak.PATIENCE", patience),
        # More than the half second by which the harness may run ahead of the clock.
        patch("custom_components.parkshare.seeing.pictures.PICTURE_LIMIT", 0.7),
    ):
        yield


class Told:
    """What Home Assistant showed its owner: each repair issue as often as it appeared."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.appeared: list[str] = []
        house.hass.bus.async_listen(ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED, self._heard)

    @callback
    def _heard(self, event: Any) -> None:
        if event.data["action"] != "remove":
            self.appeared.append(event.data["issue_id"])

    def issue(self, key: str = "pictures") -> ir.IssueEntry | None:
        return ir.async_get(self.house.hass).async_get_issue(DOMAIN, f"{DOMAIN}_{self.house.space_id}_{key}")

    def notice(self, key: str) -> dict[str, Any] | None:
        return self.house.hass.data["persistent_notification"].get(f"{DOMAIN}_{self.house.space_id}_{key}")


@pytest.fixture
def told(house: House) -> Told:
    return Told(house)


async def sends(house: House, content: bytes | None, *, wait: float = 0.0) -> None:
    """From now on the camera sends this, each time with other last bytes, as a real one would."""

    async def shows() -> bytes | None:
        await asyncio.sleep(wait)
        return None if content is None else content + str(house.camera.pictures).encode()

    house.camera.shows = shows


async def good_picture_admits(house: House, reader: OpeningReader) -> None:
    reader.plate = PLATE
    await sends(house, jpeg())
    await house.here()
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert house.lock.calls == ["down"]


@pytest.mark.parametrize("content", BAD.values(), ids=list(BAD))
async def test_what_is_no_picture_is_told_once_and_the_next_good_one_opens(
    house: House, reader: OpeningReader, told: Told, content: bytes
) -> None:
    await sends(house, content)
    await house.grant()
    await house.here()
    await house.until(told.issue)
    assert told.issue().translation_key == "pictures_unusable"
    assert told.issue().translation_placeholders["entity"] == "camera.bay"
    assert told.issue().translation_placeholders["reason"].endswith(".")
    await asyncio.sleep(0.5)
    assert len(told.appeared) == 1
    assert house.lock.calls == []
    await good_picture_admits(house, reader)
    assert told.issue() is None


@pytest.mark.parametrize(("content", "wait"), [(None, 0.0), (jpeg(), 60.0), (b"", 0.0)])
async def test_a_camera_that_gives_nothing_or_never_ends_is_told_once(
    house: House, reader: OpeningReader, told: Told, content: bytes | None, wait: float
) -> None:
    async def nothing() -> bytes | None:
        await asyncio.sleep(wait)
        return content

    house.camera.shows = nothing
    await house.grant()
    await house.here()
    await house.until(told.issue)
    assert told.issue().translation_key == "pictures_silent"
    await asyncio.sleep(0.3)
    assert len(told.appeared) == 1
    await good_picture_admits(house, reader)
    assert told.issue() is None


async def test_a_camera_that_raises_whatever_it_likes_ends_nothing_and_tells_no_secret(
    house: House, reader: OpeningReader, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    async def raises() -> bytes:
        raise ValueError(f"cannot connect to {SECRET}")

    house.camera.shows = raises
    await house.grant()
    await house.here()
    await house.until(told.issue)
    assert SECRET not in repr(told.issue())
    assert not [record for record in caplog.records if "parkshare" in record.name and SECRET in record.getMessage()]
    await good_picture_admits(house, reader)


async def test_a_frozen_camera_is_told_once(house: House, reader: OpeningReader, told: Told) -> None:
    house.camera.frozen = True
    await sends(house, jpeg())
    await house.grant()
    await house.here()
    await house.until(told.issue)
    assert told.issue().translation_key == "pictures_frozen"
    house.camera.frozen = False
    await good_picture_admits(house, reader)
    assert told.issue() is None


async def test_one_glitch_is_nobodys_business(house: House, reader: OpeningReader, told: Told) -> None:
    await sends(house, BAD["an error page"])
    await house.grant()
    await house.until(lambda: house.camera.pictures == 1)
    await good_picture_admits(house, reader)
    assert told.appeared == []


async def test_the_trouble_is_cleared_away_with_the_space(house: House, reader: OpeningReader, told: Told) -> None:
    await sends(house, BAD["an error page"])
    await house.grant()
    await house.until(told.issue)
    assert await house.hass.config_entries.async_unload(house.entry.entry_id)
    assert told.issue() is None


async def test_a_reader_that_dies_over_a_picture_is_told_and_the_next_picture_is_read(
    house: House, reader: OpeningReader, told: Told
) -> None:
    words = "The plate reader was ended by SIGSEGV. The next picture is read by a new one."
    reader.fails = [ReaderTimeout(words), ReaderTimeout(words)]
    await house.grant()
    await good_picture_admits(house, reader)
    assert words in told.notice("reader_broke_off")["message"]
    assert told.appeared == []


async def test_a_reader_that_cannot_work_is_told_until_it_can(house: House, reader: OpeningReader, told: Told) -> None:
    reader.fails = [ReaderUnavailable("The models are missing.", "Install again.")] * 2
    with patch("custom_components.parkshare.seeing.looking.NEXT_READER", 0.2):
        await sends(house, jpeg())
        await house.grant()
        await house.until(lambda: told.issue("reader"))
        await good_picture_admits(house, reader)
    assert len(told.appeared) == 1
    assert told.issue("reader") is None
