"""Fixtures of the backend's tests: a migrated database, the application on a real socket, people, houses."""

import logging
import random as stdlib_random
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_socket
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.http import door
from parkshare_backend.settings import Settings
from parkshare_backend.store import sqlite
from parkshare_backend.store.engine import Store
from parkshare_backend.store.migrate import upgrade
from tests.backend.support import FakeClock, House, Person, make_person, pair_house
from tests.simulators.postgres import Postgres, private_postgres

# The Home Assistant harness makes every library talk; the engine asks once, when it is made.
for library in ("sqlalchemy.engine", "aiohttp.access"):
    logging.getLogger(library).setLevel(logging.WARNING)

# Drawing a traceback with every local takes longer than most tests.
structlog.configure(processors=[structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)])

TEMPLATE = "migrated"
_databases = iter(range(1, 1_000_000))

# A test that reaches none of these does the same on either engine, so the second run leaves it out.
ON_AN_ENGINE = frozenset({"make_database", "migrated", "postgres", "postgresql_only", "empty_database"})

type MakeClient = Callable[[web.Application], Awaitable[TestClient]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests that touch no database out of a run on PostgreSQL."""
    if config.getoption("--engine") == "sqlite":
        return
    apart = {item for item in items if ON_AN_ENGINE.isdisjoint(getattr(item, "fixturenames", ()))}
    config.hook.pytest_deselected(items=list(apart))
    items[:] = [item for item in items if item not in apart]


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave the loop out of the debug mode of the harness: it takes a stack trace for each future, half of all time."""


@pytest.fixture
def durable() -> None:
    """Ask for commits that wait for the disk, as in a server; for tests of durability."""


@pytest.fixture(autouse=True)
def quick_commits(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let commits not wait for the disk: no test but the durable ones is about a power cut."""
    if "durable" not in request.fixturenames:
        monkeypatch.setattr(sqlite, "SYNCHRONOUS", "OFF")


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The engine that the tests run on: `pytest --engine postgresql`."""
    return str(request.config.getoption("--engine"))


@pytest.fixture
def sqlite_only(engine: str) -> None:
    """Leave a test that is about files of SQLite out of a run on PostgreSQL."""
    if engine != "sqlite":
        pytest.skip("about files of SQLite")


@pytest.fixture
def postgresql_only(engine: str) -> None:
    """Leave a test that is about a PostgreSQL server out of a run on SQLite."""
    if engine != "postgresql":
        pytest.skip("about a PostgreSQL server; run with --engine postgresql")


def allow_unix_sockets() -> None:
    """Let connections to a socket in a folder pass: the harness knows hosts only, and sets that anew for each test."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)
    pytest_socket.disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def reachable_database(engine: str) -> None:
    if engine == "postgresql":
        allow_unix_sockets()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One private cluster for all tests; it starts when the first asks for it."""
    allow_unix_sockets()
    with private_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def migrated(engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database that the migrations made, to be copied: a path, or the URL of PostgreSQL's template."""
    if engine == "postgresql":
        allow_unix_sockets()  # it is made before the first test that asks for it begins
        template: str = request.getfixturevalue("postgres").create(TEMPLATE)
    else:
        template = str(tmp_path_factory.mktemp("database") / "template.db")
    upgrade(template)
    return template


@pytest.fixture(scope="session")
def emptied() -> list[str]:
    """Databases of PostgreSQL that a test has left, with every row taken out: faster than to make another one."""
    return []


@pytest.fixture
def make_database(
    engine: str, migrated: str, emptied: list[str], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Callable[[], str]]:
    """Give empty migrated databases for the time of the test."""
    made: list[str] = []

    def make() -> str:
        if engine == "sqlite":
            path = tmp_path / "parkshare.db"
            return str(shutil.copy(migrated, path if not path.exists() else tmp_path / f"{next(_databases)}.db"))
        postgres: Postgres = request.getfixturevalue("postgres")
        if emptied:
            made.append(emptied.pop())
        else:
            made.append(f"test{next(_databases)}")
            postgres.create(made[-1], template=TEMPLATE)
        return postgres.url(made[-1])

    yield make
    for name in made:
        request.getfixturevalue("postgres").empty(name)
        emptied.append(name)


@pytest.fixture
def database(make_database: Callable[[], str]) -> str:
    return str(make_database())


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
        server = TestServer(app)
        client = TestClient(server)
        await client.start_server()
        if isinstance(server.runner, web.AppRunner):
            door.hang(server.runner)
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
