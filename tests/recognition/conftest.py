"""Fixtures of the recognition tests: the models, a reader with a real worker process, labelled photographs."""

import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from custom_components.parkshare.recognition import EmbeddedReader
from custom_components.parkshare.recognition.embedded import MODELS

PHOTOGRAPHS = Path(__file__).parents[3] / "shared" / "data" / "plates"


@dataclass(frozen=True)
class Labelled:
    file: Path
    plate: str
    top: int
    height: int  # px, of the plate


@pytest.fixture(scope="session")
def models() -> Path:
    assert (MODELS / "SHA256SUMS").exists(), "The models are not there yet: run scripts/models."
    return MODELS


@pytest.fixture
async def reader(models: Path) -> AsyncIterator[EmbeddedReader]:
    reader = EmbeddedReader(models, read_timeout=120.0)  # what is read counts here, not how fast
    yield reader
    await reader.stop()


@pytest.fixture(scope="session")
def photographs() -> list[Labelled]:
    table = PHOTOGRAPHS / "plates.csv"
    if not table.exists():
        pytest.skip("labelled photographs (../shared/data/plates) are not beside this repository")
    with table.open() as file:
        return [
            Labelled(PHOTOGRAPHS / row["file"], row["plate"], int(row["y"]), int(row["height"]))
            for row in csv.DictReader(file)
        ]
