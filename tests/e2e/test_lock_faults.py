"""The faults of the simulated lock are what they claim to be: the table of faults is judged by them."""

import asyncio

from tests.e2e.faults.kinds import Local, Whole
from tests.e2e.faults.run import alone, pairs, plans_of, whole
from tests.simulators.barrier import Barrier, Position, Wish

TRAVEL_S = 0.1


class Bow:
    """A barrier, what it told, and a car that may stand over it."""

    def __init__(self) -> None:
        self.car = False
        self.told: list[Position] = []
        self.barrier = Barrier(TRAVEL_S, self._changed, lambda: self.car)

    async def _changed(self) -> None:
        self.told.append(self.barrier.told)


async def test_a_lock_that_lies_says_that_it_is_down_and_stays_up_until_it_is_repaired() -> None:
    bow = Bow()
    bow.barrier.lies = True
    await bow.barrier.command(Wish.DOWN)
    await bow.barrier.settled()
    assert bow.told == [Position.LOWERING, Position.DOWN]
    assert bow.barrier.position is Position.UP
    bow.barrier.lies = False
    await bow.barrier.tell_the_truth()
    assert bow.told[-1] is Position.UP


async def test_the_key_lowers_even_a_lock_that_lies() -> None:
    bow = Bow()
    bow.barrier.lies = True
    await bow.barrier.by_hand(Wish.DOWN)
    await bow.barrier.settled()
    assert bow.barrier.position is Position.DOWN
    assert bow.barrier.commands == []


async def test_a_late_lock_has_the_command_at_once_and_obeys_later() -> None:
    bow = Bow()
    bow.barrier.late_s = TRAVEL_S
    await bow.barrier.command(Wish.DOWN)
    assert [command.wish for command in bow.barrier.commands] == [Wish.DOWN]
    assert bow.told == []
    await asyncio.sleep(TRAVEL_S * 3)
    assert bow.told == [Position.LOWERING, Position.DOWN]


async def test_a_late_lock_that_is_unplugged_forgets_what_it_heard() -> None:
    bow = Bow()
    bow.barrier.late_s = TRAVEL_S
    await bow.barrier.command(Wish.DOWN)
    await bow.barrier.forget()
    await asyncio.sleep(TRAVEL_S * 2)
    assert bow.barrier.position is Position.UP


async def test_a_lock_that_jams_going_up_goes_down_all_the_same() -> None:
    bow = Bow()
    bow.barrier.jams_towards = {Position.UP}
    for wish in (Wish.DOWN, Wish.UP, Wish.DOWN):
        await bow.barrier.command(wish)
        await bow.barrier.settled()
    down = [Position.LOWERING, Position.DOWN]
    assert bow.told == [*down, Position.RAISING, Position.JAMMED, *down]


async def test_a_car_that_drives_in_while_the_bow_rises_is_counted_when_it_comes_up() -> None:
    bow = Bow()
    bow.barrier.position = bow.barrier.told = Position.DOWN
    bow.barrier.rises = lambda: setattr(bow, "car", True)
    await bow.barrier.command(Wish.UP)
    await bow.barrier.settled()
    assert bow.barrier.moved_under_car == 0
    assert bow.barrier.up_under_car == 1
    assert bow.barrier.rose_under_car_s > 0


def test_every_fault_of_a_lock_is_played_alone_with_each_other_and_with_what_hits_the_house() -> None:
    visits = {*alone(), *pairs(), *whole()}
    assert all(frozenset({one, other}) in visits for one in Local for other in Local)
    assert all(frozenset({hit}) in visits for hit in Whole)
    kills = [hit for hit in Whole if hit.startswith("kill_")]
    assert all(frozenset({hit, fault}) in visits for hit in kills for fault in Local)


def test_visits_that_are_hit_together_are_hit_by_the_same_thing() -> None:
    for plan in plans_of(whole(), 10):
        assert all(frozenset(plan.wholes) == {kind for kind in visit if kind in Whole} for visit in plan.visits)
