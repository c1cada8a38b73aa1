"""Nothing in a record can be changed, left out, moved or put in without being seen."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.record.chain import BadLineError, Entry, Head, canonical, parse, seal
from custom_components.parkshare.record.examine import Broken
from custom_components.parkshare.record.excerpt import excerpt
from custom_components.parkshare.record.kinds import Kind
from custom_components.parkshare.record.proof import verify
from tests.record.history import HOUSE, NOON, OTHER_HOUSE, entry, lines, sealed

KEY = HOUSE.sign_public
WHOLE = lines(8)
HEAD = str(parse(WHOLE[-1]).head)
PLACES = st.integers(0, len(WHOLE) - 1)

said = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_a_record_as_it_was_written_is_whole() -> None:
    report = verify(WHOLE, KEY, head=HEAD)
    assert report.ok
    assert report.head == HEAD
    assert "8 entries" in report.words


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_single_changed_character_is_found(data: st.DataObject) -> None:
    place = data.draw(PLACES)
    line = WHOLE[place]
    at = data.draw(st.integers(0, len(line) - 1))
    other = data.draw(st.characters(exclude_categories=["Cs"]).filter(lambda each: each != line[at]))
    changed = [*WHOLE[:place], line[:at] + other + line[at + 1 :], *WHOLE[place + 1 :]]
    report = verify(changed, KEY, head=HEAD)
    assert not report.ok
    assert len(report.entries) == place


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_single_cut_out_or_doubled_part_of_a_line_is_found(data: st.DataObject) -> None:
    place = data.draw(PLACES)
    line = WHOLE[place]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(line))] * 2).filter(lambda two: two[0] != two[1])))
    for changed in (line[:start] + line[end:], line[:end] + line[start:]):
        assert not verify([*WHOLE[:place], changed, *WHOLE[place + 1 :]], KEY).ok


@given(place=PLACES)
def test_any_single_removal_is_found(place: int) -> None:
    report = verify(WHOLE[:place] + WHOLE[place + 1 :], KEY, head=HEAD)
    expected = {0: Broken.BEGINNING, len(WHOLE) - 1: Broken.CUT}.get(place, Broken.REMOVED)
    assert report.broken is expected


@given(places=st.lists(PLACES, min_size=2, max_size=2, unique=True))
def test_any_swap_is_found(places: list[int]) -> None:
    one, two = sorted(places)
    swapped = list(WHOLE)
    swapped[one], swapped[two] = swapped[two], swapped[one]
    report = verify(swapped, KEY)
    assert not report.ok
    # A later entry at the beginning is seen at its successor, which has its place before it.
    assert report.line in {one + 1, one + 2}
    assert report.broken is Broken.REORDERED


@given(place=st.integers(0, len(WHOLE)), of=PLACES)
def test_any_repeated_entry_is_found(place: int, of: int) -> None:
    report = verify([*WHOLE[:place], WHOLE[of], *WHOLE[place:]], KEY)
    assert not report.ok


@given(place=st.integers(1, len(WHOLE)), said=st.dictionaries(st.text(max_size=5), said, max_size=3))
def test_an_entry_that_somebody_else_put_in_is_found(place: int, said: dict[str, Any]) -> None:
    before = parse(WHOLE[place - 1]).head
    forged = seal(Entry(NOON, Kind.TRANSITION, "b1", said), before, OTHER_HOUSE.prove)
    report = verify([*WHOLE[:place], forged.line(), *WHOLE[place:]], KEY)
    assert report.broken is Broken.FOREIGN
    assert report.line == place + 1


@given(left=st.integers(0, len(WHOLE) - 1))
def test_a_truncation_is_found_by_whoever_knows_the_head(left: int) -> None:
    report = verify(WHOLE[:left], KEY, head=HEAD)
    assert report.broken is (Broken.CUT if left else Broken.EMPTY)


@given(kept=st.integers(1, len(WHOLE) - 1))
def test_a_truncation_that_nobody_knows_a_head_of_cannot_be_seen(kept: int) -> None:
    assert verify(WHOLE[:kept], KEY).ok


@given(kept=st.integers(1, len(WHOLE) - 1))
def test_a_past_that_the_house_itself_wrote_anew_is_found_by_whoever_knows_the_head(kept: int) -> None:
    chain = [parse(line) for line in WHOLE[:kept]]
    while len(chain) < len(WHOLE):
        chain.append(seal(entry(99), chain[-1].head, HOUSE.prove))
    anew = [each.line() for each in chain]
    assert verify(anew, KEY).ok
    assert verify(anew, KEY, head=HEAD).broken is Broken.REWRITTEN


def test_two_pasts_of_one_house_do_not_fit_together() -> None:
    other = [each.line() for each in sealed([entry(number, name="other") for number in range(8)])]
    assert verify(WHOLE[:4] + other[4:], KEY).broken is Broken.FORKED


def test_a_record_of_another_house_is_foreign_from_its_first_entry_on() -> None:
    report = verify(lines(3, OTHER_HOUSE), KEY)
    assert (report.broken, report.seq, report.line) == (Broken.FOREIGN, 1, 1)
    assert "not signed by this house" in report.words


def test_what_a_house_wrote_before_it_was_paired_again_counts_with_both_keys() -> None:
    old = sealed([entry(0), entry(1)])
    new = [seal(entry(2), old[-1].head, OTHER_HOUSE.prove)]
    both = [each.line() for each in old + new]
    assert verify(both, KEY, OTHER_HOUSE.sign_public).ok
    assert verify(both, KEY).broken is Broken.FOREIGN


@pytest.mark.parametrize("upto", [None, "1:" + "0" * 64, "right"])
def test_a_missing_beginning_is_in_order_only_where_the_house_signed_that_it_dropped_it(upto: str | None) -> None:
    chain = sealed([entry(number) for number in range(5)])
    dropped = str(chain[1].head) if upto == "right" else upto
    end = seal(entry(9, Kind.CHECKPOINT, None, upto=dropped), chain[-1].head, HOUSE.prove)
    kept = [each.line() for each in (*chain[2:], end)]
    assert verify(kept, KEY).ok is (upto == "right")
    if upto == "right":
        assert verify(kept, KEY, head=str(chain[1].head)).ok
        assert verify(kept, KEY, head=str(chain[0].head)).broken is Broken.TOO_OLD
        assert verify(kept, KEY, head=f"2:{'a' * 64}").broken is Broken.REWRITTEN


def test_a_first_entry_that_follows_another_is_no_beginning() -> None:
    first = seal(entry(0), Head(0, "a" * 64), HOUSE.prove)
    assert verify([first.line()], KEY).broken is Broken.BEGINNING


def test_an_excerpt_hides_what_is_of_others_and_still_verifies() -> None:
    bookings = [None, "b1", "b2", None, "b1", None, "b2"]
    chain = sealed([entry(number, booking=booking, note="private") for number, booking in enumerate(bookings)])
    shown = excerpt(chain, booking="b1")
    assert verify(shown, KEY, head=str(chain[-1].head)).ok
    assert [bool(parse(line).kind) for line in shown] == [False, True, False, True, True, False, False]
    assert '"booking":"b2"' not in "".join(shown)


def test_an_excerpt_of_a_time_has_its_first_moment_and_not_its_last() -> None:
    chain = sealed([Entry(NOON + half / 2, Kind.TRANSITION, None, {"name": "T"}) for half in range(8)])
    shown = [bool(parse(line).kind) for line in excerpt(chain, start=NOON + 1, end=NOON + 2.5)]
    assert shown == [False, False, True, True, True, False, False, False]


@settings(max_examples=50)
@given(place=PLACES, changed=st.sampled_from(["seq", "prev", "hash", "sig"]))
def test_a_hidden_entry_can_be_changed_as_little_as_a_shown_one(place: int, changed: str) -> None:
    shown = [parse(line).line(hidden=True) for line in WHOLE]
    value = json.loads(shown[place])
    value[changed] = value[changed] + 1 if changed == "seq" else "0" * len(value[changed])
    if canonical(value) == shown[place]:
        return
    assert not verify([*shown[:place], canonical(value), *shown[place + 1 :]], KEY).ok


@given(said=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), said, max_size=3))
def test_what_is_said_comes_back_as_it_was(said: dict[str, Any]) -> None:
    line = seal(Entry(NOON, Kind.TRANSITION, None, said), Head(3, "a" * 64), HOUSE.prove).line()
    assert "\n" not in line
    assert parse(line).d == said
    assert parse(line).whole()


@pytest.mark.parametrize("d", [{"score": 0.5}, {"text": "\ud800"}, {"raw": b"x"}, {1: "x"}])
def test_what_two_programs_would_write_differently_is_not_written(d: dict[Any, Any]) -> None:
    with pytest.raises(BadLineError):
        seal(Entry(NOON, Kind.TRANSITION, None, d), Head(0, "0" * 64), HOUSE.prove)


@pytest.mark.parametrize("head", ["", "1", "x:" + "0" * 64, "1:" + "g" * 64, "1:abc", "-1:" + "0" * 64])
def test_a_head_that_is_none_is_said_to_be_none(head: str) -> None:
    with pytest.raises(ValueError, match="a head is"):
        Head.parse(head)
