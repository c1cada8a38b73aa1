"""A renter whose plate is not read shows the code of their phone to the camera of a running house."""

import time
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import patch

import pytest

from custom_components.parkshare.codes.rotating import shown_codes
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.gate.policy import GatePolicy
from custom_components.parkshare.recognition import WHOLE, Effort, Look, Picture, Region
from tests.home.gate_house import PLATE, POLICY, House, house, things
from tests.home.hardware import PlateReader
from tests.recognition.matrices import look, reading

__all__ = ["house", "things"]  # fixtures

KEY = "AAECAwQFBgcICQoLDA0ODw"


class SureReader(PlateReader):
    """Reads the text that the camera shows, and says how sure it is of every other."""

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[Picture] = []

    async def read(self, picture: Picture) -> Look:
        self.pictures.append(picture)
        text = picture.content.split(b"|")[0].decode()
        at = picture.taken_at
        return look(reading(text, at=at), at=at) if text else Look((), at, "fake")


@pytest.fixture
def reader() -> Iterator[SureReader]:
    reader = SureReader()
    with patch("custom_components.parkshare.hub.EmbeddedReader", return_value=reader):
        yield reader


@pytest.fixture
def gate_policy() -> GatePolicy:
    return replace(POLICY, harder_after=0.1, owner_after=30.0, code_after=60.0, call_after=90.0)


async def booked(house: House, *, code_key: str = KEY) -> Grant:
    """A booking whose renter's program made a key for codes."""
    now = time.time()
    grant = Grant(
        booking="b1",
        space=house.space_id,
        start=now - 60,
        end=now + 3600,
        plate=PLATE,
        alias="Rosa",
        code_key=code_key,
    )
    await house.hub.grants.async_put(grant)
    await house.space.async_grants_changed()
    return grant


async def test_a_code_on_the_renters_phone_opens_once_the_house_looks_harder(house: House, reader: SureReader) -> None:
    grant = await booked(house)
    await house.here()
    house.camera.plate = shown_codes(grant, time.time())[0]
    await house.until(lambda: house.space.gate.phase is w.Phase.ADMITTED)
    assert house.lock.calls == ["down"]
    (decided,) = house.told("admission.decided")
    assert (decided["decision"], decided["by"]) == ("admit", "code")


async def test_an_old_code_opens_nothing(house: House, reader: SureReader) -> None:
    grant = await booked(house)
    await house.here()
    house.camera.plate = shown_codes(grant, time.time() - 600)[0]
    await house.until(lambda: house.space.gate.rung is w.Rung.HARDER)
    reads = len(reader.pictures)
    await house.until(lambda: len(reader.pictures) > reads + 10)
    assert house.lock.calls == []


@pytest.mark.parametrize("house", [{"region": [0.2, 0.2, 0.6, 0.6]}], indirect=True)
async def test_harder_is_the_whole_picture_with_other_settings_and_the_next_car_is_looked_at_as_usual(
    house: House, reader: SureReader
) -> None:
    await booked(house)
    await house.here()
    await house.until(lambda: len({picture.effort for picture in reader.pictures}) == len(Effort))
    usual = [picture for picture in reader.pictures if picture.effort is Effort.USUAL]
    harder = [picture for picture in reader.pictures if picture.effort is not Effort.USUAL]
    assert {picture.region for picture in usual} == {Region(0.2, 0.2, 0.6, 0.6)}
    assert {picture.region for picture in harder} == {WHOLE}
    await house.hub.grants.async_withdraw("b1")
    await house.space.async_grants_changed()
    await house.until(lambda: house.state("switch.power") == "off")
    house.space.policy = replace(house.space.policy, harder_after=60.0)
    since = time.time()
    await booked(house)
    await house.here()
    await house.until(lambda: any(picture.taken_at > since for picture in reader.pictures))
    assert {picture.effort for picture in reader.pictures if picture.taken_at > since} == {Effort.USUAL}
