"""What the Marketplace installs: complete, small, and able to read a plate with nothing fetched."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.simulators import picture

ROOT = Path(__file__).parents[2]
CONSTRAINTS = "homeassistant/package_constraints.txt"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release, made anew."""
    file = tmp_path_factory.mktemp("release") / "parkshare.zip"
    subprocess.run([sys.executable, ROOT / "scripts/make_release.py", file], check=True, capture_output=True)
    return file


def test_it_holds_the_integration_at_its_top_and_nothing_that_was_only_made_by_running_it(release: Path) -> None:
    names = zipfile.ZipFile(release).namelist()
    assert {"manifest.json", "config_flow.py", "translations/en.json"} <= set(names)
    reading = ("models/det.ncnn.bin", "models/rec.ncnn.bin", "models/NOTICE", "own_weights/own.ncnn.bin")
    assert {f"recognition/{name}" for name in reading} <= set(names)
    assert not [name for name in names if "__pycache__" in name or name.startswith((".", "/"))]


def test_it_is_small_enough_for_a_slow_line(release: Path) -> None:
    assert release.stat().st_size < 20_000_000


def test_the_same_tree_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    subprocess.run([sys.executable, ROOT / "scripts/make_release.py", again], check=True, capture_output=True)
    assert again.read_bytes() == release.read_bytes()


def test_an_installed_release_reads_a_plate_with_nothing_fetched(release: Path, tmp_path: Path) -> None:
    installed = tmp_path / "custom_components/parkshare"
    with zipfile.ZipFile(release) as archive:
        archive.extractall(installed)
    photo = tmp_path / "car.jpg"
    scene = picture.draw_yard()
    picture.draw_car(scene, "AB-123-CD", distance=3.0, yaw=5.0)
    photo.write_bytes(picture.take(scene, picture.Conditions(), seed=3))
    program = installed / "recognition/__main__.py"
    done = subprocess.run(
        [sys.executable, "-P", program, "read", photo, "--expect", "AB-123-CD", "--json"],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verdict"]["decision"] == "admit"


@pytest.mark.parametrize("platform", ["x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"])
def test_what_it_requires_can_be_installed_on_home_assistant_os(platform: str, tmp_path: Path) -> None:
    uv = Path(os.environ.get("PARKSHARE_UV", Path(sys.executable).parent / "uv"))
    constraints = (
        Path(sys.executable).parents[1] / "lib" / f"python3.{sys.version_info.minor}" / "site-packages" / CONSTRAINTS
    )
    manifest = json.loads((ROOT / "custom_components/parkshare/manifest.json").read_text())
    wanted = tmp_path / "requirements.in"
    wanted.write_text("\n".join(manifest["requirements"]))
    resolve = [uv, "pip", "compile", "--quiet", "--only-binary", ":all:", "--python-platform", platform]
    done = subprocess.run(
        [*resolve, "--python-version", "3.14", "--constraint", constraints, wanted],
        check=False,
        capture_output=True,
        text=True,
    )
    if "client error (Connect)" in done.stderr or "dns error" in done.stderr:
        pytest.skip("no package index can be reached from here, so nothing can be resolved")
    assert done.returncode == 0, done.stderr
    assert "ncnn==" in done.stdout
