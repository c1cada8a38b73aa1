"""What a run leaves behind, cut into pieces that can be named: lines of logs, rows of databases, answers.

Only reading: databases are opened as they are, beside whoever writes them.
"""

import contextlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Home Assistant gives these out for as long as it runs, to whoever may see the entity, and records neither.
PASSING = ("access_token", "entity_picture")

STATES = """
select m.entity_id, s.state from states s join states_meta m using (metadata_id)
"""
ATTRIBUTES = """
select distinct m.entity_id, a.shared_attrs from states s join states_meta m using (metadata_id)
join state_attributes a using (attributes_id)
"""
EVENTS = """
select t.event_type, d.shared_data from events e join event_types t using (event_type_id)
left join event_data d using (data_id)
"""
STATISTICS = """
select m.statistic_id, m.name, s.mean, s.min, s.max, s.state, s.sum from {table} s
join statistics_meta m on m.id = s.metadata_id
"""


@dataclass(frozen=True, slots=True)
class Trace:
    """One piece: where it is, for people, and its text; entity is whose state it is, if it is one's."""

    where: str
    text: str
    entity: str | None = None


def of_log(path: Path) -> Iterator[Trace]:
    """Give the lines of a log. Raises OSError when there is none."""
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        yield Trace(f"{path.name}:{number}", line)


def of_recorder(path: Path) -> Iterator[Trace]:
    """Give what Home Assistant's recorder keeps: states and attributes by entity, events by type, statistics."""
    with _reading(path) as database:
        for entity, state in database.execute(STATES):
            yield Trace(f"history of {entity}: state", str(state), entity)
        for entity, attributes in database.execute(ATTRIBUTES):
            yield Trace(f"history of {entity}: attributes", str(attributes), entity)
        for kind, content in database.execute(EVENTS):
            yield Trace(f"recorded event {kind}", str(content))
        for table in ("statistics", "statistics_short_term"):
            for entity, *values in database.execute(STATISTICS.format(table=table)):
                yield Trace(f"{table} of {entity}", " ".join(map(str, values)), entity)


def of_database(path: Path, *, without: Collection[str] = ()) -> Iterator[Trace]:
    """Give every value of every table of an SQLite database, but for some tables."""
    with _reading(path) as database:
        tables = [str(name) for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in (table for table in tables if table not in without):
            rows = database.execute(f'select * from "{table}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    if value is not None:
                        text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
                        yield Trace(f"{path.name}: {table}.{column}", text)


def of_bytes(path: Path) -> Iterator[Trace]:
    """Give a database's files as they lie on the disk: what was deleted is still in their free pages and their log."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        yield Trace(f"bytes of {file.name}", file.read_bytes().decode("latin-1"))


def of_states(states: Iterator[tuple[str, str, Mapping[str, Any]]]) -> Iterator[Trace]:
    """Give states as a browser got them: entity, state and attributes."""
    for entity, state, attributes in states:
        kept = {key: value for key, value in attributes.items() if key not in PASSING}
        yield Trace(f"state of {entity}", f"{state} {json.dumps(kept, ensure_ascii=False)}", entity)


def of_restored(content: Any) -> Iterator[Trace]:
    """Give the states that Home Assistant keeps in its restore_state file for the next start."""
    for kept in content["data"]:
        entity = str(kept["state"]["entity_id"])
        yield Trace(f"kept state of {entity}", json.dumps(kept, ensure_ascii=False), entity)


def of_answer(where: str, content: Any) -> Iterator[Trace]:
    """Give an answer, or the content of a JSON file, leaf by leaf."""
    if isinstance(content, Mapping):
        # Its numbers together too: half a place is none.
        numbers = {key: value for key, value in content.items() if isinstance(value, int | float)}
        if numbers:
            yield Trace(where, json.dumps(numbers))
        for key, value in content.items():
            yield from of_answer(f"{where}.{key}", value)
    elif isinstance(content, list):
        yield Trace(where, json.dumps([value for value in content if isinstance(value, int | float)]))
        for value in content:
            yield from of_answer(where, value)
    else:
        yield Trace(where, str(content))


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise FileNotFoundError(f"There is no database {path}")
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()
