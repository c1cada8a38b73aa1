"""What is odd about the cars that a house sees; told once a booking. Plates are only digests here."""

from hypothesis import given, strategies as st

from custom_components.parkshare.seeing.oddities import Oddities, Oddity, OddityKind

A, B = b"digest of one plate", b"digest of another"
ONE, TWO = "space one", "space two"


def test_a_car_that_is_refused_again_and_again_is_told_once_a_booking() -> None:
    oddities = Oddities()
    told = [oddities.refused(ONE, "b1", A, at) for at in (0.0, 600.0, 1200.0, 1800.0)]
    assert told == [[], [], [Oddity(OddityKind.TRIES_AGAIN, ONE, "b1")], []]
    assert oddities.refused(ONE, "b2", A, 2400.0) == [Oddity(OddityKind.TRIES_AGAIN, ONE, "b2")]


def test_it_may_try_at_any_space_of_the_house() -> None:
    oddities = Oddities()
    oddities.refused(ONE, "b1", A, 0.0)
    oddities.refused(TWO, "b2", A, 60.0)
    assert oddities.refused(ONE, "b1", A, 120.0)


def test_different_cars_and_other_days_are_nothing_odd() -> None:
    oddities = Oddities()
    assert not any(oddities.refused(ONE, "b1", digest, at) for at, digest in enumerate((A, B, A, B)))
    assert not oddities.refused(ONE, "b1", A, 90_000.0)


def test_a_plate_at_two_places_is_told_for_the_car_that_stands() -> None:
    oddities = Oddities()
    oddities.parked(ONE, "b1", A)
    assert oddities.admitted(TWO, A) == [Oddity(OddityKind.SEEN_ELSEWHERE, TWO, "b1", ONE)]
    assert oddities.admitted(TWO, A) == []


def test_a_single_sighting_may_be_a_mistake_a_second_one_is_told() -> None:
    oddities = Oddities()
    oddities.parked(ONE, "b1", A)
    assert oddities.seen(TWO, [A, B], 10.0) == []
    assert oddities.seen(TWO, [A], 11.0) == [Oddity(OddityKind.SEEN_ELSEWHERE, TWO, "b1", ONE)]
    assert oddities.seen(TWO, [A], 12.0) == []


def test_sightings_that_are_far_apart_do_not_add_up() -> None:
    oddities = Oddities()
    oddities.parked(ONE, "b1", A)
    assert not any(oddities.seen(TWO, [A], at) for at in (0.0, 100.0, 200.0))


def test_the_parked_car_itself_is_not_odd_but_another_one_in_front_of_it_is() -> None:
    oddities = Oddities()
    oddities.parked(ONE, "b1", A)
    assert not any(oddities.seen(ONE, [A], at) for at in (0.0, 1.0, 2.0))
    oddities.seen(ONE, [A, B], 3.0)
    assert oddities.seen(ONE, [A, B], 4.0) == [Oddity(OddityKind.CAR_WHILE_TAKEN, ONE, "b1")]


@given(st.lists(st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from([A, B]), st.floats(0, 1e5)), max_size=40))
def test_where_no_car_of_a_booking_stands_no_sighting_is_odd(sightings: list[tuple[str, bytes, float]]) -> None:
    oddities = Oddities()
    oddities.parked(ONE, "b1", A)
    oddities.left(ONE)
    for space, digest, at in sightings:
        assert oddities.seen(space, [digest], at) == []
        assert oddities.admitted(space, digest) == []
