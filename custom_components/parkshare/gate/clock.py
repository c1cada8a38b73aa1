"""What becomes of the gate's own times when the clock of the house is set. Pure: standard library only.

It waits as long as it meant to, whatever the clock shows; and nothing counts as fresh because its time has yet to come.
"""

from dataclasses import replace

from .policy import GatePolicy
from .words import ArmedBy, Command, Gate, Phase, Said


def clock_set(gate: Gate, by: float) -> Gate:
    """Take all that the gate waits for along with the clock, which was set by so many seconds.

    What sensors said stays where it was: a machine that slept looks the same, and nobody knows what came meanwhile.
    So do the beginnings and ends of bookings, which are times of day.
    """
    until = gate.armed_until
    if gate.phase is Phase.LOOKING and gate.right and gate.armed_by is not ArmedBy.WINDOW:
        until = min(until + by, gate.right.end)
    return replace(
        gate,
        since=gate.since + by,
        armed_until=until,
        unlinked_since=_moved(gate.unlinked_since, by),
        refusing_since=_moved(gate.refusing_since, by),
        stands_since=_moved(gate.stands_since, by),
        stands_until=gate.stands_until if gate.stands_since is None else gate.stands_until + by,
        disagree_since=_moved(gate.disagree_since, by),
        taken_since=_moved(gate.taken_since, by),
        command=_later(gate.command, by),
        last_command=_later(gate.last_command, by),
        raised_at=gate.raised_at + by,
    )


def nothing_ahead(gate: Gate, now: float, policy: GatePolicy) -> Gate:
    """Let no time of the past lie in the future: the clock was set back, perhaps while nobody looked at it.

    What was to last from then on lasts from now on. What a sensor said at such a time says nothing of its age.
    """
    sources = tuple(Said(said.source, said.says, 0.0) if said.seen_at > now else said for said in gate.sources)
    due = max(now, gate.right.start) if gate.right else now
    began_ahead = gate.phase is Phase.LOOKING and gate.since > now
    stood_ahead = gate.stands_since is not None and gate.stands_since > now
    return replace(
        gate,
        since=min(gate.since, now),
        armed_until=min(gate.armed_until, due + policy.look_budget) if began_ahead else gate.armed_until,
        unlinked_since=_past(gate.unlinked_since, now),
        refusing_since=_past(gate.refusing_since, now),
        stands_since=_past(gate.stands_since, now),
        stands_until=min(gate.stands_until, due + policy.look_budget) if stood_ahead else gate.stands_until,
        disagree_since=_past(gate.disagree_since, now),
        taken_since=_past(gate.taken_since, now),
        sources=sources,
        command=_not_after(gate.command, now),
        last_command=_not_after(gate.last_command, now),
        fault=replace(gate.fault, since=min(gate.fault.since, now)) if gate.fault else None,
        raised_at=min(gate.raised_at, now),
    )


def _moved(time: float | None, by: float) -> float | None:
    return None if time is None else time + by


def _past(time: float | None, now: float) -> float | None:
    return None if time is None else min(time, now)


def _later(command: Command | None, by: float) -> Command | None:
    """Wait for a command as long as before. Who carries it out keeps to the one that they were given."""
    if command is None:
        return None
    return replace(command, issued_at=command.issued_at + by, expires_at=command.expires_at + by)


def _not_after(command: Command | None, now: float) -> Command | None:
    return command if command is None else _later(command, min(0.0, now - command.issued_at))
