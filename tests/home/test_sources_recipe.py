"""Messages of programs and devices, written by hand after what they are known to send: plates out, problems told."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.recognition import Decision, judge
from custom_components.parkshare.recognition.levels import POLICIES, Level
from custom_components.parkshare.sources.evidence import BELIEVED, UNSCORED, Scored, look_of, plate_text, weakest
from custom_components.parkshare.sources.freshness import Stale, parse_time, taken_at
from custom_components.parkshare.sources.generic.body import LARGEST_TEXT, BodyError, message_of
from custom_components.parkshare.sources.generic.presets import PRESETS
from custom_components.parkshare.sources.generic.recipe import Problem, Recipe, extract
from custom_components.parkshare.sources.paths import BadPathError

NOW = 1_795_353_660.5

UNIFI_ALARM = {
    "alarm": {
        "name": "Plates",
        "triggers": [
            {"device": "74ACB9", "key": "motion", "eventId": "1", "timestamp": 1795353660500},
            {
                "device": "74ACB9",
                "key": "license_plate_unknown",
                "value": "AB123CD",
                "group": {"name": "MGB1X"},
                "eventId": "2",
                "timestamp": 1795353660500,
            },
            {"device": "FFFFFF", "key": "license_plate_known", "value": "ZZ999", "timestamp": 1795353660500},
        ],
    },
    "timestamp": 1795353660600,
}
PLATE_RECOGNIZER_STREAM = {
    "hook": {"event": "recognition"},
    "data": {
        "camera_id": "gate",
        "timestamp": "2026-11-22T18:01:00Z",
        "results": [{"plate": "ab123cd", "score": 0.903, "region": {"code": "de"}, "candidates": []}],
    },
}
HIKVISION = """<?xml version="1.0" encoding="UTF-8"?>
<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>192.168.1.64</ipAddress><channelID>1</channelID><dateTime>2026-11-22T19:01:00+01:00</dateTime>
<eventType>ANPR</eventType><eventState>active</eventState>
<ANPR><country>DE</country><licensePlate>AB123CD</licensePlate><confidenceLevel>97</confidenceLevel>
<direction>forward</direction><pictureInfoList><pictureInfo><fileName>a.jpg</fileName></pictureInfo>
<pictureInfo><fileName>b.jpg</fileName></pictureInfo></pictureInfoList></ANPR></EventNotificationAlert>"""

# What each preset gets, what is to be found in it, and what the owner names beside the preset.
KNOWN: list[tuple[str, Any, list[tuple[str, float]], dict[str, Any]]] = [
    (
        "unifi_protect",
        {"event_type": "detected", "event_id": "1", "license_plate": "AB123CD", "confidence": 89, "state": "x"},
        [("AB123CD", BELIEVED)],
        {},
    ),
    ("unifi_protect", {"event_type": "detected", "event_id": "1", "confidence": 89}, [], {}),
    ("unifi_alarm_manager", UNIFI_ALARM, [("AB123CD", BELIEVED)], {"cameras": ["74acb9"]}),
    (
        "dahua",
        {
            "state": "AB0123CD",
            "plate": "ABO123CD",
            "raw_plate": "AB-O123-CD",
            "confidence": 96,
            "direction": "Approach",
            "timestamp": NOW,
        },
        [("ABO123CD", 0.96)],
        {},
    ),
    (
        "amcrest",
        {
            "camera": "Gate",
            "event": "TrafficJunction",
            "payload": {"Code": "TrafficJunction", "data": {"TrafficCar": {"PlateNumber": "AB123CD"}}},
        },
        [("AB123CD", BELIEVED)],
        {"cameras": ["gate"]},
    ),
    ("amcrest", {"camera": "Gate", "event": "VideoMotion", "payload": {"Code": "VideoMotion"}}, [], {}),
    (
        "plate_recognizer",
        {"entity_id": "image_processing.gate", "plate": "ab123cd", "confidence": 0.91, "region_code": "de"},
        [("AB123CD", 0.91)],
        {"cameras": ["image_processing.gate"]},
    ),
    ("plate_recognizer_stream", PLATE_RECOGNIZER_STREAM, [("AB123CD", 0.903)], {"cameras": ["gate"]}),
    ("plate_recognizer_stream", {"json": PLATE_RECOGNIZER_STREAM}, [("AB123CD", 0.903)], {"cameras": ["gate"]}),
    (
        "openalpr",
        {"plate": "AB123CD", "confidence": 91.3, "entity_id": "image_processing.openalpr_gate"},
        [("AB123CD", 0.913)],
        {"cameras": ["image_processing.openalpr_gate"]},
    ),
    (
        "frigate_plate_recognizer",
        {
            "plate_number": "AB123CD",
            "original_plate": "AB123CO",
            "score": 0.93,
            "fuzzy_score": 0.99,
            "is_watched_plate": True,
            "frigate_event_id": "1",
            "camera_name": "gate",
            "start_time": "2026-11-22 18:01:00",
        },
        [("AB123CO", 0.93)],
        {"cameras": ["gate"]},
    ),
    ("hikvision", message_of("application/xml", HIKVISION.encode()), [("AB123CD", 0.97)], {}),
]


@pytest.mark.parametrize(("preset", "message", "found", "more"), KNOWN)
def test_a_known_program_is_understood(preset: str, message: Any, found: list[Any], more: dict[str, Any]) -> None:
    extracted = extract(message, Recipe.of({**PRESETS[preset].fields, **more}), zone=UTC)
    assert [(each.plate, pytest.approx(each.confidence)) for each in extracted.found] == found
    assert not extracted.problems


def test_a_known_program_tells_the_time_of_its_reading() -> None:
    for name, message in (("unifi_alarm_manager", UNIFI_ALARM), ("dahua", KNOWN[3][1])):
        (found, *_) = extract(message, Recipe.of(PRESETS[name].fields), zone=UTC).found
        assert found.said_at == NOW
    (found,) = extract(
        message_of("text/xml", HIKVISION.encode()), Recipe.of(PRESETS["hikvision"].fields), zone=UTC
    ).found
    assert found.said_at == datetime(2026, 11, 22, 18, 1, tzinfo=UTC).timestamp()


def test_another_camera_or_kind_does_not_count() -> None:
    recipe = Recipe.of({"plate_path": "p", "camera_path": "c", "cameras": ["Gate"], "only_path": "d", "only": ["in"]})
    for message, count in (
        ({"p": "AB1", "c": "gate", "d": "IN"}, 1),
        ({"p": "AB1", "c": " GATE ", "d": "in"}, 1),
        ({"p": "AB1", "c": "street", "d": "in"}, 0),
        ({"p": "AB1", "c": "gate", "d": "out"}, 0),
        ({"p": "AB1", "c": "gate"}, 0),
        ({"p": "AB1", "d": "in"}, 0),
    ):
        extracted = extract(message, recipe, zone=UTC)
        assert (len(extracted.found), extracted.problems) == (count, frozenset()), message


@pytest.mark.parametrize(
    ("scale", "score", "confidence"),
    [
        ("fraction", 0.87, 0.87),
        ("fraction", "0.87", 0.87),
        ("percent", 87, 0.87),
        ("percent", "87 %", 0.87),
        ("percent", 0, 0.0),
        ("percent", 1, 0.01),
    ],
)
def test_a_score_is_read_on_its_scale(scale: str, score: Any, confidence: float) -> None:
    recipe = Recipe.of({"plate_path": "p", "score_path": "s", "score_scale": scale})
    (found,) = extract({"p": "AB1", "s": score}, recipe, zone=UTC).found
    assert found.confidence == pytest.approx(confidence)


@pytest.mark.parametrize(
    ("scale", "score"),
    [
        ("fraction", 87),
        ("percent", 0.87),
        ("percent", 101),
        ("fraction", -1),
        ("fraction", True),
        ("fraction", None),
        ("fraction", "high"),
        ("percent", float("nan")),
        ("percent", 10**400),
        ("percent", [90]),
    ],
)
def test_a_score_that_does_not_fit_is_told_and_loses_only_itself(scale: str, score: Any) -> None:
    recipe = Recipe.of({"plate_path": "p", "score_path": "s", "score_scale": scale, "believe_alone": True})
    extracted = extract({"p": "AB1", "s": score}, recipe, zone=UTC)
    assert extracted.problems == {Problem.SCORE}
    assert [found.confidence for found in extracted.found] == [UNSCORED]


def test_readings_below_the_lowest_score_are_left_out() -> None:
    recipe = Recipe.of({"plate_path": "p", "score_path": "s", "score_scale": "percent", "min_score": 80})
    assert [len(extract({"p": "AB1", "s": score}, recipe, zone=UTC).found) for score in (79, 80)] == [0, 1]


@pytest.mark.parametrize("plate", [None, "", {}, [], True, 1.5, "x" * 41, "-", ["AB123CD", 0.9]])
def test_a_path_that_leads_to_no_plate_is_told(plate: Any) -> None:
    extracted = extract({"p": plate}, Recipe.of({"plate_path": "p"}), zone=UTC)
    assert (extracted.found, extracted.problems) == ((), {Problem.PLATE})


def test_messages_without_a_plate_may_be_usual() -> None:
    recipe = Recipe.of({"plate_path": "p", "sparse": True})
    assert [extract(message, recipe, zone=UTC).problems for message in ({}, {"p": ""}, {"p": None})] == [
        frozenset()
    ] * 3
    assert extract({"p": {"odd": 1}}, recipe, zone=UTC).problems == {Problem.PLATE}


def test_without_the_time_that_was_promised_nothing_counts() -> None:
    recipe = Recipe.of({"plate_path": "p", "time_path": "t"})
    for time in (None, "yesterday", True, 12, float("inf"), 10**400, {"s": 1}):
        extracted = extract({"p": "AB1", "t": time}, recipe, zone=UTC)
        assert (extracted.found, extracted.problems) == ((), {Problem.TIME}), time


def test_a_message_has_so_many_plates_at_most() -> None:
    message = {"all": [{"p": f"AB{number}"} for number in range(500)]}
    assert len(extract(message, Recipe.of({"plate_path": "p", "each_path": "all"}), zone=UTC).found) == 16


def test_settings_that_are_no_recipe_are_refused() -> None:
    with pytest.raises(BadPathError):
        Recipe.of({"plate_path": "a..b"})
    with pytest.raises(KeyError):
        Recipe.of({})
    with pytest.raises(ValueError, match="furlongs"):
        Recipe.of({"plate_path": "p", "score_scale": "furlongs"})


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("pstc"), inner, max_size=4),
    max_leaves=20,
)


@given(json_like)
def test_no_message_breaks_a_recipe(message: Any) -> None:
    recipe = Recipe.of(
        {
            "plate_path": "p | p[0].p",
            "each_path": "p",
            "score_path": "s",
            "score_scale": "percent",
            "time_path": "t",
            "camera_path": "c",
            "cameras": ["gate"],
        }
    )
    for found in extract(message, recipe, zone=UTC).found:
        assert 0 <= found.confidence <= 1


# --- times ---


@pytest.mark.parametrize(
    "value",
    [
        NOW,
        int(NOW * 1000),
        str(NOW),
        "2026-11-22T13:21:00.5Z",
        "2026-11-22T14:21:00.5+01:00",
        "2026-11-22 14:21:00.5",
        datetime.fromtimestamp(NOW, UTC),
    ],
)
def test_times_are_read_as_programs_write_them(value: Any) -> None:
    assert parse_time(value, timezone(timedelta(hours=1))) == pytest.approx(NOW, abs=0.001)


@given(st.none() | st.booleans() | st.text(max_size=40) | st.integers() | st.floats() | st.datetimes())
def test_any_value_is_a_time_or_none(value: Any) -> None:
    at = parse_time(value, UTC)
    assert at is None or 946_684_800 <= at < 1e12


@given(st.floats(-200, 200), st.floats(0, 100), st.floats(1, 60), st.floats(-100, 100))
def test_what_counts_was_read_after_arming_and_not_long_ago(
    said: float, armed: float, max_age: float, ahead: float
) -> None:
    at = taken_at(NOW + said, heard_at=NOW, armed_at=NOW - armed, max_age=max_age, ahead=ahead)
    assert isinstance(at, Stale) or NOW - armed <= at <= NOW
    assert isinstance(at, Stale) or NOW - at <= max_age


# --- evidence ---


def test_a_sure_text_admits_alone_and_an_unsure_one_only_in_company() -> None:
    def decision(*looks: tuple[float, str, float]) -> Decision:
        return judge(
            [look_of("AB123CD", each, source=source, taken_at=at) for each, source, at in looks], "AB123CD"
        ).decision

    assert decision((BELIEVED, "one", 0)) is Decision.ADMIT
    assert decision((0.5, "one", 0)) is Decision.UNSURE
    assert decision((0.5, "one", 0), (0.5, "one", 1)) is Decision.UNSURE
    assert decision((0.55, "one", 0), (0.5, "another", 1)) is Decision.ADMIT
    assert decision((0.0, "one", 0)) is Decision.UNSURE


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("plate", ["AB12", "AB123CD", "ABC123456X"])
def test_a_text_without_a_score_never_counts_alone_and_always_in_company(level: Level, plate: str) -> None:
    def decision(*sources: str) -> Decision:
        looks = [look_of(plate, UNSCORED, source=source, taken_at=at) for at, source in enumerate(sources)]
        return judge(looks, plate, POLICIES[level]).decision

    assert decision("one", "one", "one") is Decision.UNSURE
    assert decision("one", "another") is Decision.ADMIT


@given(st.floats(0, 1), st.integers(2, 12))
def test_the_weakest_character_is_never_surer_than_the_mean(score: float, length: int) -> None:
    assert 0 <= weakest(score, length, Scored.MEAN) <= weakest(score, length, Scored.PLATE) == score


def test_a_look_never_shows_its_plate() -> None:
    assert "AB123CD" not in repr(look_of("AB123CD", 0.9, source="one", taken_at=0))
    assert plate_text("ab-123 cd") == "AB123CD"


# --- bodies ---


def multipart(*parts: tuple[str, bytes]) -> tuple[str, bytes]:
    body = b"".join(b"--frame\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n" for head, content in parts)
    return "multipart/form-data; boundary=frame", body + b"--frame--\r\n"


PICTURE = (
    'Content-Disposition: form-data; name="pic"; filename="a.jpg"\r\nContent-Type: image/jpeg',
    b"\xff\xd8" * 5000,
)


def test_a_camera_s_multipart_with_pictures_is_its_xml() -> None:
    xml = 'Content-Disposition: form-data; name="anpr.xml"; filename="anpr.xml"\r\nContent-Type: text/xml'
    message = message_of(*multipart((xml, HIKVISION.encode()), PICTURE))
    assert message["EventNotificationAlert"]["ANPR"]["licensePlate"] == "AB123CD"
    assert len(message["EventNotificationAlert"]["ANPR"]["pictureInfoList"]["pictureInfo"]) == 2


def test_a_form_s_json_field_is_read_with_or_without_other_fields() -> None:
    field = ('Content-Disposition: form-data; name="json"', json.dumps(PLATE_RECOGNIZER_STREAM).encode())
    other = ('Content-Disposition: form-data; name="site"', b"home")
    recipe = Recipe.of({**PRESETS["plate_recognizer_stream"].fields, "cameras": ["gate"]})
    for parts in ((field, PICTURE), (field, other, PICTURE)):
        message = message_of(*multipart(*parts))
        assert [found.plate for found in extract(message, recipe, zone=UTC).found] == ["AB123CD"]


def test_json_and_forms_are_read() -> None:
    assert message_of("application/json", b'{"plate": "AB1"}') == {"plate": "AB1"}
    assert message_of("", b'\xef\xbb\xbf{"plate": "AB1"}') == {"plate": "AB1"}
    assert message_of("application/x-www-form-urlencoded", b"plate=AB+1&score=0.9") == {"plate": "AB 1", "score": "0.9"}


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("application/json", b"plate"),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b"[" * 100_000),
        ("application/json", b" " * (LARGEST_TEXT + 1)),
        ("text/xml", BOMB),
        ("text/xml", b"<a><b></a>"),
        ("text/xml", b"<a>" * 1000 + b"</a>" * 1000),
        ("multipart/form-data", b"--x"),
        ("multipart/form-data; boundary=x", b"--y\r\n\r\nz"),
        ("multipart/form-data; boundary=\udcff", b"--y\r\n\r\nz"),
        ("application/x-www-form-urlencoded", b"&".join(b"a=b" for _ in range(1000))),
    ],
)
def test_a_body_that_is_no_message_is_refused(kind: str, body: bytes) -> None:
    with pytest.raises(BodyError):
        message_of(kind, body)


@given(
    st.sampled_from(
        ["application/json", "text/xml", "application/x-www-form-urlencoded", "multipart/x; boundary=b", ""]
    ),
    st.binary(max_size=200) | st.builds(lambda b: b"--b\r\n\r\n" + b, st.binary(max_size=100)),
)
def test_no_body_breaks_anything(kind: str, body: bytes) -> None:
    try:
        message_of(kind, body)
    except BodyError:
        return
