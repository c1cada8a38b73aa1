"""One child process: started with its own log, waited for, ended by its own id and never by a name."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TAIL_LINES = 15


class ProcessFailedError(RuntimeError):
    """A process that we need ended, or did not become ready in time. The message names its log."""


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether something accepts connections on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Child:
    """A process of ours: a command, and the log file that takes all it says."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path = REPOSITORY,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Remember the command; nothing runs before start()."""
        self.name = name
        self.log = log
        self._cwd = cwd
        self._command = [str(part) for part in command]
        self._env = {**os.environ, **(env or {})}
        # What the next start gets besides; a clock that is not that of this machine, for one.
        self.more_env: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running process, None when it does not run."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C reaches us, and we end it in order."""
        if self.running:
            raise ProcessFailedError(f"{self.name} runs already")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env | self.more_env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def require_running(self) -> None:
        """Raise ProcessFailedError with the end of the log if the process has ended."""
        if not self.running:
            code = None if self._process is None else self._process.returncode
            raise ProcessFailedError(f"{self.name} ended with code {code}; see {self.log}\n{self.tail()}")

    def stop(self, *, within: float = 15.0) -> None:
        """Ask it to end, wait, and insist after `within` seconds. Does nothing when it has ended."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(within)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._end_descendants()

    def kill(self) -> None:
        """End it at once, as a power cut does (SIGKILL): nothing is flushed or said goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def tail(self, lines: int = TAIL_LINES) -> str:
        """Return the last lines of its log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _end_descendants(self) -> None:
        # Its session is its own process group, and only its own children can be in it.
        if self._process is not None:
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                try:
                    os.killpg(self._process.pid, signal.SIGTERM)
                except ProcessLookupError, PermissionError:
                    return
                time.sleep(0.1)
            os.killpg(self._process.pid, signal.SIGKILL)
