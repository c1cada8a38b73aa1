"""The log of requests: a line for each, but for what phones send all the time."""

from aiohttp import web
from aiohttp.test_utils import TestClient
from structlog.testing import capture_logs

from parkshare_backend import keys
from parkshare_backend.clock import to_rfc3339
from tests.backend.market import place
from tests.backend.support import NOON, Person


async def test_requests_of_a_hot_route_are_told_together_and_refused_ones_alone(
    app: web.Application, client: TestClient, renter: Person
) -> None:
    good = {"fixes": [place() | {"at": to_rfc3339(NOON)}]}
    app[keys.ACCESS].tell()
    with capture_logs() as lines:
        for _ in range(3):
            await client.post("/api/v1/positions", json=good, headers=renter.headers)
        await client.post("/api/v1/positions", json={"fixes": []}, headers=renter.headers)
        await client.get("/api/v1/me", headers=renter.headers)
        app[keys.ACCESS].tell()
        app[keys.ACCESS].tell()
    told = [line for line in lines if "path" in line]
    alone = [(line["path"], line["status"]) for line in told if line["event"] == "http"]
    assert alone == [("/api/v1/positions", 422), ("/api/v1/me", 200)]
    together = [line for line in told if line["event"] == "http.many"]
    assert {line["path"] for line in together} == {"/api/v1/positions"}
    # The server tells of its own accord as well; it may have come in between.
    assert sum(line["count"] for line in together) == 3
