"""What is kept of a person: exported whole, erased whole, and otherwise kept for a while only."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from aiohttp.test_utils import TestClient
from sqlalchemy.dialects.sqlite import pysqlite

from parkshare_backend import keys
from parkshare_backend.accounts.retention import BATCH, DISPUTE_S, table_of
from parkshare_backend.bookings import rows
from parkshare_backend.bookings.privacy import still_full
from parkshare_backend.clock import to_rfc3339
from parkshare_backend.store.tables import EXTRAS, metadata
from tests.backend.authenticator import Authenticator
from tests.backend.market import DAY, HOUR, SEALED_PLATE, Link, Renting, place, publish
from tests.backend.support import NOON, PASSWORD, FakeClock, House, Person, make_person, pair_house
from tests.backend.test_passkeys import ORIGIN, add
from tests.backend.traces import occurrences

DOCUMENT = Path(__file__).parents[2] / "docs/privacy.md"
PROOF = {"proof": {"password": PASSWORD}}
# Where the id of an erased account stays: on rows that others need, and that say nothing of the person any more.
# The account itself is a row without an e-mail, a name or a password.
NOBODYS = {"accounts.id", "accounts.email", "bookings.account", "spaces.account", "installs.account"}
# The books, which tax law wants: they name the number of an account, which leads to nobody any more.
NOBODYS |= {
    "quotes.renter",
    "quotes.owner",
    "ledger.txn",
    "ledger.debit",
    "ledger.credit",
    "settlements.account",
    "sellers.account",
}


async def erase(client: TestClient, person: Person, body: Any = PROOF) -> tuple[int, dict[str, Any]]:
    answered = await client.delete("/api/v1/account", json=body, headers=person.headers)
    return answered.status, {} if answered.status == 204 else await answered.json()


def stay(booking: dict[str, Any], at: float = NOON) -> dict[str, Any]:
    return {"booking": booking["id"], "at": to_rfc3339(at)}


async def exported(client: TestClient, person: Person) -> dict[str, Any]:
    answered = await client.get("/api/v1/account/export", headers=person.headers)
    assert answered.status == 200, await answered.text()
    return dict(await answered.json())


def test_every_table_has_somebody_who_answers_for_what_it_keeps_of_people(app: web.Application) -> None:
    beside = {extra.name for extra in EXTRAS if re.match(r"CREATE (VIRTUAL )?TABLE", extra.create)}
    assert (set(metadata.tables) | beside) - app[keys.ERASURE].known_tables == set()


async def test_nothing_of_an_erased_renter_is_left(client: TestClient, house: House, clock: FakeClock) -> None:
    renter = await make_person(client, name="Renate Mustermann")
    await add(client, renter, Authenticator(ORIGIN), name="Renates Telefon")
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link)
        car = {"length_m": 4.321, "width_m": 1.8, "height_m": 1.5}
        over = await renting.book(space.id, vehicle=car)
        await link.report("grant.stored", {"booking": over["id"], "revision": 1})
        await renting.fixes((0, NOON), (0, NOON + 1))
        await link.report("stay.arrived", stay(over))
        clock.move(HOUR)
        await link.report("stay.left", stay(over, NOON + HOUR))
        ahead = await renting.book(space.id, NOON + DAY, NOON + DAY + HOUR)
        store = client.app[keys.STORE]
        assert "fence_events.subject" in await occurrences(store, renter.id)
        assert (await erase(client, renter))[0] == 204
        canceled = await link.hear_event("booking.canceled")
    assert canceled["d"]["booking"] == ahead["id"]
    assert await occurrences(store, renter.id) <= NOBODYS
    assert await occurrences(store, renter.email, "Renate", "Telefon", bytes(range(176))) == set()
    async with store.read() as tx:
        kept = await rows.get(tx, over["id"])
    assert kept is not None
    assert (kept.car.length_m, kept.sealed_plate, kept.help.phone) == (None, b"", None)


async def test_nothing_of_an_erased_owner_is_left(client: TestClient, clock: FakeClock, renter: Person) -> None:
    owner = await make_person(client, name="Olga Mustermann")
    house = await pair_house(client, owner, name="Villa Olga")
    keys_of_house = [
        house.sign.public_key().public_bytes_raw(), house.seal.public_key().public_bytes_raw(),
    ]  # fmt: skip
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        planted = {
            "name": "Olgas Hof", "address": "Geheimweg 77", "access_notes": "Kode am Tor", "seal_key": "B" * 42 + "A",
        }  # fmt: skip
        space = await publish(link, **planted)
        booking = await renting.book(space.id)
        await renting.post(f"bookings/{booking['id']}/cancel")
        await link.report("space.state", {"space": space.id, "barrier": "closed", "sharing": True, "fault": None})
        assert (await erase(client, owner))[0] == 204
        assert await link.closed() == 4403
    store = client.app[keys.STORE]
    assert await occurrences(store, owner.id) <= NOBODYS
    words = (owner.email, "Olga", "Geheimweg", "Kode am Tor", *keys_of_house)
    assert await occurrences(store, *words) == set()
    assert await occurrences(store, f"install:{house.install}") == set()
    shown = await renting.get(f"bookings/{booking['id']}")
    assert (shown["state"], shown["space"]["name"]) == ("canceled", "")
    assert await renting.search() == []


async def test_an_erased_account_opens_nothing_and_its_email_is_free(client: TestClient, owner: Person) -> None:
    assert (await erase(client, owner))[0] == 204
    assert (await client.get("/api/v1/me", headers=owner.headers)).status == 401
    for email in (owner.email, f"erased {owner.id}"):
        for password in (PASSWORD, "", "no account has this password"):
            tried = await client.post("/api/v1/tokens", json={"email": email, "password": password})
            assert tried.status == 401
    again = {"email": owner.email, "password": PASSWORD, "name": "Olga"}
    assert (await client.post("/api/v1/accounts", json=again)).status == 201


async def test_an_account_is_erased_only_by_who_proves_to_be_its_holder(client: TestClient, owner: Person) -> None:
    status, problem = await erase(client, owner, {"proof": {"password": "wrong password"}})
    assert (status, problem["type"]) == (403, "/problems/wrong-proof")
    status, problem = await erase(client, owner, {})
    assert (status, problem["errors"][0]["pointer"]) == (422, "/proof")
    assert (await client.get("/api/v1/me", headers=owner.headers)).status == 200


async def test_an_account_stays_while_a_car_stands_on_its_booking(
    client: TestClient, house: House, owner: Person, renter: Person
) -> None:
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id)
        status, problem = await erase(client, owner)
        assert (status, problem["type"]) == (409, "/problems/account-in-use")
        assert booking["id"] in problem["obstacles"][0]
        await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
        await link.report("stay.arrived", stay(booking))
        status, problem = await erase(client, renter)
        assert (status, problem["type"]) == (409, "/problems/account-in-use")
        assert "Drive it away" in problem["obstacles"][0]
        await link.report("stay.left", stay(booking))
        assert (await erase(client, renter))[0] == 204
        assert (await erase(client, owner))[0] == 204


async def test_an_export_holds_everything_that_erasing_would_remove(
    client: TestClient, house: House, owner: Person, renter: Person
) -> None:
    renting = Renting(client, renter)
    await add(client, renter, Authenticator(ORIGIN), name="Phone")
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id, vehicle={"length_m": 4.5})
        await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
        await renting.fixes((0, NOON), (0, NOON + 1))
    of_renter, of_owner = await exported(client, renter), await exported(client, owner)
    assert of_renter["account"] == renter.id
    (account,) = of_renter["parts"]["account"]
    assert (account["email"], account["passkeys"][0]["name"]) == (renter.email, "Phone")
    assert len(account["sessions"]) == 1
    (rented,) = of_renter["parts"]["bookings"]
    assert (rented["id"], rented["sealed_plate"]) == (booking["id"], SEALED_PLATE)
    assert rented["vehicle"]["length_m"] == 4.5
    assert of_renter["parts"]["tracking"][0]["what"] == "entered"
    assert {change["d"]["booking"] for change in of_renter["parts"]["changes"]} == {booking["id"]}
    (shared,) = of_owner["parts"]["spaces"]
    assert (shared["address"], shared["position"]) == ("Lindenweg 4", place())
    assert of_owner["parts"]["account"][0]["houses"][0]["name"] == "Home"
    assert of_owner["parts"]["bookings"] == []
    assert owner.token not in str(of_owner)
    assert renter.id not in str(of_owner)


async def test_what_nobody_needs_any_more_goes_by_itself(
    client: TestClient, house: House, renter: Person, clock: FakeClock, owner: Person
) -> None:
    renting, store = Renting(client, renter), client.app[keys.STORE]
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id, vehicle={"length_m": 4.5})
        await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
        await renting.fixes((0, NOON), (0, NOON + 1))
        await link.report("stay.arrived", stay(booking))
        await link.report("admission.decided", stay(booking) | {"decision": "admit", "by": "plate"})
        await link.report("stay.left", stay(booking, NOON + HOUR))
    await client.post("/api/v1/pairings", json={"name": "Never linked", **House().public_keys})
    await client.post("/api/v1/tokens/passkey/options", json={"email": "secret@example.org"})
    retention = client.app[keys.RETENTION]

    async def left() -> dict[str, int]:
        names = ("tokens", "challenges", "pairings", "fence_events", "admissions")
        async with store.read() as tx:
            counts = {
                name: await tx.scalar(sa.select(sa.func.count()).select_from(metadata.tables[name])) for name in names
            }
            kept = await rows.get(tx, booking["id"])
        assert kept is not None
        return counts | {"plate": len(kept.sealed_plate), "car": int(kept.car.length_m is not None)}

    everything = await left()
    assert 0 not in everything.values()
    await retention.sweep()
    assert await left() == everything
    clock.move(1800)
    await retention.sweep()
    assert await left() == everything | {"challenges": 0, "pairings": 0}
    clock.move(1.5 * HOUR + DISPUTE_S - 1)
    await retention.sweep()
    assert (await left())["plate"] == 176
    clock.move(1)
    await retention.sweep()
    assert await left() == everything | {"challenges": 0, "pairings": 0, "admissions": 0, "plate": 0, "car": 0}
    clock.move(7 * DAY)
    await retention.sweep()
    assert (await left())["fence_events"] == 0
    clock.move(90 * DAY)
    await retention.sweep()
    assert (await left())["tokens"] == 0
    assert await retention.sweep() == 0


async def test_a_booking_that_is_not_over_keeps_its_plate(
    client: TestClient, house: House, renter: Person, clock: FakeClock
) -> None:
    renting = Renting(client, renter)
    async with Link(client, house) as link:
        space = await publish(link)
        booking = await renting.book(space.id)
        await link.report("grant.stored", {"booking": booking["id"], "revision": 1})
        await link.report("stay.arrived", stay(booking))
        clock.move(2 * HOUR + 2 * DISPUTE_S)  # the car still stands there
        await client.app[keys.RETENTION].sweep()
    async with client.app[keys.STORE].read() as tx:
        kept = await rows.get(tx, booking["id"])
    assert kept is not None
    assert len(kept.sealed_plate) == 176


async def test_more_than_one_batch_goes_in_one_sweep(client: TestClient, clock: FakeClock, owner: Person) -> None:
    store, challenges = client.app[keys.STORE], metadata.tables["challenges"]
    async with store.write() as tx:
        values = [
            {"hash": n.to_bytes(32), "purpose": "sign-in", "account": None, "d": "{}", "expires_at": clock.now()}
            for n in range(2 * BATCH + 1)
        ]
        await tx.execute(sa.insert(challenges), values)
    assert await client.app[keys.RETENTION].sweep() == 2 * BATCH + 1


def test_the_document_tells_how_long_what_is_kept(app: web.Application) -> None:
    assert table_of(app[keys.RETENTION]) in DOCUMENT.read_text()


@pytest.mark.parametrize("scopes", [["positions"], ["bookings", "search"]])
async def test_a_token_without_the_scope_takes_no_data_along(client: TestClient, scopes: list[str]) -> None:
    person = await make_person(client, scopes=scopes)
    assert (await client.get("/api/v1/account/export", headers=person.headers)).status == 403
    assert (await erase(client, person))[0] == 403


def test_the_sweep_for_plates_looks_at_no_booking_that_has_none(database: str, sqlite_only: None) -> None:
    asked = still_full("sqlite", NOON, 500).compile(
        dialect=pysqlite.dialect(), compile_kwargs={"render_postcompile": True}
    )
    with closing(sqlite3.connect(database)) as line:
        line.setconfig(sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, True)
        values = [asked.params[name] for name in asked.positiontup or ()]
        plan = [row[3] for row in line.execute(f"EXPLAIN QUERY PLAN {asked}", values)]
    assert plan == ["SEARCH bookings USING INDEX ix_bookings_sealed (t1<?)"]
