"""What Frigate 0.16, 0.17 and 0.18 send, and what anybody else may send on its topics. The payloads are written by hand
after Frigate's own code."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.sources.evidence import UNSCORED
from custom_components.parkshare.sources.frigate import messages
from custom_components.parkshare.sources.frigate.hearing import OBJECTS_KEPT, TEXTS_KEPT, WAIT_FOR_ZONE, Hearing
from custom_components.parkshare.sources.frigate.messages import MessageError
from tests.simulators.frigate import lpr, object_event, stats

NOW = 1_795_353_660.5
VERSIONS = ("0.16", "0.17", "0.18")


def hearing(*, zones: frozenset[str] = frozenset(), armed_at: float = NOW - 5, sure: float = 0.8) -> Hearing:
    return Hearing("space", zones, source="Frigate", armed_at=armed_at, sure=sure)


def hear(ears: Hearing, payload: bytes, at: float = NOW) -> Any:
    read = messages.plate_update(payload)
    assert read is not None
    return ears.plate(read, at)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plate_of_each_version_becomes_a_look(version: str) -> None:
    look = hear(hearing(), lpr("AB-123-CD", version=version, camera="space", at=NOW - 1, score=0.99))
    (reading,) = look.readings
    assert (reading.text, reading.source, reading.matrix) == ("AB123CD", "Frigate", None)
    assert look.taken_at == NOW - 1
    assert reading.box == (((10, 20), (110, 20), (110, 45), (10, 45)) if version == "0.18" else ())
    assert len(reading.confidences) == 7


def test_two_lines_are_one_plate() -> None:
    (reading,) = hear(hearing(), lpr("B MW 1234\nE", camera="space", at=NOW)).readings
    assert reading.text == "BMW1234E"


def test_a_mean_score_is_taken_for_its_weakest_character() -> None:
    ears = hearing()
    (sure,) = hear(ears, lpr("AB123CD", camera="space", at=NOW, score=0.98, object_id="1")).readings
    (unsure,) = hear(ears, lpr("AB123CD", camera="space", at=NOW, score=0.93, object_id="2")).readings
    (none,) = hear(ears, lpr("AB123CD", camera="space", at=NOW, score=None, object_id="3")).readings
    assert min(sure.confidences) == pytest.approx(0.86)
    assert min(unsure.confidences) == pytest.approx(0.51)
    assert min(none.confidences) == UNSCORED


def test_a_name_is_never_a_plate() -> None:
    named = json.loads(lpr("ZZ999ZZ", camera="space", at=NOW)) | {"name": "AB-123-CD"}
    (reading,) = hear(hearing(), json.dumps(named).encode()).readings
    assert reading.text == "ZZ999ZZ"
    del named["plate"]
    with pytest.raises(MessageError):
        messages.plate_update(json.dumps(named).encode())
    event = object_event(plate=None, camera="space", at=NOW, sub_label=["AB-123-CD", 0.99])
    seen = messages.object_event(event)
    assert seen is not None
    assert seen.plate is None


@pytest.mark.parametrize("shape", ["list", "string"])
def test_an_object_tells_its_plate_in_both_shapes_and_only_when_it_is_new(shape: str) -> None:
    first = messages.object_event(object_event(plate="AB123CD", shape=shape, camera="space", at=NOW, score=0.99))
    again = messages.object_event(
        object_event(plate="AB123CD", before="AB123CD", shape=shape, camera="space", at=NOW, score=0.99)
    )
    assert first is not None
    assert again is not None
    assert (first.plate is not None, again.plate) == (True, None)
    assert first.plate.plate == "AB123CD"
    assert first.plate.score == 0.99
    changed = object_event(plate="AB123CO", before="AB123CD", shape=shape, camera="space", at=NOW)
    assert messages.object_event(changed).plate.plate == "AB123CO"


def test_an_old_plate_of_a_car_that_still_stands_there_is_no_new_reading() -> None:
    ears = hearing()
    update = object_event(plate="AB123CD", before="AB123CD", camera="space", at=NOW, score=0.99)
    assert ears.object(messages.object_event(update), NOW) is None


@pytest.mark.parametrize("payload", [b'{"type":"face","name":"Olga"}', b'{"type":"description","id":"1"}', b"{}"])
def test_other_updates_are_no_plates(payload: bytes) -> None:
    assert messages.plate_update(payload) is None


def test_only_the_named_camera_counts() -> None:
    assert hear(hearing(), lpr("AB123CD", camera="street", at=NOW)) is None


def test_what_was_read_before_anybody_looked_does_not_count() -> None:
    ears = hearing(armed_at=NOW)
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW - 0.1)) is None
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW + 0.1), NOW + 1) is not None


def test_what_comes_too_late_does_not_count() -> None:
    assert hear(hearing(armed_at=NOW - 60), lpr("AB123CD", camera="space", at=NOW - 11)) is None


def test_the_known_difference_of_the_clocks_is_taken_off() -> None:
    for ahead in (-300.0, 300.0):
        ears = hearing()
        ears.alive(messages.stats(stats(at=NOW - 0.5 + ahead, fps={"space": 5.0})), NOW)
        look = hear(ears, lpr("AB123CD", camera="space", at=NOW - 1 + ahead))
        assert look.taken_at == pytest.approx(NOW - 1)
        # A reading from before, in that clock.
        assert hear(ears, lpr("AB123CD", camera="space", at=NOW - 10 + ahead)) is None


def test_a_clock_that_is_ahead_is_told_and_nothing_of_it_counts() -> None:
    ears = hearing()
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW + 60)) is None
    assert ears.clock_is_off


def test_a_clock_that_is_behind_is_known_by_its_pace_and_a_replay_is_not() -> None:
    slow, replayed = hearing(), hearing()
    for passed in (0.0, 2.0, 4.0):
        assert hear(slow, lpr("AB123CD", camera="space", at=NOW - 60 + passed), NOW + passed) is None
        assert hear(replayed, lpr("AB123CD", camera="space", at=NOW - 60), NOW + passed) is None
    assert slow.clock_is_off
    assert not replayed.clock_is_off


def test_the_messages_of_one_object_are_one_vote() -> None:
    ears = hearing()
    unsure = [hear(ears, lpr("AB123CD", camera="space", at=NOW + n, score=0.93), NOW + n) for n in range(3)]
    assert [look is not None for look in unsure] == [True, False, False]
    # Sure by itself, it is told each time, and always as the same reading.
    sure = [hear(ears, lpr("AB123CD", camera="space", at=NOW + n, score=0.99 - n / 1000), NOW + n) for n in range(3, 6)]
    assert all(sure)
    assert len({look.readings[0].confidences for look in sure}) == 1
    another = hear(ears, lpr("AB123CD", camera="space", at=NOW + 6, score=0.93, object_id="2"), NOW + 6)
    assert another is not None


def test_the_plate_of_an_object_may_change_and_each_text_is_told_once() -> None:
    ears = hearing()
    told = [
        hear(ears, lpr(plate, camera="space", at=NOW, score=0.93)) is not None
        for plate in ("AB123CO", "AB123CD", "AB123CO", "AB123CD")
    ]
    assert told == [True, True, False, False]


def test_with_a_zone_a_plate_waits_until_its_car_is_there() -> None:
    ears = hearing(zones=frozenset({"bay"}), armed_at=NOW - 5)
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW, score=0.99)) is None
    street = messages.object_event(object_event(camera="space", zones=["street"], at=NOW + 1))
    assert ears.object(street, NOW + 1) is None
    there = messages.object_event(object_event(camera="space", zones=["street", "bay"], at=NOW + 3))
    look = ears.object(there, NOW + 3)
    assert look.readings[0].text == "AB123CD"
    assert look.taken_at == NOW + 3
    assert ears.object(there, NOW + 4) is None


def test_a_plate_waits_for_its_car_only_so_long() -> None:
    ears = hearing(zones=frozenset({"bay"}))
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW, score=0.99)) is None
    late = NOW + WAIT_FOR_ZONE + 1
    assert ears.object(messages.object_event(object_event(camera="space", zones=["bay"], at=late)), late) is None


def test_a_car_that_left_takes_its_zone_with_it() -> None:
    ears = hearing(zones=frozenset({"bay"}))
    ears.object(messages.object_event(object_event(camera="space", zones=["bay"], at=NOW)), NOW)
    ears.object(messages.object_event(object_event(camera="space", zones=["bay"], at=NOW, kind="end")), NOW)
    assert hear(ears, lpr("AB123CD", camera="space", at=NOW, score=0.99)) is None


def test_a_flood_of_texts_of_one_object_is_forgotten_in_time() -> None:
    ears = hearing()
    first = lpr("AB123CD", camera="space", at=NOW, score=0.9)
    assert hear(ears, first) is not None
    assert hear(ears, first) is None
    for number in range(TEXTS_KEPT):
        hear(ears, lpr(f"XX{number:05}", camera="space", at=NOW, score=0.9))
    assert hear(ears, first) is not None


def test_a_flood_of_objects_is_forgotten_in_time() -> None:
    ears = hearing()
    for number in range(OBJECTS_KEPT * 3):
        assert hear(ears, lpr("AB123CD", camera="space", at=NOW, object_id=str(number))) is not None
    assert len(ears._objects) == OBJECTS_KEPT


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"type":"lpr"}',
        b'{"type":"lpr","plate":123,"id":"1","camera":"space","timestamp":1.0}',
        b'{"type":"lpr","plate":"","id":"1","camera":"space","timestamp":1.0}',
        b'{"type":"lpr","plate":"A1","id":null,"camera":"space","timestamp":1.0}',
        b'{"type":"lpr","plate":"A1","id":"1","camera":["space"],"timestamp":1.0}',
        b'{"type":"lpr","plate":"A1","id":"1","camera":"space","timestamp":"now"}',
        b'{"type":"lpr","plate":"A1","id":"1","camera":"space","timestamp":NaN}',
        b'{"type":"lpr","plate":"A1","id":"1","camera":"space","timestamp":1' + b"0" * 400 + b"}",
        b'{"type":"lpr","plate":"A1","id":"1","camera":"space","timestamp":true}',
        b"[" * 100_000,
        b" " * (messages.LONGEST_PAYLOAD + 1),
    ],
)
def test_what_frigate_never_sends_is_refused_in_words(payload: bytes) -> None:
    with pytest.raises(MessageError):
        messages.plate_update(payload)


@pytest.mark.parametrize("score", ["0.9", -0.1, 1.1, True, None, [0.9], {}])
def test_a_score_of_another_kind_makes_a_plate_less_believed(score: Any) -> None:
    message = json.loads(lpr("AB123CD", camera="space", at=NOW)) | {"score": score}
    (reading,) = hear(hearing(), json.dumps(message).encode()).readings
    assert set(reading.confidences) == {UNSCORED}


@pytest.mark.parametrize("box", [None, "box", [1, 2, 3], [1, 2, 3, "4"], [1, 2, 3, None], {"x": 1}])
def test_a_box_of_another_kind_is_no_box(box: Any) -> None:
    message = json.loads(lpr("AB123CD", camera="space", at=NOW, version="0.18")) | {"plate_box": box}
    (reading,) = hear(hearing(), json.dumps(message).encode()).readings
    assert reading.box == ()


@pytest.mark.parametrize("plate", ["-", "A", "A" * 13, "X" * 41, "   ", "🚗🚗"])
def test_what_cannot_be_a_plate_is_none(plate: str) -> None:
    assert hear(hearing(), lpr(plate, camera="space", at=NOW)) is None


def test_frigate_is_available_only_by_the_word_online() -> None:
    assert [messages.available(word) for word in (b"online", b"offline", b"stopped", b"", b"1")] == [True] + [False] * 4


def test_a_switch_is_on_or_off_or_unknown() -> None:
    assert [messages.switched_on(word) for word in (b"ON", b"OFF", b"on", b"")] == [True, False, None, None]


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
lpr_like = st.fixed_dictionaries(
    {"type": st.just("lpr")},
    optional={
        key: json_like | st.just("space") | st.just(NOW)
        for key in ("plate", "score", "id", "camera", "timestamp", "plate_box", "name")
    },
)
state_like = st.fixed_dictionaries(
    {},
    optional={
        key: json_like | st.just("space") | st.just(NOW)
        for key in ("id", "camera", "frame_time", "current_zones", "recognized_license_plate", "sub_label")
    },
)
event_like = st.fixed_dictionaries(
    {}, optional={"type": json_like, "before": state_like, "after": state_like | json_like}
)


@given(lpr_like | event_like | json_like | st.binary(max_size=60))
def test_nothing_that_arrives_breaks_anything(message: Any) -> None:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    ears = hearing(zones=frozenset({"bay"}))
    for parse, take in ((messages.plate_update, ears.plate), (messages.object_event, ears.object)):
        try:
            heard = parse(payload)
        except MessageError:
            continue
        if heard is not None:
            take(heard, NOW)
    try:
        messages.stats(payload)
    except MessageError:
        return


@given(st.text(min_size=1, max_size=12), st.floats(0, 1), st.lists(st.floats(-20, 20), min_size=1, max_size=8))
def test_whatever_one_object_says_unsure_readings_are_told_once(plate: str, score: float, times: list[float]) -> None:
    ears = hearing(sure=1.1)
    told = [hear(ears, lpr(plate, camera="space", at=NOW + at, score=score), NOW + at) for at in times]
    assert sum(look is not None for look in told) <= 1
    assert all(look.taken_at >= NOW - 5 for look in told if look)
