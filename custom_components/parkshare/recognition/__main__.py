"""The command line of recognition; see cli.py. Also how the worker is started, by this file's path.

Run by path (`python -P .../recognition/__main__.py`, where -P keeps this folder off the import path) it needs neither
Home Assistant nor the packages above this one, which `python -m custom_components.parkshare.recognition` imports.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

if not __package__:
    __package__ = "parkshare_recognition"  # what relative imports go by
    _package = ModuleType(__package__)
    _package.__path__ = [str(Path(__file__).parent)]
    sys.modules[__package__] = _package


def main() -> int:
    """Run the worker or a command for people; returns the exit code."""
    if sys.argv[1:2] == ["worker"]:
        worker = importlib.import_module(".worker", __package__)
        return int(worker.main(Path(sys.argv[2]), int(sys.argv[3])))
    cli = importlib.import_module(".cli", __package__)
    return int(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
