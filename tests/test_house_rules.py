"""The rules of the house that no linter knows: who may import whom, and what may not be in the tree."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOME = ROOT / "custom_components/parkshare"
BACKEND = ROOT / "backend/parkshare_backend"

# Pure cores: a person who knows no web framework and no Home Assistant can read and test them.
PURE = [
    HOME / "gate",
    HOME / "codes/rotating.py",
    HOME / "codes/showing.py",
    HOME / "codes/tries.py",
    HOME / "seeing/burst.py",
    HOME / "seeing/oddities.py",
    HOME / "record/chain.py",
    HOME / "record/commitment.py",
    HOME / "record/entries.py",
    HOME / "record/examine.py",
    HOME / "record/excerpt.py",
    HOME / "record/kinds.py",
    HOME / "record/summary.py",
    HOME / "record/thrift.py",
    HOME / "recognition/verdict.py",
    HOME / "recognition/ctc.py",
    HOME / "recognition/levels.py",
    HOME / "recognition/normalise.py",
    HOME / "recognition/scoring.py",
    HOME / "recognition/sights.py",
    HOME / "recognition/told.py",
    HOME / "recognition/layouts.py",
    HOME / "recognition/service_wire.py",
    HOME / "recognition/strikes.py",
    HOME / "sources/paths.py",
    HOME / "sources/evidence.py",
    HOME / "sources/freshness.py",
    HOME / "sources/frigate/messages.py",
    HOME / "sources/frigate/hearing.py",
    HOME / "sources/frigate/card.py",
    HOME / "sources/generic/recipe.py",
    HOME / "sources/generic/body.py",
    HOME / "sources/generic/presets.py",
    BACKEND / "spaces/geometry.py",
    BACKEND / "spaces/periods.py",
    BACKEND / "spaces/plugs.py",
    BACKEND / "spaces/sizes.py",
    BACKEND / "bookings/help.py",
    BACKEND / "bookings/lifecycle.py",
    BACKEND / "bookings/periods.py",
    BACKEND / "matching/parts.py",
    BACKEND / "matching/policy.py",
    BACKEND / "money/amounts.py",
    BACKEND / "money/quote.py",
    BACKEND / "money/report.py",
    BACKEND / "money/shares.py",
    BACKEND / "money/signature.py",
    BACKEND / "risk/policy.py",
    BACKEND / "tracking/fence.py",
    BACKEND / "tracking/fix.py",
    BACKEND / "tracking/approach.py",
    BACKEND / "standby/policy.py",
    BACKEND / "places/addresses.py",
    BACKEND / "places/areas.py",
    BACKEND / "places/coordinates.py",
    BACKEND / "places/found.py",
    BACKEND / "webhooks/schedule.py",
    BACKEND / "webhooks/signing.py",
]
# What a pure core may have beside the standard library: arithmetic.
ARITHMETIC = {"numpy", "pyotp"}
# Modules of the standard library that would make a pure core impure.
IMPURE = {
    "asyncio",
    "http",
    "logging",
    "os",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
}
FREE_OF_HOME_ASSISTANT = [
    HOME / "gate",
    HOME / "recognition",
    HOME / "link",
    *(HOME / f"record/{name}.py" for name in ("__main__", "book", "cli", "proof")),
]
FEATURES = {
    "accounts",
    "spaces",
    "bookings",
    "matching",
    "tracking",
    "standby",
    "risk",
    "link",
    "money",
    "changes",
    "webhooks",
    "feeds",
    "holds",
    "places",
}
LONGEST_FILE = 400  # lines; about 300 is the aim, this is where a file must be split


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _imports(path: Path) -> Iterator[str]:
    """Yield the full dotted name of every module that a file imports; relative ones resolved."""
    package = list(path.relative_to(ROOT if path.is_relative_to(HOME) else ROOT / "backend").parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _pure_files() -> list[Path]:
    return [file for path in PURE for file in _files(path)]


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pure_core_is_there(path: Path) -> None:
    assert path.exists()


def _own_file(module: str) -> Path | None:
    """Find the file of one of our own modules; None for a name inside a module."""
    top = module.split(".", maxsplit=1)[0]
    path = (ROOT / "backend" if top == "parkshare_backend" else ROOT).joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _impurities(file: Path, seen: set[Path]) -> Iterator[str]:
    """Follow a core's imports through our own modules; tell those that bring in I/O, time or chance."""
    seen.add(file)
    for module in _imports(file):
        top = module.split(".")[0]
        if top in {"custom_components", "parkshare_backend"}:
            if (own := _own_file(module)) and own not in seen:
                yield from _impurities(own, seen)
        elif top in IMPURE or (top not in sys.stdlib_module_names and top not in ARITHMETIC):
            yield f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("file", _pure_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_pure_core_reaches_nothing_but_the_standard_library_and_arithmetic(file: Path) -> None:
    assert not list(_impurities(file, set()))


@pytest.mark.parametrize(
    "file",
    [file for path in FREE_OF_HOME_ASSISTANT for file in _files(path)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_gate_recognition_and_link_never_import_home_assistant(file: Path) -> None:
    assert not [
        module for module in _imports(file) if module.split(".")[0] in {"homeassistant", "voluptuous", "probatio"}
    ]


@pytest.mark.parametrize("file", _files(BACKEND), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_feature_never_imports_the_routes_or_tables_of_another(file: Path) -> None:
    feature = file.relative_to(BACKEND).parts[0]
    if feature not in FEATURES:
        return
    for module in _imports(file):
        parts = module.split(".")
        if parts[0] != "parkshare_backend" or len(parts) < 3 or parts[1] not in FEATURES - {feature}:
            continue
        assert parts[2] not in {"routes", "tables"}, f"{file.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("file", _files(BACKEND), ids=lambda path: str(path.relative_to(ROOT)))
def test_stores_and_services_never_import_routes(file: Path) -> None:
    if file.name in {"routes.py", "app.py"}:
        return
    assert not [module for module in _imports(file) if module.endswith(".routes")]


def _tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def test_no_python_file_is_longer_than_one_sitting() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in _tracked()
        if file.suffix == ".py" and "tests" not in file.relative_to(ROOT).parts and "migrations" not in file.parts
        if (lines := len(file.read_text().splitlines())) > LONGEST_FILE
    }
    assert not long


def test_no_file_names_a_registry_host_or_a_folder_of_one_machine() -> None:
    hosts = [
        ".".join(parts)
        for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("deb", "debian", "org"))
    ]
    needles = [*hosts, *(f"/{folder}/main" for folder in ("work", "farm")), f"/{'root'}/"]
    found = [
        f"{file.relative_to(ROOT)}: {needle}"
        for file in _tracked()
        if file.suffix not in {".png", ".bin", ".jpg"}
        for needle in needles
        if needle in file.read_text(errors="replace")
    ]
    assert not found
