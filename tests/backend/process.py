"""A real `parkshare-backend serve` for tests that need a process: one that can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Self

START_WITHIN = 60.0  # seconds; a busy machine takes long to import


class BackendProcess:
    """The server as an operator runs it, on 127.0.0.1 with a port that the system chose."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.database = folder / "parkshare.db"
        self.log = folder / "server.log"
        self.port = 0
        self._environment = {
            "PATH": os.environ["PATH"],
            "PARKSHARE_DATABASE": str(self.database),
            "PARKSHARE_HOST": "127.0.0.1",
            "PARKSHARE_LOG_FORMAT": "json",
            "PARKSHARE_RATE_LIMITS": "0",
            "PARKSHARE_PASSWORD_MEMORY_KIB": "8",
            "PARKSHARE_PASSWORD_PASSES": "1",
        } | environment
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0  # where the log of this start begins

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the running process."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self, *, every_s: float = 0.05) -> Self:
        """Start (again, on the same port) and wait until it is ready; look so often."""
        self.launch()
        return self.wait_until_ready(every_s=every_s)

    def launch(self) -> None:
        """Start it without waiting."""
        self._begun = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "parkshare_backend", "serve"]
            environment = self._environment | {"PARKSHARE_PORT": str(self.port)}
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)

    def wait_until_ready(self, *, every_s: float = 0.05) -> Self:
        """Wait until it says that it listens, and can write."""
        assert self._process is not None
        deadline = time.monotonic() + START_WITHIN
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self.log.read_text()
            for line in self.log.read_bytes()[self._begun :].splitlines():
                if b"server.listening" in line:
                    self.port = json.loads(line)["port"]
                    urllib.request.urlopen(f"{self.url}/readyz", timeout=10).close()
                    return self
            time.sleep(every_s)
        raise AssertionError(f"the server did not start: {self.log.read_text()}")

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """Stop it as an operator does; give its exit code."""
        return self._end(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it ends by itself; give its exit code."""
        assert self._process is not None
        process, self._process = self._process, None
        return process.wait(timeout=30)

    def _end(self, how: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(how)
        return process.wait(timeout=30)
