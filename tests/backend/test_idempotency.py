"""A request with an Idempotency-Key is done once, however often it is sent, and answered alike."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.app import api_routes
from parkshare_backend.clock import new_id
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Answer, Request
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.http.tables import KEPT_ANSWERS
from parkshare_backend.store.engine import Store
from parkshare_backend.store.outbox import account_audience
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, NOON, SEALED_PLATE, Link, period, publish
from tests.backend.support import FakeClock, House, Person, make_person

DAY = 86_400.0


class Note(Request):
    """What the routes of these tests write down."""

    text: str
    fails: str | None = None


class Noted(Answer):
    """What they answer."""

    number: int
    secret: str


notes = Routes()


async def _write(ctx: Context, body: Note) -> Noted:
    """Write a note in two transactions, as a careless feature would."""
    store, outbox = ctx.app[keys.STORE], ctx.app[keys.OUTBOX]
    async with store.write() as tx:
        await outbox.append(tx, account_audience(ctx.account), "note", {"text": body.text})
    if body.fails == "refused":
        raise Problem(NOT_FOUND)
    if body.fails == "broken":
        raise RuntimeError("a defect between two writes")
    if body.fails == "slow":
        await asyncio.sleep(0.2)
    async with store.write() as tx:
        number = await outbox.append(tx, account_audience(ctx.account), "note", {"text": "again"})
    return Noted(number=number, secret=f"whs_{body.text}")


@notes.post("/test/notes", scope=Scope.ACCOUNT, request=Note, response=Noted, status=201, creates=True)
async def write(ctx: Context, body: Note) -> Noted:
    """Write a note."""
    return await _write(ctx, body)


@notes.post("/test/others", scope=Scope.ACCOUNT, request=Note, response=Noted, status=201, creates=True)
async def write_other(ctx: Context, body: Note) -> Noted:
    """Write another kind of note."""
    return await _write(ctx, body)


@pytest.fixture
async def client(app: web.Application, make_client: MakeClient) -> TestClient:
    notes.setup(app)
    return await make_client(app)


type Send = Callable[..., Any]


@pytest.fixture
def send(client: TestClient, renter: Person) -> Send:
    async def sent(
        text: str = "hello", *, key: str | None = None, who: Person | None = None, to: str = "notes", **more: Any
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        headers = (who or renter).headers | ({"Idempotency-Key": key} if key else {})
        answer = await client.post(f"/test/{to}", json={"text": text, **more}, headers=headers)
        return answer.status, await answer.json(), dict(answer.headers)

    return sent


async def written(client: TestClient, person: Person) -> int:
    changes = await client.get("/api/v1/changes", headers=person.headers)
    return len((await changes.json())["items"])


async def test_the_same_request_again_gets_the_same_answer_and_does_nothing(
    client: TestClient, renter: Person, send: Send
) -> None:
    key = new_id()
    first = await send(key=key)
    again = await send(key=key)
    assert first[0] == again[0] == 201
    assert first[1] == again[1]
    assert again[2]["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first[2]
    assert again[2]["Content-Type"] == first[2]["Content-Type"]
    assert await written(client, renter) == 2


async def test_the_same_fields_in_another_order_and_a_quoted_key_are_the_same_request(
    client: TestClient, renter: Person, send: Send
) -> None:
    key = new_id()
    first = await send(key=key, fails=None)
    raw = '{"fails" : null, "text": "hello"}'
    headers = renter.headers | {"Idempotency-Key": f'"{key}"', "Content-Type": "application/json"}
    again = await client.post("/test/notes", data=raw, headers=headers)
    assert (again.status, await again.json()) == (201, first[1])
    assert await written(client, renter) == 2


async def test_a_request_that_makes_something_needs_a_key(send: Send) -> None:
    status, problem, _ = await send()
    assert (status, problem["type"]) == (400, "/problems/idempotency-key-needed")
    for unusable in ("short", "x" * 256, "with spaces in the middle", 'quo"te' * 5):
        status, problem, _ = await send(key=unusable)
        assert (status, problem["type"]) == (400, "/problems/idempotency-key-unusable"), unusable


async def test_a_key_is_for_one_body_and_one_address(client: TestClient, renter: Person, send: Send) -> None:
    key = new_id()
    await send(key=key)
    for other in (await send("bye", key=key), await send(key=key, to="others")):
        assert (other[0], other[1]["type"]) == (422, "/problems/idempotency-key-reused")
    assert await written(client, renter) == 2


async def test_two_accounts_may_have_the_same_key(
    client: TestClient, renter: Person, owner: Person, send: Send
) -> None:
    key = new_id()
    await send(key=key)
    other = await send("bye", key=key, who=owner)
    assert (other[0], other[1]["secret"]) == (201, "whs_bye")


async def test_while_a_request_is_worked_on_its_twin_is_told_to_wait(
    client: TestClient, renter: Person, send: Send
) -> None:
    key = new_id()
    answers = await asyncio.gather(send(key=key, fails="slow"), send(key=key, fails="slow"))
    (told,) = [answer for answer in answers if answer[0] == 409]
    assert told[1]["type"] == "/problems/request-in-progress"
    assert int(told[2]["Retry-After"]) >= 1
    assert await written(client, renter) == 2
    assert (await send(key=key, fails="slow"))[0] == 201
    assert await written(client, renter) == 2


@pytest.mark.parametrize(("fails", "status"), [("refused", 404), ("broken", 500)])
async def test_what_was_refused_or_broke_half_way_left_nothing_and_may_be_tried_again_with_its_key(
    client: TestClient, renter: Person, send: Send, fails: str, status: int
) -> None:
    key = new_id()
    assert (await send(key=key, fails=fails))[0] == status
    assert await written(client, renter) == 0
    assert (await send(key=key))[0] == 201
    assert await written(client, renter) == 2


async def test_an_answer_that_cannot_be_kept_takes_the_work_with_it(
    app: web.Application, client: TestClient, renter: Person, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any) -> None:
        raise RuntimeError("the power is cut here")

    key = new_id()
    with monkeypatch.context() as cut:
        cut.setattr(app[keys.IDEMPOTENCY], "_keep", fails)
        assert (await send(key=key))[0] == 500
    assert await written(client, renter) == 0
    assert (await send(key=key))[0] == 201
    assert await written(client, renter) == 2


async def test_a_key_is_forgotten_after_a_day(
    app: web.Application, client: TestClient, renter: Person, send: Send, clock: FakeClock
) -> None:
    key = new_id()
    await send(key=key)
    clock.move(DAY - 1)
    assert "Idempotency-Replayed" in (await send(key=key))[2]
    clock.move(2)
    assert "Idempotency-Replayed" not in (await send("bye", key=key))[2]
    clock.move(DAY + 1)
    await app[keys.STORE].again(lambda: app[keys.IDEMPOTENCY].sweep(clock.now()))
    async with app[keys.STORE].read() as tx:
        assert await tx.scalar(sa.select(sa.func.count()).select_from(KEPT_ANSWERS)) == 0


async def test_neither_the_key_nor_the_answer_can_be_read_in_the_database(app: web.Application, send: Send) -> None:
    key = new_id()
    await send("hello", key=key)
    async with app[keys.STORE].read() as tx:
        (row,) = await tx.all(sa.select(KEPT_ANSWERS))
    kept = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
    assert b"whs_" not in kept
    assert key.encode() not in kept


async def test_after_a_restart_the_answer_is_still_there(
    settings: Any, clock: FakeClock, client: TestClient, renter: Person, send: Send, make_client: MakeClient
) -> None:
    from parkshare_backend.app import build_app

    key = new_id()
    first = await send(key=key)
    other = build_app(settings, clock=clock)
    notes.setup(other)
    second = await make_client(other)
    headers = renter.headers | {"Idempotency-Key": key}
    answer = await second.post("/test/notes", json={"text": "hello"}, headers=headers)
    assert (answer.status, await answer.json()) == (201, first[1])
    assert await written(client, renter) == 2


async def test_a_token_without_the_right_gets_no_kept_answer(client: TestClient, renter: Person, send: Send) -> None:
    key = new_id()
    await send(key=key)
    other = await make_person(client, scopes=["search"])
    assert (await send(key=key, who=other))[0] == 403


async def test_a_booking_with_a_key_is_made_once(client: TestClient, house: House, renter: Person) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
    body = {"id": new_id(), "space": space.id, "period": period(NOON, NOON + HOUR), "sealed_plate": SEALED_PLATE}
    headers = renter.headers | {"Idempotency-Key": new_id()}
    first = await client.post("/api/v1/bookings", json=body, headers=headers)
    again = await client.post("/api/v1/bookings", json=body, headers=headers)
    assert (first.status, again.status) == (201, 201)
    assert await first.read() == await again.read()
    without = await client.post("/api/v1/bookings", json=body, headers=renter.headers)
    assert without.status == 200


async def test_what_another_task_writes_meanwhile_is_no_part_of_the_request(store: Store) -> None:
    started = asyncio.Event()

    async def other() -> None:
        started.set()
        async with store.write() as tx:
            await tx.execute(sa.text("UPDATE server SET value = 'other' WHERE name = 'server'"))

    async with store.write() as tx:
        await tx.execute(sa.text("INSERT INTO server (name, value) VALUES ('server', 'first')"))
    with pytest.raises(RuntimeError, match="undone"):  # noqa: PT012 - the block is what is undone
        async with store.whole() as tx:
            task = asyncio.create_task(other())
            await started.wait()
            async with store.write() as inner:
                assert inner is tx
                await inner.execute(sa.text("INSERT INTO server (name, value) VALUES ('mine', 'x')"))
            async with store.read() as look:
                assert await look.scalar(sa.text("SELECT value FROM server WHERE name = 'mine'")) == "x"
            raise RuntimeError("undone")
    await task
    async with store.read() as look:
        rows = dict(map(tuple, await look.all(sa.text("SELECT name, value FROM server"))))
    assert rows["server"] == "other"
    assert "mine" not in rows


def test_every_post_of_the_first_release_works_without_a_key_and_new_ones_that_make_something_need_it() -> None:
    optional = {route.path for route in api_routes() if route.creates and route.key_optional}
    assert {"/api/v1/bookings", "/api/v1/standbys/{standby}/accept"} <= optional
    for route in api_routes():
        assert route.method == "POST" or not route.creates, route.path
        if route.method == "POST" and route.status == 201 and route.scope is not None:
            assert route.creates, f"{route.path} makes something: say creates=True"
