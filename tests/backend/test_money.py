"""What bookings cost, from the offer to the statement: credits, refusals, refunds, the owner's report."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient

from parkshare_backend import doctor, keys
from parkshare_backend.__main__ import main
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.money import ledger
from parkshare_backend.money.audit import audit
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.shares import Movement
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import UNABLE, Store
from tests.backend.market import HOUR, Link, Published, Renting, booking_request, must, publish, space_document
from tests.backend.support import NOON, FakeClock, House, Person, make_person

PRICED = {"platform_fee_bp": 1000, "credits_initial_minor": 2000, "credits_may_owe": False}


@pytest.fixture
def settings(database: str) -> Settings:
    """A server on which nobody may owe, whose operator takes a tenth."""
    return Settings(database=database, password_memory_kib=8, password_passes=1, rate_limits=0, **PRICED)


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


@pytest.fixture
def owners_phone(client: TestClient, owner: Person) -> Renting:
    return Renting(client, owner)


async def purse(phone: Renting) -> tuple[int, int]:
    """Give what the purse has and what is set aside."""
    items = (await phone.get("account/balance"))["items"]
    return (items[0]["amount_minor"], items[0]["held_minor"]) if items else (0, 0)


async def reserve(link: Link, phone: Renting, space: Published, **more: Any) -> dict[str, Any]:
    booked = await phone.book(space.id, **more)
    await link.hear_event("booking.proposed")
    await link.report("grant.stored", {"booking": booked["id"], "revision": 1})
    return booked


async def stay(link: Link, clock: FakeClock, booking: str, *, leaves: float) -> None:
    """Let the car come now and leave at that time."""
    await link.report("stay.arrived", {"booking": booking, "at": to_rfc3339(clock.now())}, at=clock.now())
    clock.move(leaves - clock.now())
    await link.report("stay.left", {"booking": booking, "at": to_rfc3339(leaves)}, at=leaves)


async def test_an_offer_shows_what_it_costs_line_by_line_and_what_the_caller_lacks(
    phone: Renting, space: Published
) -> None:
    (offer,) = await phone.search()
    lines = [{"what": "parking", "amount_minor": 500}, {"what": "platform-fee", "amount_minor": 50}]
    assert offer["quote"] == {"lines": lines, "total_minor": 550, "currency": "EUR", "short_by_minor": 0}
    (offer,) = await phone.search(end=NOON + 10 * HOUR)
    assert (offer["quote"]["total_minor"], offer["quote"]["short_by_minor"]) == (2750, 750)


async def test_a_booking_sets_its_price_aside_and_the_owner_gets_it_when_the_car_has_left(
    link: Link, phone: Renting, owners_phone: Renting, space: Published, clock: FakeClock
) -> None:
    booked = await reserve(link, phone, space)
    assert booked["quote"]["total_minor"] == 550
    assert booked["payment"] == {"state": "held", "url": None, "until": None}
    assert await purse(phone) == (1450, 550)
    await stay(link, clock, booked["id"], leaves=NOON + HOUR)
    assert (await phone.get(f"bookings/{booked['id']}"))["payment"]["state"] == "settled"
    assert await purse(phone) == (1450, 0)
    assert await purse(owners_phone) == (2500, 0)


async def test_who_lacks_credits_is_told_how_many_and_the_space_stays_free(
    phone: Renting, space: Published, client: TestClient
) -> None:
    request = booking_request(space.id, end=NOON + 10 * HOUR)
    refused = await phone.post("bookings", request, status=402)
    assert refused["type"] == "/problems/credits-missing"
    assert (refused["short_by_minor"], refused["currency"]) == (750, "EUR")
    assert "EUR 27.50" in refused["detail"]
    assert "EUR 20.00" in refused["detail"]
    other = Renting(client, await make_person(client))
    assert await other.search(end=NOON + 2 * HOUR)


async def test_what_costs_nothing_needs_no_purse(phone: Renting, link: Link) -> None:
    space = await publish(link, price={"amount_minor": 0, "currency": "CHF"})
    booked = await phone.book(space.id)
    assert booked["payment"]["state"] == "none"
    assert booked["quote"]["total_minor"] == 0


async def test_the_price_is_fixed_when_it_is_booked(
    link: Link, phone: Renting, owners_phone: Renting, space: Published, clock: FakeClock
) -> None:
    booked = await reserve(link, phone, space)
    await publish_again(link, space, price={"amount_minor": 9900, "currency": "USD"})
    await stay(link, clock, booked["id"], leaves=NOON + HOUR)
    assert (await phone.get(f"bookings/{booked['id']}"))["quote"] == booked["quote"]
    assert await purse(owners_phone) == (2500, 0)


async def publish_again(link: Link, space: Published, **changed: Any) -> None:
    await must(link.request("space.publish", space_document(space.id, **changed)))


async def test_a_booking_that_the_house_refuses_costs_nothing(link: Link, phone: Renting, space: Published) -> None:
    booked = await phone.book(space.id)
    await link.hear_event("booking.proposed")
    await link.report("grant.refused", {"booking": booked["id"], "revision": 1, "reason": "busy"})
    assert await purse(phone) == (2000, 0)
    assert (await phone.get(f"bookings/{booked['id']}"))["payment"]["state"] == "settled"


async def test_canceling_before_the_house_agreed_is_free_and_later_costs_what_the_terms_say(
    link: Link, phone: Renting, owners_phone: Renting, clock: FakeClock
) -> None:
    space = await publish(link, terms={"cancel_until_minutes": 60, "cancel_percent": 50})
    first = await phone.book(space.id, NOON + 600, NOON + 600 + 2 * HOUR)
    await phone.post(f"bookings/{first['id']}/cancel")
    assert await purse(phone) == (2000, 0)
    await link.hear_event("booking.canceled")
    second = await reserve(link, phone, space, start=NOON + 2 * HOUR, end=NOON + 4 * HOUR)
    await phone.post(f"bookings/{second['id']}/cancel")
    assert await purse(phone) == (2000, 0)
    third = await reserve(link, phone, space, start=NOON + 1200, end=NOON + 1200 + 2 * HOUR)
    await phone.post(f"bookings/{third['id']}/cancel")
    assert await purse(phone) == (1725, 0)  # half of 550
    assert await purse(owners_phone) == (2250, 0)  # less a tenth part of it, which is the operator's: 275 = 250 + 25


async def test_who_does_not_come_pays_and_who_comes_after_all_pays_no_more_than_that(
    link: Link, phone: Renting, owners_phone: Renting, space: Published, clock: FakeClock, app: web.Application
) -> None:
    booked = await reserve(link, phone, space)
    clock.move(3 * HOUR)
    await app[keys.STORE].again(lambda: app[keys.BOOKINGS].sweep(clock.now()))
    assert (await phone.get(f"bookings/{booked['id']}"))["state"] == "no_show"
    before = await purse(phone), await purse(owners_phone)
    assert before == ((1450, 0), (2500, 0))
    left = NOON + 1.5 * HOUR
    await link.report("stay.left", {"booking": booked["id"], "at": to_rfc3339(left)}, at=clock.now())
    assert (await phone.get(f"bookings/{booked['id']}"))["state"] == "fulfilled"
    assert (await purse(phone), await purse(owners_phone)) == before


async def test_an_overstay_costs_its_started_quarter_hours_and_may_go_below_zero(
    link: Link, phone: Renting, owners_phone: Renting, clock: FakeClock
) -> None:
    space = await publish(link, terms={"late_stop_time": 10, "overstay_percent": 200})
    booked = await reserve(link, phone, space, end=NOON + 7 * HOUR)
    assert await purse(phone) == (75, 1925)
    await stay(link, clock, booked["id"], leaves=NOON + 7 * HOUR + 1801)  # three quarter hours at 5.00
    assert await purse(phone) == (75 - 375, 0)
    assert await purse(owners_phone) == (2000 + 1750 + 341, 0)
    (offer,) = await phone.search(clock.now() + HOUR, clock.now() + 2 * HOUR)
    assert offer["quote"]["short_by_minor"] == 275 + 300


async def test_a_stay_within_the_grace_costs_no_more(link: Link, phone: Renting, clock: FakeClock) -> None:
    space = await publish(link, terms={"late_stop_time": 10})
    booked = await reserve(link, phone, space)
    await stay(link, clock, booked["id"], leaves=NOON + 2 * HOUR + 599)
    assert await purse(phone) == (1450, 0)


async def test_a_house_that_never_tells_that_the_car_left_does_not_keep_the_owners_money_for_ever(
    link: Link, phone: Renting, owners_phone: Renting, space: Published, clock: FakeClock, app: web.Application
) -> None:
    booked = await reserve(link, phone, space)
    await link.report("stay.arrived", {"booking": booked["id"], "at": to_rfc3339(clock.now())}, at=clock.now())
    for days, state in ((6.9, "active"), (7.2, "fulfilled")):
        clock.move(NOON + 2 * HOUR + days * 24 * HOUR - clock.now())
        for _ in range(2):  # first the end, then the silence
            await app[keys.STORE].again(lambda: app[keys.BOOKINGS].sweep(clock.now()))
        assert (await phone.get(f"bookings/{booked['id']}"))["state"] == state
    assert await purse(phone) == (1450, 0)  # and nothing for a stay that nobody has seen
    assert await purse(owners_phone) == (2500, 0)
    left = {"booking": booked["id"], "at": to_rfc3339(clock.now())}
    await link.report("stay.left", left, at=clock.now())
    assert (await phone.get(f"bookings/{booked['id']}"))["state"] == "fulfilled"
    assert await purse(phone) == (1450, 0)


async def test_an_owner_who_takes_the_space_back_pays_what_the_terms_say(
    link: Link, phone: Renting, owners_phone: Renting
) -> None:
    space = await publish(link, terms={"take_back_percent": 10, "take_back_minutes": 0})
    booked = await reserve(link, phone, space, start=NOON + 5 * HOUR, end=NOON + 7 * HOUR)
    await owners_phone.post(f"bookings/{booked['id']}/take-back", {"reason": "own-use"})
    assert (await phone.get(f"bookings/{booked['id']}"))["state"] == "canceled"
    assert await purse(phone) == (2055, 0)
    assert await purse(owners_phone) == (1945, 0)


async def test_a_longer_period_costs_the_difference_once_the_house_has_agreed_and_a_shorter_one_gives_it_back(
    link: Link, phone: Renting, owners_phone: Renting, space: Published, clock: FakeClock
) -> None:
    booked = await reserve(link, phone, space)
    await phone.post(f"bookings/{booked['id']}/extend", {"end": to_rfc3339(NOON + 3 * HOUR)})
    assert await purse(phone) == (1450, 550)  # the house has not answered
    revision = (await link.hear_event("booking.changed"))["d"]["revision"]
    await link.report("grant.stored", {"booking": booked["id"], "revision": revision})
    assert await purse(phone) == (1175, 825)
    assert (await phone.get(f"bookings/{booked['id']}"))["quote"]["total_minor"] == 825
    await link.report("stay.arrived", {"booking": booked["id"], "at": to_rfc3339(NOON)})
    clock.move(HOUR)
    await phone.post(f"bookings/{booked['id']}/release", {"end": to_rfc3339(NOON + 1.25 * HOUR)})
    assert await purse(phone) == (2000 - 344, 344)  # five quarter hours: 3.13 and 0.31
    left = NOON + 1.2 * HOUR
    await link.report("stay.left", {"booking": booked["id"], "at": to_rfc3339(left)}, at=left)
    assert (await purse(phone), await purse(owners_phone)) == ((1656, 0), (2313, 0))


async def test_a_longer_period_that_the_purse_cannot_pay_is_refused_before_the_house_is_asked(
    link: Link, phone: Renting, space: Published
) -> None:
    booked = await reserve(link, phone, space)
    longer = {"end": to_rfc3339(NOON + 9 * HOUR)}
    refused = await phone.post(f"bookings/{booked['id']}/extend", longer, status=402)
    assert (refused["type"], refused["short_by_minor"]) == ("/problems/credits-missing", 7 * 275 - 1450)
    assert (await phone.get(f"bookings/{booked['id']}"))["wanted"] is None


async def test_the_statement_has_each_entry_once_newest_first_and_in_pages(
    link: Link, phone: Renting, space: Published, clock: FakeClock
) -> None:
    booked = await reserve(link, phone, space)
    await phone.post(f"bookings/{booked['id']}/cancel")
    entries, cursor = [], ""
    while True:
        page = await phone.get(f"account/statement?limit=1{cursor}")
        entries += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [(entry["cause"], entry["amount_minor"]) for entry in entries] == [
        ("canceled", 550), ("added", -550), ("welcome", 2000)
    ]  # fmt: skip
    assert entries[0]["booking"] == booked["id"]
    assert (await phone.get(f"account/statement?cursor={entries[0]['n']}"))["items"] == entries[1:], (
        "an older release gave the number itself"
    )
    assert [entry["n"] for entry in entries] == sorted({entry["n"] for entry in entries}, reverse=True)


async def test_the_first_credits_come_once_whatever_is_asked_first(phone: Renting, space: Published) -> None:
    assert await purse(phone) == (2000, 0)
    assert await purse(phone) == (2000, 0)
    await phone.book(space.id)
    assert await purse(phone) == (1450, 550)


async def test_the_same_booking_sent_again_costs_once(phone: Renting, space: Published) -> None:
    request = booking_request(space.id)
    first = await phone.post("bookings", request, status=201)
    again = await phone.post("bookings", request, status=200)
    assert first["quote"] == again["quote"]
    assert await purse(phone) == (1450, 550)


async def test_the_yearly_report_has_what_tax_law_asks_and_the_owner_said(
    link: Link, phone: Renting, owners_phone: Renting, clock: FakeClock, client: TestClient
) -> None:
    space = await publish(link, name="=Court, left", address="Lindenweg 4")
    booked = await reserve(link, phone, space)
    await stay(link, clock, booked["id"], leaves=NOON + HOUR)
    said = {"legal_name": "Olga Owner", "address": "Lindenweg 4, Munich", "country": "DE", "tax_id": "12 345 678 901",
            "tax_country": "DE"}  # fmt: skip
    assert (await owners_phone.get("account/seller", status=404))["type"] == "/problems/not-found"
    url, headers = "/api/v1/account/seller", owners_phone.person.headers
    answered = await client.put(url, json=said, headers=headers)
    assert answered.status == 200, await answered.text()
    assert (await owners_phone.get("account/seller"))["legal_name"] == "Olga Owner"
    answered = await client.get("/api/v1/account/report/2026.csv", headers=headers)
    assert (answered.status, answered.content_type) == (200, "text/csv")
    (row,) = csv.DictReader(io.StringIO(await answered.text(), newline=""))
    wanted = {
        "seller_name": "Olga Owner", "tax_id": "12 345 678 901", "space_name": "'=Court, left",
        "space_address": "Lindenweg 4", "currency": "EUR", "q4_bookings": "1", "q4_days_let": "1",
        "q4_hours_let": "2.00", "q4_consideration": "5.00", "q4_fees": "0.50", "q3_bookings": "0", "year": "2026",
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert (await client.get("/api/v1/account/report/2025.csv", headers=headers)).status == 200
    assert (await client.get("/api/v1/account/report/now.csv", headers=headers)).status == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("country", "Germany"), ("tax_id", "=1+1"), ("legal_name", ""), ("address", "a\nb"), ("birth_date", "1.1.1970")],
)
async def test_what_a_seller_says_is_checked(owners_phone: Renting, client: TestClient, field: str, value: str) -> None:
    said = {"legal_name": "Olga", "address": "Lindenweg 4", "country": "DE"} | {field: value}
    answered = await client.put("/api/v1/account/seller", json=said, headers=owners_phone.person.headers)
    assert answered.status == 422
    assert (await answered.json())["errors"][0]["pointer"] == f"/{field}"


async def test_money_of_others_is_never_shown(link: Link, phone: Renting, space: Published, client: TestClient) -> None:
    await reserve(link, phone, space)
    stranger = Renting(client, await make_person(client))
    items = (await stranger.get("account/statement"))["items"]
    assert [entry["cause"] for entry in items] in ([], ["welcome"])
    assert await purse(stranger) == (2000, 0)


async def test_the_ledger_refuses_to_change_or_forget(
    link: Link, phone: Renting, space: Published, store: Store
) -> None:
    await reserve(link, phone, space)
    for statement in ("UPDATE ledger SET amount_minor = 1", "DELETE FROM ledger"):
        with pytest.raises((sa.exc.DBAPIError, *UNABLE), match="append-only"):
            async with store.write() as tx:
                await tx.execute(sa.text(statement))
    assert await audit(store) == []


async def test_the_audit_finds_a_booking_whose_money_went_astray(
    link: Link, phone: Renting, space: Published, store: Store
) -> None:
    booked = await reserve(link, phone, space)
    assert await audit(store) == []
    async with store.write() as tx:
        why = Why(txn="astray", at=NOON, cause="grant", booking=booked["id"])
        await ledger.write(tx, why, [Movement(ledger.escrow(booked["id"]), ledger.FEES, 1)], "EUR")
    (problem,) = await audit(store)
    assert booked["id"] in problem


async def test_an_account_that_goes_leaves_books_that_add_up_and_name_nobody(
    link: Link, phone: Renting, space: Published, client: TestClient, app: web.Application, store: Store
) -> None:
    await reserve(link, phone, space, start=NOON + HOUR, end=NOON + 3 * HOUR)
    account = phone.person.id
    async with app[keys.STORE].write() as tx:
        await app[keys.ERASURE].erase(tx, account)
        assert await ledger.balances(tx, [ledger.person(account)]) == {(ledger.person(account), "EUR"): 0}
    assert await audit(store) == []


def grant(settings: Settings, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setenv("PARKSHARE_DATABASE", settings.database)
    with pytest.raises(SystemExit) as left:
        main(["credits", "grant", *arguments])
    return int(left.value.code or 0)


async def test_an_operator_grants_credits_and_takes_them_back(
    phone: Renting, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    email = phone.person.email.upper()
    assert await asyncio.to_thread(grant, settings, monkeypatch, email, "12.50") == 0
    assert "EUR 12.50" in capsys.readouterr().out
    assert await asyncio.to_thread(grant, settings, monkeypatch, "--", email, "-2.50") == 0
    assert await purse(phone) == (3000, 0)
    causes = [entry["cause"] for entry in (await phone.get("account/statement"))["items"]]
    assert causes == ["welcome", "grant", "grant"]


@pytest.mark.parametrize("amount", ["12,50", "0", "1.505", "many"])
def test_a_grant_of_no_amount_is_refused_with_a_remedy(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], amount: str
) -> None:
    assert grant(settings, monkeypatch, "nobody@example.org", amount) == 1
    assert capsys.readouterr().err


def test_a_grant_to_nobody_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert grant(settings, monkeypatch, "nobody@example.org", "1") == 1
    assert "No account" in capsys.readouterr().err


def test_the_doctor_looks_at_the_books(settings: Settings) -> None:
    assert doctor.CHECKS["money is where it must be"](settings) is None


def test_a_checkout_without_keys_does_not_start() -> None:
    with pytest.raises(ValueError, match="CHECKOUT_SECRET_KEY"):
        Settings(payments="checkout")
