"""Print what the built-in integrations of the demo's Home Assistant require, and what ours does."""

import json
from pathlib import Path

import homeassistant

COMPONENTS = Path(homeassistant.__file__).parent / "components"
OURS = Path(__file__).parents[2] / "custom_components/parkshare/manifest.json"
# What the demo's configuration names, what a start always loads, and what the story uses.
ROOTS = [
    "frontend",
    "hassio",
    "mqtt",
    "api",
    "config",
    "http",
    "logger",
    "onboarding",
    "camera",
    "lock",
    "cover",
    "valve",
    "switch",
    "calendar",
    "event",
    "image",
    "zeroconf",
    "person",
    "device_tracker",
    "zone",
    "mobile_app",
    "recorder",
    "system_health",
    "binary_sensor",
    "button",
    "sensor",
    "backup",
    "persistent_notification",
]


def requirements() -> set[str]:
    """Follow the dependencies of the manifests."""
    found: set[str] = set()
    seen: set[str] = set()
    todo = [OURS, *(COMPONENTS / name / "manifest.json" for name in ROOTS)]
    while todo:
        path = todo.pop()
        if str(path) in seen or not path.is_file():
            continue
        seen.add(str(path))
        manifest = json.loads(path.read_text())
        found.update(manifest.get("requirements", []))
        todo += [COMPONENTS / name / "manifest.json" for name in manifest.get("dependencies", [])]
    return found


print("\n".join(sorted(requirements())))
