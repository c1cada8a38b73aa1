"""The command line of a record; see cli.py.

Run by path (`python -P .../record/__main__.py`, where -P keeps this folder off the import path) it needs neither Home
Assistant nor anything else but cryptography: whoever checks a record need not have the software that wrote it.
"""

import importlib
import sys
from pathlib import Path
from types import ModuleType

if not __package__:
    # The packages above and beside this file without what is in their __init__.py, which needs Home Assistant.
    _house = Path(__file__).parents[1]
    for _name, _folder in (
        ("custom_components", _house.parent),
        ("custom_components.parkshare", _house),
        ("custom_components.parkshare.recognition", _house / "recognition"),
        ("custom_components.parkshare.record", _house / "record"),
    ):
        _package = ModuleType(_name)
        _package.__path__ = [str(_folder)]
        sys.modules[_name] = _package
    __package__ = "custom_components.parkshare.record"


def main() -> int:
    """Run a command; returns the exit code."""
    return int(importlib.import_module(".cli", __package__).main(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
