"""The command line, as people and scripts run it: by file, without Home Assistant, and through the package."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recognition.drawing import encoded, plate, scene

MAIN = Path(__file__).parents[2] / "custom_components" / "parkshare" / "recognition" / "__main__.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", MAIN, *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def picture(tmp_path: Path, models: Path) -> Path:
    file = tmp_path / "car.jpg"
    file.write_bytes(encoded(scene(plate("BKX4287"))))
    return file


def test_each_picture_gives_one_json_line_and_an_error_fails_the_run(picture: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.jpg"
    page.write_text("<html>")
    ran = run("read", picture, page, tmp_path / "missing.jpg", "--json", "--expect", "bkx 42-87")
    assert ran.returncode == 1
    good, bad, missing = (json.loads(line) for line in ran.stdout.splitlines())
    assert good["image"] == str(picture)
    assert set(good) == {"image", "readings", "verdict"}
    assert set(good["verdict"]) == {"decision", "reason"}
    assert good["verdict"]["decision"] == "admit"
    assert good["readings"][0]["text"] == "BKX4287"
    assert len(good["readings"][0]["confidences"]) == 7
    assert len(good["readings"][0]["box"]) == 4
    assert set(bad) == set(missing) == {"image", "error"}
    assert "not a JPEG" in bad["error"]
    assert "No such file" in missing["error"]


def test_without_an_expected_plate_there_is_no_verdict(picture: Path) -> None:
    ran = run("read", picture, "--json")
    assert ran.returncode == 0
    assert set(json.loads(ran.stdout)) == {"image", "readings"}


def test_people_get_a_table_and_a_wrong_plate_is_not_admitted(picture: Path) -> None:
    ran = run("read", picture, "--expect", "BKX4281")
    assert ran.returncode == 0
    assert "BKX4287" in ran.stdout
    assert "unsure: " in ran.stdout


@pytest.mark.parametrize(("plate_given", "says"), [("", "empty"), ("A" * 30, "30 letters"), ("🚗", "no plate has")])
def test_an_absurd_expected_plate_is_wrong_usage(picture: Path, plate_given: str, says: str) -> None:
    ran = run("read", picture, "--expect", plate_given)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_it_also_runs_as_a_module_of_the_integration(picture: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "custom_components.parkshare.recognition", "read", str(picture), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,  # it imports Home Assistant
        cwd=MAIN.parents[3],
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["readings"][0]["text"] == "BKX4287"


def test_a_region_leaves_out_what_lies_outside_and_readings_name_their_reader(tmp_path: Path, models: Path) -> None:
    file = tmp_path / "two.jpg"
    file.write_bytes(encoded(scene(plate("MTR5529"), plate("BKX4287"))))
    ran = run("read", file, "--json", "--region", "50%,0,1,1")
    readings = json.loads(ran.stdout)["readings"]
    assert {"ppocr", "own"} == {reading["source"] for reading in readings if reading["text"] == "BKX4287"}
    assert "MTR5529" not in {reading["text"] for reading in readings}
    assert "ppocr" in run("read", file, "--region", "0.5,0,1,1").stdout


@pytest.mark.parametrize("region", ["0.5", "1,0,0,1", "a,b,c,d", "0,0,1,200%", ""])
def test_an_absurd_region_is_wrong_usage(picture: Path, region: str) -> None:
    ran = run("read", picture, "--region", region)
    assert ran.returncode == 2
    assert "0.2,0.5,0.8,1" in ran.stderr
