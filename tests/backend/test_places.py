"""Places over HTTP: without a service, with one, and with one that fails."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from hypothesis import given, strategies as st

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.clock import new_id
from parkshare_backend.places.addresses import folded, read_address
from parkshare_backend.places.coordinates import read_point
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.market import HOME, NORTH_M, Link, place, publish
from tests.backend.support import NOON, FakeClock, Person, make_person, pair_house
from tests.backend.test_privacy import PROOF, erase, exported
from tests.backend.traces import occurrences
from tests.simulators.geocoders import LINDENWEG, FakeGeocoder

SERVICES = ("nominatim", "photon", "pelias")


async def search(client: TestClient, person: Person, text: str, **more: Any) -> dict[str, Any]:
    answered = await client.post("/api/v1/places/search", json={"text": text} | more, headers=person.headers)
    assert answered.status == 200, await answered.text()
    return dict(await answered.json())


async def reverse(client: TestClient, person: Person, north_m: float = 0) -> dict[str, Any]:
    answered = await client.post("/api/v1/places/reverse", json=place(north_m), headers=person.headers)
    assert answered.status == 200, await answered.text()
    return dict(await answered.json())


async def save(client: TestClient, person: Person, label: str, kind: str = "home", north_m: float = 0) -> Any:
    body = {"label": label, "kind": kind, "position": place(north_m)}
    headers = person.headers | {"Idempotency-Key": new_id()}
    return await client.post("/api/v1/account/places", json=body, headers=headers)


async def share(client: TestClient, address: str, *, owners: int = 1, spaces: int = 1, north_m: float = 0) -> Person:
    """Publish so many spaces for each of so many owners, each with its own house number."""
    owner = None
    for n in range(owners):
        owner = await make_person(client)
        async with Link(client, await pair_house(client, owner)) as link:
            for m in range(spaces):
                written = address.format(n=7 + 2 * n + 2 * m)
                await publish(link, address=written, north_m=north_m + 10 * n, windows=[])
    assert owner is not None
    return owner


def labels(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["kind"], one["label"]) for one in found["items"]]


@pytest.mark.parametrize(
    ("text", "lat", "lon"),
    [
        ("48.137, 11.575", 48.137, 11.575),
        ("48.137 11.575", 48.137, 11.575),
        ("-33.9;18.4", -33.9, 18.4),
        ("33.9 S, 18.4 W", -33.9, -18.4),
        ("geo:48.137,11.575", 48.137, 11.575),
        ("  90 , -180 ", 90, -180),
    ],
)
async def test_a_pair_of_numbers_is_a_place(
    client: TestClient, renter: Person, text: str, lat: float, lon: float
) -> None:
    found = await search(client, renter, text)
    assert [one["position"] for one in found["items"]] == [{"lat": lat, "lon": lon}]
    assert (found["degraded"], found["attribution"]) == (False, None)


@pytest.mark.parametrize("text", ["91, 11", "48.1", "1 2 3", "١٢, ١٣", "48.137, 181", "1" * 59])
def test_other_numbers_are_no_place(text: str) -> None:
    assert read_point(text) is None


async def test_own_places_are_saved_found_and_forgotten(client: TestClient, renter: Person, owner: Person) -> None:
    saved = await (await save(client, renter, "Büro Mitte", "work")).json()
    await save(client, renter, "Bei Oma", "other", 500)
    assert labels(await search(client, renter, "buro")) == [("saved", "Büro Mitte")]
    assert labels(await search(client, owner, "buro")) == []
    assert labels(await reverse(client, renter)) == [("saved", "Büro Mitte")]
    listed = await (await client.get("/api/v1/account/places", headers=renter.headers)).json()
    assert [(one["kind"], one["label"]) for one in listed["items"]] == [("work", "Büro Mitte"), ("other", "Bei Oma")]
    path = f"/api/v1/account/places/{saved['id']}"
    assert (await client.delete(path, headers=owner.headers)).status == 404
    assert (await client.delete(path, headers=renter.headers)).status == 204
    assert labels(await search(client, renter, "buro")) == []


async def test_an_account_saves_fifty_places(client: TestClient, renter: Person, monkeypatch: Any) -> None:
    monkeypatch.setattr("parkshare_backend.places.saved.MAX_SAVED", 2)
    statuses = [(await save(client, renter, f"Place {n}")).status for n in range(3)]
    assert statuses == [201, 201, 409]


async def test_saved_places_are_exported_and_erased(client: TestClient, renter: Person) -> None:
    await save(client, renter, "Zuhause")
    (part,) = (await exported(client, renter))["parts"]["places"]
    assert (part["label"], part["position"]) == ("Zuhause", place())
    assert (await erase(client, renter, PROOF))[0] == 204
    assert await occurrences(client.app[keys.STORE], "Zuhause") == set()


async def test_a_street_is_found_when_several_owners_share_there(client: TestClient, renter: Person) -> None:
    await share(client, "Lindenweg {n}, 80331 München", owners=3)
    (found,) = (await search(client, renter, "lindenw"))["items"]
    assert (found["label"], found["kind"], found["source"]) == ("Lindenweg, 80331 München", "street", "spaces")
    assert abs(found["position"]["lat"] - HOME[0]) < 150 * NORTH_M
    assert labels(await search(client, renter, "munchen lindenweg")) == [("street", "Lindenweg, 80331 München")]
    assert labels(await search(client, renter, "80331")) == [("street", "Lindenweg, 80331 München")]


async def test_the_address_of_one_owner_is_found_by_nobody(client: TestClient, renter: Person) -> None:
    await share(client, "Geheimweg {n}, 80331 München", owners=2, spaces=3)
    for text in ("geheimweg", "Geheimweg 7, 80331 München", "münchen", "80331"):
        assert labels(await search(client, renter, text)) == []


async def test_an_own_street_among_others_shows_as_its_town_only(client: TestClient, renter: Person) -> None:
    await share(client, "Lindenweg {n}, 80331 München", owners=2)
    await share(client, "Geheimweg {n}, 80331 München", north_m=400)
    assert labels(await search(client, renter, "geheimweg")) == []
    assert labels(await search(client, renter, "münchen")) == [("town", "80331 München")]


async def test_no_house_number_is_shown_or_found(client: TestClient, renter: Person) -> None:
    owner = await share(client, "Lindenweg {n}b, 80331 München", owners=3)
    everything = json.dumps(await search(client, renter, "lindenweg"))
    assert not any(number in everything for number in ("7b", "9b", "11b"))
    for text in ("7b", "9b", "lindenweg 7b"):
        assert labels(await search(client, renter, text)) == []
    assert labels(await reverse(client, renter)) == []
    # to its owner an address is no secret
    assert ("address", "Lindenweg 11b, 80331 München") in labels(await reverse(client, owner))


async def test_a_space_that_is_not_shared_any_more_is_not_found(client: TestClient, renter: Person) -> None:
    await share(client, "Lindenweg {n}, München", owners=2)
    owner = await make_person(client)
    async with Link(client, await pair_house(client, owner)) as link:
        space = await publish(link, address="Lindenweg 1, München")
        assert labels(await search(client, renter, "lindenweg")) == [("street", "Lindenweg, München")]
        await link.request("space.withdraw", {"space": space.id})
        assert labels(await search(client, renter, "lindenweg")) == []
        await publish(link, address="Lindenweg 1, München")
        assert labels(await search(client, renter, "lindenweg")) == [("street", "Lindenweg, München")]
    assert (await erase(client, owner, PROOF))[0] == 204
    assert labels(await search(client, renter, "lindenweg")) == []


async def test_streets_of_one_name_far_apart_are_several_nearest_first(client: TestClient, renter: Person) -> None:
    await share(client, "Hauptstraße {n}, Neustadt", owners=3)
    await share(client, "Hauptstraße {n}, Neustadt", owners=3, north_m=20_000)
    near, far = (await search(client, renter, "hauptstrasse", near=place(19_000)))["items"]
    assert near["position"]["lat"] > far["position"]["lat"]


ODD = [
    '"',
    'lindenweg" OR "1',
    "lindenweg*",
    "(lindenweg",
    "NEAR(a b)",
    "words:lindenweg",
    "a AND NOT b",
    "^linden",
    "'; DROP TABLE spaces; --",
    "lindenweg & !x | y:*",
    "\\",
    "🚗",
    "🚗 lindenweg",
    "%",
    "_",
    "-",
    "ß",
    "x" * 200,
    "İ",
    "é" * 100,
    "a " * 100,
    "\u200b",
    "﷽",
]


async def test_odd_texts_are_searched_like_any_other(client: TestClient, renter: Person) -> None:
    await share(client, "Lindenweg {n}, München", owners=3)
    for text in ODD:
        found = await search(client, renter, text)
        assert labels(found) in ([], [("street", "Lindenweg, München")]), text
        assert not found["degraded"]


@pytest.mark.parametrize("text", ["", "a\x00b", "a\nb", "x" * 10_000, 7, None, ["a"], "\ud800"])
async def test_texts_that_cannot_be_searched_are_refused_by_name(
    client: TestClient, renter: Person, text: object
) -> None:
    body = json.dumps({"text": text})
    headers = renter.headers | {"Content-Type": "application/json"}
    answered = await client.post("/api/v1/places/search", data=body, headers=headers)
    problem = await answered.json()
    assert (answered.status, problem["errors"][0]["pointer"]) in {(422, "/text"), (400, "")}


@given(st.text(max_size=300))
def test_no_word_of_an_address_holds_a_sign_of_a_query_language(text: str) -> None:
    for word in [*folded(text), *read_address(text).words.split(" ")]:
        assert word == "" or word.isalnum()


@given(street=st.from_regex(r"[A-Z][a-z]{2,12}weg", fullmatch=True), number=st.integers(1, 99_999))
def test_a_house_number_never_outlives_the_reading_of_an_address(street: str, number: int) -> None:
    for text in (
        f"{street} {number}, Ort",
        f"{number} {street}, Ort",
        f"{street} {number}a",
        f"Ort, {street} {number}b",
    ):
        address = read_address(text)
        assert str(number) not in f"{address.street} {address.town} {address.words}"


@pytest.fixture
async def service(socket_enabled: None) -> AsyncIterator[tuple[FakeGeocoder, str]]:
    fake = FakeGeocoder()
    server = await fake.start()
    yield fake, str(server.make_url("")).rstrip("/")
    await server.close()


type Ask = tuple[TestClient, Person, FakeGeocoder]


def served(settings: Settings, name: str, url: str) -> Settings:
    update = {"places_service": name, "places_url": url, "places_timeout_s": 0.5, "places_contact": "ops@example.org"}
    return settings.model_copy(update=update)


@pytest.fixture(params=SERVICES)
async def ask(
    request: pytest.FixtureRequest,
    service: tuple[FakeGeocoder, str],
    settings: Settings,
    clock: FakeClock,
    make_client: MakeClient,
) -> Ask:
    client = await make_client(build_app(served(settings, request.param, service[1]), clock=clock))
    return client, await make_person(client), service[0]


async def test_a_service_finds_addresses_and_is_named(ask: Ask) -> None:
    client, person, fake = ask
    found = await search(client, person, "Lindenweg 4", near=place(), limit=3)
    (one,) = found["items"]
    assert (one["label"], one["position"]) == (LINDENWEG[0], {"lat": LINDENWEG[1], "lon": LINDENWEG[2]})
    assert one["source"] in SERVICES
    assert "OpenStreetMap" in found["attribution"]
    ((_, query, user_agent),) = fake.asked
    assert "Lindenweg 4" in query.values()
    assert user_agent.startswith("ParkShare/")
    assert "ops@example.org" in user_agent


async def test_a_service_gives_the_address_at_a_point(ask: Ask) -> None:
    client, person, fake = ask
    found = await reverse(client, person)
    assert labels(found) == [("address", LINDENWEG[0])]
    assert str(HOME[0]) in fake.asked[0][1].values()


async def test_the_same_question_is_asked_once_in_thirty_days(ask: Ask, clock: FakeClock) -> None:
    client, person, fake = ask
    for text in ("Lindenweg 4", "  lindenweg   4", "LINDENWEG 4"):
        assert len((await search(client, person, text))["items"]) == 1
    assert len(fake.asked) == 1
    clock.move(31 * 86_400)
    await search(client, person, "Lindenweg 4")
    assert len(fake.asked) == 2
    store = client.app[keys.STORE]
    assert await occurrences(store, "lindenweg 4") == set()  # of the question nothing is kept


async def test_a_service_that_knows_nothing_is_not_a_failure(ask: Ask, clock: FakeClock) -> None:
    client, person, fake = ask
    fake.places = []
    found = await search(client, person, "Nowhere")
    assert (found["items"], found["degraded"]) == ([], False)
    clock.move(1)
    found = await reverse(client, person)
    assert (found["items"], found["degraded"]) == ([], False)
    fake.places = [LINDENWEG]
    assert (await search(client, person, "Nowhere"))["items"] == []  # kept, too


@pytest.mark.parametrize(
    ("ask", "spoilt"),
    [
        ("nominatim", {"status": 500}),
        ("photon", {"status": 403}),
        ("nominatim", {"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}),
        ("nominatim", {"status": 429, "headers": {"Retry-After": "7200"}}),
        ("pelias", {"raw": b"<html>"}),
        ("nominatim", {"raw": b""}),
        ("photon", {"raw": b"[7]"}),
        ("pelias", {"raw": b'{"features": [{"geometry": null}]}'}),
        ("nominatim", {"raw": b'[{"lat": "NaN", "lon": {}, "display_name": []}]'}),
        ("photon", {"raw": b"[" + b" " * 1_100_000 + b"]"}),
    ],
    ids=[str(n) for n in range(10)],
    indirect=["ask"],
)
async def test_without_its_service_the_server_answers_what_it_knows(
    ask: Ask, spoilt: dict[str, Any], clock: FakeClock
) -> None:
    client, person, fake = ask
    await save(client, person, "Lindenweg Garage")
    for name, value in spoilt.items():
        setattr(fake, name, value)
    found = await search(client, person, "lindenweg")
    assert labels(found) == [("saved", "Lindenweg Garage")]
    assert found["degraded"]
    asked = len(fake.asked)
    assert (await search(client, person, "another"))["degraded"]
    assert (await reverse(client, person))["degraded"]
    assert len(fake.asked) == asked  # it is left alone for a while
    fake.status, fake.raw = 200, None
    clock.move(3600)
    assert not (await search(client, person, "lindenweg"))["degraded"]


async def test_a_slow_service_keeps_nobody_waiting(ask: Ask) -> None:
    client, person, fake = ask
    fake.slow = asyncio.Event()
    found = await search(client, person, "lindenweg")
    assert (found["items"], found["degraded"]) == ([], True)
    fake.slow.set()


async def test_a_service_that_is_away_is_no_error(
    settings: Settings, clock: FakeClock, make_client: MakeClient, unused_tcp_port: int
) -> None:
    gone = served(settings, "nominatim", f"http://127.0.0.1:{unused_tcp_port}")
    client = await make_client(build_app(gone, clock=clock))
    found = await search(client, await make_person(client), "lindenweg")
    assert (found["items"], found["degraded"]) == ([], True)


async def until(ready: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not ready():  # noqa: ASYNC110 - of what is waited for nobody tells
            await asyncio.sleep(0.01)


def turns_awaited(clock: FakeClock) -> int:
    """How many questions sleep until their turn: the loops of the server sleep for longer or shorter."""
    return sum(1 for due, _, woken in clock._sleepers if due - NOON in {1.0, 2.0, 3.0} and not woken.done())


async def test_all_instances_together_ask_once_a_second(
    service: tuple[FakeGeocoder, str], settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    fake, url = service
    one, two = [await make_client(build_app(served(settings, "nominatim", url), clock=clock)) for _ in range(2)]
    person = await make_person(one)
    await search(one, person, "first")
    before = turns_awaited(clock)
    waiting = [asyncio.create_task(search(two, person, "second")), asyncio.create_task(search(one, person, "third"))]
    await until(lambda: turns_awaited(clock) == before + 2)
    assert len(fake.asked) == 1
    clock.move(1)
    await until(lambda: len(fake.asked) == 2)
    clock.move(1)
    assert not any(found["degraded"] for found in await asyncio.gather(*waiting))
    assert len(fake.asked) == 3


async def test_who_would_wait_too_long_gets_what_is_known(
    service: tuple[FakeGeocoder, str], settings: Settings, clock: FakeClock, make_client: MakeClient
) -> None:
    fake, url = service
    client = await make_client(build_app(served(settings, "nominatim", url), clock=clock))
    person = await make_person(client)
    before = turns_awaited(clock)
    tasks = [asyncio.create_task(search(client, person, f"question {n}")) for n in range(8)]
    await until(lambda: sum(task.done() for task in tasks) == 5 and turns_awaited(clock) == before + 3)
    clock.move(3)
    # of eight one asks at once, and three wait their turn
    assert sum(found["degraded"] for found in await asyncio.gather(*tasks)) == 4
    assert len(fake.asked) == 4


def test_pelias_needs_an_address() -> None:
    with pytest.raises(ValueError, match="places_url"):
        Settings(places_service="pelias")


async def test_a_token_without_the_scope_searches_nothing(client: TestClient) -> None:
    tracker = await make_person(client, scopes=["positions"])
    answered = await client.post("/api/v1/places/search", json={"text": "a"}, headers=tracker.headers)
    assert answered.status == 403
