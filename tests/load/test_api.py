"""Fuzz every operation of the API as a renter, an owner and a stranger, with ids that exist, on both engines.

    scripts/test --long api [--examples 60]

Whatever is sent gets a documented answer, never a 5xx; and the stranger is never told what belongs to the others.
"""

import asyncio
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_socket
import schemathesis
from hypothesis import HealthCheck, settings as examples
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from parkshare_backend.app import api_routes
from parkshare_backend.clock import new_id
from parkshare_backend.http.openapi import document
from tests.backend.market import HOUR, Link, Renting, booking_request, period, publish
from tests.backend.process import BackendProcess
from tests.backend.support import make_person, pair_house, sign_in
from tests.load.engines import ENGINES, database
from tests.load.street import QUARTER_S, Http

pytestmark = pytest.mark.long

EXAMPLES = int(os.environ.get("PARKSHARE_FUZZ_EXAMPLES", "60"))
KNOWN_SHARE = 0.7  # of the ids in paths are those of things that exist
MARKS = ("Hidden Lane 17", "third bell", "Secret grandmother")
SCHEMA = schemathesis.openapi.from_dict(document(api_routes()))


@dataclass
class Market:
    """A running server with an owner, a renter and a stranger; `ids` are the renter's and the owner's things."""

    server: BackendProcess
    emails: dict[str, str]
    ids: dict[str, str]

    def token(self, role: str) -> str:
        """Sign in anew: some operations end the tokens of their account; one who is gone is somebody new."""

        async def enter() -> str:
            async with Http(self.server.url) as http:
                client: Any = http
                try:
                    return (await sign_in(client, self.emails[role])).token
                except AssertionError:
                    person = await make_person(client, name=role.title())
                    self.emails[role] = person.email
                    return person.token

        return asyncio.run(enter())


async def furnish(url: str) -> tuple[dict[str, str], dict[str, str]]:
    """Make people and things; give the e-mails by role and the ids by path parameter."""
    async with Http(url) as http:
        client: Any = http
        owner, renter, stranger = [await make_person(client, name=name) for name in ("Owner", "Renter", "Stranger")]
        house = await pair_house(client, owner)
        now = int(time.time()) // QUARTER_S * QUARTER_S
        async with Link(client, house) as link:
            month = [(now - HOUR, now + 27 * 24 * HOUR)]
            space = await publish(link, windows=month, address=MARKS[0], access_notes=MARKS[1])
            rene = Renting(client, renter)
            booking = await rene.post(
                "bookings", booking_request(space.id, now + 24 * HOUR, now + 26 * HOUR), status=201
            )
            await link.report("grant.stored", {"booking": booking["id"], "revision": 1}, at=now)
        ids = {"booking": booking["id"], "space": space.id, "install": house.install}
        for name, route, body in (
            ("hold", "holds", {"space": space.id, "period": period(now + 48 * HOUR, now + 49 * HOUR)}),
            ("place", "account/places", {"label": MARKS[2], "position": {"lat": 48.1, "lon": 11.5}}),
            ("webhook", "webhooks", {"url": "https://example.org/hook"}),
            ("feed", "account/feeds", {"label": "phone"}),
        ):
            key = {"Idempotency-Key": new_id()}
            async with http.post(f"/api/v1/{route}", json=body, headers=renter.headers | key) as made:
                ids[name] = (await made.json())["id"]
        return {"owner": owner.email, "renter": renter.email, "stranger": stranger.email}, ids


@pytest.fixture(scope="module", params=ENGINES)
def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    folder: Path = tmp_path_factory.mktemp(request.param)
    with database(request.param, folder) as where:
        server = BackendProcess(folder, PARKSHARE_DATABASE=where).start()
        yield Market(server, *asyncio.run(furnish(server.url)))
        server.stop()
        assert b'"level": "error"' not in server.log.read_bytes(), server.log


@pytest.mark.parametrize("role", ["renter", "owner", "stranger"])
@SCHEMA.parametrize()
@examples(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_every_role_as_documented(
    case: schemathesis.Case, role: str, market: Market, tokens: dict[str, str], socket_enabled: None
) -> None:
    token = tokens.get(role) or tokens.setdefault(role, market.token(role))
    chance = Random(json.dumps([str(case.path_parameters), str(case.body)]))
    parameters: dict[str, Any] = dict(case.path_parameters or {})
    for name in parameters:
        if name in market.ids and chance.random() < KNOWN_SHARE:
            parameters[name] = market.ids[name]
    case.path_parameters = parameters
    response = case.call_and_validate(
        base_url=market.server.url,
        headers={"Authorization": f"Bearer {token}"},
        checks=[
            schemathesis.checks.not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_schema_conformance,
        ],
    )
    if role == "stranger":
        assert not [mark for mark in MARKS if mark in response.text], "the stranger was told what is not theirs"


@pytest.fixture
def tokens(socket_enabled: None) -> dict[str, str]:
    """The tokens of one operation."""
    return {}
