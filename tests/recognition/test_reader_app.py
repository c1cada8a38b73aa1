"""The Home Assistant app: its files keep to what is documented for apps (Docker itself is not at hand here)."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_components.parkshare.recognition.service import VERSION
from custom_components.parkshare.recognition.service_announce import DISCOVERY
from custom_components.parkshare.recognition.service_main import PORT, _parser

ROOT = Path(__file__).parents[2]
APP = ROOT / "apps" / "parkshare_reader"
# The keys of an app's configuration that we use, and what the documentation says of their values.
KEYS: dict[str, Any] = {
    "name": str,
    "version": str,
    "slug": re.compile(r"[-_.a-z0-9]+"),
    "description": str,
    "arch": list,
    "url": re.compile(r"https://\S+"),
    "image": re.compile(r"[-a-z0-9.]+(/[-a-z0-9.]+)+"),
    "startup": re.compile(r"initialize|system|services|application|once"),
    "boot": re.compile(r"auto|manual|manual_only"),
    "init": bool,
    "homeassistant": re.compile(r"\d+\.\d+\.\d+"),
    "discovery": list,
    "ports": dict,
    "watchdog": re.compile(r"(https?|\[PROTO:\w+\]|tcp)://\[HOST\]:(\[PORT:\d+\]|\d+).*"),
    "backup_exclude": list,
    "options": dict,
    "schema": dict,
    "map": list,
}
REQUIRED = {"name", "version", "slug", "description", "arch"}
ELEMENT = re.compile(r"(str|bool|int|float|email|url|password|port|match\(.*\)|list\([^()]+\))\??")


def loaded(file: Path) -> dict[str, Any]:
    content = yaml.safe_load(file.read_text())
    assert isinstance(content, dict)
    return content


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return loaded(APP / "config.yaml")


def test_the_configuration_has_only_documented_keys_with_documented_values(config: dict[str, Any]) -> None:
    assert REQUIRED <= config.keys() <= KEYS.keys()
    for key, value in config.items():
        wanted = KEYS[key]
        assert wanted.fullmatch(value) if isinstance(wanted, re.Pattern) else isinstance(value, wanted), key
    assert set(config["arch"]) <= {"aarch64", "amd64"}
    assert all(re.fullmatch(r"\d+/(tcp|udp)", port) for port in config["ports"])
    assert all(set(volume) <= {"type", "read_only", "path"} for volume in config["map"])


def test_every_option_has_a_kind_and_every_default_is_one_of_them(config: dict[str, Any]) -> None:
    schema: dict[str, str] = config["schema"]
    assert all(ELEMENT.fullmatch(kind) for kind in schema.values())
    # An optional one must have no default: it would make it required.
    assert config["options"].keys() == {name for name, kind in schema.items() if not kind.endswith("?")}
    choices = schema["reader"].removeprefix("list(").removesuffix(")").split("|")
    assert config["options"]["reader"] in choices


def test_the_service_takes_every_option_that_the_app_offers(config: dict[str, Any]) -> None:
    given = [part for name in config["schema"] for part in (f"--{name.replace('_', '-')}", "embedded")]
    parsed = vars(_parser().parse_args(given))
    assert all(parsed[name] == "embedded" for name in config["schema"])


def test_the_app_is_the_service_of_this_tree(config: dict[str, Any]) -> None:
    assert config["version"] == VERSION
    assert list(config["ports"]) == [f"{PORT}/tcp"]
    assert config["watchdog"].endswith(f"[PORT:{PORT}]/healthz")
    assert config["discovery"] == [DISCOVERY] == ["parkshare"]
    manifest = yaml.safe_load((ROOT / "custom_components/parkshare/manifest.json").read_text())
    assert manifest["version"] == VERSION


def test_every_option_and_port_is_explained_in_each_language(config: dict[str, Any]) -> None:
    for file in (APP / "translations").glob("*.yaml"):
        texts = loaded(file)
        assert texts.keys() == {"configuration", "network"}
        assert texts["configuration"].keys() == config["schema"].keys()
        assert all(set(text) == {"name", "description"} for text in texts["configuration"].values())
        assert texts["network"].keys() == config["ports"].keys()


def test_the_repository_can_be_added_to_the_app_store() -> None:
    repository = loaded(ROOT / "repository.yaml")
    assert {"name"} <= repository.keys() <= {"name", "url", "maintainer"}
    # The Supervisor takes every folder with a file of this name for an app.
    assert list(ROOT.glob("apps/*/config.yaml")) == [APP / "config.yaml"]


def test_the_image_is_made_of_files_that_exist_and_starts_the_service() -> None:
    lines = (APP / "Dockerfile").read_text()
    copied = re.findall(r"^COPY (\S+) ", lines, re.MULTILINE)
    assert copied
    assert all((ROOT / path).exists() for path in copied)
    ignored = (APP / "Dockerfile.dockerignore").read_text()
    assert all(f"!{path}" in ignored for path in copied)
    assert f"EXPOSE {PORT}" in lines
    assert '"serve", "--token-file", "/data/' in lines
    assert "--require-hashes" in lines
