"""Several servers on one database with one payment provider: each piece of work is done once, whoever does it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parkshare_backend import keys
from parkshare_backend.money import due
from parkshare_backend.money.checkout import Charge, Checkout, Session
from parkshare_backend.money.due import LEASE_S
from parkshare_backend.money.hosted import HostedCheckout
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import Store
from tests.backend.market import HOUR, Link, Renting, publish
from tests.backend.support import NOON, FakeClock, House, Person
from tests.simulators.checkout import KEY, SECRET, CheckoutSimulator

PAGES = ("POST", "/v1/checkout/sessions")


class DetainedCheckout(Checkout):
    """The provider's API for a server that stands still between an answer and writing it down."""

    def __init__(self, url: str) -> None:
        super().__init__(url=url, key=KEY, return_url="http://localhost:8732/paid")
        self.answered = asyncio.Event()
        self.go_on = asyncio.Event()

    async def open(self, charge: Charge) -> Session:
        page = await super().open(charge)
        self.answered.set()
        await self.go_on.wait()
        return page


@pytest.fixture
async def provider(clock: FakeClock, socket_enabled: None) -> AsyncIterator[CheckoutSimulator]:
    simulator = CheckoutSimulator(now=clock.now)
    server = TestServer(simulator.app())
    await server.start_server()
    simulator.url = str(server.make_url("")).rstrip("/")
    yield simulator
    await server.close()


@pytest.fixture
def settings(database: str, provider: CheckoutSimulator) -> Settings:
    return Settings(
        database=database, password_memory_kib=8, password_passes=1, rate_limits=0,
        payments="checkout", checkout_url=provider.url, checkout_secret_key=KEY, checkout_webhook_secret=SECRET,
    )  # fmt: skip


@pytest.fixture
async def phone(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


@pytest.fixture
async def detained(
    app: web.Application, client: TestClient, database: str, provider: CheckoutSimulator, clock: FakeClock
) -> AsyncIterator[HostedCheckout]:
    """The checkout of another server of the same database."""
    here = app[keys.CHECKOUT]
    assert here is not None
    store = Store(database)
    api = DetainedCheckout(provider.url)
    there = HostedCheckout(store=store, clock=clock, api=api, outcomes=here.outcomes, minutes=30)
    yield there
    await there.close()
    await store.close()


async def forget_pages(app: web.Application, bookings: list[str], clock: FakeClock) -> None:
    """Let pages be due as if nobody had asked for them yet, and nobody had been woken."""
    async with app[keys.STORE].write() as tx:
        for row in await due.of_bookings(tx, bookings):
            await due.change(tx, row.id, state="due", session=None, url=None, due_at=clock.now(), tries=0)


async def opened(phone: Renting, booking: str) -> dict[str, str | None]:
    async with asyncio.timeout(20):
        while (found := await phone.get(f"bookings/{booking}"))["payment"]["url"] is None:  # noqa: ASYNC110 - of another server
            await asyncio.sleep(0.01)
    return dict(found["payment"]) | {"booking": found["state"]}


async def test_two_servers_that_work_at_the_same_time_ask_for_each_page_once(
    client: TestClient, house: House, phone: Renting, provider: CheckoutSimulator, app: web.Application,
    detained: HostedCheckout, clock: FakeClock,
) -> None:  # fmt: skip
    async with Link(client, house) as link:
        space = await publish(link, windows=[(NOON, NOON + 48 * HOUR)])
        starts = [NOON + (2 + 3 * n) * HOUR for n in range(6)]
        booked = [(await phone.book(space.id, start, start + HOUR))["id"] for start in starts]
        for booking in booked:
            await opened(phone, booking)
        provider.requests.clear()
        await forget_pages(app, booked, clock)
        here, api = app[keys.CHECKOUT], detained._api
        assert here is not None
        assert isinstance(api, DetainedCheckout)
        api.go_on.set()
        await asyncio.gather(here.sweep(clock.now()), detained.sweep(clock.now()))
        asked = [form["client_reference_id"] for method, path, form in provider.requests if (method, path) == PAGES]
        assert len(asked) == len(set(asked)) == len(booked)
        for booking in booked:
            assert (await opened(phone, booking))["state"] == "open"


async def test_a_server_that_stood_still_leaves_the_page_that_another_has_opened_since(
    client: TestClient, house: House, phone: Renting, provider: CheckoutSimulator, app: web.Application,
    detained: HostedCheckout, clock: FakeClock,
) -> None:  # fmt: skip
    async with Link(client, house) as link:
        space = await publish(link)
        booked = (await phone.book(space.id))["id"]
        await opened(phone, booked)
        here, api = app[keys.CHECKOUT], detained._api
        assert here is not None
        assert isinstance(api, DetainedCheckout)
        async with here._working:  # nothing is under way here any more
            await forget_pages(app, [booked], clock)
            late = asyncio.create_task(detained.sweep(clock.now()))
            await asyncio.wait_for(api.answered.wait(), 20)
        clock.move(LEASE_S + 1)
        await here.sweep(clock.now())
        await opened(phone, booked)
        api.go_on.set()
        await late
        await here.sweep(clock.now())
        assert provider.sessions["cs_1"]["status"] == "open"
        shown = await opened(phone, booked)
        assert (shown["state"], shown["url"]) == ("open", provider.sessions["cs_1"]["url"])
        assert shown["booking"] == "pending"
