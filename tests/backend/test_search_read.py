"""The short way to read a search takes nothing that the model refuses, and reads the same of what it takes."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings as how, strategies as st

from parkshare_backend.clock import to_rfc3339
from parkshare_backend.http.bodies import validate_bytes
from parkshare_backend.http.problems import Problem
from parkshare_backend.matching.models import SearchRequest, Sought
from tests.backend.support import NOON

PLACE = {"lat": 52.5, "lon": 13.4}
PERIOD = {"start": to_rfc3339(NOON), "end": to_rfc3339(NOON + 3600)}
CAR = {"length_m": 4.3, "width_m": 1.8, "height_m": 1.5}
USUAL = {"place": PLACE, "period": PERIOD, "vehicle": CAR, "radius_m": 800.0, "limit": 20, "flexible": False}
LEAST = {"place": PLACE, "period": PERIOD}

numbers = st.one_of(
    st.floats(), st.integers(-(2**70), 2**70), st.floats(-200, 200), st.integers(-2, 52), st.floats(40, 10_010),
    st.sampled_from([0, 0.0, -0.0, 50, 50.0, 51.0, 90, -90, 90.1, 180, -180, 10_000, 10_000.5, 1.5, 10.0]),
)  # fmt: skip
odd = st.one_of(st.none(), st.booleans(), numbers, st.text(), st.lists(st.integers(), max_size=2))
times = st.one_of(
    st.datetimes().map(lambda at: at.isoformat() + "Z"),
    st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,10})?([Zz]|[+-]\d\d:\d\d)?\Z"),
    st.sampled_from(
        ["", "now", "2026-11-22", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-02-30T00:00:00Z",
         "2026-11-22T24:00:00Z", "2026-11-22T11:59:59.9999999Z", "2026-11-22T12:00:00Z\n"]
    ),
    odd,
)  # fmt: skip


def around(usual: dict[str, Any], values: st.SearchStrategy[Any], more: Any = odd) -> st.SearchStrategy[Any]:
    """Give an object with some values changed, some left out, and sometimes one that is not known."""
    changed = st.dictionaries(st.sampled_from(sorted(usual)), values, max_size=2)
    left_out = st.sets(st.sampled_from(sorted(usual)), max_size=1)
    added = st.one_of(st.just({}), st.fixed_dictionaries({"more": more}))
    built = st.builds(
        lambda change, out, add: {name: value for name, value in (usual | change).items() if name not in out} | add,
        changed, left_out, added,
    )  # fmt: skip
    return st.one_of(st.just(usual), built, odd)


plugs = around({"kind": "IEC_62196_T2", "power_kw": 11.0, "needed": False}, odd | st.sampled_from(["T2\n", "x"]))
prices = around({"amount_minor": 250, "currency": "EUR"}, odd | st.sampled_from(["EUR\n", "eur", "CHF"]))
searches = st.fixed_dictionaries(
    {"place": around(PLACE, numbers | odd), "period": around(PERIOD, times)},
    optional={
        "vehicle": around(CAR, numbers | odd), "radius_m": numbers | odd, "limit": numbers | odd,
        "flexible": st.booleans() | odd, "plug": plugs, "max_price": prices, "more": odd,
    },
)  # fmt: skip
one_off = st.builds(lambda name, value: USUAL | {name: value}, st.sampled_from(sorted(USUAL)), odd)
bodies = st.one_of(searches, one_off, around(USUAL, odd), odd)


def by_model(raw: bytes) -> Sought | None:
    try:
        return validate_bytes(SearchRequest, raw).sought()
    except Problem:
        return None


def same(raw: bytes) -> bool:
    """Compare the two ways; tell whether the short one could read it."""
    short = SearchRequest.read_usual(raw)
    if short is None:
        return False
    assert short == by_model(raw), raw
    assert [type(value) for value in short] == [type(value) for value in by_model(raw) or ()], raw
    return True


@how(max_examples=1500, deadline=None)
@given(bodies, st.booleans())
def test_what_the_short_way_reads_the_model_reads_alike(body: Any, escaped: bool) -> None:
    same(json.dumps(body, ensure_ascii=escaped).encode(errors="surrogatepass"))


@how(max_examples=500, deadline=None)
@given(st.data())
def test_a_usual_body_with_a_few_bytes_changed_is_read_alike(data: st.DataObject) -> None:
    raw = bytearray(orjson.dumps(USUAL))
    for _ in range(data.draw(st.integers(1, 3))):
        place, piece = data.draw(st.integers(0, len(raw))), data.draw(st.sampled_from(b'{}[]":,0-9.eE\\ Z+nN\0\xff'))
        raw[place : place + data.draw(st.integers(0, 1))] = bytes([piece])
    same(bytes(raw))


@how(deadline=None)
@given(
    st.floats(-90, 90), st.floats(-180, 180), st.integers(0, 2**34), st.integers(0, 2**31),
    st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(CAR, st.none() | st.floats(0.01, 50))),
    st.floats(50, 10_000), st.integers(1, 50), st.booleans(),
)  # fmt: skip
def test_what_people_search_goes_the_short_way(
    lat: float, lon: float, start_ms: int, length_ms: int, car: Any, radius_m: float, limit: int, flexible: bool
) -> None:
    period = {"start": to_rfc3339(start_ms / 1000), "end": to_rfc3339((start_ms + length_ms) / 1000)}
    least = {"place": {"lat": lat, "lon": lon}, "period": period}
    assert same(orjson.dumps(least))
    assert same(orjson.dumps(least | {"vehicle": car, "radius_m": radius_m, "limit": limit, "flexible": flexible}))


@pytest.mark.parametrize(
    "more",
    [
        {"plug": {"needed": False}}, {"max_price": {"amount_minor": 1, "currency": "EUR"}}, {"more": 1}, {"limit": 0},
        {"limit": 51}, {"limit": True}, {"radius_m": 49.9}, {"radius_m": 10_000.1}, {"radius_m": None},
        {"vehicle": {"length_m": 0}}, {"vehicle": {"length_m": 50.1}}, {"vehicle": {"weight_kg": 900}},
        {"place": PLACE | {"lat": 90.1}}, {"place": PLACE | {"lon": "13.4"}}, {"flexible": 1}, {"flexible": None},
        {"period": PERIOD | {"end": "2026-11-22T14:00:00"}}, {"period": PERIOD | {"end": 1_800_000_000}},
    ],
)  # fmt: skip
def test_what_is_rare_or_bad_is_left_to_the_model(more: dict[str, Any]) -> None:
    assert SearchRequest.read_usual(orjson.dumps(LEAST | more)) is None


@pytest.mark.parametrize(
    "raw",
    [
        b'{"place":{"lat":1,"lat":2,"lon":1},"period":{"start":"2026-11-22T12:00:00Z","end":"2026-11-22T13:00:00Z"}}',
        b'{"place":{"lat":1,"lon":1e0},"period":{"start":"2026-11-22t12:00:00.9z","end":"2026-11-22T12:00:00+01:00"}}',
        b'{"place":{"lat":1,"l\\u006fn":1},"period":{"end":"2026-11-22T11:59:59.9999999Z","start":"2026-11-22T12:00:00z"}}',
        b'{"vehicle":null,"place":{"lat":1,"lon":1},"period":{"start":"2026-11-22T12:00:00Z","end":"0001-01-01T00:00:00Z"}}',
    ],
)
def test_what_is_rare_and_good_is_read_alike(raw: bytes) -> None:
    assert same(raw)
