"""What no fault may lead to, judged by the simulated lock's own ground truth."""

from dataclasses import dataclass
from itertools import pairwise

from tests.simulators.barrier import Command, Wish

from .kinds import Local, Whole
from .visit import Visit

TRIES = 3  # of one wish
HAND_S = 100.0  # what the owner asked for may be repeated for so long
LATEST_S = 1.0


@dataclass(frozen=True, slots=True)
class Before:
    """The lock's counters before the visit."""

    commands: int
    moved_under_car: int
    up_under_car: int
    rose_under_car_s: float


def before(visit: Visit) -> Before:
    """Take down the counters of the visit's lock."""
    barrier = visit.bay.lock.barrier
    return Before(len(barrier.commands), barrier.moved_under_car, barrier.up_under_car, barrier.rose_under_car_s)


def commands_of(visit: Visit, counted: Before) -> list[Command]:
    """Return what reached the lock in this visit."""
    every = visit.bay.lock.barrier.commands[counted.commands :]
    return [command for command in every if not visit.ended or command.at <= visit.ended]


def judge(visit: Visit, counted: Before) -> list[str]:
    """Return which rules were broken; empty is what we want."""
    commands = commands_of(visit, counted)
    broken = list(visit.broken)
    if not beyond_software(visit):
        broken += under_car(visit, counted)
    broken += [f"lowered without a right at {one.at - visit.begun:.1f} s" for one in _without_right(visit, commands)]
    if (most := _longest_run(visit, commands)) > TRIES:
        broken.append(f"{most} commands for one wish")
    broken += _after_restart(visit, commands)
    broken += _told_twice(visit)
    return broken


def under_car(visit: Visit, counted: Before) -> list[str]:
    """Return what the bow did to a car since it was counted."""
    barrier = visit.bay.lock.barrier
    began = ["the bow began to rise under a car"] if barrier.moved_under_car > counted.moved_under_car else []
    return began + (["the bow came up under a car"] if barrier.up_under_car > counted.up_under_car else [])


def beyond_software(visit: Visit) -> bool:
    """Tell whether no software can stop the bow: the lock obeys 20 s late, or the house dies as the car drives in."""
    return Local.CAR_ENTERS in visit.faults and bool({Local.LATE, Whole.KILL_RAISING} & visit.faults)


def _persons(visit: Visit) -> list[float]:
    return [moment.at for moment in visit.moments if moment.by_person]


def _without_right(visit: Visit, commands: list[Command]) -> list[Command]:
    """Return the commands to go down that nobody and nothing gave a right to."""
    lets_in = [moment.at for moment in visit.moments if "Let in now" in moment.text]
    blind = bool({Local.CAMERA_DARK, Local.CAMERA_FROZEN} & visit.faults)
    rising = [command.at for command in commands if command.wish is Wish.UP]
    bad = []
    for command in (one for one in commands if one.wish is Wish.DOWN):
        by_owner = any(0 <= command.at - at <= HAND_S for at in lets_in)
        by_plate = not blind and visit.at_bow <= command.at and (not visit.parked_at or command.at <= visit.parked_at)
        for_safety = any(0 <= command.at - at <= HAND_S for at in rising)
        if not (by_owner or by_plate or for_safety):
            bad.append(command)
    return bad


def _longest_run(visit: Visit, commands: list[Command]) -> int:
    """Return how many commands of one kind came in a row without a person doing something between them."""
    persons, longest, run = _persons(visit), 0, 0
    for index, command in enumerate(commands):
        earlier = commands[index - 1] if index else None
        helped = earlier is not None and any(earlier.at < at <= command.at for at in persons)
        run = run + 1 if earlier is not None and earlier.wish is command.wish and not helped else 1
        longest = max(longest, run)
    return longest


def _after_restart(visit: Visit, commands: list[Command]) -> list[str]:
    """Return what moved up after a restart though no person asked and no car was seen by the new run."""
    broken = []
    ends = (*visit.street.kills[1:], visit.ended)
    for back, end in zip(visit.street.restarts, ends, strict=False):
        if not visit.begun <= back <= visit.ended:
            continue
        left = next((moment.at for moment in visit.moments if moment.text == "the car has left"), visit.ended)
        entered = next((moment.at for moment in visit.moments if "drives in" in moment.text), None)
        presses = [moment.at for moment in visit.moments if "Raise" in moment.text]
        for command in commands:
            if command.wish is not Wish.UP or not back <= command.at < end:
                continue
            car_seen = back < left or (entered is not None and back < entered < command.at)
            if not car_seen and not any(back - HAND_S <= at <= command.at for at in presses):
                broken.append(f"after the restart the bow was raised by itself at {command.at - back:.1f} s")
    return broken


def _told_twice(visit: Visit) -> list[str]:
    """Return the messages that came again though nobody had done anything in between."""
    news = [*_persons(visit), *visit.street.restarts, *visit.street.clock_sets]
    broken = []
    by_key: dict[tuple[str, str], list[float]] = {}
    for told in visit.told:
        by_key.setdefault((told.channel, told.key), []).append(told.at)
    for (channel, key), times in by_key.items():
        for first, second in pairwise(times):
            if not any(first - LATEST_S < at <= second for at in news):
                broken.append(f"told twice: {channel} {key}")
    return broken
