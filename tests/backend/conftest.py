"""Fixtures of the backend's tests: a migrated database, the application on a real socket, people, houses."""

import logging
import random as stdlib_random
import shutil
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.settings import Settings
from parkshare_backend.store import engine
from parkshare_backend.store.engine import Store
from parkshare_backend.store.migrate import upgrade
from tests.backend.support import FakeClock, House, Person, make_person, pair_house

# The Home Assistant harness makes every library talk; the engine asks once, when it is made.
for library in ("sqlalchemy.engine", "aiohttp.access"):
    logging.getLogger(library).setLevel(logging.WARNING)

# Drawing a traceback with every local takes longer than most tests.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

type MakeClient = Callable[[web.Application], Awaitable[TestClient]]


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave the loop out of the debug mode of the harness: it takes a stack trace for each future, half of all time."""


@pytest.fixture(autouse=True)
def ended_threads() -> Iterator[None]:
    """Wait for the threads of closed database connections: each tells that it is done a moment before it is."""
    yield
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            thread.join(timeout=5)


@pytest.fixture
def durable() -> None:
    """Ask for commits that wait for the disk, as in a server; for tests of durability."""


@pytest.fixture(autouse=True)
def quick_commits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commits not wait for the disk: no test but the durable ones is about a power cut."""
    if "durable" not in request.fixturenames:
        monkeypatch.setattr(engine, "SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the migrations made, to be copied."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    upgrade(str(path))
    return path


@pytest.fixture
def database(migrated: Path, tmp_path: Path) -> str:
    path = tmp_path / "parkshare.db"
    shutil.copy(migrated, path)
    return str(path)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(database: str) -> Settings:
    """Cheap passwords and no limits; a test of either makes its own."""
    return Settings(database=database, password_memory_kib=8, password_passes=1, rate_limits=0, zeroconf=False)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    store = Store(database)
    yield store
    await store.close()


@pytest.fixture
def app(settings: Settings, clock: FakeClock, socket_enabled: None) -> Iterator[web.Application]:
    app = build_app(settings, clock=clock, random=stdlib_random.Random(7))
    yield app
    app[keys.PASSWORDS].close()


@pytest.fixture
async def make_client(socket_enabled: None) -> AsyncIterator[MakeClient]:
    """Start applications on 127.0.0.1; each ends with the test."""
    clients: list[TestClient] = []

    async def make(app: web.Application) -> TestClient:
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for client in reversed(clients):
        await client.close()


@pytest.fixture
async def client(app: web.Application, make_client: MakeClient) -> TestClient:
    return await make_client(app)


@pytest.fixture
async def owner(client: TestClient) -> Person:
    """A person with every scope."""
    return await make_person(client, name="Olga")


@pytest.fixture
async def renter(client: TestClient) -> Person:
    return await make_person(client, name="Rene")


@pytest.fixture
async def house(client: TestClient, owner: Person) -> House:
    """A house that the owner linked."""
    return await pair_house(client, owner)


@pytest.fixture
def expected_lingering_timers() -> bool:
    """aiohttp 3.14 sets a WebSocket's heartbeat timer once more when the close frame is answered; it fires idle."""
    return True
