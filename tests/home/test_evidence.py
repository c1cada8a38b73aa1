"""What is known of the car that stands there: all looks together, and the picture that shows it best."""

import pytest

from custom_components.parkshare.recognition import DEFAULT_POLICY, Decision, Look, Picture, Reading
from custom_components.parkshare.seeing.evidence import LOOKS_KEPT, Evidence

PLATE, OTHER = "MABC123", "KXY987"
BOX = ((0, 0), (90, 0), (90, 30), (0, 30))


@pytest.fixture
def evidence() -> Evidence:
    return Evidence(PLATE, DEFAULT_POLICY)


def look(at: float, plate: str = "", *, confidence: float = 0.99, source: str = "") -> Look:
    readings = (Reading(plate, (confidence,) * len(plate), BOX, source=source),) if plate else ()
    return Look(readings, at, source)


def pictures(*times: float) -> list[Picture]:
    return [Picture(f"picture at {at}".encode(), at) for at in times]


def test_the_picture_behind_the_verdict_is_the_best(evidence: Evidence) -> None:
    evidence.read(look(1.0), pictures(0.8, 1.0))
    verdict = evidence.read(look(2.1, PLATE), pictures(2.1, 2.3))
    evidence.read(look(3.0), pictures(2.7, 3.0))
    assert verdict.decision is Decision.ADMIT
    assert evidence.best_picture().taken_at == 2.1


def test_without_a_verdict_it_is_the_newest_that_showed_a_plate_and_else_the_newest(evidence: Evidence) -> None:
    assert evidence.best_picture() is None
    evidence.read(look(1.0), pictures(1.0))
    evidence.read(look(2.0), pictures(2.0))
    assert evidence.best_picture().taken_at == 2.0
    evidence.read(look(3.0, OTHER, confidence=0.3), pictures(3.0))
    evidence.read(look(4.0), pictures(4.0))
    assert evidence.best_picture().taken_at == 3.0


def test_a_plate_that_was_read_weakly_wants_another_look_soon_a_clear_one_wants_none(evidence: Evidence) -> None:
    assert not evidence.nearly_sure
    evidence.read(look(1.0, PLATE, confidence=0.5), pictures(1.0))
    assert evidence.nearly_sure
    evidence.read(look(2.0, PLATE), pictures(2.0))
    assert not evidence.nearly_sure


def test_a_source_that_talks_much_does_not_push_out_what_the_camera_saw(evidence: Evidence) -> None:
    evidence.read(look(1.0, PLATE, confidence=0.5), pictures(1.0))
    for number in range(3 * LOOKS_KEPT):
        verdict = evidence.heard(look(1.1 + number / 100, source="chatter"), "chatter")
    assert verdict.agreeing == 1


def test_a_car_from_more_than_a_minute_ago_does_not_speak_for_this_one(evidence: Evidence) -> None:
    evidence.read(look(1.0, PLATE), pictures(1.0))
    assert evidence.read(look(70.0), pictures(70.0)).decision is Decision.UNSURE


def test_a_look_at_an_empty_bay_does_not_make_an_older_sight_of_the_car_new(evidence: Evidence) -> None:
    evidence.read(look(1.0, PLATE), pictures(1.0))
    assert evidence.seen_at == 1.0
    verdict = evidence.read(look(40.0), pictures(40.0))
    assert verdict.decision is Decision.ADMIT
    assert evidence.seen_at == 1.0
    evidence.heard(look(41.0, PLATE, source="Frigate"), "Frigate")
    assert evidence.seen_at == 41.0


def test_after_the_clock_was_set_back_what_is_seen_now_counts(evidence: Evidence) -> None:
    evidence.heard(look(10_000.0, OTHER, source="Frigate"), "Frigate")
    assert evidence.read(look(100.0, PLATE), pictures(100.0)).decision is Decision.ADMIT
