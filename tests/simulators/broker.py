"""A real Mosquitto on a free port of 127.0.0.1, with a configuration of its own.

By hand: python -m tests.simulators.broker [--port 1883]
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from .process import Child, ProcessFailedError, answers, free_port

START_TIMEOUT = 10.0  # seconds; it listens within 0.1 s on an idle machine


class Broker:
    """The MQTT broker of one simulated neighbourhood."""

    def __init__(self, folder: Path, *, port: int | None = None, remembers: bool = False) -> None:
        """Choose the port; the configuration and the log go to folder.

        remembers: retained messages outlive a restart, as on most installs; without, all of them are lost.
        """
        self._remembers = remembers
        self.port = port or free_port()
        self._folder = folder
        # Debian puts it where only root's PATH looks.
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if program is None:
            raise ProcessFailedError("mosquitto is not installed. Run scripts/setup.")
        self.process = Child("Mosquitto", [program, "-c", folder / "mosquitto.conf"], log=folder / "mosquitto.log")

    async def start(self) -> None:
        """Start it and wait until it accepts connections."""
        self._folder.mkdir(parents=True, exist_ok=True)
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true"]
        lines += ["persistence true", f"persistence_location {self._folder}/"] if self._remembers else []
        lines += ["user root"] if os.geteuid() == 0 else []
        (self._folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self.process.start()
        async with asyncio.timeout(START_TIMEOUT):
            while not answers(self.port):
                self.process.require_running()
                await asyncio.sleep(0.05)

    async def restart(self, *, away_s: float = 0.0, forgets: bool = False) -> None:
        """End it and start it again on the same port.

        away_s is for how long nobody answers there; forgets: all retained messages are lost.
        """
        await asyncio.to_thread(self.stop)
        if forgets:
            (self._folder / "mosquitto.db").unlink(missing_ok=True)
        await asyncio.sleep(away_s)
        await self.start()

    def stop(self) -> None:
        """End it."""
        self.process.stop()


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.broker", description=__doc__)
    parser.add_argument("--port", type=int, default=None, help="default: a free one")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parkshare-broker-") as folder:
        broker = Broker(Path(folder), port=arguments.port)
        await broker.start()
        print(f"mqtt://127.0.0.1:{broker.port} until Ctrl-C")
        try:
            await asyncio.Event().wait()
        finally:
            broker.stop()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
