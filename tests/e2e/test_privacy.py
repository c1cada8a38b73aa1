"""The search for what must not be read: what is planted is found, what only looks alike is not."""

import base64
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from homeassistant.components.recorder.db_schema import Base
from sqlalchemy import create_engine

from tests.simulators.track import offset

from . import privacy, traces
from .conftest import Stage
from .left_behind import needles_of, search
from .privacy import SHAPES, Finding, Kind, Needle, Search, Source
from .traces import Trace

PLATE = "AB-123-CD"
PLACE = (52.5187364, 13.4112968)
TOKEN = base64.urlsafe_b64encode(bytes(range(1, 33))).decode().rstrip("=")
NEEDLES = (
    privacy.plate(PLATE, whose="the renter"),
    privacy.place(PLACE, whose="the renter"),
    privacy.secret(TOKEN, what="the key"),
    privacy.code("482913", what="the code"),
    privacy.phone("+49 30 1234567", whose="the owner"),
    *SHAPES,
)


def _found(text: str, needles: Sequence[Needle] = NEEDLES) -> set[Kind]:
    return {needle.kind for needle in needles if list(needle.found_in(text))}


@pytest.mark.parametrize("text", ["AB-123-CD", "AB123CD", "ab 123 cd", "x=AB·123·CD;", "image_ab-123-cd", "AB.123.CD"])
def test_a_plate_is_found_in_any_writing(text: str) -> None:
    assert _found(text) == {Kind.PLATE}


@pytest.mark.parametrize("text", ["9fab123cd0", "AB-124-CD", "AB-123-C", "AB--123--CD", "grab 1 2 3 cd"])
def test_what_only_looks_like_a_plate_is_not_taken_for_it(text: str) -> None:
    assert not _found(text)


@pytest.mark.parametrize(
    "text",
    [
        "52.5187364, 13.4112968",
        '{"lon": 13.4113, "lat": 52.5187}',
        '{"latitude": 52.518736, "accuracy": 8, "longitude": 13.411297}',
        "lat=52.5187\n\0\nlon=13.4112",
    ],
)
def test_a_place_is_found_however_it_was_rounded_down_to_ten_metres(text: str) -> None:
    assert _found(text) == {Kind.PLACE}


@pytest.mark.parametrize("text", ["52.51, 13.41", "52.5187 m", "152.5187, 13.4112", "52.5187" + 300 * "." + "13.4112"])
def test_a_blurred_place_and_one_coordinate_alone_are_no_place(text: str) -> None:
    assert not _found(text)


@pytest.mark.parametrize("text", [TOKEN, f"'{TOKEN}='", bytes(range(1, 33)).hex(), f"Bearer {TOKEN}"])
def test_a_key_is_found_in_each_of_its_writings(text: str) -> None:
    assert _found(text) == {Kind.SECRET}


@pytest.mark.parametrize(
    "text",
    [
        "pks_" + 40 * "a",
        "/api/image_proxy/image.x?token=0123456789abcdef",
        "device_code': 'u7Xw0pQm2nB4vC6x",
        "Bearer " + 20 * "q",
    ],
)
def test_tokens_that_nobody_knew_of_are_found_by_their_shape(text: str) -> None:
    assert _found(text) == {Kind.SECRET}


def test_a_code_is_found_as_a_word_but_not_within_a_number() -> None:
    assert _found("code: 482913") == {Kind.CODE}
    assert not _found("at 1795482913.02, 0.482913, 7a482913")


def test_a_phone_number_is_found_however_it_is_grouped() -> None:
    assert _found("+49 30 123 4567") == _found("tel:+49301234567") == {Kind.PHONE}


def test_a_finding_never_tells_the_thing_itself() -> None:
    search = Search(NEEDLES)
    search.through(Source("a log", [Trace("hass.log:7", f"admitted {PLATE} at {PLACE} with {TOKEN} and 482913")]))
    assert {finding.where for finding in search.findings} == {"hass.log:7"}
    assert len(search.findings) == 4
    told = " ".join([*map(str, search.findings), *search.told()])
    assert not _found(told)


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A recorder's database as Home Assistant makes it, with a person and a sensor."""
    path = tmp_path / "home-assistant_v2.db"
    engine = create_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    engine.dispose()
    _do(path, "insert into states_meta (metadata_id, entity_id) values (1, 'person.olivia'), (2, 'sensor.bay')")
    _do(path, "insert into event_types (event_type_id, event_type) values (1, 'call_service')")
    for number in (1, 2):
        _state(path, number, "home", "{}")
    return path


def _do(path: Path, statement: str, *values: object) -> int:
    """Do it; return the number that it selects first, 0 if none."""
    database = sqlite3.connect(path)
    database.execute("pragma secure_delete = off")  # as SQLite is by itself; Debian's overwrites what it deletes
    with database:
        row = database.execute(statement, values).fetchone()
    database.close()
    return 0 if row is None else int(row[0])


def _state(path: Path, entity: int, state: str, attributes: str) -> None:
    _do(path, "insert into state_attributes (shared_attrs) values (?)", attributes)
    newest = "(select max(attributes_id) from state_attributes)"
    _do(path, f"insert into states (metadata_id, state, attributes_id) values (?, ?, {newest})", entity, state)


def _search(path: Path) -> list[Finding]:
    search = Search(NEEDLES, places_of={"person.olivia"})
    search.through(Source("history", traces.of_recorder(path)))
    return search.findings


def test_a_clean_history_has_no_findings(recorder: Path) -> None:
    assert not _search(recorder)


def test_what_is_planted_in_a_history_is_found_and_located(recorder: Path) -> None:
    _state(recorder, 2, "AB123CD", '{"latitude": 52.51874, "longitude": 13.4113}')
    _do(recorder, "insert into event_data (data_id, shared_data) values (1, ?)", '{"code": "482913"}')
    _do(recorder, "insert into events (event_type_id, data_id) values (1, 1)")
    assert set(_search(recorder)) == {
        Finding("the plate of the renter", "history of sensor.bay: state"),
        Finding("a place of the renter", "history of sensor.bay: attributes"),
        Finding("the code", "recorded event call_service"),
    }


def test_the_place_of_a_person_is_left_out_but_not_a_plate_there(recorder: Path) -> None:
    _state(recorder, 1, "home", '{"latitude": 52.5187364, "longitude": 13.4112968}')
    assert not _search(recorder)
    _state(recorder, 1, "home", f'{{"note": "{PLATE}"}}')
    assert [finding.what for finding in _search(recorder)] == ["the plate of the renter"]


def test_what_was_deleted_from_a_database_is_found_in_its_file(recorder: Path) -> None:
    _state(recorder, 2, PLATE, "{}")
    _do(recorder, "delete from states where state = ?", PLATE)
    assert not _search(recorder)
    search = Search(NEEDLES)
    search.through(Source("file", traces.of_bytes(recorder)))
    assert [finding.what for finding in search.findings] == ["the plate of the renter"]


def test_a_database_that_is_not_there_is_no_clean_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(traces.of_recorder(tmp_path / "home-assistant_v2.db"))


@pytest.mark.e2e
def test_nothing_that_a_run_left_behind_tells_a_plate_a_place_or_a_token(stage: Stage) -> None:
    stage.do(_stay(stage), within=90)
    found = stage.do(search(stage.world, codes={}, others={}), within=60)
    assert not found.findings, "\n".join(map(str, found.findings))
    kinds = {needle.kind for needle in found.needles}
    assert kinds >= {Kind.PLATE, Kind.PLACE, Kind.SPACE, Kind.SECRET, Kind.PHONE}
    assert {"the recorder's history", "the log home-assistant.log", "the store record"} <= set(found.searched)


@pytest.mark.e2e
def test_what_is_planted_into_a_copy_of_what_a_run_left_behind_is_found(stage: Stage, tmp_path: Path) -> None:
    world = stage.world
    stage.do(_stay(stage), within=90)
    needles = needles_of(world, codes={}, others={})
    copy, log = tmp_path / "home-assistant_v2.db", tmp_path / "home-assistant.log"
    with closing(sqlite3.connect(world.home.folder / copy.name)) as recorder, closing(sqlite3.connect(copy)) as into:
        recorder.backup(into)
    entity = _do(copy, "select metadata_id from states_meta where entity_id like 'sensor.%'")
    latitude, longitude = world.renter.places[-1]
    _state(copy, entity, world.renter.plate.replace("-", ""), f'{{"latitude": {latitude}, "longitude": {longitude}}}')
    log.write_text(f"{world.home.process.log.read_text()}\nconnected with {world.owner_phone.app.secrets[0]}\n")
    planted = Search(needles, places_of={world.owner_phone.tracker, world.owner_phone.person})
    planted.through(Source("copied history", traces.of_recorder(copy)))
    planted.through(Source("copied log", traces.of_log(log)))
    assert {finding.what for finding in planted.findings} == {
        "the plate of the renter",
        "a place of the renter",
        "a secret of the owner's phone",
    }


async def _stay(stage: Stage) -> None:
    """Let something happen: a window is offered, a renter reports where they are, and so does the owner."""
    world = stage.world
    await world.renter.report(offset(world.nora.place, north_m=255, east_m=31))
    await world.owner_phone.move(offset(world.nora.place, north_m=900, east_m=41))
    await world.offer(world.nora, start=time.time() + 6 * 3600, end=time.time() + 7 * 3600)
