"""Plates as people write them, made comparable."""

import unicodedata

import pytest
from hypothesis import given, settings, strategies as st

from custom_components.parkshare.recognition import PlateError, check_plate, fold, normalise, same_plate
from custom_components.parkshare.recognition.alphabet import CHARACTERS

plates = st.text(alphabet=CHARACTERS, min_size=2, max_size=12)


@pytest.mark.parametrize(
    ("written", "normalised"),
    [
        ("b-mw 1234", "BMW1234"),
        ("  ab·12 CD ", "AB12CD"),
        ("АВ 1234 ЕК", "AB1234EK"),  # noqa: RUF001 - Cyrillic
        ("ΙΒΧ-4321", "IBX4321"),  # noqa: RUF001 - Greek
        ("ＡＢ１２３", "AB123"),  # noqa: RUF001 - full width
        ("MÜ-XY 77", "MUXY77"),
        ("京A·12345", "京A12345"),
        ("٣٤٥ A 1", "345A1"),
        ("straße1", "STRASSE1"),
        ("Ё 12 х", "E12X"),  # noqa: RUF001 - Cyrillic
    ],
)
def test_a_plate_is_written_in_one_way_only(written: str, normalised: str) -> None:
    assert normalise(written) == normalised


@given(st.text(max_size=30))
@settings(max_examples=300)
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(st.text(max_size=30))
def test_what_is_normalised_has_neither_separators_nor_lower_case_nor_marks(text: str) -> None:
    normalised = normalise(text)
    assert all(c.isalnum() and not unicodedata.combining(c) for c in normalised)
    assert normalised.upper() == normalised


@given(plates, st.sampled_from([" ", "-", ".", "·", "  "]), st.integers(0, 12))
def test_case_and_separators_never_make_another_plate(plate: str, separator: str, at: int) -> None:
    assert same_plate(plate, plate[:at].lower() + separator + plate[at:])


@given(plates)
def test_folding_merges_only_what_cameras_cannot_tell_apart(plate: str) -> None:
    folded = fold(plate)
    assert len(folded) == len(plate)
    assert all(a == b or (a, b) in {("O", "0"), ("Q", "0"), ("I", "1")} for a, b in zip(plate, folded, strict=True))


@pytest.mark.parametrize(("one", "other"), [("AB0123", "AB8123"), ("D123", "0123"), ("5AB", "SAB"), ("2X1", "ZX1")])
def test_glyphs_that_differ_stay_different(one: str, other: str) -> None:
    assert not same_plate(one, other)


@given(plates)
def test_a_plate_of_the_alphabet_is_accepted_as_it_stands(plate: str) -> None:
    assert check_plate(plate) == plate


@pytest.mark.parametrize(
    ("absurd", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("-", "0 letters and digits"),
        ("A", "1 letters and digits"),
        ("ABCDEFGHIJKLM", "13 letters and digits"),
        ("A" * 1000, "longer than"),
        ("AB 123 🚗", "no plate has"),
        ("AB\n123", "no plate has"),
        ("<b>AB123</b>", "no plate has"),
        ("AB\x00123", "no plate has"),
    ],
)
def test_an_absurd_plate_is_refused_with_what_to_do(absurd: str, says: str) -> None:
    with pytest.raises(PlateError, match=says) as caught:
        check_plate(absurd)
    assert str(caught.value).startswith("plate: ")
    assert "Enter" in str(caught.value)
