"""Which of the identical glyphs is meant, from how countries spell their plates."""

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.recognition import fold
from custom_components.parkshare.recognition.layouts import LAYOUTS, spelled
from tests.recognition.matrices import plates


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        pytest.param("BAOI7AB", "BA017AB", id="two letters, three digits, two letters"),
        pytest.param("ABC1DO3", "ABC1D03", id="Brazil and Argentina since Mercosur"),
        pytest.param("ABCO123", "ABC0123", id="three letters, four digits"),
        pytest.param("0RZ1234", "ORZ1234", id="a digit where a letter stands"),
        pytest.param("1ABCO23", "1ABC023", id="California"),
        pytest.param("12O4BCD", "1204BCD", id="Spain"),
        pytest.param("京AO1234", "京A01234", id="China has neither O nor I in its series"),
        pytest.param("A12345", "A12345", id="nothing to choose"),
        pytest.param("10101", "10101", id="all digits"),
        pytest.param("OIOIOIOIOIOIOIOI", "OIOIOIOIOIOIOIOI", id="no plate"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_text_is_spelled_as_its_layout_asks(read: str, meant: str) -> None:
    assert spelled(read) == meant


@given(plates, st.data())
@settings(max_examples=100, deadline=None)
def test_spelling_never_changes_what_the_verdict_compares(text: str, data: st.DataObject) -> None:
    sure = data.draw(st.lists(st.floats(0, 1), min_size=len(text), max_size=len(text)))
    assert fold(spelled(text, sure)) == fold(text)


@given(plates)
@settings(max_examples=50, deadline=None)
def test_spelling_twice_is_spelling_once(text: str) -> None:
    assert spelled(spelled(text)) == spelled(text)


def test_a_reader_that_is_sure_outweighs_a_rare_layout() -> None:
    # Three letters and four digits are common, two letters and five digits rarer.
    assert spelled("LAO1234", (0.99,) * 7) == "LAO1234"
    assert spelled("LA01234", (0.99,) * 7) == "LA01234"
    assert spelled("LA01234", (0.99, 0.99, 0.5, 0.99, 0.99, 0.99, 0.99)) == "LAO1234"


def test_every_layout_can_be_read() -> None:
    for country, cars, layouts in LAYOUTS:
        assert cars > 0, country
        assert all(set(layout) <= set("LKDAC{},[]0123456789ABCEGHIKMOPTXWLRSYND") for layout in layouts), country
