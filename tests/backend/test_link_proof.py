"""Who gets on the link: houses that prove themselves and speak its frames."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from parkshare_backend.app import build_app
from parkshare_backend.link import session
from parkshare_backend.link.proof import is_ours
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.support import House, HouseLink, Person, make_person, pair_house


@pytest.mark.parametrize(
    "changed",
    [
        {"sig": "AAAA"},
        {"install": "01998b1c-0000-7000-8000-000000000000"},
        {"signed": {"host": "evil.example"}},
        {"signed": {"nonce": "another"}},
        {"signed": {"time": "2020-01-01T00:00:00Z"}},
        {"signed": {"install": "another"}},
    ],
)
async def test_a_house_that_cannot_prove_itself_is_refused(
    client: TestClient, house: House, changed: dict[str, Any]
) -> None:
    link = HouseLink(client, house)
    await link.dial()
    await link.say_auth(**changed)
    assert (await link.hear("refused"))["type"] == "/problems/bad-key"
    assert await link.closed() == 4401


async def test_another_houses_key_does_not_open_this_one(client: TestClient, owner: Person, house: House) -> None:
    thief = await pair_house(client, owner)
    link = HouseLink(client, House(install=house.install, sign=thief.sign))
    await link.dial()
    await link.say_auth()
    assert await link.hear("refused")
    assert await link.closed() == 4401


async def test_a_signature_opens_one_connection_only(client: TestClient, house: House) -> None:
    first = HouseLink(client, house)
    await first.dial()
    second = HouseLink(client, house)
    await second.dial()
    await second.say_auth(signed={"nonce": first.hello["nonce"]})
    assert (await second.hear("refused"))["type"] == "/problems/bad-key"
    assert await second.closed() == 4401
    await first.socket.close()


async def test_a_house_of_another_version_is_told_to_upgrade(client: TestClient, house: House) -> None:
    link = HouseLink(client, house)
    await link.dial()
    await link.say_auth(v=2)
    assert (await link.hear("refused"))["type"] == "/problems/upgrade-needed"
    assert await link.closed() == 4426


async def test_a_caller_that_says_nothing_is_cut_off(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "AUTH_WITHIN", 0.05)
    link = HouseLink(client, House())
    await link.dial()
    assert await link.closed() == 4408


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"k": 1}', "{}", '{"k":"ev"}', '{"k":"ev","q":0,"id":"a","t":"t","at":"x","d":{}}',
     '{"k":"ev","q":true,"id":"a","t":"t","at":"x","d":{}}', '{"k":"ev","q":1,"id":"a","t":"t","at":"x","d":[]}',
     '{"k":"ack","q":-1}', '{"k":"ack","q":1e400}', '{"k":"ack","q":99}', '{"k":"auth"}', "[" * 5000,
     '{"k":"req","id":"' + "x" * 201 + '","t":"t","key":"k","d":{}}'],
)  # fmt: skip
async def test_a_bad_frame_ends_the_connection_and_nothing_else(client: TestClient, house: House, text: str) -> None:
    async with HouseLink(client, house) as link:
        await link.socket.send_str(text)
        assert await link.closed() == 4400
    async with HouseLink(client, house) as link:
        assert link.ready["resumed"]


async def test_a_frame_before_auth_and_a_binary_frame_are_bad(client: TestClient, house: House) -> None:
    early = HouseLink(client, house)
    await early.dial()
    await early.say("ack", q=0)
    assert await early.closed() == 4400
    async with HouseLink(client, house) as link:
        await link.socket.send_bytes(b"{}")
        assert await link.closed() == 4400


async def test_a_frame_over_256_kib_ends_the_connection(client: TestClient, house: House) -> None:
    async with HouseLink(client, house) as link:
        await link.say("eph", t="x", d={"x": "x" * 300 * 1024})
        assert await link.closed() == 1009


async def test_unknown_kinds_types_and_members_are_passed_over(client: TestClient, house: House) -> None:
    async with HouseLink(client, house) as link:
        await link.say("novelty", x=1)
        await link.say("eph", t="approach", d={})
        assert await link.report("never.heard", {"x": 1}, extra=1) == 1


@pytest.mark.parametrize(
    ("host", "public_url", "expected"),
    [
        ("park.example.org", "https://park.example.org", True),
        ("PARK.example.org", "https://park.example.org", True),
        ("park.example.org:443", "https://park.example.org", True),
        ("park.example.org:8443", "https://park.example.org", False),
        ("evil.example", "https://park.example.org", False),
        ("park.example.org:x", "https://park.example.org", False),
        ("", "https://park.example.org", False),
        ("192.0.2.7:8732", "https://park.example.org", True),
        ("192.0.2.8:8732", "https://park.example.org", False),
        ("parkshare.lan:8732", "http://localhost:8732", True),
    ],
)
def test_a_server_knows_its_own_addresses(host: str, public_url: str, expected: bool) -> None:
    assert is_ours(host, public_url=public_url, own_address="192.0.2.7") is expected


async def test_a_proof_that_somebody_in_between_passes_on_is_refused(
    settings: Settings, make_client: MakeClient
) -> None:
    client = await make_client(build_app(settings.model_copy(update={"public_url": "https://park.example.org"})))
    house = await pair_house(client, await make_person(client))
    async with HouseLink(client, house) as direct:
        assert direct.ready
    passed_on = HouseLink(client, house)
    passed_on.socket = await client.ws_connect("/api/v1/link", headers={"Host": "evil.example"})
    passed_on.hello = await passed_on.hear("hello")
    await passed_on.say_auth(signed={"host": "evil.example"})
    assert (await passed_on.hear("refused"))["type"] == "/problems/wrong-host"
    assert await passed_on.closed() == 4401
