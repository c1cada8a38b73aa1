"""What an operator does with credits from the command line."""

import asyncio
import sys

import sqlalchemy as sa

from parkshare_backend.clock import SystemClock, new_id
from parkshare_backend.money import ledger
from parkshare_backend.money.amounts import Amount, AmountError, read_amount, write_amount
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.shares import Movement
from parkshare_backend.settings import Settings
from parkshare_backend.store.engine import UNABLE, Store

# The accounts belong to another feature; of theirs only the id behind an e-mail is asked.
_ACCOUNTS = sa.table("accounts", sa.column("id"), sa.column("email"))


def grant(settings: Settings, *, email: str, amount: str, currency: str) -> int:
    """Give an account credits, or take some with an amount below zero; give the exit code."""
    try:
        wanted = read_amount(amount, currency)
    except AmountError as error:
        return _refuse(str(error))
    if not wanted.minor:
        return _refuse("An amount of zero changes nothing. Name another one.")
    try:
        has = asyncio.run(_grant(settings, email.casefold(), wanted))
    except UNABLE as error:
        return _refuse(f"The database cannot be used: {error}. See `parkshare-backend doctor`.")
    if has is None:
        return _refuse("No account has this e-mail. Check it.")
    print(f"Done. The account has {write_amount(has)} now.")  # noqa: T201 - said to a person
    return 0


async def _grant(settings: Settings, email: str, wanted: Amount) -> Amount | None:
    store = Store(settings.database)
    try:
        return await store.again(lambda: _write(store, email, wanted))
    finally:
        await store.close()


async def _write(store: Store, email: str, wanted: Amount) -> Amount | None:
    async with store.write() as tx:
        account = await tx.scalar(sa.select(_ACCOUNTS.c.id).where(_ACCOUNTS.c.email == email))
        if account is None:
            return None
        mine = ledger.person(account)
        sides = (ledger.ISSUED, mine) if wanted.minor > 0 else (mine, ledger.ISSUED)
        why = Why(txn=f"grant:{new_id()}", at=SystemClock().now(), cause="grant")
        await ledger.write(tx, why, [Movement(*sides, abs(wanted.minor))], wanted.currency)
        return Amount(await ledger.balance(tx, mine, wanted.currency), wanted.currency)


def _refuse(reason: str) -> int:
    print(reason, file=sys.stderr)  # noqa: T201 - said to a person
    return 1
