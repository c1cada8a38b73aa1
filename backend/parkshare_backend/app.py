"""The one place where the backend's objects meet.

How a feature plugs in
----------------------
- `feature/tables.py` makes its tables with `store.metadata.table(...)` and its triggers with `extra(...)`;
  its module name stands in `store/tables.py`. Foreign keys to other features by name ("accounts.id").
- `feature/service.py` has a class whose collaborators are constructor arguments (store, clock, outbox,
  other features' services); it is made in `_features` below and stored under its key of `keys.py`.
- `feature/routes.py` has `routes = Routes()`; it stands in ROUTES below.
- What the house says is registered in `_features`: `link.on_event(...)`, `link.on_request(...)`,
  `link.on_snapshot(...)` (see `link/service.py`).
- Facts go out with `await outbox.append(tx, install_audience(install) | account_audience(account), t, d)`
  in the transaction of the change; whoever listens is woken after the commit.
- Work that goes on by itself (timers) is an `async def run(self) -> None` that loops with
  `await clock.sleep(...)`; it stands in `_background`, is started with the server and cancelled at its end.
- Time is `clock.now()`, randomness is `random`; neither is ever taken from the machine directly.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from secrets import SystemRandom

import structlog
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.accounts import routes as accounts_routes
from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.pages import LinkPages
from parkshare_backend.accounts.pairings import Pairings
from parkshare_backend.accounts.passwords import Passwords
from parkshare_backend.accounts.service import Accounts
from parkshare_backend.bookings import routes as bookings_routes
from parkshare_backend.bookings.desk import HelpDesk
from parkshare_backend.bookings.house import HouseFacts
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.bookings.sweep import run_sweeps
from parkshare_backend.clock import Clock, Random, SystemClock
from parkshare_backend.http import pages, site
from parkshare_backend.http.announce import Announcement
from parkshare_backend.http.api import Route, Routes
from parkshare_backend.http.bodies import MAX_BODY
from parkshare_backend.http.limits import RateLimiter
from parkshare_backend.http.middleware import around
from parkshare_backend.link import routes as link_routes
from parkshare_backend.link.service import LinkService
from parkshare_backend.matching import routes as matching_routes
from parkshare_backend.matching.service import Matching
from parkshare_backend.risk import routes as risk_routes
from parkshare_backend.risk.service import Risk
from parkshare_backend.settings import Settings
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.standby import routes as standby_routes
from parkshare_backend.standby.service import StandbyService
from parkshare_backend.store.engine import Store
from parkshare_backend.store.outbox import Outbox, server_value
from parkshare_backend.tracking import routes as tracking_routes
from parkshare_backend.tracking.service import Tracking

log = structlog.get_logger()

ROUTES: tuple[Routes, ...] = (
    site.routes,
    accounts_routes.routes,
    matching_routes.routes,
    bookings_routes.routes,
    risk_routes.routes,
    standby_routes.routes,
    tracking_routes.routes,
)

PRUNE_EVERY = 3600.0  # seconds
RESTART_AFTER = 1.0  # seconds after which houses look for a server that said bye


def build_app(settings: Settings, *, clock: Clock | None = None, random: Random | None = None) -> web.Application:
    """Compose the application; its database must be migrated (`store.migrate.upgrade`)."""
    app = web.Application(middlewares=[around], client_max_size=MAX_BODY)
    _collaborators(app, settings, clock or SystemClock(), random or SystemRandom())
    _features(app)
    for routes in ROUTES:
        routes.setup(app)
    app[keys.API] = tuple(api_routes())
    for part in (site, pages, link_routes, LinkPages(clock=app[keys.CLOCK], random=app[keys.RANDOM])):
        part.setup(app)
    app.cleanup_ctx.extend([_database, _running, _announced])
    app.on_shutdown.append(_say_bye)
    return app


def api_routes() -> Iterator[Route]:
    """Give every operation of the API, in order."""
    for routes in ROUTES:
        yield from routes


def _collaborators(app: web.Application, settings: Settings, clock: Clock, random: Random) -> None:
    store, outbox = Store(settings.database), Outbox(clock)
    passwords = Passwords(memory_kib=settings.password_memory_kib, passes=settings.password_passes)
    installs = Installs(store, clock)
    accounts = Accounts(
        store=store,
        clock=clock,
        random=random,
        passwords=passwords,
        registration_open=settings.registration_open,
        token_days=settings.token_days,
    )
    app[keys.SETTINGS], app[keys.CLOCK], app[keys.RANDOM] = settings, clock, random
    app[keys.STORE], app[keys.OUTBOX] = store, outbox
    app[keys.LIMITER] = RateLimiter(clock, scale=settings.rate_limits)
    app[keys.PASSWORDS] = passwords
    app[keys.ACCOUNTS] = app[keys.AUTHENTICATOR] = accounts
    app[keys.INSTALLS] = installs
    app[keys.PAIRINGS] = Pairings(store=store, clock=clock, random=random, installs=installs)
    app[keys.LINK] = LinkService(store=store, outbox=outbox, installs=installs, clock=clock)


def _features(app: web.Application) -> None:
    """Make the services of the features and tell the link who hears what."""
    clock, store, outbox, link = app[keys.CLOCK], app[keys.STORE], app[keys.OUTBOX], app[keys.LINK]
    spaces = Spaces(installs=app[keys.INSTALLS], clock=clock)
    bookings = Bookings(store=store, outbox=outbox, spaces=spaces, clock=clock)
    matching = Matching(store=store, spaces=spaces, clock=clock, chance=app[keys.RANDOM])
    risk = Risk(store=store, spaces=spaces, bookings=bookings, matching=matching, clock=clock)
    standby = StandbyService(
        store=store, outbox=outbox, spaces=spaces, bookings=bookings, matching=matching, risk=risk, clock=clock
    )
    app[keys.SPACES], app[keys.BOOKINGS], app[keys.MATCHING], app[keys.STANDBY] = spaces, bookings, matching, standby
    app[keys.HELP] = HelpDesk(store=store, bookings=bookings, link=link, limiter=app[keys.LIMITER], clock=clock)
    app[keys.RISK] = risk
    app[keys.TRACKING] = Tracking(store=store, bookings=bookings, standby=standby, clock=clock)
    spaces.register(link)
    HouseFacts(bookings=bookings, spaces=spaces, clock=clock).register(link)
    standby.register(link)
    app[keys.HELP].register()
    risk.register(link)


def _background(app: web.Application) -> Iterator[Callable[[], Awaitable[None]]]:
    """Give the work that goes on by itself."""
    yield lambda: _prune(app[keys.LINK], app[keys.CLOCK])
    sweeps = (app[keys.BOOKINGS].sweep, app[keys.RISK].sweep, app[keys.STANDBY].sweep, app[keys.TRACKING].sweep)
    yield lambda: run_sweeps(sweeps, app[keys.CLOCK])


async def _prune(link: LinkService, clock: Clock) -> None:
    while True:
        await link.prune()
        await clock.sleep(PRUNE_EVERY)


async def _database(app: web.Application) -> AsyncIterator[None]:
    """Own the database and the threads that hash passwords."""
    store, link = app[keys.STORE], app[keys.LINK]
    async with store.write() as tx:
        link.server = await server_value(tx, "server")
        link.epoch = await server_value(tx, "epoch")
    yield
    app[keys.PASSWORDS].close()
    await store.close()


async def _running(app: web.Application) -> AsyncIterator[None]:
    """Own the work that goes on by itself."""
    tasks = [asyncio.create_task(_supervised(run), name="background") for run in _background(app)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _supervised(run: Callable[[], Awaitable[None]]) -> None:
    """Start a loop again when a defect ends it: one bad row must not stop every timer of the server."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("background.failed")
        await asyncio.sleep(1)


async def _announced(app: web.Application) -> AsyncIterator[None]:
    settings = app[keys.SETTINGS]
    if not settings.zeroconf:
        yield
        return
    announcement = Announcement(server=app[keys.LINK].server, public_url=settings.public_url, port=settings.port)
    await announcement.start()
    yield
    await announcement.stop()


async def _say_bye(app: web.Application) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(5):
            await app[keys.LINK].restart(RESTART_AFTER)
