"""What the server did not expect: each gets an answer that blames the sender, never "the server failed"."""

import gzip

import pytest
from aiohttp.test_utils import TestClient

from tests.backend.market import Link, booking_request, place, publish
from tests.backend.support import NOON, House, Person

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("start", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
async def test_a_time_outside_the_calendar_is_named(
    client: TestClient, renter: Person, house: House, start: str
) -> None:
    period = {"start": start, "end": start}
    for path, body in (
        ("bookings", booking_request("01a2040e-74fb-73b0-9284-3d3183d31d8e") | {"period": period}),
        ("searches", {"place": place(), "period": period}),
    ):
        answer = await client.post(f"/api/v1/{path}", json=body, headers=renter.headers)
        assert answer.status == 422, path
        assert (await answer.json())["errors"][0]["pointer"].startswith("/period/")
    fixes = {"fixes": [place() | {"at": start}]}
    answer = await client.post("/api/v1/positions", json=fixes, headers=renter.headers)
    assert (await answer.json())["errors"][0]["pointer"] == "/fixes/0/at"


@pytest.mark.parametrize(("body", "status"), [(b"no gzip", 400), (gzip.compress(b" " * 1_000_000), 413)])
async def test_a_compressed_body_that_cannot_be_read_is_refused(client: TestClient, body: bytes, status: int) -> None:
    answer = await client.post("/api/v1/tokens", data=body, headers=JSON | {"Content-Encoding": "gzip"})
    assert answer.status == status
    assert (await answer.json())["status"] == status


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "multipart/form-data"}, b"x"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"x"),
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\nabc"),
        ({"Content-Type": "application/x-www-form-urlencoded; charset=foo"}, b"a=b"),
        (FORM, b"\xff=\xfe"),
        (FORM | {"Origin": "http://["}, b"a=b"),
    ],
)
async def test_a_form_that_no_browser_of_ours_sends_is_refused(
    client: TestClient, headers: dict[str, str], body: bytes
) -> None:
    for path in ("/link/sign-in", "/link/decide"):
        answer = await client.post(path, data=body, headers=headers)
        assert answer.status in {400, 403}, path


async def test_a_time_of_a_house_outside_the_calendar_is_refused(client: TestClient, house: House) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        await link.report("owner.near", {"space": space.id, "at": "9999-12-31T23:59:59-12:00"})
        answer = await link.request(
            "windows.publish",
            {
                "space": space.id,
                "windows": [{"start": "0001-01-01T00:00:00+12:00", "end": "2026-11-22T13:00:00Z"}],
            },
        )
        assert answer["problem"]["errors"][0]["pointer"] == "/d/windows/0/start"
        await link.report("never.heard", {}, at=NOON)
