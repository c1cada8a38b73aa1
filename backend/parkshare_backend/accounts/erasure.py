"""What is kept of a person: the register from which one's data is exported and erased.

Each feature says once, in `app.py`, which of its tables hold something of a person and how that goes:

    erasure.register("places", tables=("saved_places",), export=places.export, erase=places.erase)

A table of no person is named with a reason (`impersonal`). `tests/backend/test_privacy.py` fails for a table that
nobody named, so what a new feature keeps cannot be forgotten here.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from parkshare_backend.http.problems import Problem, define
from parkshare_backend.store.engine import ReadTx, Tx

# Called with the id of the account. What is exported is JSON: texts, numbers, lists, objects.
type Export = Callable[[ReadTx, str], Awaitable[list[Any]]]
type Erase = Callable[[Tx, str], Awaitable[None]]
type Obstacles = Callable[[ReadTx, str], Awaitable[list[str]]]

ACCOUNT_IN_USE = define(
    "account-in-use",
    409,
    "The account is still needed",
    "A car stands on a space, or somebody has booked one of yours. `obstacles` says what to do first.",
)


@dataclass(frozen=True, slots=True)
class Part:
    """What one feature keeps of a person."""

    name: str
    tables: frozenset[str]
    export: Export
    erase: Erase
    obstacles: Obstacles | None
    last: bool


class Erasure:
    """The register."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}
        self._impersonal: dict[str, str] = {}

    def register(
        self,
        name: str,
        *,
        export: Export,
        erase: Erase,
        tables: Iterable[str] = (),
        obstacles: Obstacles | None = None,
        last: bool = False,
    ) -> None:
        """Add what a feature keeps; `name` is its member in the export.

        erase removes it, or makes it nobody's where others need it (a tax entry): it runs in the one transaction in
        which the account goes. obstacles gives reasons, with a remedy each, why that must not happen now. last is for
        what the erasing of others adds to, like the log of changes.
        """
        if name in self._parts:
            raise ValueError(f"{name} is registered already")
        self._parts[name] = Part(name, frozenset(tables), export, erase, obstacles, last)

    def impersonal(self, table: str, why: str) -> None:
        """Name a table that holds nothing of a person, or nothing that outlives the rows which do."""
        self._impersonal[table] = why

    @property
    def known_tables(self) -> frozenset[str]:
        """Every table that somebody answers for."""
        return frozenset(self._impersonal).union(*(part.tables for part in self._parts.values()))

    async def export(self, tx: ReadTx, account: str) -> dict[str, list[Any]]:
        """Give everything that is kept of the person, by feature."""
        return {part.name: await part.export(tx, account) for part in self._in_order()}

    async def erase(self, tx: Tx, account: str) -> None:
        """Remove or make nobody's everything that is kept of the person.

        Raises:
            Problem: ACCOUNT_IN_USE, with every obstacle of every feature.

        """
        asked = [part.obstacles for part in self._parts.values() if part.obstacles is not None]
        found = [obstacle for obstacles in asked for obstacle in await obstacles(tx, account)]
        if found:
            raise Problem(ACCOUNT_IN_USE, " ".join(found), extra={"obstacles": found})
        for part in self._in_order():
            await part.erase(tx, account)

    def _in_order(self) -> list[Part]:
        return sorted(self._parts.values(), key=lambda part: part.last)
