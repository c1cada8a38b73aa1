"""The short way to read position reports takes nothing that the model refuses, and reads the same of what it takes."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings as how, strategies as st
from pydantic import ValidationError

from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.bodies import validate_bytes
from parkshare_backend.http.problems import Problem
from parkshare_backend.tracking.models import PositionsRequest
from tests.backend.support import NOON

FIX = {"lat": 52.5, "lon": 13.4, "at": to_rfc3339(NOON)}
USUAL = FIX | {"accuracy_m": 8.0, "speed_ms": 13.9, "course": 270.5, "mock": False}

numbers = st.one_of(st.floats(), st.integers(-(2**70), 2**70), st.floats(-200, 1100), st.integers(-200, 1100))
odd = st.one_of(st.none(), st.booleans(), numbers, st.text(), st.lists(st.integers(), max_size=2))
times = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,10})?([Zz]|[+-]\d\d:\d\d)?\Z"),
    st.sampled_from(["", "now", "2026-11-22", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z", "1:2:3"]),
    odd,
)
fixes = st.fixed_dictionaries(
    {},
    optional={
        "lat": st.floats(-90, 90) | odd, "lon": st.floats(-180, 180) | odd, "at": times, "accuracy_m": odd,
        "speed_ms": odd, "course": odd, "mock": st.booleans() | odd, "more": odd,
    },
)  # fmt: skip
nearly = st.builds(
    lambda fix, out: {name: value for name, value in (USUAL | fix).items() if name not in out},
    fixes,
    st.sets(st.sampled_from(sorted(USUAL)), max_size=2),
)
one_off = st.builds(lambda name, value: USUAL | {name: value}, st.sampled_from(sorted(USUAL)), odd | times | numbers)
bodies = st.one_of(
    st.lists(one_off | nearly | st.just(USUAL), max_size=4).map(lambda found: {"fixes": found}),
    st.lists(nearly, max_size=2).map(lambda found: {"fixes": found, "more": 1}),
    st.sampled_from([{"fixes": [FIX] * n} for n in (0, 1, 99, 100, 101)]),
    odd,
    odd.map(lambda value: {"fixes": value}),
)


def by_model(raw: bytes) -> PositionsRequest | None:
    try:
        return validate_bytes(PositionsRequest, raw)
    except Problem, ValidationError:
        return None


def same(raw: bytes) -> bool:
    """Compare the two ways; tell whether the short one could read it."""
    short = PositionsRequest.read_usual(raw)
    if short is None:
        return False
    model = by_model(raw)
    assert model is not None, raw
    assert [(fix.lat, fix.lon, fix.at, fix.accuracy_m, fix.mock) for fix in short.fixes] == [
        (fix.lat, fix.lon, fix.at, fix.accuracy_m, fix.mock) for fix in model.fixes
    ]
    return True


@how(max_examples=1000, deadline=None)
@given(bodies, st.booleans())
def test_what_the_short_way_reads_the_model_reads_alike(body: Any, escaped: bool) -> None:
    same(json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass"))


@how(max_examples=300, deadline=None)
@given(st.data())
def test_a_usual_body_with_a_few_bytes_changed_is_read_alike(data: st.DataObject) -> None:
    raw = bytearray(orjson.dumps({"fixes": [USUAL]}))
    for _ in range(data.draw(st.integers(1, 3))):
        place, piece = data.draw(st.integers(0, len(raw))), data.draw(st.sampled_from(b'{}[]":,0-9.eE\\ Z+nN\0\xff'))
        raw[place : place + data.draw(st.integers(0, 1))] = bytes([piece])
    same(bytes(raw))


@how(deadline=None)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 2**34)), min_size=1, max_size=5))
def test_what_phones_send_goes_the_short_way(found: list[tuple[float, float, int]]) -> None:
    body = {"fixes": [USUAL | {"lat": lat, "lon": lon, "at": to_rfc3339(ms / 1000)} for lat, lon, ms in found]}
    assert same(orjson.dumps(body))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"fixes":[],"fixes":[{"lat":2.0,"lon":1.0,"at":"2026-11-22T12:00:00Z"}]}',
        b'{"fixes":[{"lat":2.0,"lon":1.0,"mock":"x","mock":false,"at":"2026-11-22T12:00:00Z"}]}',
        b'{"fixes":[{"lat":NaN,"lon":1.0,"at":"2026-11-22T12:00:00Z"}]}',
    ],
)
def test_what_is_rare_or_odd_is_left_to_the_model(raw: bytes) -> None:
    assert PositionsRequest.read_usual(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"fixes":[{"lat":1.0,"lat":2.0,"lon":1.0,"at":"2026-11-22T12:00:00Z"}]}',
        b'{"fixes":[{"lat":2.0,"lon":1.0,"at":"2026-11-22T12:00:00+01:00"}]}',
        b'{"fixes":[{"lat":2,"lon":1,"accuracy_m":8,"at":"2026-11-22t12:00:00.5z"}]}',
        b'{"fixes":[{"l\\u0061t":2.0,"lon":1e0,"accuracy_m":null,"at":"2026-11-22T12:00:00Z"}]}',
    ],
)
def test_what_is_rare_and_good_is_read_alike(raw: bytes) -> None:
    assert same(raw)
