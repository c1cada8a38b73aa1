"""A real Home Assistant in a folder of its own: started, set up through its API as a browser does, killed, restarted.

By hand: python -m tests.simulators.home --port 8123 --folder .demo/home
"""

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from .home_api import HomeApi, HomeError
from .process import REPOSITORY, Child, free_port

START_TIMEOUT = 150.0  # seconds; 6 s on an idle machine, more when it starts for the first time (nothing is compiled)
SECRET = "parkshare-demo"  # the password of every account of the demo; nothing of it outlives the demo's folder

CONFIGURATION = """\
homeassistant:
  name: Demo street
  latitude: {latitude}
  longitude: {longitude}
  elevation: 34
  unit_system: metric
  time_zone: {time_zone}
  country: DE
http:
  server_host: 127.0.0.1
  server_port: {port}
api:
config:
frontend:
mobile_app:
recorder:
  commit_interval: 1
history:
logger:
  default: warning
  logs:
    custom_components.parkshare: debug
"""


class Home:
    """One Home Assistant on 127.0.0.1. Its configuration lives in folder; api is a signed-in browser."""

    def __init__(
        self, folder: Path, *, log: Path, place: tuple[float, float], port: int | None = None, time_zone: str = "UTC"
    ) -> None:
        """Choose the port and write the configuration."""
        self.port = port or free_port()
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = HomeApi(self.url)
        self.user = "olivia"
        self._write_configuration(place, time_zone)
        hass = Path(sys.executable).parent / "hass"
        # Not in the repository: what works only because the tree is the current folder would not work at a user's.
        self.process = Child(
            "Home Assistant", [hass, "-c", folder, "--skip-pip", "--log-no-color"], log=log, cwd=folder
        )

    async def start(self) -> None:
        """Start it and wait until it is ready to be used."""
        self.process.start()
        await self._started()
        if self.api.token:
            await self.api.watch()

    async def _started(self) -> None:
        async with asyncio.timeout(START_TIMEOUT):
            while not await self._running():
                self.process.require_running()
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """End it in order."""
        await self.api.close()
        await asyncio.to_thread(self.process.stop, within=25.0)

    async def kill(self) -> None:
        """End it as a power cut does."""
        await self.api.unwatch()
        self.process.kill()

    async def restart(self) -> None:
        """End it in order and start it again."""
        await self.api.unwatch()
        await asyncio.to_thread(self.process.stop, within=25.0)
        await self.start()

    async def onboard(self, name: str = "Olivia") -> None:
        """Make the first user, as the first browser does, and sign in."""
        client = f"{self.url}/"
        answer = await self.api.call(
            "POST",
            "/api/onboarding/users",
            {"client_id": client, "name": name, "username": self.user, "password": SECRET, "language": "en"},
        )
        form = {"grant_type": "authorization_code", "code": answer["auth_code"], "client_id": client}
        self.api.token = (await self.api.call("POST", "/auth/token", form=form))["access_token"]
        await self._started()  # until now only the onboarding itself was known to answer
        await self.api.call("POST", "/api/onboarding/analytics", {})
        await self.api.call("POST", "/api/onboarding/integration", {"client_id": client, "redirect_uri": client})
        await self.api.watch()
        # Home Assistant tries a changed address for five minutes and goes back to the old one, with a restart, unless
        # somebody who reached it there says that it is well. An older release has nothing to confirm.
        with contextlib.suppress(HomeError):
            await self.api.ask("http/config/promote")
        # The token above ends after 30 minutes; a demo that stays up, and a restart, want one that lasts.
        self.api.token = await self.api.ask("auth/long_lived_access_token", client_name="demo", lifespan=1)

    async def add_mqtt(self, broker_port: int) -> None:
        """Add the MQTT integration."""
        other = {"set_client_cert": False, "set_ca_cert": "off"}
        answers = {"broker": "127.0.0.1", "port": broker_port, "other_settings": other}
        await self.api.add_integration("mqtt", answers)

    async def _running(self) -> bool:
        """Tell whether Home Assistant says that it has started. Before onboarding: whether it answers at all."""
        timeout = aiohttp.ClientTimeout(total=2)
        headers = {"Authorization": f"Bearer {self.api.token}"} if self.api.token else {}
        path = "/api/config" if self.api.token else "/api/onboarding"
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with self.api.session.get(self.url + path, headers=headers, timeout=timeout) as answer:
                if answer.status == 200:
                    content = await answer.json()
                    return not self.api.token or content["state"] == "RUNNING"
        return False

    def _write_configuration(self, place: tuple[float, float], time_zone: str) -> None:
        storage = self.folder / ".storage"
        storage.mkdir(parents=True, exist_ok=True)
        text = CONFIGURATION.format(latitude=place[0], longitude=place[1], port=self.port, time_zone=time_zone)
        (self.folder / "configuration.yaml").write_text(text)
        # The onboarding step "core_config" would add a weather service and others that need the internet: it counts
        # as done, the place is in configuration.yaml.
        if not (storage / "onboarding").exists():
            done: Mapping[str, object] = {"version": 4, "key": "onboarding", "data": {"done": ["core_config"]}}
            (storage / "onboarding").write_text(json.dumps(done))
        components = self.folder / "custom_components"
        components.mkdir(exist_ok=True)
        # A regular package: the test harness in the same environment brings one of this name, which would win over
        # a folder without __init__.py.
        (components / "__init__.py").touch()
        if not (components / "parkshare").exists():
            (components / "parkshare").symlink_to(REPOSITORY / "custom_components/parkshare")


async def _main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.home", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8123)
    parser.add_argument("--folder", type=Path, required=True, help="kept: a second start goes on from it")
    parser.add_argument(
        "--mqtt", type=int, metavar="PORT", help="add the broker on this port of 127.0.0.1 (first start)"
    )
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    home = Home(folder, log=folder / "hass.log", place=(52.5, 13.4), port=arguments.port)
    await home.start()
    try:
        if not (folder / ".storage/auth").exists():
            await home.onboard()
            if arguments.mqtt:
                await home.add_mqtt(arguments.mqtt)
        print(f"{home.url} (user {home.user}, password {SECRET}) until Ctrl-C; log: {home.process.log}", flush=True)
        await asyncio.Event().wait()
    finally:
        await home.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
