"""Paying on a hosted page, against a provider that speaks its HTTP and signs its events, and fails in every way."""

import random as stdlib_random
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.money import due, ledger
from parkshare_backend.money.audit import audit, given_up
from parkshare_backend.money.hosted import MAX_TRIES
from parkshare_backend.money.signature import TOLERANCE_S
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import Store
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, publish
from tests.backend.support import NOON, FakeClock, House, Person
from tests.simulators.checkout import KEY, SECRET, CheckoutSimulator

HOOK = "/api/v1/payments/webhook"


@pytest.fixture
async def provider(clock: FakeClock, socket_enabled: None) -> AsyncIterator[CheckoutSimulator]:
    """A provider on 127.0.0.1 whose time is the test's."""
    simulator = CheckoutSimulator(now=clock.now)
    server = TestServer(simulator.app())
    await server.start_server()
    simulator.url = str(server.make_url("")).rstrip("/")
    yield simulator
    await server.close()


@pytest.fixture
def settings(database: str, provider: CheckoutSimulator) -> Settings:
    return Settings(
        database=database, password_memory_kib=8, password_passes=1, rate_limits=0, platform_fee_bp=1000,
        payments="checkout", checkout_url=provider.url, checkout_secret_key=KEY, checkout_webhook_secret=SECRET,
    )  # fmt: skip


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
async def space(link: Link) -> Published:
    """A space at 2.50 an hour."""
    return await publish(link)


@pytest.fixture
def phone(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


async def sweep(app: web.Application, clock: FakeClock, *, after: float = 0) -> None:
    """Let time pass and the due work be done."""
    clock.move(after)
    checkout = app[keys.CHECKOUT]
    assert checkout is not None
    await app[keys.STORE].again(lambda: checkout.sweep(clock.now()))


async def shown(phone: Renting, booking: dict[str, Any]) -> dict[str, Any]:
    return await phone.get(f"bookings/{booking['id']}")


async def book(phone: Renting, space: Published, app: web.Application, clock: FakeClock, **more: Any) -> dict[str, Any]:
    """Book and give the booking once its page is there."""
    booked = await phone.book(space.id, **more)
    await sweep(app, clock)
    return await shown(phone, booked)


async def pay(client: TestClient, provider: CheckoutSimulator, session: str = "cs_1") -> None:
    assert await provider.deliver(client, provider.pay(session)) == 200


async def purse_of(app: web.Application, account: str) -> int:
    async with app[keys.STORE].read() as tx:
        return await ledger.balance(tx, ledger.person(account), "EUR")


async def test_a_booking_waits_for_its_payment_and_the_house_hears_of_it_only_then(
    link: Link, phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application,
    clock: FakeClock, client: TestClient, store: Store,
) -> None:  # fmt: skip
    first = await phone.book(space.id)
    assert (first["state"], first["waits_for"], first["payment"]["state"]) == ("pending", "payment", "open")
    await sweep(app, clock)
    booked = await shown(phone, first)
    assert booked["payment"]["url"] == provider.sessions["cs_1"]["url"]
    assert booked["payment"]["until"] == to_rfc3339(NOON + 30 * 60)
    assert provider.sessions["cs_1"]["amount_total"] == 550
    lost = replace(link.house, epoch="", got=0)  # a house that lost its disk asks what there is
    async with Link(client, lost) as again:
        while (snap := await again.hear("snap"))["of"] != "bookings":
            pass
        assert snap["d"] == []
    await pay(client, provider)
    paid = await shown(phone, first)
    assert (paid["waits_for"], paid["payment"]) == ("house", {"state": "held", "url": None, "until": None})
    assert await phone.causes() == ["proposed", "payment-due", "paid"]
    assert await audit(store) == []


async def test_money_that_was_paid_goes_to_the_owner_and_the_operator_when_the_car_has_left(
    link: Link, phone: Renting, owner: Person, space: Published, provider: CheckoutSimulator, app: web.Application,
    clock: FakeClock, client: TestClient,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    await pay(client, provider)
    proposed = await link.hear_event("booking.proposed")
    assert proposed["d"]["booking"] == booked["id"]
    await link.report("grant.stored", {"booking": booked["id"], "revision": 1})
    await link.report("stay.arrived", {"booking": booked["id"], "at": to_rfc3339(NOON)})
    clock.move(HOUR)
    await link.report("stay.left", {"booking": booked["id"], "at": to_rfc3339(clock.now())}, at=clock.now())
    assert (await shown(phone, booked))["payment"]["state"] == "settled"
    assert await purse_of(app, owner.id) == 500
    assert await purse_of(app, phone.person.id) == 0
    await sweep(app, clock)
    assert not provider.refunds
    assert await audit(app[keys.STORE]) == []


async def test_an_event_counts_once_however_often_it_comes(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store, link: Link,
) -> None:  # fmt: skip
    await book(phone, space, app, clock)
    event = provider.pay("cs_1")
    again = provider.event("checkout.session.completed", provider.sessions["cs_1"])  # another event about the same
    for told in (event, event, again, event):
        assert await provider.deliver(client, told) == 200
    async with store.read() as tx:
        assert await ledger.balance(tx, ledger.clearing("checkout"), "EUR") == -550
    assert (await phone.causes()).count("paid") == 1
    await link.hear_event("booking.proposed")


@pytest.mark.parametrize(
    "how",
    [{"secret": "whsec_wrong"}, {"at": NOON - TOLERANCE_S - 1}, {"at": NOON + TOLERANCE_S + 1}, {"secret": ""}],
)
async def test_an_event_that_the_provider_did_not_sign_just_now_changes_nothing(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, how: dict[str, Any],
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    assert await provider.deliver(client, provider.pay("cs_1"), tries=1, **how) == 400
    assert (await shown(phone, booked))["waits_for"] == "payment"


async def test_an_event_without_a_signature_or_of_nothing_is_refused_with_a_remedy(client: TestClient) -> None:
    for body in (b"", b"{}", b"[]", b"\xff"):
        answered = await client.post(HOOK, data=body)
        assert answered.status == 400
        assert (await answered.json())["type"] == "/problems/bad-signature"


async def test_signed_nonsense_is_refused_and_events_of_other_systems_are_passed_over(
    client: TestClient, provider: CheckoutSimulator
) -> None:
    assert await provider.deliver(client, {"id": "evt_1", "type": "x"}, tries=1) == 400
    for kind in ("customer.created", "checkout.session.expired", "refund.failed", "checkout.session.completed"):
        about = {
            "id": "cs_x", "amount_total": 1, "currency": "eur", "payment_status": "paid", "payment_intent": "pi_x",
            "client_reference_id": "of another shop", "status": "failed",
        }  # fmt: skip
        assert await provider.deliver(client, provider.event(kind, about)) == 200


async def test_nobody_paid_in_time_so_the_space_is_free_again_and_the_page_is_closed(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock, store: Store
) -> None:
    booked = await book(phone, space, app, clock, start=NOON + HOUR, end=NOON + 2 * HOUR)
    await sweep(app, clock, after=30 * 60 - 1)
    assert (await shown(phone, booked))["state"] == "pending"
    await sweep(app, clock, after=1)
    assert (await shown(phone, booked))["state"] == "canceled"
    assert provider.sessions["cs_1"]["status"] == "expired"
    assert len(await phone.search(NOON + HOUR, NOON + 2 * HOUR)) == 1
    assert await audit(store) == []


async def test_who_paid_at_the_last_moment_has_paid_although_nobody_told_us(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock
) -> None:
    booked = await book(phone, space, app, clock, start=NOON + HOUR, end=NOON + 2 * HOUR)
    provider.pay("cs_1")
    await sweep(app, clock, after=31 * 60)
    assert (await shown(phone, booked))["waits_for"] == "house"


async def test_a_payment_that_comes_after_the_booking_was_given_up_goes_back(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    event = provider.pay("cs_1")
    await phone.post(f"bookings/{booked['id']}/cancel")
    assert await provider.deliver(client, event) == 200
    await sweep(app, clock)
    assert [refund["amount"] for refund in provider.refunds.values()] == [550]
    assert await purse_of(app, phone.person.id) == 0
    assert (await shown(phone, booked))["state"] == "canceled"
    assert await audit(store) == []


async def test_events_in_the_wrong_order_end_the_same(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    paid = provider.pay("cs_1")
    expired = provider.event("checkout.session.expired", provider.sessions["cs_1"])
    for event in (paid, expired):
        await provider.deliver(client, event)
    assert (await shown(phone, booked))["waits_for"] == "house"


async def test_a_canceled_booking_is_refunded_less_what_the_terms_keep(
    link: Link, phone: Renting, owner: Person, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store,
) -> None:  # fmt: skip
    space = await publish(link, terms={"cancel_until_minutes": 600, "cancel_percent": 50})
    booked = await book(phone, space, app, clock, start=NOON + HOUR, end=NOON + 3 * HOUR)
    await pay(client, provider)
    await link.hear_event("booking.proposed")
    await link.report("grant.stored", {"booking": booked["id"], "revision": 1})
    await phone.post(f"bookings/{booked['id']}/cancel")
    await sweep(app, clock)
    assert [refund["amount"] for refund in provider.refunds.values()] == [275]
    assert await purse_of(app, phone.person.id) == 0
    assert await purse_of(app, owner.id) == 250
    assert await audit(store) == []


@pytest.mark.parametrize("fault", [500, 429, 409, "lost"])
async def test_what_fails_is_done_later_and_once(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, fault: Any,
) -> None:  # fmt: skip
    provider.faults.append(fault)
    booked = await book(phone, space, app, clock)
    if booked["payment"]["url"] is None:
        await sweep(app, clock, after=61)
        booked = await shown(phone, booked)
    assert booked["payment"]["url"] == "https://checkout.example.org/pay/cs_1"
    await pay(client, provider)
    provider.faults.append(fault)
    await phone.post(f"bookings/{booked['id']}/cancel")
    await sweep(app, clock)
    await sweep(app, clock, after=61)
    assert [refund["amount"] for refund in provider.refunds.values()] == [550]
    assert await purse_of(app, phone.person.id) == 0


async def test_a_refusal_for_good_cancels_the_booking_and_tells_the_operator_once(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock, store: Store
) -> None:
    provider.faults.append(402)
    with capture_logs() as logs:
        booked = await book(phone, space, app, clock)
        await sweep(app, clock, after=3600)
    assert (booked["state"], booked["payment"]["state"]) == ("canceled", "failed")
    errors = [entry for entry in logs if entry["log_level"] == "error"]
    assert [entry["event"] for entry in errors] == ["money.given_up"]
    assert KEY not in str(logs)
    assert await given_up(store) == 1
    assert await audit(store) == []


async def test_a_provider_that_stays_silent_is_given_up_after_some_hours(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    await pay(client, provider)
    provider.faults.extend([503] * (2 * MAX_TRIES))
    await phone.post(f"bookings/{booked['id']}/cancel")
    with capture_logs() as logs:
        for _ in range(MAX_TRIES + 2):
            await sweep(app, clock, after=3601)
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["money.given_up"]
    assert await given_up(store) == 1
    assert await purse_of(app, phone.person.id) == 550  # it is still theirs


async def test_a_server_that_dies_between_asking_and_writing_asks_the_same_again(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    settings: Settings, make_client: MakeClient,
) -> None:  # fmt: skip
    booked = await phone.book(space.id)
    await sweep(app, clock)
    async with app[keys.STORE].write() as tx:  # as if the answer had never been written down
        (row,) = await due.of_bookings(tx, [booked["id"]])
        await due.change(tx, row.id, state="due", session=None, url=None, due_at=clock.now())
    reborn = build_app(settings, clock=clock, random=stdlib_random.Random(8))
    other = Renting(await make_client(reborn), phone.person)
    await sweep(reborn, clock)
    assert (await shown(other, booked))["payment"]["url"] == "https://checkout.example.org/pay/cs_1"
    assert len(provider.sessions) == 1
    made = [form for method, path, form in provider.requests if (method, path) == ("POST", "/v1/checkout/sessions")]
    assert made[0] == made[-1]


async def test_an_overstay_is_owed_on_a_page_and_stops_the_next_booking_until_it_is_paid(
    link: Link, phone: Renting, owner: Person, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store,
) -> None:  # fmt: skip
    space = await publish(link, terms={"late_stop_time": 0, "overstay_percent": 100})
    booked = await book(phone, space, app, clock)
    await pay(client, provider)
    await link.hear_event("booking.proposed")
    await link.report("grant.stored", {"booking": booked["id"], "revision": 1})
    await link.report("stay.arrived", {"booking": booked["id"], "at": to_rfc3339(NOON)})
    clock.move(3 * HOUR)
    await link.report("stay.left", {"booking": booked["id"], "at": to_rfc3339(clock.now())}, at=clock.now())
    await sweep(app, clock)
    owed = (await shown(phone, booked))["payment"]
    assert (owed["state"], owed["url"]) == ("owed", "https://checkout.example.org/pay/cs_2")
    assert provider.sessions["cs_2"]["amount_total"] == 250
    later = booking_request(space.id, clock.now() + HOUR, clock.now() + 2 * HOUR)
    assert (await phone.post("bookings", later, status=402))["type"] == "/problems/payment-owed"
    await sweep(app, clock, after=23 * HOUR)  # nobody paid on that page, so there is another one
    assert provider.sessions["cs_2"]["status"] == "expired"
    await pay(client, provider, "cs_3")
    assert (await shown(phone, booked))["payment"]["state"] == "settled"
    await phone.post("bookings", booking_request(space.id, clock.now() + HOUR, clock.now() + 2 * HOUR), status=201)
    assert await audit(store) == []


async def test_a_refund_that_fails_later_is_told_and_the_money_stays_the_renters(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient, store: Store,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    await pay(client, provider)
    await phone.post(f"bookings/{booked['id']}/cancel")
    await sweep(app, clock)
    failed = provider.refunds["re_1"] | {"status": "failed"}
    assert await provider.deliver(client, provider.event("refund.failed", failed)) == 200
    assert await given_up(store) == 1
    assert await purse_of(app, phone.person.id) == 550


async def test_another_amount_than_asked_is_never_taken_for_the_payment(
    phone: Renting, space: Published, provider: CheckoutSimulator, app: web.Application, clock: FakeClock,
    client: TestClient,
) -> None:  # fmt: skip
    booked = await book(phone, space, app, clock)
    event = provider.pay("cs_1")
    event["data"]["object"]["amount_total"] = 1
    with capture_logs() as logs:
        await provider.deliver(client, event)
    assert (await shown(phone, booked))["state"] == "canceled"
    assert "money.other_amount" in [entry["event"] for entry in logs]


async def test_what_costs_nothing_needs_no_page(link: Link, phone: Renting, provider: CheckoutSimulator) -> None:
    space = await publish(link, price={"amount_minor": 0, "currency": "EUR"})
    booked = await phone.book(space.id)
    assert (booked["payment"]["state"], booked["waits_for"]) == ("none", "house")
    assert not provider.requests


async def test_an_amount_that_the_checkout_cannot_take_is_refused_before_anything_is_booked(
    link: Link, phone: Renting
) -> None:
    space = await publish(link, price={"amount_minor": 1, "currency": "KWD"})
    refused = await phone.post("bookings", booking_request(space.id), status=409)
    assert refused["type"] == "/problems/not-payable"


async def test_people_who_come_back_from_the_page_find_a_few_words(client: TestClient) -> None:
    answered = await client.get("/paid")
    assert (answered.status, answered.content_type) == (200, "text/html")
