"""The benchmarks of bookings run, with a few: who measures must not find them broken by a change of the tables."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "asked",
    [
        ("benchmarks.booking_insert", "--bookings", "60", "--writers", "4", "--spaces", "10"),
        ("benchmarks.booking_race", "--rounds", "2"),
    ],
    ids=lambda asked: asked[0],
)
def test_a_benchmark_of_bookings_gives_its_figures(asked: tuple[str, ...], tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", *asked, "--json", str(figures)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(figures.read_text())
