"""The run: which visits there are, in which batches they are played, and what comes out.

python -m tests.e2e.faults.run [--list] [--spaces 10] [--only alone|pairs|whole] [FAULT[+FAULT] ...]
"""

import argparse
import asyncio
import signal
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import batched, combinations, groupby
from pathlib import Path

from tests.simulators.clock import Clock

from .again import come_again
from .kinds import HOUSE_CLOCK, Kind, Local, Whole, parse
from .rules import Before, before, judge, under_car
from .street import Bay, Street
from .table import Row, load, row_of, write
from .visit import Visit
from .whole import CHANGES, Storm

SPACES = 10
BATCH_S = 200.0  # what a batch takes on two cores, for the estimate
# So long before a change of the time of day the visits begin: the cars have to come. The street is set up before.
LEAD_S = 75.0
SET_UP_S = 2 * 3600.0
SIGN_IN_S = -2 * 3600.0  # on the house's clock, against the right time
BERLIN = "Europe/Berlin"
# What differs little from its like is not played with each fault of a lock.
ALONE_ONLY = (Whole.BROKER_KEEPS, Whole.DST_AUTUMN)
# What hits the house twice: a restart, a gap and a wrong time, together.
TWICE: tuple[frozenset[Kind], ...] = (
    frozenset({Whole.KILL_LOOKING, Whole.BROKER_FORGETS}),
    frozenset({Whole.KILL_LOWERING, Whole.BROKER_FORGETS}),
    frozenset({Whole.KILL_PARKED, Whole.BROKER_FORGETS}),
    frozenset({Whole.KILL_LEAVING, Whole.BROKER_KEEPS}),
    frozenset({Whole.KILL_LOWERING, Whole.KILL_LEAVING}),
    frozenset({Whole.CLOCK_FORWARD, Whole.BROKER_FORGETS}),
    frozenset({Whole.CLOCK_FORWARD, Whole.KILL_LEAVING}),
    frozenset({Whole.CLOCK_BACK, Whole.KILL_PARKED}),
    frozenset({Whole.DST_SPRING, Whole.KILL_PARKED}),
    frozenset({Whole.DST_AUTUMN, Whole.BROKER_FORGETS}),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Visits that are played at the same time; wholes is what hits all of them."""

    visits: tuple[frozenset[Kind], ...]
    wholes: tuple[Whole, ...] = ()

    @property
    def street(self) -> str:
        """Name the kind of street that it is played on; plans of one name share it, in turn."""
        if set(CHANGES) & set(self.wholes):
            return "-".join(self.wholes)
        return "house-clock" if set(HOUSE_CLOCK) & set(self.wholes) else "plain"


def alone() -> list[frozenset[Kind]]:
    """Each fault of one lock by itself, and a visit without any."""
    return [frozenset(), *(frozenset({fault}) for fault in Local)]


def pairs() -> list[frozenset[Kind]]:
    """Each two faults of one lock."""
    return [frozenset(pair) for pair in combinations(Local, 2)]


def whole() -> list[frozenset[Kind]]:
    """Each thing that hits the house, by itself and with each fault of one lock; and some that hit it twice."""
    with_each = [hit for hit in Whole if hit not in ALONE_ONLY]
    return [
        *(frozenset({hit}) | local for hit in with_each for local in alone()),
        *(frozenset({hit}) for hit in ALONE_ONLY),
        *TWICE,
    ]


def plans_of(visits: Sequence[frozenset[Kind]], spaces: int) -> list[Plan]:
    """Group visits into batches: those that are hit by the same thing together."""
    by_whole: dict[tuple[Whole, ...], list[frozenset[Kind]]] = {}
    for visit in visits:
        wholes = tuple(kind for kind in Whole if kind in visit)
        by_whole.setdefault(wholes, []).append(visit)
    plans = [
        Plan(tuple(batch), wholes)
        for wholes, group in by_whole.items()
        for batch in (batched(group, spaces, strict=False) if wholes else (tuple(group),))
    ]
    return sorted(plans, key=lambda plan: (plan.street != "plain", plan.street))


async def play_in_turn(street: Street, plan: Plan) -> list[Row]:
    """Play visits that have nothing to do with each other: each bay takes the next one when it is free."""
    left, rows = list(plan.visits), []
    # The one that takes longest first.
    left.sort(key=lambda faults: faults != {Local.SENSOR_STUCK})

    async def use(bay: Bay) -> None:
        while left:
            visit = Visit(street, bay, left.pop(0))
            start = before(visit)
            await visit.run()
            rows.append(await _judge(visit, start))
            write(load() | {row.faults: row for row in rows})

    await asyncio.gather(*(use(bay) for bay in street.bays))
    return rows


async def play(street: Street, plan: Plan) -> list[Row]:
    """Play a batch that is hit together, then each bay's next booking; return the rows."""
    storm = Storm(street, plan.wholes, count=len(plan.visits))
    bays = zip(street.bays, plan.visits, strict=False)
    storm.visits = [Visit(street, bay, faults, storm.point) for bay, faults in bays]
    counted = [before(visit) for visit in storm.visits]
    hits_over = asyncio.Event()

    async def one(visit: Visit, start: Before) -> Row:
        await visit.run()
        await hits_over.wait()
        return await _judge(visit, start)

    async def storm_ends() -> None:
        while plan.wholes and not all(visit.ended for visit in storm.visits):  # noqa: ASYNC110 - it only looks
            await asyncio.sleep(0.5)
        await storm.end()
        hits_over.set()

    async with asyncio.TaskGroup() as together:
        together.create_task(storm_ends())
        rows = [together.create_task(one(*pair)) for pair in zip(storm.visits, counted, strict=True)]
    return [row.result() for row in rows]


async def _judge(visit: Visit, start: Before) -> Row:
    """Judge a visit, and show that the next booking works."""
    broken = judge(visit, start)
    at_end = before(visit)
    async with visit.street.next_cars:
        broken += await come_again(visit.street, visit.bay, visit.booking)
    broken += under_car(visit, at_end)
    say(f"  {visit.name}: {'ok' if not broken else '; '.join(broken)} ({visit.ended - visit.begun:.0f} s)")
    return row_of(visit, start, broken)


def street_for(plan: Plan, folder: Path, count: int) -> Street:
    """Make the street that a plan is played on."""
    change = next((hit for hit in plan.wholes if hit in CHANGES), None)
    if change is not None:
        clock = Clock(folder / "clock", offset_s=CHANGES[change] - SET_UP_S - time.time())
        return Street(folder / "street", count=count, clock=clock, time_zone=BERLIN)
    if plan.street == "house-clock":
        return Street(
            folder / "street", count=count, clock=Clock(folder / "clock", offset_s=SIGN_IN_S), clock_of_house_only=True
        )
    return Street(folder / "street", count=count)


async def run(wanted: Sequence[frozenset[Kind]], *, spaces: int, folder: Path) -> list[Row]:
    """Play all of it, each street after the other; the table is written after each batch."""
    plans = plans_of(wanted, spaces)
    say(f"{len(wanted)} visits in {len(plans)} batches, about {len(plans) * BATCH_S / 60 + 1:.0f} minutes")
    done: list[Row] = []
    played, begun = 0, time.monotonic()
    for name, on_it in groupby(plans, key=lambda plan: plan.street):
        here = list(on_it)
        street = street_for(here[0], folder / name, min(spaces, max(len(plan.visits) for plan in here)))
        try:
            await street.start()
            if street.clock is not None and not street.clock_of_house_only:
                change = next(CHANGES[hit] for hit in here[0].wholes if hit in CHANGES)
                street.clock.set(change - LEAD_S - time.time())
            say(f"the street {name} stands; logs: {street.folder}/logs")
            for plan in here:
                say(f" {'+'.join(plan.wholes) or 'faults of single locks'}, {len(plan.visits)} visits")
                done += await (play if plan.wholes else play_in_turn)(street, plan)
                write(load() | {row.faults: row for row in done})
                played += 1
                left = (time.monotonic() - begun) / played * (len(plans) - played)
                say(f"batch {played} of {len(plans)} done, about {left / 60:.0f} minutes left")
        finally:
            await street.stop()
    return done


def say(text: str) -> None:
    """Print a line with the time."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def main() -> int:
    """Play what the command line asks for; 1 when a rule was broken."""
    parser = argparse.ArgumentParser(prog="scripts/test --long faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT[+FAULT]", help="only these; 'none' is a visit without one")
    parser.add_argument("--list", action="store_true", help="name the faults")
    parser.add_argument("--only", choices=["alone", "pairs", "whole"])
    parser.add_argument("--spaces", type=int, default=SPACES, help="ground locks at the same time")
    parser.add_argument(
        "--folder", type=Path, help="where the street's files and logs go (emptied); default: a new one"
    )
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(kind.value for kinds in (Local, Whole) for kind in kinds))
        return 0
    groups = {"alone": alone(), "pairs": pairs(), "whole": whole()}
    wanted = [frozenset(parse(text)) for text in arguments.faults]
    if not wanted:
        wanted = groups[arguments.only] if arguments.only else [one for group in groups.values() for one in group]
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="parkshare-faults-"))
    # Ended by a signal, everything that was started ends too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    rows = asyncio.run(run(wanted, spaces=arguments.spaces, folder=folder))
    broken = [row for row in rows if row.broken]
    say(f"{len(rows)} visits, {len(broken)} with a broken rule")
    for row in broken:
        say(f"  {row.faults}: {'; '.join(row.broken)}")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
