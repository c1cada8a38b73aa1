"""The renter in the rain: what the house does shows on the phone, and a code reaches the house once or not at all."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from aiohttp.test_utils import TestClient

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.bookings.desk import CODE_EARLY_S
from parkshare_backend.clock import new_id, to_rfc3339
from parkshare_backend.http.limits import DEFAULT_ALLOWANCES, Rate
from parkshare_backend.settings import Settings
from tests.backend import direct
from tests.backend.conftest import MakeClient
from tests.backend.market import HOUR, Link, Published, Renting, publish
from tests.backend.support import NOON, FakeClock, House, Person, make_person, pair_house

END = NOON + 2 * HOUR
PHONE = "+49 (0)30 000-123"
NO_HELP = {"rung": None, "phone": None, "code": None, "tries_left": None}


@pytest.fixture
async def link(client: TestClient, house: House) -> AsyncIterator[Link]:
    async with Link(client, house) as link:
        yield link


@pytest.fixture
async def space(link: Link) -> Published:
    return await publish(link)


@pytest.fixture
def rene(client: TestClient, renter: Person) -> Renting:
    return Renting(client, renter)


@pytest.fixture
async def booking(rene: Renting, link: Link, space: Published) -> str:
    """A reserved booking from noon to two."""
    booking = str((await rene.book(space.id))["id"])
    await link.report("grant.stored", {"booking": booking, "revision": 1})
    return booking


def fact(booking: str, at: float = NOON, **more: Any) -> dict[str, Any]:
    return {"booking": booking, "at": to_rfc3339(at)} | more


async def help_of(rene: Renting, booking: str) -> dict[str, Any]:
    return dict((await rene.get(f"bookings/{booking}"))["help"])


async def told(rene: Renting, cause: str) -> list[dict[str, Any]]:
    """Give the changes of this cause."""
    items = (await rene.get("changes?limit=500"))["items"]
    return [item["d"] for item in items if item["d"].get("cause") == cause]


async def hint(link: Link) -> dict[str, Any]:
    frame = await link.hear("eph")
    assert frame["t"] == "renter.code"
    return dict(frame["d"])


async def test_each_rung_of_the_ladder_shows_on_the_booking_and_is_told_to_renter_and_owner(
    rene: Renting, link: Link, booking: str, client: TestClient, owner: Person
) -> None:
    assert await help_of(rene, booking) == NO_HELP
    for second, rung in enumerate(("harder", "owner", "code", "call")):
        await link.report("help.offered", fact(booking, NOON + second, rung=rung))
        assert await help_of(rene, booking) == NO_HELP | {"rung": rung}
    rungs = [change["rung"] for change in await told(rene, "help")]
    assert rungs == ["harder", "owner", "code", "call"]
    assert [change["rung"] for change in await told(Renting(client, owner), "help")] == rungs


async def test_the_phone_number_is_for_the_renter_who_waits_and_gone_when_the_car_is_there(
    rene: Renting, link: Link, booking: str, client: TestClient, owner: Person, database: str
) -> None:
    olga = Renting(client, owner)
    await link.report("help.offered", fact(booking, rung="call", phone=PHONE))
    assert (await help_of(rene, booking))["phone"] == PHONE
    assert (await help_of(olga, booking)) == NO_HELP | {"rung": "call"}
    for person in (rene, olga):
        assert PHONE not in str(await person.get("changes?limit=500"))
    await (Renting(client, await make_person(client))).get(f"bookings/{booking}", status=404)
    await link.report("stay.arrived", fact(booking, NOON + 60))
    assert await help_of(rene, booking) == NO_HELP
    assert await phones(client) == []


async def phones(client: TestClient) -> list[str]:
    async with client.app[keys.STORE].read() as tx:  # type: ignore[union-attr]
        rows = await tx.execute(sa.text("SELECT phone FROM bookings WHERE phone IS NOT NULL"))
        return [row.phone for row in rows]


@pytest.mark.parametrize("end", ["canceled", "refused", "the period is over"])
async def test_nothing_of_the_help_outlives_the_booking(
    rene: Renting, link: Link, booking: str, client: TestClient, clock: FakeClock, end: str
) -> None:
    await link.report("help.offered", fact(booking, rung="call", phone=PHONE))
    assert await phones(client) == [PHONE]
    match end:
        case "canceled":
            await rene.post(f"bookings/{booking}/cancel")
        case "refused":
            await link.report("grant.refused", {"booking": booking, "revision": 1, "reason": "not-sharing"})
        case _:
            await clock.pass_time(2 * HOUR + 1)
    assert await phones(client) == []
    assert await help_of(rene, booking) == NO_HELP
    await link.report("help.offered", fact(booking, NOON + 2, rung="call", phone=PHONE))
    assert await phones(client) == []
    assert len(await told(rene, "help")) == 1


async def test_a_word_of_help_that_is_old_or_repeated_changes_nothing_and_a_new_approach_starts_over(
    rene: Renting, link: Link, booking: str, clock: FakeClock
) -> None:
    await link.report("help.offered", fact(booking, NOON + 90, rung="call", phone=PHONE))
    await link.report("help.offered", fact(booking, NOON + 90, rung="call", phone=PHONE))
    await link.report("help.offered", fact(booking, NOON + 15, rung="harder"))
    assert await help_of(rene, booking) == NO_HELP | {"rung": "call", "phone": PHONE}
    assert len(await told(rene, "help")) == 1
    clock.move(300)
    await link.report("help.offered", fact(booking, NOON + 300, rung="harder"))
    assert await help_of(rene, booking) == NO_HELP | {"rung": "harder"}
    clock.move(HOUR)
    await link.report("help.offered", fact(booking, NOON + 330, rung="owner"))
    assert (await help_of(rene, booking))["rung"] == "harder", "that was an hour ago"


async def test_help_whose_number_nobody_could_dial_is_help_all_the_same(
    rene: Renting, link: Link, booking: str
) -> None:
    await link.report("help.offered", fact(booking, rung="call", phone="ring the bell"))
    assert await help_of(rene, booking) == NO_HELP | {"rung": "call"}


async def test_a_house_says_nothing_about_the_bookings_of_another(
    rene: Renting, link: Link, booking: str, client: TestClient
) -> None:
    other = await pair_house(client, await make_person(client, name="Otto"))
    async with Link(client, other) as stranger:
        await stranger.report("help.offered", fact(booking, rung="call", phone=PHONE))
        await stranger.report("code.checked", fact(booking, right=True, tries_left=5))
        await stranger.report("stay.ending", fact(booking))
    assert await help_of(rene, booking) == NO_HELP
    assert "help" not in await rene.causes()


@pytest.mark.parametrize(
    ("given", "plain"),
    [("424242", "424242"), ("424 242", "424242"), ("424-242", "424242")],
)
async def test_a_code_reaches_the_house_at_once_and_its_answer_reaches_the_renter(
    rene: Renting, link: Link, space: Published, booking: str, given: str, plain: str
) -> None:
    waiting = await rene.post(f"bookings/{booking}/code", {"code": given}, status=202)
    assert waiting["help"] == NO_HELP
    assert await hint(link) == {"booking": booking, "space": space.id, "code": plain, "at": to_rfc3339(NOON)}
    await link.report("code.checked", fact(booking, NOON + 1, right=False, tries_left=4))
    assert await help_of(rene, booking) == NO_HELP | {"code": "wrong", "tries_left": 4}
    again = await rene.post(f"bookings/{booking}/code", {"code": given}, status=202)
    assert again["help"] == NO_HELP | {"tries_left": 4}, "the answer to this one is not known yet"
    await link.report("code.checked", fact(booking, NOON + 2, right=True, tries_left=4))
    assert (await help_of(rene, booking))["code"] == "right"
    changes = await told(rene, "code-checked")
    assert [(change["code"], change["tries_left"]) for change in changes] == [("wrong", 4), ("right", 4)]


async def test_a_code_is_in_no_database_no_log_and_no_list_of_changes(
    rene: Renting,
    link: Link,
    booking: str,
    client: TestClient,
    owner: Person,
    database: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with structlog.testing.capture_logs() as lines:
        await rene.post(f"bookings/{booking}/code", {"code": "730-518"}, status=202)
        assert (await hint(link))["code"] == "730518"
        await rene.post(f"bookings/{booking}/code", {"code": "730-5188"}, status=422)
        await link.report("code.checked", fact(booking, NOON + 1, right=True, tries_left=5))
        changes = str([await person.get("changes?limit=500") for person in (rene, Renting(client, owner))])
    assert any(line["event"] == "http" for line in lines)
    for place in (changes, str(lines), caplog.text, direct.everything(database).decode("latin-1")):
        assert "730518" not in place
        assert "730-518" not in place
    assert booking in direct.everything(database).decode("latin-1")


async def test_a_code_for_a_house_that_is_away_is_refused_and_not_kept_for_later(
    client: TestClient, house: House, rene: Renting, database: str
) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
        await link.report("grant.stored", {"booking": booking, "revision": 1})
    refused = await rene.post(f"bookings/{booking}/code", {"code": "730518"}, status=409)
    assert refused["type"] == "/problems/house-away"
    assert b"730518" not in direct.everything(database)
    async with Link(client, house) as link:
        await link.request("space.withdraw", {"space": space.id})
        assert [frame["t"] for frame in link._kept if frame["k"] == "eph"] == []


async def test_a_house_that_has_not_been_let_in_yet_is_away(client: TestClient, house: House, rene: Renting) -> None:
    async with Link(client, house) as link:
        space = await publish(link)
        booking = (await rene.book(space.id))["id"]
        await link.report("grant.stored", {"booking": booking, "revision": 1})
    half = Link(client, house)
    await half.dial()
    refused = await rene.post(f"bookings/{booking}/code", {"code": "424242"}, status=409)
    assert refused["type"] == "/problems/house-away"
    await half.socket.close()


async def test_a_code_is_taken_from_the_start_until_the_end_and_for_a_reserved_booking_only(
    rene: Renting, link: Link, space: Published, clock: FakeClock
) -> None:
    booking = (await rene.book(space.id, NOON + HOUR, NOON + 2 * HOUR))["id"]
    code = f"bookings/{booking}/code"
    clock.move(HOUR - CODE_EARLY_S)
    assert (await rene.post(code, {"code": "424242"}, status=409))["type"] == "/problems/not-possible-now"
    await link.report("grant.stored", {"booking": booking, "revision": 1})
    await rene.post(code, {"code": "424242"}, status=202)
    clock.move(-1)
    assert "too early" in (await rene.post(code, {"code": "424242"}, status=409))["detail"]
    clock.move(HOUR + CODE_EARLY_S)
    await rene.post(code, {"code": "424242"}, status=202)
    clock.move(1)
    assert "over" in (await rene.post(code, {"code": "424242"}, status=409))["detail"]


async def test_a_car_that_stands_there_needs_no_code(rene: Renting, link: Link, booking: str) -> None:
    await link.report("stay.arrived", fact(booking))
    refused = await rene.post(f"bookings/{booking}/code", {"code": "424242"}, status=409)
    assert refused["type"] == "/problems/not-possible-now"


@pytest.mark.parametrize("code", ["", "42424", "4242424", "42 42 42", "ABCDEF", "ABCD-EFGH", "424242\n", 424242])
async def test_what_cannot_be_a_code_is_refused_before_the_house_is_asked(
    rene: Renting, booking: str, code: Any
) -> None:
    refused = await rene.post(f"bookings/{booking}/code", {"code": code}, status=422)
    assert refused["errors"][0]["pointer"] == "/code"


async def test_nobody_but_the_renter_gives_a_code(link: Link, booking: str, client: TestClient, owner: Person) -> None:
    for person in (owner, await make_person(client)):
        await Renting(client, person).post(f"bookings/{booking}/code", {"code": "424242"}, status=404)
    token = await make_person(client, scopes=["positions"])
    await Renting(client, token).post(f"bookings/{booking}/code", {"code": "424242"}, status=403)
    await Renting(client, owner).post(f"bookings/{new_id()}/code", {"code": "424242"}, status=404)


async def test_guessing_codes_ends_with_a_time_to_wait_for_this_booking_only(
    settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    client = await make_client(build_app(settings.model_copy(update={"rate_limits": 1.0}), clock=clock))
    rene, owner = Renting(client, await make_person(client)), await make_person(client)
    async with Link(client, await pair_house(client, owner)) as link:
        space, other = await publish(link), await publish(link)
        mine = [str((await rene.book(one.id))["id"]) for one in (space, other)]
        for booking in mine:
            await link.report("grant.stored", {"booking": booking, "revision": 1})
        for _ in range(int(DEFAULT_ALLOWANCES[Rate.GATE_CODE].burst)):
            await rene.post(f"bookings/{mine[0]}/code", {"code": "424242"}, status=202)
        assert (await rene.post(f"bookings/{mine[0]}/code", {"code": "424242"}, status=429))["retry_after"] == 30
        await rene.post(f"bookings/{mine[1]}/code", {"code": "424242"}, status=202)


async def test_an_answer_to_a_code_that_comes_late_or_twice_changes_nothing(
    rene: Renting, link: Link, booking: str
) -> None:
    await link.report("code.checked", fact(booking, NOON + 10, right=True, tries_left=4))
    await link.report("code.checked", fact(booking, NOON + 10, right=True, tries_left=4))
    await link.report("code.checked", fact(booking, NOON + 5, right=False, tries_left=4))
    assert (await help_of(rene, booking))["code"] == "right"
    assert len(await told(rene, "code-checked")) == 1
    await link.report("stay.arrived", fact(booking, NOON + 20))
    await link.report("code.checked", fact(booking, NOON + 30, right=False, tries_left=3))
    assert await help_of(rene, booking) == NO_HELP


async def test_an_admission_by_a_code_is_written_down(link: Link, booking: str, client: TestClient) -> None:
    await link.report("admission.decided", fact(booking, decision="admit", by="code"))
    async with client.app[keys.STORE].read() as tx:  # type: ignore[union-attr]
        rows = await tx.execute(sa.text("SELECT booking, decision, by FROM admissions"))
        assert [tuple(row) for row in rows] == [(booking, "admit", "code")]
