"""Times are read as RFC 3339 writes them, and nothing else is taken for one."""

import re
from datetime import UTC

import pytest
from hypothesis import example, given, strategies as st

from parkshare_backend.clock import from_rfc3339, to_rfc3339

RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

written = st.datetimes(timezones=st.just(UTC)).map(lambda at: to_rfc3339(at.timestamp()))
signs = st.sampled_from("Zz+-:.,TtW 09\0\u0663")


@given(st.integers(0, 200_000_000_000_000))
def test_what_is_written_is_read_again(at_ms: int) -> None:
    assert from_rfc3339(to_rfc3339(at_ms / 1000)) == pytest.approx(at_ms / 1000, rel=0, abs=0.0011)


@given(written, st.lists(st.tuples(st.integers(0, 23), signs), max_size=3))
@example("2026-11-22T12:00:00.000Z", [(17, "Z"), (18, "\0")])  # `fromisoformat` reads this
@example("2026-11-22T12:00:00.000Z", [(5, "W"), (8, "-")])
@example("2026-11-22T12:00:00.000Z", [(23, "z")])
@example("2026-11-22T12:00:00Z", [(19, "+")])
def test_what_is_not_rfc_3339_is_refused(text: str, changed: list[tuple[int, str]]) -> None:
    for at, sign in changed:
        text = text[:at] + sign + text[at + 1 :]
    if RFC3339.fullmatch(text):
        return
    with pytest.raises(ValueError, match="RFC 3339"):
        from_rfc3339(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-22T12:00:00Z", 1_795_348_800.0),
        ("2026-11-22T12:00:00.250Z", 1_795_348_800.25),
        ("2026-11-22t12:00:00.25z", 1_795_348_800.25),
        ("2026-11-22T13:00:00.000+01:00", 1_795_348_800.0),
    ],
)
def test_each_way_of_writing_a_moment_is_read(text: str, at: float) -> None:
    assert from_rfc3339(text) == at


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59", "2026-02-30T00:00:00Z"])
def test_what_is_no_moment_that_can_be_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - in the words of `fromisoformat` or in ours
        from_rfc3339(text)
