"""The reader service as people run it: a process of its own, with the real reader, and without Home Assistant."""

import asyncio
import os
import re
import signal
import socket
import ssl
import stat
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from zeroconf.asyncio import AsyncZeroconf

from custom_components.parkshare.recognition import Decision, Picture, judge
from custom_components.parkshare.recognition.remote import ServiceReader
from custom_components.parkshare.recognition.service import VERSION
from custom_components.parkshare.recognition.service_announce import SERVICE
from custom_components.parkshare.recognition.service_auth import service_id
from tests.home.support import self_signed
from tests.recognition.drawing import encoded, plate, scene

SCRIPT = Path(__file__).parents[2] / "custom_components/parkshare/recognition/__main__.py"
TEXT = "BKX4287"
PICTURE = Picture(encoded(scene(plate(TEXT))), taken_at=100.0)
# What must not be needed: importing any of it ends the process.
FORBIDDEN = ("homeassistant", "voluptuous", "probatio", "custom_components")
START_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    process: asyncio.subprocess.Process
    url: str
    folder: Path

    @property
    def token(self) -> str:
        return (self.folder / "token").read_text().strip()

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


async def started(folder: Path, *arguments: str, scheme: str = "http") -> Running:
    """Start the service by path and wait until it listens."""
    blocked = folder / "blocked"
    blocked.mkdir(exist_ok=True)
    for name in FORBIDDEN:
        (blocked / f"{name}.py").write_text("import os; os._exit(77)")
    port = free_port()
    command = [sys.executable, "-P", str(SCRIPT), "serve", "--host", "127.0.0.1", "--port", str(port), "--no-announce"]
    with (folder / "log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("--token-file", str(folder / "token")),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(blocked)},
        )
    running = Running(process, f"{scheme}://127.0.0.1:{port}", folder)
    for _ in range(int(START_S * 20)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return running
        if process.returncode is not None:
            break
        await asyncio.sleep(0.05)
    pytest.fail(f"The service did not start: {running.log}")


async def ended(running: Running) -> int:
    if running.process.returncode is None:
        running.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        return await running.process.wait()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_it_reads_a_picture_without_home_assistant_and_says_nothing_of_it(
    models: Path, tmp_path: Path, session: aiohttp.ClientSession
) -> None:
    running = await started(tmp_path)
    try:
        remote = ServiceReader(session, running.url, running.token, timeout=30.0)
        await remote.start()
        look = await remote.read_best([PICTURE, PICTURE])
        assert judge([look], TEXT).decision is Decision.ADMIT
        assert all(reading.matrix is not None for reading in look.readings)
        async with session.get(f"{running.url}/healthz") as answer:
            assert await answer.json() == {"status": "ok"}
    finally:
        code = await ended(running)
    assert code == 0
    # The token is shown once, at the first start; of what was read there is nothing.
    assert running.log.count(running.token) == 1
    assert TEXT not in running.log
    assert len(running.log.splitlines()) < 10
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600


async def test_its_token_stays_and_is_not_shown_again(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    token = "a token that somebody chose"
    (tmp_path / "token").write_text(f"{token}\n")
    running = await started(tmp_path)
    try:
        about = await ServiceReader(session, running.url, token).about()
    finally:
        await ended(running)
    assert about.identity == service_id(token)
    assert token not in running.log


async def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", str(SCRIPT), "serve", "--token-file", str(tmp_path / "token")),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"shorter than 16" in said


async def test_it_speaks_https_with_a_certificate(tmp_path: Path, socket_enabled: None) -> None:
    self_signed(tmp_path)
    running = await started(tmp_path, "--cert", str(tmp_path / "server.pem"), scheme="https")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
    try:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting)) as session:
            assert (await ServiceReader(session, running.url, running.token).about()).wants_token
    finally:
        assert await ended(running) == 0
    assert re.search(r"port \d+ \(https\)", running.log)


async def test_the_network_hears_where_the_reader_is_until_it_ends(tmp_path: Path, socket_enabled: None) -> None:
    running = await started(tmp_path, "--announce")
    identity = service_id(running.token)
    listening = AsyncZeroconf(interfaces=["127.0.0.1"])
    try:
        name = f"ParkShare reader {identity[:6]}.{SERVICE}"
        info = await listening.async_get_service_info(SERVICE, name, timeout=10_000)
        assert info is not None
        assert running.url == f"http://{info.parsed_addresses()[0]}:{info.port}"
        assert info.decoded_properties == {"version": VERSION, "id": identity, "tls": "0"}
        assert await ended(running) == 0
    finally:
        await listening.async_close()
        await ended(running)
