"""Bookings that live through anything in any order: the books must add up after every single step."""

import asyncio
import random as stdlib_random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import HealthCheck, settings as how_often, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.bookings.lifecycle import Cause, TransitionRefused
from parkshare_backend.money import due, ledger, quotes
from parkshare_backend.money.audit import audit
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.periods import Period
from tests.backend.market import Link, Published, Renting, booking_request, publish
from tests.backend.support import FakeClock, make_person, pair_house
from tests.simulators.checkout import KEY, SECRET, CheckoutSimulator

TERMS = {"cancel_until_minutes": 90, "take_back_minutes": 0, "late_stop_time": 0, "noshow_percent": 70}
CAUSES = sorted(set(Cause) - {Cause.EXTENDED, Cause.CHANGED, Cause.SHORTENED})
RESIZING = [Cause.EXTENDED, Cause.CHANGED, Cause.SHORTENED]
MINUTES = st.integers(0, 180)


@dataclass
class World:
    """A server, its provider and a market, for all examples of one run."""

    client: TestClient
    app: Any
    clock: FakeClock
    provider: CheckoutSimulator
    phone: Renting
    spaces: list[Published]
    undelivered: list[dict[str, Any]] = field(default_factory=list)


async def start(database: str, payments: str) -> World:
    clock = FakeClock()
    provider = CheckoutSimulator(now=clock.now)
    simulated = TestServer(provider.app())
    await simulated.start_server()
    settings = Settings(
        database=database, password_memory_kib=8, password_passes=1, rate_limits=0, platform_fee_bp=777,
        minimum_charge_minor=300, payments=payments, checkout_url=str(simulated.make_url("")).rstrip("/"),
        checkout_secret_key=KEY, checkout_webhook_secret=SECRET,
    )  # fmt: skip
    app = build_app(settings, clock=clock, random=stdlib_random.Random(7))
    client = TestClient(TestServer(app))
    await client.start_server()
    owner, renter = await make_person(client, name="Olga"), await make_person(client, name="Rene")
    house = await pair_house(client, owner)
    async with Link(client, house) as link:
        spaces = [await publish(link, north_m=10 * n, terms=TERMS, price=price(n)) for n in range(4)]
    return World(client, app, clock, provider, Renting(client, renter), spaces)


def price(n: int) -> dict[str, Any]:
    return {"amount_minor": (251, 0, 99, 1001)[n], "currency": "EUR"}


class Books(RuleBasedStateMachine):
    """What happens to bookings, and what must hold after each thing."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    world: World
    bookings = Bundle("bookings")

    @rule(target=bookings, space=st.integers(0, 3), ahead=MINUTES, length=st.integers(5, 600))
    def book(self, space: int, ahead: int, length: int) -> str:
        start = self.world.clock.now() + 60 * ahead
        request = booking_request(self.world.spaces[space].id, start, start + 60 * length)
        self.run(self.world.phone.post("bookings", request, status=None))
        return str(request["id"])

    @rule(booking=bookings, cause=st.sampled_from(CAUSES), ago=st.integers(0, 60))
    def happens(self, booking: str, cause: Cause, ago: int) -> None:
        at = self.world.clock.now() - 60 * ago
        self.run(self._again(lambda: self._advance(booking, cause, at=at)))

    @rule(booking=bookings, cause=st.sampled_from(RESIZING), length=st.integers(5, 600))
    def gets_another_period(self, booking: str, cause: Cause, length: int) -> None:
        self.run(self._again(lambda: self._advance(booking, cause, length=length)))

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.world.clock.move(60 * minutes)
        self.run(self._again(lambda: self.world.app[keys.BOOKINGS].sweep(self.world.clock.now())))

    @rule(fault=st.none() | st.sampled_from([500, 429, "lost"]))
    def provider_is_asked(self, fault: Any) -> None:
        self.world.provider.faults.extend([fault] if fault else [])
        self.run(self._sweep())
        self.world.provider.faults.clear()

    @rule(choice=st.integers(0, 1000), tells=st.booleans())
    def somebody_pays(self, choice: int, tells: bool) -> None:
        provider = self.world.provider
        payable = [name for name, page in provider.sessions.items() if page["status"] == "open"]
        if payable:
            event = provider.pay(payable[choice % len(payable)])
            self.world.undelivered.append(event)
            if tells:
                self.run(provider.deliver(self.world.client, event))

    @rule(choice=st.integers(0, 1000))
    def an_event_comes_late_or_again(self, choice: int) -> None:
        if told := self.world.undelivered:
            assert self.run(self.world.provider.deliver(self.world.client, told[choice % len(told)])) == 200

    @invariant()
    def the_books_add_up(self) -> None:
        assert self.run(audit(self.world.app[keys.STORE])) == []

    def teardown(self) -> None:
        """End everything; then what the provider has must be what the books say that renters paid."""
        self.run(self._settle())
        self.run(self._compare())

    async def _advance(self, booking: str, cause: Cause, *, at: float | None = None, length: int = 0) -> None:
        async with self.world.app[keys.STORE].write() as tx:
            bookings = self.world.app[keys.BOOKINGS]
            found = await bookings.get_with_space(tx, booking)
            # A house says nothing of a booking that it was never told of.
            if found is None or (found[0].unpaid and cause not in {Cause.CANCELED, Cause.TAKEN_BACK, Cause.ENDED}):
                return
            period = Period(found[0].period.start, found[0].period.start + 60 * length) if length else None
            try:
                async with tx.savepoint():
                    await bookings.advance(tx, *found, cause, at=at, period=period)
            except TransitionRefused:
                return
            except Exception as refused:
                if "space-taken" not in str(refused):
                    raise

    async def _again(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Do it as a door of the server does: again, when another transaction came first."""
        await self.world.app[keys.STORE].again(work)

    async def _sweep(self) -> None:
        await self.world.app[keys.CHECKOUT].sweep(self.world.clock.now())

    async def _settle(self) -> None:
        for event in self.world.undelivered:
            await self.world.provider.deliver(self.world.client, event)
        self.world.undelivered.clear()
        store = self.world.app[keys.STORE]
        async with store.read() as tx:
            open_ones = [b.id for b, _ in await self.world.app[keys.BOOKINGS].live_of_renter(
                tx, self.world.phone.person.id, Period(0, 2**40)
            )]  # fmt: skip
        for booking in open_ones:
            for cause in (Cause.LEFT, Cause.CANCELED, Cause.TAKEN_BACK):
                await self._again(partial(self._advance, booking, cause))
        for _ in range(3):
            self.world.clock.move(61)
            await self._sweep()
        assert await audit(store) == []

    async def _compare(self) -> None:
        async with self.world.app[keys.STORE].read() as tx:
            rows = await tx.all(due.SETTLEMENTS.select())
            for booking in {row.booking for row in rows}:
                fixed = await quotes.newest(tx, booking)
                assert fixed is not None
                have, _ = await ledger.held(tx, booking, fixed.owner)
                mine = [row for row in rows if row.booking == booking]
                charged = sum(row.amount_minor for row in mine if row.kind == "charge" and row.state != "expired")
                back = sum(row.amount_minor for row in mine if row.kind == "refund")
                assert charged - back == max(have.renter_pays, 0), booking
        paid = sum(self.world.provider.payments.values())
        back = sum(refund["amount"] for refund in self.world.provider.refunds.values())
        async with self.world.app[keys.STORE].read() as tx:
            assert await ledger.balance(tx, ledger.clearing("checkout"), "EUR") == back - paid


@pytest.mark.parametrize("payments", ["credits", "checkout"])
def test_whatever_happens_to_bookings_the_books_add_up(database: str, payments: str, socket_enabled: None) -> None:
    with asyncio.Runner() as runner:
        world = runner.run(start(database, payments))

        class Run(Books):
            pass

        Run.world, Run.run = world, staticmethod(runner.run)
        try:
            run_state_machine_as_test(
                Run,
                settings=how_often(
                    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
                ),
            )  # fmt: skip
        finally:
            runner.run(world.client.close())
