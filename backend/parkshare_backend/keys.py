"""Every collaborator of the application has one key here; `app.py` sets it, handlers read it."""

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    # Only names of types: the features import this module, so it must not import them when it runs.
    from parkshare_backend.accounts.installs import Installs
    from parkshare_backend.accounts.pairings import Pairings
    from parkshare_backend.accounts.passwords import Passwords
    from parkshare_backend.accounts.service import Accounts
    from parkshare_backend.bookings.desk import HelpDesk
    from parkshare_backend.bookings.service import Bookings
    from parkshare_backend.clock import Clock, Random
    from parkshare_backend.http.api import Route
    from parkshare_backend.http.auth import Authenticator
    from parkshare_backend.http.limits import RateLimiter
    from parkshare_backend.link.service import LinkService
    from parkshare_backend.matching.service import Matching
    from parkshare_backend.risk.service import Risk
    from parkshare_backend.settings import Settings
    from parkshare_backend.spaces.service import Spaces
    from parkshare_backend.standby.service import StandbyService
    from parkshare_backend.store.engine import Store
    from parkshare_backend.store.outbox import Outbox
    from parkshare_backend.tracking.service import Tracking

SETTINGS: web.AppKey[Settings] = web.AppKey("settings")
CLOCK: web.AppKey[Clock] = web.AppKey("clock")
RANDOM: web.AppKey[Random] = web.AppKey("random")
STORE: web.AppKey[Store] = web.AppKey("store")
OUTBOX: web.AppKey[Outbox] = web.AppKey("outbox")
LIMITER: web.AppKey[RateLimiter] = web.AppKey("limiter")
PASSWORDS: web.AppKey[Passwords] = web.AppKey("passwords")
AUTHENTICATOR: web.AppKey[Authenticator] = web.AppKey("authenticator")
ACCOUNTS: web.AppKey[Accounts] = web.AppKey("accounts")
INSTALLS: web.AppKey[Installs] = web.AppKey("installs")
PAIRINGS: web.AppKey[Pairings] = web.AppKey("pairings")
LINK: web.AppKey[LinkService] = web.AppKey("link")
SPACES: web.AppKey[Spaces] = web.AppKey("spaces")
BOOKINGS: web.AppKey[Bookings] = web.AppKey("bookings")
HELP: web.AppKey[HelpDesk] = web.AppKey("help")
RISK: web.AppKey[Risk] = web.AppKey("risk")
MATCHING: web.AppKey[Matching] = web.AppKey("matching")
STANDBY: web.AppKey[StandbyService] = web.AppKey("standby")
TRACKING: web.AppKey[Tracking] = web.AppKey("tracking")
# Every operation of the API, from which the OpenAPI document is made.
API: web.AppKey[tuple[Route, ...]] = web.AppKey("api")
