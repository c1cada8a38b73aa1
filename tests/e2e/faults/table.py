"""The result of a run: a JSON file that later runs add to, and from it the table in docs/faults.md."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from tests.simulators.barrier import Command
from tests.simulators.process import REPOSITORY

from .kinds import WORDS, Kind, parse
from .rules import Before, commands_of, under_car
from .visit import Visit

JSON = REPOSITORY / "docs/faults.json"
TABLE = REPOSITORY / "docs/faults.md"
HEAD = """# What happens when something goes wrong

<!-- Written by `scripts/test --long faults` from docs/faults.json. Run it instead of editing this. -->

Each row is one visit in a running Home Assistant with the backend, an MQTT broker and simulated ground locks: a
booking, a car that comes, parks and leaves, with the faults switched on. The simulated lock's own records are the
truth. In every visit it is checked that

- the bow never moved up under a car,
- it never went down without a right: the booked plate before the camera, or the owner's word,
- no wish was sent more than three times,
- the camera is off at the end,
- nothing rose by itself after a restart,
- a person heard of the failure, and of each thing once,
- the buttons brought the space back to rest,
- the next booking worked.
"""

COLUMNS = "| fault | what happened | what the owner saw | what the renter saw | commands | rules |"


@dataclass
class Row:
    """One visit as people read it."""

    faults: str
    happened: str
    owner_saw: str
    renter_saw: str
    commands: str
    took_s: float
    broken: list[str] = field(default_factory=list)


def row_of(visit: Visit, counted: Before, broken: list[str]) -> Row:
    """Make the row of a visit."""
    barrier = visit.bay.lock.barrier
    commands = commands_of(visit, counted)
    steps = [f"{moment.text} ({moment.at - visit.begun:.0f} s)" for moment in visit.moments]
    if visit.hits:
        steps.insert(0, ", ".join(visit.hits))
    rose = barrier.rose_under_car_s - counted.rose_under_car_s
    if rose:
        steps.append(f"the bow rose for {rose:.1f} s with the car over it")
    if under_car(visit, counted):
        steps.append("no command could come in time to keep the bow from the car: only the lock's own force limit can")
    told = [f"{one.channel} {one.key} ({one.at - visit.begun:.0f} s)" for one in visit.told]
    return Row(
        faults=visit.name,
        happened="; ".join(steps),
        owner_saw="; ".join(told) or "nothing to do",
        renter_saw=" → ".join(visit.seen_by_renter),
        commands=_words(commands),
        took_s=round(visit.ended - visit.begun, 1),
        broken=broken,
    )


def _words(commands: Sequence[Command]) -> str:
    return ", ".join(command.wish for command in commands) or "none"


def load() -> dict[str, Row]:
    """Return the rows of earlier runs."""
    if not JSON.exists():
        return {}
    return {name: Row(**row) for name, row in json.loads(JSON.read_text())["rows"].items()}


def write(rows: dict[str, Row]) -> None:
    """Write both files."""
    ordered = dict(sorted(rows.items(), key=lambda item: _place(item[0])))
    document = {"rows": {name: asdict(row) for name, row in ordered.items()}}
    JSON.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    TABLE.write_text(_table(ordered))


def _place(name: str) -> tuple[int, list[int]]:
    order: list[Kind] = list(WORDS)
    kinds = parse(name)
    return len(kinds), sorted(order.index(kind) for kind in kinds)


def _table(rows: dict[str, Row]) -> str:
    good = sum(not row.broken for row in rows.values())
    lines = [HEAD, f"{len(rows)} visits, {good} of them with every rule kept.", ""]
    titles = (("One fault", 1), ("Two faults", 2), ("Without a fault", 0))
    for title, count in titles:
        chosen = {name: row for name, row in rows.items() if _place(name)[0] == count}
        if not chosen:
            continue
        lines += [f"## {title}", "", COLUMNS, "|---|---|---|---|---|---|"]
        lines += [_line(name, row) for name, row in chosen.items()]
        lines.append("")
    return "\n".join(lines)


def _line(name: str, row: Row) -> str:
    words = " + ".join(WORDS[kind] for kind in parse(name)) or "none"
    rules = "kept" if not row.broken else "**" + "; ".join(row.broken) + "**"
    cells = (words, row.happened, row.owner_saw, row.renter_saw, row.commands, rules)
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"
