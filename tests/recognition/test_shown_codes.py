"""The code that a renter holds before the camera: the reader that reads plates reads it, with its strictest level."""

import base64

import pytest

from custom_components.parkshare.codes.rotating import shown_codes
from custom_components.parkshare.gate.grant import Grant
from custom_components.parkshare.recognition import Decision, EmbeddedReader, Picture, judge
from custom_components.parkshare.recognition.levels import POLICIES, Level
from tests.simulators import picture

AT = 1_795_356_000.0


@pytest.mark.parametrize("number", [3, 200])
async def test_a_code_on_a_phone_is_read_surely_and_never_taken_for_the_last_one(
    reader: EmbeddedReader, number: int
) -> None:
    key = base64.urlsafe_b64encode(bytes([number]) * 16).rstrip(b"=").decode()
    grant = Grant(booking="b1", space="s1", start=AT, end=AT + 3600.0, plate="AB-123-CD", code_key=key)
    code, last = shown_codes(grant, AT)
    scene = picture.draw_yard()
    picture.draw_screen(scene, code)
    looks = [
        await reader.read(Picture(picture.take(scene, picture.Conditions(), seed=seed), AT + seed)) for seed in range(3)
    ]
    assert judge(looks, code, POLICIES[Level.STRICT]).decision is Decision.ADMIT
    assert judge(looks, last, POLICIES[Level.STRICT]).decision is not Decision.ADMIT
    assert judge(looks, grant.plate, POLICIES[Level.STRICT]).decision is not Decision.ADMIT
