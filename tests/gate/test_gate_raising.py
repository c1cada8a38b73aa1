"""When the barrier rises, and what keeps it down."""

import pytest

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import overstays
from custom_components.parkshare.gate.policy import DEFAULT_POLICY, GatePolicy
from custom_components.parkshare.gate.rules import RaiseRefusal, raise_refusal
from tests.gate.house import House, kinds, moves


def test_the_barrier_rises_after_two_sensors_saw_the_car_leave() -> None:
    house = House()
    house.leave()
    assert kinds(house.wait(20)) == [w.StayLeft]
    assert house.gate.phase is w.Phase.WARNING
    (wish,) = moves(house.wait(10))
    assert (wish.target, wish.cause) == (w.Position.UP, w.Cause.CLEAR)
    assert (wish.issued_at, wish.expires_at) == (house.now, house.now + 20.0)
    house.tell(w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(w.Position.UP))
    assert house.gate.phase is w.Phase.IDLE


@pytest.mark.parametrize("sources", [("radar",), ()])
def test_with_fewer_than_two_sensors_it_never_rises_by_itself(sources: tuple[str, ...]) -> None:
    house = House(sources)
    house.admit()
    house.wait(150)
    if sources:
        house.sensors(w.Says.OCCUPIED)
        house.sensors(w.Says.CLEAR)
    assert not moves(house.wait(100_000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_one_sensor_that_disagrees_or_is_silent_keeps_it_down(says: w.Says) -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.sensors(says, "magnetic")
    assert not moves(house.wait(100_000))
    assert house.gate.phase is w.Phase.PARKED


def test_a_stale_clear_keeps_it_down() -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(400)
    house.sensors(w.Says.CLEAR, "magnetic")
    asked = house.wait(100)
    assert kinds(asked) == [w.StayLeft, w.Notify]
    assert house.gate.position is w.Position.DOWN


def test_a_car_during_the_warning_stops_the_raise() -> None:
    house = House()
    house.leave()
    house.wait(25)
    house.sensors(w.Says.OCCUPIED, "radar")
    assert house.gate.phase is w.Phase.PARKED
    assert not moves(house.wait(1000))


@pytest.mark.parametrize("says", [w.Says.OCCUPIED, w.Says.UNKNOWN])
def test_a_car_or_a_silent_sensor_while_it_rises_brings_it_down_again(says: w.Says) -> None:
    house = House()
    house.leave()
    house.wait(30)
    (wish,) = moves(house.sensors(says, "radar"))
    assert (wish.target, wish.cause) == (w.Position.DOWN, w.Cause.SAFETY)
    house.done()
    assert house.gate.phase is w.Phase.PARKED


def test_a_sensor_that_sees_the_rising_barrier_does_not_make_it_go_up_and_down_for_ever() -> None:
    house = House()
    house.leave()
    raised = 0
    for _ in range(5):
        raised += len(moves(house.wait(60)))
        house.sensors(w.Says.OCCUPIED, "radar")
        if house.gate.command:
            house.done()
        house.sensors(w.Says.CLEAR)
    assert raised == 2


def test_the_end_of_a_booking_raises_nothing() -> None:
    house = House()
    house.park()
    assert not moves(house.wait(50_000))
    assert overstays(house.gate, house.now)


@pytest.mark.parametrize(("age", "rises"), [(179.0, True), (180.0, True), (180.1, False)])
def test_a_clear_is_fresh_to_its_last_second(age: float, *, rises: bool) -> None:
    house = House()
    house.leave()
    house.wait(29)
    house.tell(*(w.SourceSeen(name, w.Says.CLEAR, house.now + 1 - age) for name in ("radar", "magnetic")))
    house.now += 1
    assert bool(moves(house.tell(w.Tick()))) == rises


def test_a_clear_is_fresh_from_its_first_moment() -> None:
    house = House()
    house.leave()
    house.wait(29)
    house.now += 1
    assert moves(house.sensors(w.Says.CLEAR))


def test_a_barrier_that_is_up_is_not_raised() -> None:
    house = House()
    assert raise_refusal(house.gate) is RaiseRefusal.ALREADY_UP
    assert house.tell(w.OwnerRaises()) == []


def after_leaving(policy: GatePolicy) -> tuple[House, list[w.Intent]]:
    house = House(policy=policy)
    house.leave()
    return house, house.wait(20)


def test_an_owner_who_wants_to_be_asked_is_asked_and_nothing_rises() -> None:
    house, asked = after_leaving(GatePolicy(raising=w.Raising.ASK))
    assert asked == [w.StayLeft("b1", house.now), w.Notify(w.Notice.ASK_RAISE, "b1")]
    assert not moves(house.wait(1000))
    assert moves(house.tell(w.OwnerRaises()))


def test_an_owner_who_wants_nothing_raised_is_told_that_it_stays_down() -> None:
    house, asked = after_leaving(GatePolicy(raising=w.Raising.NEVER))
    assert asked == [w.StayLeft("b1", house.now), w.Notify(w.Notice.STAYS_DOWN, "b1")]
    assert not moves(house.wait(1000))


def test_a_car_that_leaves_past_a_raised_barrier_only_ends_its_stay() -> None:
    house = House()
    house.park()
    house.tell(w.BarrierSeen(w.Position.UP))
    house.sensors(w.Says.CLEAR)
    assert house.wait(20) == [w.StayLeft("b1", house.now)]
    assert house.gate.because == "LEFT_WHILE_UP"


def test_a_sensor_that_falls_silent_in_the_warning_keeps_it_down_and_is_told() -> None:
    house = House()
    house.leave()
    house.wait(25)
    assert house.sensors(w.Says.UNKNOWN, "radar") == [w.Notify(w.Notice.STAYS_DOWN)]
    assert house.gate.phase is w.Phase.IDLE


def test_a_policy_that_wants_three_clears_gets_three() -> None:
    house = House(("radar", "magnetic"), policy=GatePolicy(clears_to_raise=3))
    house.leave()
    assert not moves(house.wait(1000))
    house = House(("radar", "magnetic", "camera"), policy=GatePolicy(clears_to_raise=3))
    house.leave()
    assert moves(house.wait(1000))


def test_not_even_a_policy_makes_one_clear_enough() -> None:
    house = House(("radar",), policy=GatePolicy(clears_to_raise=1))
    house.leave()
    assert not moves(house.wait(1000))


def test_a_silent_barrier_that_still_says_down_is_sent_down_all_the_same_and_not_taken_for_lowered() -> None:
    house = House()
    house.leave()
    house.wait(DEFAULT_POLICY.departure_debounce + DEFAULT_POLICY.raise_warning)
    assert house.gate.phase is w.Phase.RAISING
    (wish,) = moves(house.sensors(w.Says.OCCUPIED, "radar"))
    assert (wish.target, wish.cause, wish.insist) == (w.Position.DOWN, w.Cause.SAFETY, True)
    house.tell(w.BarrierSeen(w.Position.DOWN))
    assert house.gate.command == wish
    house.tell(w.BarrierSeen(w.Position.DOWN, done=wish.number))
    assert (house.gate.phase, house.gate.command) == (w.Phase.PARKED, None)


def test_of_sensors_that_disagreed_for_long_two_are_one_witness() -> None:
    house = House()
    house.park()
    house.sensors(w.Says.CLEAR, "radar")
    house.wait(DEFAULT_POLICY.disagree_after)
    asked = house.sensors(w.Says.CLEAR, "magnetic") + house.wait(600)
    assert not moves(asked)
    assert w.Notify(w.Notice.STAYS_DOWN, "b1") in asked


def test_the_owner_who_lets_in_while_a_car_leaves_keeps_the_barrier_down() -> None:
    house = House()
    house.leave()
    assert house.tell(w.OwnerLetsIn()) == []
    assert not moves(house.wait(600))
