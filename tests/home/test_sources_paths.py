"""The path language: what leads where, and that no message and no path can break it."""

from typing import Any

import pytest
from hypothesis import given, strategies as st

from custom_components.parkshare.sources.paths import BadPathError, parse_path

MESSAGE = {
    "plate": "AB-123-CD",
    "data": {"results": [{"plate": "ef456"}, {"plate": "GH 789", "score": 0.9}]},
    "a.b": {"c|d": "JK 1"},
    "7": "seven",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("plate", "AB-123-CD"),
        (" plate ", "AB-123-CD"),
        ("data.results[1].plate", "GH 789"),
        ("data.results.1.plate", "GH 789"),
        ("data.results[-1].score", 0.9),
        ('"a.b"."c|d"', "JK 1"),
        ("7", "seven"),
        ("absent | plate", "AB-123-CD"),
        ("nothing | plate", "AB-123-CD"),
        ("absent", None),
        ("plate.more", None),
        ("plate[0]", None),
        ("data.results[2]", None),
        ("data.results[-3]", None),
        ("data.results.name", None),
        ("data.results.٣", None),
    ],
)
def test_a_path_leads_to_what_it_names(path: str, found: Any) -> None:
    assert parse_path(path).find(MESSAGE) == found


NOTHING = ["", " ", "|", "plate |", ".plate", "plate.", "a..b", "a.[0]", "a[", "a[x]", "a]", 'a"b', '""', "a[0]b"]


@pytest.mark.parametrize("path", [*NOTHING, "a" * 201, ".".join("a" * 21)])
def test_a_path_that_says_nothing_is_refused(path: str) -> None:
    with pytest.raises(BadPathError):
        parse_path(path)


@given(st.text(max_size=220))
def test_any_text_is_a_path_or_is_refused(text: str) -> None:
    try:
        path = parse_path(text)
    except BadPathError:
        return
    assert path.find(MESSAGE) is None or path.ways


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(json_like, st.sampled_from(["a", "a.b[0].c", "[0]", "[-1].a | b", "0.1.2"]))
def test_no_message_breaks_a_path(message: Any, path: str) -> None:
    parse_path(path).find(message)
