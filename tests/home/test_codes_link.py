"""Codes over the real link: from the web app of a renter to their house and back, and the key in the sealed plate."""

import asyncio
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from homeassistant.core import HomeAssistant

from custom_components.parkshare.codes.rotating import shown_codes
from custom_components.parkshare.gate import words as w
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.keys import key_bytes, to_text
from custom_components.parkshare.link.sealing import SUITE, SealError, info, seal
from tests.home.house_facts import Told, booked, fact, on_disk, proposal, space_of
from tests.home.support import Backend, soon

KEY = "AAECAwQFBgcICQoLDA0ODw"


@pytest.fixture
def hass_storage() -> dict[str, Any]:
    """Real files: a grant is looked at on the disk."""
    return {}


async def helped(backend: Backend, booking: str, code: str) -> dict[str, Any]:
    """Wait until the renter's phone shows that a code was wrong, or right."""
    for _ in range(500):
        found = (await backend.call("GET", f"/api/v1/bookings/{booking}", by=backend.renter))["help"]
        if found["code"] == code:
            return found
        await asyncio.sleep(0.01)
    pytest.fail(f"the phone shows {found}")


async def test_a_code_goes_to_the_house_and_what_came_of_it_to_the_renters_phone(
    hub: ParkShareHub, backend: Backend
) -> None:
    booking = await booked(hub, backend, *soon(starts_in=-20))
    runtime, path = hub.runtime_of(space_of(hub)), f"/api/v1/bookings/{booking}/code"
    right = (await runtime.codes.async_onsite(time.time())).code
    wrong = f"{(int(right) + 500_000) % 1_000_000:06d}"
    await backend.call("POST", path, {"code": wrong}, by=backend.renter)
    assert (await helped(backend, booking, "wrong"))["tries_left"] == 4
    assert runtime.gate.phase is w.Phase.IDLE
    await backend.call("POST", path, {"code": right}, by=backend.renter)
    assert (await helped(backend, booking, "right"))["tries_left"] == 4
    assert runtime.gate.phase in {w.Phase.LOWERING, w.Phase.ADMITTED}
    assert runtime.gate.booking == booking


async def test_the_key_of_the_renter_comes_with_the_plate_and_is_kept_with_the_grant(
    hass: HomeAssistant, hub: ParkShareHub, backend: Backend
) -> None:
    booking = await booked(hub, backend, *soon(), code_key=KEY)
    (stored,) = on_disk(hass, f"grants.{hub.entry.entry_id}")["grants"]
    assert (stored["booking"], stored["code_key"]) == (booking, KEY)
    assert shown_codes(hub.grants.get(booking), 1795356000.0)[0] == "4EC9W2DU"


async def test_a_plate_without_a_key_is_as_good_as_before(hub: ParkShareHub, backend: Backend) -> None:
    booking = await booked(hub, backend, *soon())
    assert hub.grants.get(booking).code_key == ""


@pytest.mark.parametrize("key", ['"AAEC"', "7", "null", '"no base64!"', '"' + KEY + '=="', '["' + KEY + '"]'])
async def test_a_key_that_is_none_is_refused_like_a_plate_that_is_none(
    alone: ParkShareHub, told: Told, key: str
) -> None:
    plain = f'{{"plate": "AB-123-CD", "code_key": {key}}}'.encode().ljust(128)
    public = X25519PublicKey.from_public_bytes(key_bytes(alone.keys.seal_public))
    sealed = to_text(SUITE.encrypt(plain, public, info(booking="b1", space=space_of(alone))))
    await alone.on_event(fact("booking.proposed", proposal(alone, "b1", *soon()) | {"sealed_plate": sealed}))
    assert told.of("grant.refused") == [{"booking": "b1", "revision": 1, "reason": "cannot-open-plate"}]


def test_a_sealed_plate_tells_by_its_length_neither_the_plate_nor_whether_there_is_a_key(alone: ParkShareHub) -> None:
    bound = {"key": alone.keys.seal_public, "booking": "b1", "space": space_of(alone)}
    sealed = {len(seal(plate, code_key=key, **bound)) for plate in ("A1", "ÄÖÜ 9999 XY") for key in ("", KEY)}
    assert sealed == {235}
    with pytest.raises(SealError):
        seal("A" * 100, code_key=KEY, **bound)
