"""Who has what of the money of one booking, and the movements that bring it about.

Pure: standard library only. Every change of a booking first says how the money must be shared out now (`Held`), then
moves the difference to what the ledger has. So a repeated change moves nothing, and a fact that corrects an earlier
conclusion (the car did come) corrects the money by the same rule, with no case of its own.
"""

from dataclasses import dataclass

from parkshare_backend.bookings.lifecycle import Cause, State
from parkshare_backend.bookings.terms import Terms, cancel_fee, noshow_fee, overstay_fee, take_back_cost
from parkshare_backend.money.quote import Quote, shared_out
from parkshare_backend.spaces.periods import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """How the money of a booking is shared out; the three are what the renter pays, which may be below zero."""

    escrow_minor: int = 0
    owner_minor: int = 0
    fee_minor: int = 0

    @property
    def renter_pays(self) -> int:
        """What the renter pays in all."""
        return self.escrow_minor + self.owner_minor + self.fee_minor


NOTHING = Held()


@dataclass(frozen=True, slots=True)
class Movement:
    """So much goes from one account of the ledger to another; always more than nothing."""

    debit: str
    credit: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """What was fixed when a booking was made: its quote, the price per hour, the terms, the period."""

    quoted: Quote
    price_minor: int
    terms: Terms
    period: Period


def due(deal: Deal, state: State, cause: Cause, *, at: float, agreed: bool) -> Held:
    """Tell how the money of a booking must be shared out, in this state and after this cause.

    at is when the cause happened (UTC seconds): when the renter canceled, when the car left. agreed: house and owner
    had agreed before; until then a renter may always go free.
    """
    quoted, terms, total = deal.quoted, deal.terms, deal.quoted.total_minor
    match state:
        case State.PENDING | State.RESERVED | State.ACTIVE:
            return Held(escrow_minor=total)
        case State.FULFILLED:
            late = overstay_fee(terms, hour_minor=deal.price_minor, seconds=max(0.0, at - deal.period.end))
            extra = shared_out(late, quoted)
            return Held(
                owner_minor=total - quoted.fee_minor + extra.owner_minor, fee_minor=quoted.fee_minor + extra.fee_minor
            )
        case State.NO_SHOW:
            return _kept(noshow_fee(terms, total_minor=total), quoted)
        case State.CANCELED if cause is Cause.TAKEN_BACK:
            return Held(owner_minor=-take_back_cost(terms, total_minor=total))
        case State.CANCELED if agreed:
            return _kept(cancel_fee(terms, deal.period, at=at, total_minor=total), quoted)
        case _:
            return NOTHING


def movements(have: Held, wanted: Held, *, renter: str, owner: str, escrow: str, fees: str) -> list[Movement]:
    """Give the movements from one sharing-out to another, all of them through the escrow of the booking."""
    changes = (
        (owner, wanted.owner_minor - have.owner_minor),
        (fees, wanted.fee_minor - have.fee_minor),
        (renter, have.renter_pays - wanted.renter_pays),
    )
    # First what comes in, so that the escrow never pays out what it does not have.
    into = [Movement(account, escrow, -change) for account, change in changes if change < 0]
    return into + [Movement(escrow, account, change) for account, change in changes if change > 0]


def _kept(charge_minor: int, quoted: Quote) -> Held:
    parts = shared_out(charge_minor, quoted)
    return Held(owner_minor=parts.owner_minor, fee_minor=parts.fee_minor)
