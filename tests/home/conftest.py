"""Fixtures of the integration's tests: a house, a real backend on 127.0.0.1, and entities that stand for things.

The only fake is the plate reader, which is another part's process.
"""

# Ours has to be imported before the harness looks for its own package of the same name.
import custom_components.parkshare  # noqa: F401  # isort: skip

import logging
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from unittest.mock import AsyncMock, patch
from uuid import uuid7

import pytest
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.parkshare.const import DOMAIN, SUBENTRY_SPACE
from custom_components.parkshare.hub import ParkShareHub
from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.recognition import Look, Mark, Picture
from custom_components.parkshare.space import SpaceRuntime
from parkshare_backend.store.migrate import upgrade
from tests.home.camera_house import Pictures, Power
from tests.home.house_facts import Told, offer
from tests.home.support import Backend, eventually, space_data

logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


class FakeReader:
    """Reads what a test wants to be read."""

    name = "fake"

    def __init__(self) -> None:
        self.looks: list[Look] = []
        self.pictures: list[Picture] = []
        self.drawn: list[tuple[Picture, tuple[Mark, ...]]] = []
        self.running = False

    async def start(self) -> None:
        self.running = True

    async def read(self, picture: Picture) -> Look:
        self.pictures.append(picture)
        return self.looks.pop(0) if self.looks else Look((), picture.taken_at, self.name)

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        return await self.read(pictures[-1])

    async def draw(self, picture: Picture, marks: Sequence[Mark], *, widest: int = 1280) -> bytes:
        self.drawn.append((picture, tuple(marks)))
        return b"\xff\xd8\xff drawn %d" % len(self.drawn)

    async def stop(self) -> None:
        self.running = False


@pytest.fixture(autouse=True)
def our_integration(enable_custom_integrations: None) -> None:
    """Home Assistant finds the integration of this tree."""


@pytest.fixture(autouse=True)
def expected_lingering_timers(request: pytest.FixtureRequest) -> bool:
    """aiohttp's heartbeat timer may outlive its closed socket; in a test without sockets no timer may."""
    return not {"backend", "stage"}.isdisjoint(request.fixturenames)


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Each test has a disk of its own."""
    return hass_tmp_config_dir


@pytest.fixture
def reader() -> Iterator[FakeReader]:
    """The reader that every hub of the test gets."""
    fake = FakeReader()
    with patch("custom_components.parkshare.hub.EmbeddedReader", return_value=fake):
        yield fake


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the backend's migrations made, to be copied."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    upgrade(str(path))
    return path


@pytest.fixture
async def backend(migrated: Path, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Backend]:
    """The real backend, on a free port of 127.0.0.1."""
    database = tmp_path / "backend.db"
    shutil.copy(migrated, database)
    backend = Backend(str(database))
    await backend.start()
    yield backend
    await backend.stop()


@pytest.fixture
def things(hass: HomeAssistant) -> None:
    """What stands on the space, as entities."""
    hass.states.async_set("lock.bay", "locked")
    hass.states.async_set("camera.bay", "idle")
    hass.states.async_set("binary_sensor.bay", "off", {"device_class": "occupancy"})
    hass.states.async_set("person.owner", "home")


type MakeEntry = Callable[..., MockConfigEntry]


@pytest.fixture
def make_entry(hass: HomeAssistant, reader: FakeReader, things: None) -> MakeEntry:
    """Make a config entry with spaces, as the flows would have stored it, without starting it."""

    def make(
        *,
        url: str = "http://127.0.0.1:9",
        install: str | None = None,
        keys: HouseKeys | None = None,
        spaces: tuple[dict[str, Any], ...] | None = None,
        **data: Any,
    ) -> MockConfigEntry:
        sign, seal = (keys or HouseKeys.generate()).private_text()
        spaces = (space_data(),) if spaces is None else spaces
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Test backend (Olga)",
            unique_id="server:account",
            data={
                "url": url,
                "server": "server",
                "install": install or str(uuid7()),
                "account": "account",
                "account_name": "Olga",
                "sign_key": sign,
                "seal_key": seal,
            }
            | data,
            subentries_data=[
                ConfigSubentryData(
                    data=MappingProxyType(space),
                    subentry_type=SUBENTRY_SPACE,
                    title=space["name"],
                    unique_id=space["space_id"],
                )
                for space in spaces
            ],
        )
        entry.add_to_hass(hass)
        return entry

    return make


type SetUp = Callable[[MockConfigEntry], Awaitable[ParkShareHub]]


@pytest.fixture
async def set_up(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[SetUp]:
    """Start an entry and give its hub; it is stopped with the test."""
    started: list[MockConfigEntry] = []

    async def start(entry: MockConfigEntry) -> ParkShareHub:
        started.append(entry)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        return entry.runtime_data

    yield start
    for entry in started:
        if entry.state.recoverable and entry.entry_id in {
            each.entry_id for each in hass.config_entries.async_entries()
        }:
            await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()


@pytest.fixture
async def linked(backend: Backend, make_entry: MakeEntry) -> MockConfigEntry:
    """A house that an owner linked, with one space; not started."""
    keys = HouseKeys.generate()
    install = await backend.link(keys)
    return make_entry(url=backend.url, install=install, keys=keys, account=backend.owner.id, server=backend.server_id)


@pytest.fixture
async def hub(linked: MockConfigEntry, set_up: SetUp) -> ParkShareHub:
    """The running hub of the linked house, connected."""
    hub = await set_up(linked)
    await eventually(lambda: hub.connected)
    return hub


@pytest.fixture
async def alone(make_entry: MakeEntry, set_up: SetUp) -> ParkShareHub:
    """A house without a backend; tests say the facts themselves. Its space is offered around the clock."""
    # Its own link would find nobody, and say so in the middle of what a test says.
    with patch("custom_components.parkshare.hub.LinkClient.run", AsyncMock()):
        hub = await set_up(make_entry())
    now = time.time()
    await offer(hub, now - 86400, now + 7 * 86400)
    await hub.hass.async_block_till_done()
    return hub


@pytest.fixture
def told(alone: ParkShareHub) -> Told:
    """What that house has reported."""
    return Told(alone)


@pytest.fixture
def seeded() -> random.Random:
    """Chance that is the same in every run."""
    return random.Random(7)


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> Pictures:
    """What the camera of the house gives, at once."""
    pictures = Pictures()
    monkeypatch.setattr("custom_components.parkshare.seeing.pictures.async_get_image", pictures.give)
    for pause, seconds in (("APART", 0.0), ("AGAIN", 0.01), ("PATIENCE", 0.1)):
        monkeypatch.setattr(f"custom_components.parkshare.seeing.camera_test.{pause}", seconds)
    return pictures


@pytest.fixture
async def house(hass: HomeAssistant, make_entry: MakeEntry, set_up: SetUp, pictures: Pictures) -> ParkShareHub:
    """A running house with one space, whose camera has a power switch."""
    hass.states.async_set("switch.camera", "off")
    return await set_up(make_entry(spaces=(space_data(camera_power="switch.camera"),)))


@pytest.fixture
def power(hass: HomeAssistant, house: ParkShareHub) -> Power:
    """The power switch of that camera."""
    return Power(hass)


@pytest.fixture
def runtime(house: ParkShareHub) -> SpaceRuntime:
    """The one space."""
    return next(iter(house.spaces.values()))


@pytest.fixture
def gate_policy() -> None:
    """How patient the gate of gate_house.py is; None for its usual haste. A module may have another one."""
