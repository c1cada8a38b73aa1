"""A clock for single processes: that of this machine plus an offset that may change while they run (libfaketime).

Only what is the time of day is moved. The clock that durations are taken from goes on as it is, as when somebody sets
the clock of a machine.
"""

import time
from pathlib import Path

from .process import ProcessFailedError

FOLDERS = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/lib64/faketime")
LIBRARY = "libfaketimeMT.so.1"


class Clock:
    """The clock of whatever is started with environment()."""

    def __init__(self, folder: Path, *, offset_s: float = 0.0) -> None:
        """Keep the offset in a file of folder. Raises ProcessFailedError without libfaketime on this machine."""
        found = [path for folder_ in FOLDERS for path in Path("/").glob(f"{folder_[1:]}/{LIBRARY}")]
        if not found:
            raise ProcessFailedError("libfaketime is not installed. On Debian: apt-get install libfaketime")
        self._library = found[0]
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        self.offset_s = offset_s
        self.set(offset_s)

    def set(self, offset_s: float) -> None:
        """Set it to the machine's clock plus offset_s."""
        self.offset_s = offset_s
        # In one step: a process that read half a file would stop.
        whole = self._file.with_suffix(".new")
        whole.write_text(f"{offset_s:+.0f}\n")
        whole.replace(self._file)

    def now(self) -> float:
        """Return what it shows (UTC epoch seconds)."""
        return time.time() + self.offset_s

    def environment(self) -> dict[str, str]:
        """Return what a process has to be started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
