"""Saved places, kept answers and the words of addresses as rows."""

import hashlib
from typing import Any

import orjson
import sqlalchemy as sa

from parkshare_backend.places.addresses import Address, read_address
from parkshare_backend.places.found import Found
from parkshare_backend.places.tables import PLACE_ANSWERS, SAVED_PLACES, SPACE_ADDRESSES
from parkshare_backend.store.contract import POSTGRESQL
from parkshare_backend.store.dialects import insert
from parkshare_backend.store.engine import ReadTx, Tx

MAX_MATCHES = 500  # spaces of one search; enough to see which streets and towns are meant
_MATCHES = {
    "sqlite": sa.text(
        "SELECT a.space, a.street, a.town FROM space_words JOIN space_addresses AS a ON a.n = space_words.rowid "
        "WHERE space_words MATCH :words LIMIT :limit"
    ),
    "postgresql": sa.text(
        "SELECT space, street, town FROM space_addresses "
        "WHERE to_tsvector('simple', words) @@ to_tsquery('simple', :words) LIMIT :limit"
    ),
}


async def index_address(tx: Tx, space: str, text: str) -> None:
    """Keep of the address of a space what may be searched."""
    address = read_address(text)
    if not address.words:
        await forget_addresses(tx, [space])
        return
    values = {"street": address.street, "town": address.town, "words": address.words}
    added = insert(tx, SPACE_ADDRESSES).values(space=space, **values)
    await tx.execute(added.on_conflict_do_update(index_elements=[SPACE_ADDRESSES.c.space], set_=values))


async def forget_addresses(tx: Tx, spaces: list[str]) -> None:
    """Forget the words of spaces."""
    await tx.execute(sa.delete(SPACE_ADDRESSES).where(SPACE_ADDRESSES.c.space.in_(spaces)))


async def matching_addresses(tx: ReadTx, words: list[str]) -> dict[str, Address]:
    """Give the spaces whose address has all the words, the last one perhaps only its beginning.

    The words are folded: letters and digits, nothing that either language of queries knows as a sign.
    """
    if tx.engine == POSTGRESQL:
        query = " & ".join([*words[:-1], f"{words[-1]}:*"])
    else:
        query = " ".join([*(f'"{word}"' for word in words[:-1]), f'"{words[-1]}"*'])
    found = await tx.execute(_MATCHES[tx.engine], {"words": query, "limit": MAX_MATCHES})
    return {row.space: Address(row.street, row.town) for row in found}


def hash_of(question: list[Any]) -> bytes:
    """Give the key of a question to a service: what somebody looked for is not to be read in the database."""
    return hashlib.sha256(orjson.dumps(question)).digest()


async def kept_answer(tx: ReadTx, question: bytes, *, since: float) -> list[Found] | None:
    """Give what the service said to the same question after `since`."""
    answer = await tx.scalar(
        sa.select(PLACE_ANSWERS.c.answer).where(PLACE_ANSWERS.c.hash == question, PLACE_ANSWERS.c.at > since)
    )
    return None if answer is None else [Found(**one) for one in orjson.loads(answer)]


async def keep_answer(tx: Tx, question: bytes, found: list[Found], *, at: float) -> None:
    """Keep what a service said."""
    values = {"answer": orjson.dumps([one.document() for one in found]).decode(), "at": at}
    kept = insert(tx, PLACE_ANSWERS).values(hash=question, **values)
    await tx.execute(kept.on_conflict_do_update(index_elements=[PLACE_ANSWERS.c.hash], set_=values))


async def saved_of(tx: ReadTx, account: str) -> list[sa.Row[Any]]:
    """Give the saved places of an account, oldest first."""
    return list(
        await tx.all(sa.select(SAVED_PLACES).where(SAVED_PLACES.c.account == account).order_by(SAVED_PLACES.c.id))
    )
