"""How money comes and goes: what every payment provider answers, and the default one, which needs no money at all.

A provider acts in the transaction of the booking's change. What it has to say to a network it writes down as due work
and does later (`hosted.py`): while on the network no transaction is open.
"""

from collections.abc import Collection
from typing import Protocol

from parkshare_backend.money import ledger
from parkshare_backend.money.ledger import Why
from parkshare_backend.money.models import PaymentAnswer
from parkshare_backend.money.pricing import CREDITS, Purses, welcome
from parkshare_backend.money.quote import Quote
from parkshare_backend.money.shares import Movement
from parkshare_backend.store.engine import ReadTx, Tx


class Provider(Protocol):
    """Somebody who takes money for bookings and gives it back. Times are UTC epoch seconds."""

    name: str

    async def begin(self, tx: Tx, booking: str, renter: str, quoted: Quote, *, at: float) -> bool:
        """Start paying a new booking; True if it may go on at once, False if it waits for the payment."""

    async def waits(self, tx: ReadTx, booking: str) -> bool:
        """Tell whether the booking still waits for its first payment."""

    async def drop(self, tx: Tx, booking: str, *, at: float) -> None:
        """Give up the first payment of a booking that is over before it was paid."""

    async def follow(self, tx: Tx, booking: str, renter: str, pays_minor: int, currency: str, *, at: float) -> None:
        """Collect or give back what the renter now pays for the booking more or less than before."""

    async def payments(self, tx: ReadTx, bookings: Collection[str]) -> dict[str, PaymentAnswer]:
        """Tell where payments stand that the ledger alone does not show."""


class Credits:
    """Credits of this server: a booking moves them from purse to purse, and nobody else has to be asked."""

    name = CREDITS

    def __init__(self, purses: Purses) -> None:
        self._purses = purses

    async def begin(self, tx: Tx, booking: str, renter: str, quoted: Quote, *, at: float) -> bool:
        """Draw the first credits of the account, if there are any; the purse itself was looked at before."""
        del booking
        if quoted.total_minor:
            await self.draw(tx, renter, at=at)
        return True

    async def draw(self, tx: Tx, account: str, *, at: float) -> None:
        """Give an account its first credits, once."""
        purses = self._purses
        if purses.initial_minor and not await ledger.written(tx, welcome(account)):
            moves = [Movement(ledger.ISSUED, ledger.person(account), purses.initial_minor)]
            await ledger.write(tx, Why(txn=welcome(account), at=at, cause="welcome"), moves, purses.initial_currency)

    async def waits(self, tx: ReadTx, booking: str) -> bool:
        """Never wait: credits move at once."""
        del tx, booking
        return False

    async def drop(self, tx: Tx, booking: str, *, at: float) -> None:
        """Have nothing to give up."""

    async def follow(self, tx: Tx, booking: str, renter: str, pays_minor: int, currency: str, *, at: float) -> None:
        """Have nothing to collect: the ledger is all there is."""

    async def payments(self, tx: ReadTx, bookings: Collection[str]) -> dict[str, PaymentAnswer]:
        """Have nothing to add to the ledger."""
        del tx, bookings
        return {}
