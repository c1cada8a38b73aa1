"""Loads the gate's core without the integration around it: its tests need no Home Assistant and start at once.

The package `custom_components.parkshare` imports Home Assistant, the package `gate` inside of it does not. Python looks
for a module's parent only when the module itself is not there yet; so we put `gate` there under its own, true name.
The tests then import it by the same lines as everybody else, find the same classes as the rest of the suite, and a tool
that changes the core on disk (mutation testing) knows the modules by their names.
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAME = "custom_components.parkshare.gate"


def load_gate() -> None:
    """Put the core into sys.modules, unless it is there."""
    if NAME in sys.modules:
        return
    folder = ROOT.joinpath(*NAME.split("."))
    spec = spec_from_file_location(NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec, folder
    assert spec.loader, folder
    sys.modules[NAME] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


load_gate()
