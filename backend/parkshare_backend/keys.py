"""Every collaborator of the application has one key here; `app.py` sets it, handlers read it."""

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    # Only names of types: the features import this module, so it must not import them when it runs.
    from parkshare_backend.accounts.cache import TokenCache
    from parkshare_backend.accounts.departure import Departure
    from parkshare_backend.accounts.entrance import Entrance
    from parkshare_backend.accounts.erasure import Erasure
    from parkshare_backend.accounts.installs import Installs
    from parkshare_backend.accounts.pairings import Pairings
    from parkshare_backend.accounts.passkeys import Passkeys
    from parkshare_backend.accounts.passwords import Passwords
    from parkshare_backend.accounts.retention import Retention
    from parkshare_backend.accounts.service import Accounts
    from parkshare_backend.accounts.sessions import Sessions
    from parkshare_backend.bookings.desk import HelpDesk
    from parkshare_backend.bookings.service import Bookings
    from parkshare_backend.bookings.wishes import Wishes
    from parkshare_backend.changes.service import ChangeLog
    from parkshare_backend.clock import Clock, Random
    from parkshare_backend.feeds.service import Feeds
    from parkshare_backend.holds.service import Holds
    from parkshare_backend.http.access import AccessLog
    from parkshare_backend.http.api import Route
    from parkshare_backend.http.auth import Authenticator
    from parkshare_backend.http.idempotency import Idempotency
    from parkshare_backend.http.limits import RateLimiter
    from parkshare_backend.http.middleware import Reception
    from parkshare_backend.http.readiness import Readiness
    from parkshare_backend.link.service import LinkService
    from parkshare_backend.matching.service import Matching
    from parkshare_backend.metrics.registry import Metrics
    from parkshare_backend.money.hosted import HostedCheckout
    from parkshare_backend.money.pricing import Pricing
    from parkshare_backend.money.purse import Purse
    from parkshare_backend.money.service import Money
    from parkshare_backend.places.saved import SavedPlaces
    from parkshare_backend.places.service import Finder
    from parkshare_backend.risk.service import Risk
    from parkshare_backend.settings import Settings
    from parkshare_backend.spaces.service import Spaces
    from parkshare_backend.standby.service import StandbyService
    from parkshare_backend.store.bus import Bus
    from parkshare_backend.store.engine import Store
    from parkshare_backend.store.outbox import Outbox
    from parkshare_backend.tracking.service import Tracking
    from parkshare_backend.webhooks.deliveries import Deliveries
    from parkshare_backend.webhooks.sender import Sender
    from parkshare_backend.webhooks.service import Webhooks

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
RANDOM: web.AppKey[Random] = web.AppKey("random")
STORE: web.AppKey[Store] = web.AppKey("store")
BUS: web.AppKey[Bus] = web.AppKey("bus")
OUTBOX: web.AppKey[Outbox] = web.AppKey("outbox")
LIMITER: web.AppKey[RateLimiter] = web.AppKey("limiter")
RECEPTION: web.AppKey[Reception] = web.AppKey("reception")
ACCESS: web.AppKey[AccessLog] = web.AppKey("access")
IDEMPOTENCY: web.AppKey[Idempotency] = web.AppKey("idempotency")
PASSWORDS: web.AppKey[Passwords] = web.AppKey("passwords")
AUTHENTICATOR: web.AppKey[Authenticator] = web.AppKey("authenticator")
ACCOUNTS: web.AppKey[Accounts] = web.AppKey("accounts")
TOKEN_CACHE: web.AppKey[TokenCache] = web.AppKey("token_cache")
SESSIONS: web.AppKey[Sessions] = web.AppKey("sessions")
PASSKEYS: web.AppKey[Passkeys] = web.AppKey("passkeys")
ENTRANCE: web.AppKey[Entrance] = web.AppKey("entrance")
DEPARTURE: web.AppKey[Departure] = web.AppKey("departure")
ERASURE: web.AppKey[Erasure] = web.AppKey("erasure")
RETENTION: web.AppKey[Retention] = web.AppKey("retention")
INSTALLS: web.AppKey[Installs] = web.AppKey("installs")
PAIRINGS: web.AppKey[Pairings] = web.AppKey("pairings")
LINK: web.AppKey[LinkService] = web.AppKey("link")
SPACES: web.AppKey[Spaces] = web.AppKey("spaces")
BOOKINGS: web.AppKey[Bookings] = web.AppKey("bookings")
WISHES: web.AppKey[Wishes] = web.AppKey("wishes")
HELP: web.AppKey[HelpDesk] = web.AppKey("help")
PLACES: web.AppKey[Finder] = web.AppKey("places")
SAVED_PLACES: web.AppKey[SavedPlaces] = web.AppKey("saved_places")
RISK: web.AppKey[Risk] = web.AppKey("risk")
HOLDS: web.AppKey[Holds] = web.AppKey("holds")
MATCHING: web.AppKey[Matching] = web.AppKey("matching")
STANDBY: web.AppKey[StandbyService] = web.AppKey("standby")
TRACKING: web.AppKey[Tracking] = web.AppKey("tracking")
CHANGES: web.AppKey[ChangeLog] = web.AppKey("changes")
PRICING: web.AppKey[Pricing] = web.AppKey("pricing")
MONEY: web.AppKey[Money] = web.AppKey("money")
PURSE: web.AppKey[Purse] = web.AppKey("purse")
CHECKOUT: web.AppKey[HostedCheckout | None] = web.AppKey("checkout")
FEEDS: web.AppKey[Feeds] = web.AppKey("feeds")
SENDER: web.AppKey[Sender] = web.AppKey("sender")
METRICS: web.AppKey[Metrics] = web.AppKey("metrics")
READINESS: web.AppKey[Readiness] = web.AppKey("readiness")
WEBHOOKS: web.AppKey[Webhooks] = web.AppKey("webhooks")
DELIVERIES: web.AppKey[Deliveries] = web.AppKey("deliveries")
# Every operation of the API, from which the OpenAPI document is made.
API: web.AppKey[tuple[Route, ...]] = web.AppKey("api")
