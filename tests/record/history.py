"""A record for the tests: what happened in some made-up stays, sealed by a house."""

from typing import Any

from custom_components.parkshare.link.keys import HouseKeys
from custom_components.parkshare.record.chain import START, Entry, Sealed, seal
from custom_components.parkshare.record.kinds import Kind

NOON = 1_800_000_000.0
HOUSE = HouseKeys.generate()
OTHER_HOUSE = HouseKeys.generate()


def entry(number: int, kind: Kind = Kind.TRANSITION, booking: str | None = "b1", **d: Any) -> Entry:
    """Something that happened, a minute after the one before."""
    return Entry(NOON + 60 * number, kind, booking, {"name": f"T{number}"} | d)


def sealed(entries: list[Entry], keys: HouseKeys = HOUSE) -> list[Sealed]:
    """The chain of some entries."""
    chain: list[Sealed] = []
    for each in entries:
        chain.append(seal(each, chain[-1].head if chain else START, keys.prove))
    return chain


def lines(count: int = 8, keys: HouseKeys = HOUSE) -> list[str]:
    """A record of so many entries."""
    return [each.line() for each in sealed([entry(number) for number in range(count)], keys)]
