"""Random days in which things go on more sensibly than in hypothesis's worst case: they get further."""

import random
from dataclasses import replace

from custom_components.parkshare.gate import words as w
from custom_components.parkshare.gate.core import deadline, step
from custom_components.parkshare.gate.policy import DEFAULT_POLICY
from tests.gate.covered import Covered
from tests.gate.model import Model
from tests.gate.promises import BOOKINGS, SOURCES, START, rights_of

STEPS = 120


def live(seed: int, covered: Covered) -> None:
    """Live through one random day, watched by the model."""
    dice = random.Random(seed)
    sources = SOURCES[: dice.choice((0, 0, 1, 2, 2, 3))]
    policy = replace(DEFAULT_POLICY, raising=dice.choice((w.Raising.AUTOMATIC, *w.Raising)))
    model, gate, now = Model(policy, sources), w.Gate(), START - 100.0
    told = [w.Booted(sources), w.RightsChanged(rights_of(set(BOOKINGS), set())), w.BarrierSeen(w.Position.UP)]
    for _ in range(STEPS):
        for each in told:
            model.hear(each, now)
            before = gate
            gate, intents = step(before, each, now, policy)
            covered.add(before, gate, intents)
            model.check(before, each, intents, gate, now)
        pause = dice.choice((0.0, 1.0, 6.0, 15.0, 15.0, 30.0, 130.0, 1000.0))
        due = deadline(gate, now, policy)
        if gate.phase is w.Phase.WARNING:
            pause = dice.choice((0.0, 5.0))
        now = due if due is not None and dice.random() < 0.3 else now + pause
        told = [w.Tick(), *something(dice, gate, sources, now)]


def something(dice: random.Random, gate: w.Gate, sources: tuple[str, ...], now: float) -> list[w.Input]:
    """Draw what happens next: mostly what one would expect."""
    return dice.choice(_likely(dice, gate, sources, now) if dice.random() < 0.7 else _rare(dice, gate, sources, now))


def _likely(dice: random.Random, gate: w.Gate, sources: tuple[str, ...], now: float) -> list[list[w.Input]]:
    says = dice.choice((w.Says.OCCUPIED, w.Says.CLEAR, w.Says.CLEAR, w.Says.CLEAR, w.Says.UNKNOWN))
    likely: list[list[w.Input]] = [[], [w.SourceSeen(name, says, now) for name in sources]]
    if gate.command:
        position = dice.choice((w.Position.MOVING, w.Position.JAMMED, w.Position.DOWN))
        likely += [[w.BarrierSeen(gate.command.target)], [w.BarrierSeen(position)]]
    if gate.phase is w.Phase.LOOKING:
        decision = dice.choice((w.Decision.ADMIT, w.Decision.REFUSE, w.Decision.REFUSE, w.Decision.UNSURE))
        likely += [[w.Judged(gate.booking, decision, now, plate_seen=True)]] * 2
        likely += [[w.RenterNear(gate.booking, now, w.ArmedBy.HERE)], [w.RenterAway(gate.booking)]]
    if gate.phase is w.Phase.WARNING:
        likely += [[w.BarrierSeen(w.Position.MOVING)], [w.BarrierSeen(w.Position.UP)]]
        likely += [[w.SourceSeen(name, w.Says.OCCUPIED, now)] for name in sources]
    if gate.fault:
        likely += [[w.BarrierSeen(w.Position.DOWN)], [w.OwnerLetsIn()]]
    if gate.ending_told:
        likely.append([w.RightsChanged(rights_of(set(BOOKINGS), set(BOOKINGS)))])
    if gate.phase is w.Phase.PARKED and not sources:
        likely += [[w.RenterNear(name, now, w.ArmedBy.HERE)] for name in BOOKINGS]
    return likely


def _rare(dice: random.Random, gate: w.Gate, sources: tuple[str, ...], now: float) -> list[list[w.Input]]:
    booking = dice.choice(BOOKINGS)
    some = {name for name in BOOKINGS if dice.random() < 0.8}
    return [
        [w.BarrierSeen(dice.choice(tuple(w.Position)))],
        [w.BarrierSeen(w.Position.MOVING), w.BarrierSeen(dice.choice(tuple(w.Position)))],
        [w.SourceSeen(name, dice.choice(tuple(w.Says)), now) for name in sources[:1]],
        [w.RenterNear(booking, now - dice.choice((0.0, 200.0)), dice.choice((w.ArmedBy.POSITION, w.ArmedBy.HERE)))],
        [w.CarSensed(now)],
        [w.CodeGiven(booking, now - dice.choice((0.0, 40.0)))],
        [w.OwnerRefuses(booking)],
        [w.LinkSeen(dice.random() < 0.5)],
        [w.OwnerLetsIn()],
        [w.OwnerRaises()],
        [w.RightsChanged(rights_of(some, set()))],
        [w.RightsChanged(rights_of(set(BOOKINGS), some))],
        [w.CommandFailed(gate.commands, dice.choice(tuple(w.FaultKind)))],
        [w.Booted(sources)],
    ]
