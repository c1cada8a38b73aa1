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
    """Run a worker, the service or a command for people; returns the exit code."""
    match sys.argv[1:]:
        case ["worker", models, own, threads]:
            worker = importlib.import_module(".worker", __package__)
            return int(worker.main(Path(models), Path(own), int(threads)))
        case ["fast-plate-worker", models]:
            worker = importlib.import_module(".fast_plate_worker", __package__)
            return int(worker.main(models))
        case ["serve", *arguments]:
            service = importlib.import_module(".service_main", __package__)
            return int(service.main(arguments))
    cli = importlib.import_module(".cli", __package__)
    return int(cli.main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
