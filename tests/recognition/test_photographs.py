"""Photographs of real cars, read in place; the whole set and its figures: benchmarks/recognition.py."""

from pathlib import Path

from custom_components.parkshare.recognition import Decision, EmbeddedReader, Look, Picture, judge
from tests.recognition.conftest import Labelled

EVERY = 24  # photographs between two that are read: 10 of 229, all three countries among them


async def looks_at(reader: EmbeddedReader, photographs: list[Labelled]) -> list[tuple[Labelled, Look]]:
    return [
        (photo, await reader.read(Picture(photo.file.read_bytes(), float(index))))
        for index, photo in enumerate(photographs)
    ]


async def test_right_plates_are_admitted_and_no_wrong_one_is(
    reader: EmbeddedReader, photographs: list[Labelled], models: Path
) -> None:
    read = await looks_at(reader, photographs[::EVERY])
    admitted = [judge([look], photo.plate).decision is Decision.ADMIT for photo, look in read]
    assert sum(admitted) >= 0.8 * len(read)
    wrong = [
        (photo.file.name, other.plate)
        for photo, look in read
        for other in photographs[:: EVERY // 2]
        if other.plate != photo.plate and judge([look], other.plate).decision is Decision.ADMIT
    ]
    assert wrong == []
    # One picture never refuses, and the right car is never refused by its own clear look repeated.
    assert all(judge([look, Look(look.readings, look.taken_at + 9, look.source)], photo.plate).decision
               is not Decision.REFUSE for photo, look in read)  # fmt: skip
