"""Making the objects of money from the settings."""

from dataclasses import dataclass

from parkshare_backend.bookings.service import Bookings
from parkshare_backend.clock import Clock
from parkshare_backend.money.checkout import Checkout
from parkshare_backend.money.hosted import HostedCheckout
from parkshare_backend.money.outcomes import Outcomes
from parkshare_backend.money.pricing import Pricing
from parkshare_backend.money.purse import Purse
from parkshare_backend.money.service import Money
from parkshare_backend.money.settlement import Credits, Provider
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.store.engine import Store

PAID_PAGE = "/paid"  # where the checkout sends people back to


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyParts:
    """What `app.py` stores under its keys; checkout is None on a server that has no keys for one."""

    money: Money
    purse: Purse
    checkout: HostedCheckout | None


def money_of(
    settings: Settings, *, store: Store, bookings: Bookings, spaces: Spaces, pricing: Pricing, clock: Clock
) -> MoneyParts:
    """Make them, and let money follow the bookings."""
    credits_ = Credits(pricing.purses)
    checkout = _checkout(settings, store, clock)
    providers: list[Provider] = [credits_, *([checkout] if checkout else [])]
    money = Money(store=store, bookings=bookings, pricing=pricing, providers=providers, clock=clock)
    if checkout is not None:
        checkout.outcomes.books = money
    money.register()
    purse = Purse(store=store, spaces=spaces, pricing=pricing, credits_=credits_, clock=clock)
    return MoneyParts(money=money, purse=purse, checkout=checkout)


def _checkout(settings: Settings, store: Store, clock: Clock) -> HostedCheckout | None:
    key, secret = settings.checkout_secret_key, settings.checkout_webhook_secret
    if key is None or secret is None:
        return None
    api = Checkout(url=settings.checkout_url, key=key.get_secret_value(), return_url=settings.public_url + PAID_PAGE)
    outcomes = Outcomes(store=store, clock=clock, secret=secret.get_secret_value())
    return HostedCheckout(store=store, clock=clock, api=api, outcomes=outcomes, minutes=settings.checkout_minutes)
