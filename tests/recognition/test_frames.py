"""What reader and worker say to each other survives the way, and nonsense is noticed."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.recognition import WHOLE, Mark, Picture, Quality, Reading, Region
from custom_components.parkshare.recognition.alphabet import CHARACTERS
from custom_components.parkshare.recognition.frames import (
    LARGEST_BODY,
    PREFIX,
    FrameError,
    draw_request,
    fitting,
    lengths,
    look_of,
    marks_of,
    pack,
    pack_answer,
    parse_header,
    pictures_of,
    read_request,
)

QUALITY = Quality(640, 480, 0.4, 0.5, 0.9, 0.01, 120.0, 30.0, -2.5)
BOX = ((1.0, 2.0), (30.5, 2.0), (30.5, 12.0), (1.0, 12.0))


def unpacked(frame: bytes) -> tuple[dict[str, object], bytes]:
    header, body = lengths(frame[: PREFIX.size])
    text = frame[PREFIX.size : PREFIX.size + header]
    assert len(frame) == PREFIX.size + header + body
    return parse_header(text), frame[PREFIX.size + header :]


fractions = st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.5, 1), st.floats(0.5, 1))


@given(st.lists(st.tuples(st.binary(max_size=50), st.floats(0, 2e9), fractions, st.text(max_size=9)), min_size=1))
def test_pictures_arrive_as_they_were_sent(given_pictures: list[tuple[bytes, float, tuple[float, ...], str]]) -> None:
    pictures = [Picture(content, at, Region(*where), name) for content, at, where, name in given_pictures]
    assert pictures_of(*unpacked(pack(*read_request(pictures)))) == pictures


def test_of_more_pictures_than_a_frame_holds_the_newest_are_sent() -> None:
    pictures = [Picture(bytes(LARGEST_BODY // 3 + 1), float(index)) for index in range(5)]
    assert fitting(pictures) == pictures[-2:]
    assert fitting([Picture(bytes(LARGEST_BODY + 1), 0.0)]) != []


def test_readings_and_quality_arrive_and_are_of_the_chosen_picture() -> None:
    matrix = np.linspace(-9, 0, 3 * (1 + len(CHARACTERS)), dtype=np.float32).reshape(3, -1)
    said = [Reading("AB1", (0.9, 1.0, 0.5), BOX, matrix, "ppocr"), Reading("A", (0.1,), BOX, None, "own")]
    asked = [Picture(b"a", 5.0), Picture(b"b", 6.0)]
    look = look_of(*unpacked(pack_answer(1, said, QUALITY)), asked, source="embedded")
    assert [(r.text, r.confidences, r.box, r.source, r.taken_at) for r in look.readings] == [
        ("AB1", (0.9, 1.0, 0.5), BOX, "ppocr", 6.0),
        ("A", (0.1,), BOX, "own", 6.0),
    ]
    first, second = look.readings
    assert first.matrix is not None
    assert np.array_equal(first.matrix, matrix)
    assert second.matrix is None
    assert (look.taken_at, look.source, look.quality) == (6.0, "embedded", QUALITY)


def test_marks_arrive_as_they_were_sent() -> None:
    marks = [Mark(BOX, "AB 123", sure=True), Mark(BOX, "", sure=False)]
    header, body = unpacked(pack(*draw_request(Picture(b"jpeg", 0.0, Region(0.1, 0.2, 0.9, 1)), marks, widest=640)))
    assert (marks_of(header), body) == ((Region(0.1, 0.2, 0.9, 1), marks, 640), b"jpeg")


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ({}, b""),
        ({"pictures": []}, b""),
        ({"pictures": [{"bytes": 3}]}, b"abc"),
        ({"pictures": [{"bytes": 2, "taken_at": 0, "region": [0, 0, 1, 1], "camera": ""}]}, b"abc"),
        ({"pictures": [{"bytes": 3, "taken_at": 0, "region": [1, 0, 0, 1], "camera": ""}]}, b"abc"),
    ],
)
def test_pictures_that_do_not_fit_together_are_noticed(header: dict[str, object], body: bytes) -> None:
    with pytest.raises(FrameError):
        pictures_of(header, body)


@pytest.mark.parametrize(
    "change", [{"chosen": 7}, {"readings": [{"text": "A"}]}, {"readings": 3}, {"quality": {}}, {"quality": None}]
)
def test_answers_that_make_no_sense_are_noticed(change: dict[str, object]) -> None:
    header, body = unpacked(pack_answer(0, [Reading("AB1", (1.0,), BOX)], QUALITY))
    with pytest.raises(FrameError):
        look_of({**header, **change}, body, [Picture(b"", 0.0)], source="embedded")


@pytest.mark.parametrize(
    "change",
    [
        {"chosen": float("inf")},
        {"readings": [{"text": "A", "confidences": [1.0], "box": BOX, "source": "own", "steps": -1}]},
        {"readings": [{"text": "A", "confidences": [1.0], "box": BOX, "source": "own", "steps": 10**6}]},
        {"readings": [{"text": "A", "confidences": [1.0], "box": BOX, "source": "own", "steps": 0}] * 201},
    ],
)
def test_answers_without_measure_are_noticed(change: dict[str, object]) -> None:
    header, _ = unpacked(pack_answer(0, [], QUALITY))
    with pytest.raises(FrameError):
        look_of({**header, **change}, b"", [Picture(b"", 0.0)], source="embedded")


@pytest.mark.parametrize("figure", [np.nan, np.inf])
def test_a_matrix_that_is_not_finite_is_noticed(figure: float) -> None:
    matrix = np.full((4, 1 + len(CHARACTERS)), figure, dtype=np.float32)
    header, body = unpacked(pack_answer(0, [Reading("AB1", (1.0,), BOX, matrix, "own")], QUALITY))
    with pytest.raises(FrameError):
        look_of(header, body, [Picture(b"", 0.0)], source="embedded")


def test_a_header_nested_without_end_is_noticed() -> None:
    with pytest.raises(FrameError):
        parse_header(b"[" * 500_000)


@pytest.mark.parametrize("prefix", [b"<!doctyp", b"HTTP/1.1", bytes(8), PREFIX.pack(5, LARGEST_BODY + 1)])
def test_a_length_that_nobody_would_send_is_noticed(prefix: bytes) -> None:
    with pytest.raises(FrameError):
        lengths(prefix)


def test_no_picture_needs_a_region() -> None:
    (picture,) = pictures_of(*read_request([Picture(b"x", 1.0)]))
    assert picture.region == WHOLE
