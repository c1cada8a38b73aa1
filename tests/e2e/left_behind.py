"""Search everything that a run has left behind: its logs, its histories, its databases, its answers.

scripts/demo does it as its last step and prints what was searched and what was left out.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import privacy, traces
from .privacy import Kind, Needle, Search, Source
from .world import PHONE, World

COMMIT_S = 2.5  # the recorder writes every second (home.py); what is on its way then is on the disk
# Where each kind of secret is kept by need; from there the search learns what to look for.
KEPT_AT = {
    "core.config_entries": ("sign_key", "seal_key", "token", "webhook_id", "secret", "service_token"),
    "auth": ("token", "jwt_key"),
    "parkshare.grants.": ("code_key",),
    "parkshare.codes.": ("secret", "key"),
    "parkshare.record_key.": ("key",),
}
# Stores of ours that live beside those and have no need of any secret: they are searched.
NEEDLESS = tuple(f"parkshare.{name}." for name in ("gate", "house", "record", "calendar", "link"))

CHANGES = "changes told to"
BOOKED = "the place of a space is told to whom it is booked for"


def needles_of(world: World, *, codes: dict[str, str], others: dict[str, str]) -> list[Needle]:
    """Give all that must not be found after this run.

    codes are those that were used, by what they are; others are plates besides those of the world's people, by whose.
    """
    plates = {"the renter": world.renter.plate} | {each.name: each.plate for each in world.households} | others
    needles = [privacy.plate(text, whose=whose) for whose, text in plates.items()]
    needles += [privacy.place(at, whose="the renter") for at in dict.fromkeys(world.renter.places)]
    needles += [privacy.place(at, whose="the owner") for at in dict.fromkeys(world.owner_phone.places)]
    needles += [privacy.place(each.place, whose=f"{each.name}'s space", kind=Kind.SPACE) for each in world.households]
    needles += [privacy.code(text, what=what) for what, text in codes.items()]
    needles += [
        privacy.code(each.code, what=f"{each.name}'s pairing code", kind=Kind.PAIRING) for each in world.households
    ]
    needles.append(privacy.phone(PHONE, whose="the owner"))
    people = (world.renter.account, *(each.account for each in world.households))
    for account in people:
        needles += [privacy.secret(text, what=f"a secret of {account.name}'s account") for text in account.secrets]
    needles += [privacy.secret(text, what="a secret of the owner's phone") for text in world.owner_phone.app.secrets]
    needles.append(privacy.secret(str(world.home.api.token), what="the browser's token"))
    needles += kept_secrets(world.home.folder / ".storage")
    needles += [
        privacy.secret(str(change.attributes["access_token"]), what=f"the passing token of {change.entity}")
        for change in world.home.api.history
        if change.attributes.get("access_token")
    ]
    # Some are kept at two places: the first name of each is the one that is told.
    return [*{(needle.pattern, needle.beside): needle for needle in reversed(needles)}.values(), *privacy.SHAPES]


def kept_secrets(storage: Path) -> Iterator[Needle]:
    """Give the secrets that Home Assistant's stores keep by need."""
    for begin, keys in KEPT_AT.items():
        for file in sorted(storage.glob(f"{begin}*")):
            content = privacy.parsed(file.read_text())
            if isinstance(content, dict):
                yield from privacy.secrets_in(content["data"], of=file.name, keys=keys)


def sources_of(world: World, answers: dict[str, Any]) -> Iterator[Source]:
    """Give all that is searched; answers are what was asked for, by what it is."""
    folder = world.home.folder
    logs = [*world.logs, world.broker.process.log, *sorted(folder.glob("home-assistant.log*"))]
    for log in logs:
        yield Source(f"the log {log.name}", traces.of_log(log))
    recorder = folder / "home-assistant_v2.db"
    yield Source("the recorder's history", traces.of_recorder(recorder))
    yield Source("the recorder's files", traces.of_bytes(recorder), but={Kind.PLACE}, why="see the history for places")
    restored = privacy.parsed((folder / ".storage/core.restore_state").read_text())
    yield Source("what entities take up after a restart", traces.of_restored(restored))
    history = ((change.entity, change.state, change.attributes) for change in world.home.api.history)
    yield Source("every state that a browser saw", traces.of_states(history))
    exact = [str(coordinate) for household in world.households for coordinate in household.place]
    why = "it matches by the places of spaces, renters may call owners, and a pairing's code (spent now) is its key"
    needs, database = {Kind.SPACE, Kind.PHONE, Kind.PAIRING}, world.server.database
    rows = traces.of_database(database, without=("space_places",))
    yield Source("the backend's database", rows, but=needs, published=exact, why=why)
    yield Source("its files", traces.of_bytes(database), but=needs, published=exact)
    for store in sorted((folder / ".storage").glob("parkshare.*")):
        if store.name.startswith(NEEDLESS):
            name = f"the store {store.name.split('.')[1]}"
            content = privacy.parsed(store.read_text())
            booked = BOOKED if ".house." in store.name else ""
            yield Source(name, traces.of_answer(store.name, content), but={Kind.SPACE} if booked else (), why=booked)
    for where, answer in answers.items():
        booked = BOOKED if where.startswith(CHANGES) else ""
        yield Source(where, traces.of_answer(where, answer), but={Kind.SPACE} if booked else (), why=booked)


async def answers_of(world: World) -> dict[str, Any]:
    """Ask for what people may download or be told: the diagnostics of both entries, and everybody's changes."""
    answers: dict[str, Any] = {}
    for household in world.households:
        path = f"/api/diagnostics/config_entry/{household.entry}"
        answers[f"diagnostics of {household.name}'s entry"] = await world.home.api.call("GET", path)
    for account in (world.renter.account, *(each.account for each in world.households)):
        answers[f"{CHANGES} {account.name}"] = await account.call("GET", "/changes?after=0&limit=500")
    return answers


async def search(world: World, *, codes: dict[str, str], others: dict[str, str]) -> Search:
    """Search everything; the findings are in what this returns."""
    await asyncio.sleep(COMMIT_S)
    answers = await answers_of(world)
    places_of = {world.owner_phone.tracker, world.owner_phone.person}

    def through_all() -> Search:
        search = Search(needles_of(world, codes=codes, others=others), places_of)
        for source in sources_of(world, answers):
            search.through(source)
        return search

    return await asyncio.to_thread(through_all)


async def find_plates(world: World, plates: list[str]) -> list[str]:
    """Return the places where a plate, with or without its dashes, can be read though none may be there."""
    needles = {plate.replace("-", mark).encode() for plate in plates for mark in ("-", "", " ")}
    files = [*world.logs, *world.server.database.parent.glob("parkshare.db*")]
    found = [str(file) for file in files if any(needle in file.read_bytes() for needle in needles)]
    states = await world.home.api.states()
    return found + [str(s["entity_id"]) for s in states if any(needle in str(s).encode() for needle in needles)]
