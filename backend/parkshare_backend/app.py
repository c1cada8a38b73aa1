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
from functools import partial
from secrets import SystemRandom

import structlog
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.accounts import passkey_routes, routes as accounts_routes, session_routes
from parkshare_backend.accounts.cache import TOPIC as TOKEN_FORGOTTEN, TokenCache
from parkshare_backend.accounts.ceremonies import RelyingParty
from parkshare_backend.accounts.departure import Departure
from parkshare_backend.accounts.entrance import Entrance
from parkshare_backend.accounts.erasure import Erasure
from parkshare_backend.accounts.installs import Installs
from parkshare_backend.accounts.pages import LinkPages
from parkshare_backend.accounts.pairings import Pairings
from parkshare_backend.accounts.passkeys import Passkeys
from parkshare_backend.accounts.passwords import Passwords
from parkshare_backend.accounts.privacy import AccountPrivacy
from parkshare_backend.accounts.retention import Retention
from parkshare_backend.accounts.service import Accounts
from parkshare_backend.accounts.sessions import Sessions
from parkshare_backend.bookings import routes as bookings_routes, wishes_routes
from parkshare_backend.bookings.desk import HelpDesk
from parkshare_backend.bookings.house import HouseFacts
from parkshare_backend.bookings.privacy import BookingPrivacy
from parkshare_backend.bookings.service import Bookings
from parkshare_backend.bookings.sweep import Sweep, run_sweeps
from parkshare_backend.bookings.wishes import Wishes
from parkshare_backend.changes import routes as changes_routes, stream as changes_stream
from parkshare_backend.changes.service import ChangeLog
from parkshare_backend.clock import Clock, Random, SystemClock
from parkshare_backend.feeds import routes as feeds_routes
from parkshare_backend.feeds.service import Feeds
from parkshare_backend.holds import privacy as holds_privacy, routes as holds_routes
from parkshare_backend.holds.service import Holds
from parkshare_backend.http import pages, privacy as http_privacy, site
from parkshare_backend.http.access import AccessLog
from parkshare_backend.http.announce import Announcement
from parkshare_backend.http.api import Route, Routes
from parkshare_backend.http.bodies import MAX_BODY
from parkshare_backend.http.idempotency import Idempotency
from parkshare_backend.http.limits import RateLimiter
from parkshare_backend.http.middleware import Reception, around
from parkshare_backend.http.readiness import Readiness
from parkshare_backend.link import routes as link_routes
from parkshare_backend.link.privacy import LinkPrivacy
from parkshare_backend.link.service import LinkService
from parkshare_backend.matching import routes as matching_routes
from parkshare_backend.matching.service import Matching, shuffler
from parkshare_backend.metrics.registry import Metrics
from parkshare_backend.metrics.server import MetricsServer
from parkshare_backend.metrics.sources import connect as connect_metrics
from parkshare_backend.money import routes as money_routes
from parkshare_backend.money.pricing import pricing_of
from parkshare_backend.money.privacy import MoneyPrivacy
from parkshare_backend.money.setup import money_of
from parkshare_backend.places import routes as places_routes
from parkshare_backend.places.privacy import PlacePrivacy
from parkshare_backend.places.saved import SavedPlaces
from parkshare_backend.places.service import finder_of
from parkshare_backend.risk import privacy as risk_privacy, routes as risk_routes
from parkshare_backend.risk.service import Risk
from parkshare_backend.settings import Settings
from parkshare_backend.spaces import privacy as spaces_privacy
from parkshare_backend.spaces.service import Spaces
from parkshare_backend.standby import privacy as standby_privacy, routes as standby_routes
from parkshare_backend.standby.service import StandbyService
from parkshare_backend.store.bus import Bus
from parkshare_backend.store.engine import Store
from parkshare_backend.store.outbox import Outbox, server_value
from parkshare_backend.tracking import privacy as tracking_privacy, routes as tracking_routes
from parkshare_backend.tracking.known import KnownFences
from parkshare_backend.tracking.service import Tracking
from parkshare_backend.webhooks import routes as webhooks_routes
from parkshare_backend.webhooks.deliveries import Deliveries
from parkshare_backend.webhooks.sender import Sender
from parkshare_backend.webhooks.service import Webhooks

log = structlog.get_logger()

ROUTES: tuple[Routes, ...] = (
    site.routes,
    accounts_routes.routes,
    session_routes.routes,
    passkey_routes.routes,
    places_routes.routes,
    matching_routes.routes,
    holds_routes.routes,
    bookings_routes.routes,
    wishes_routes.routes,
    risk_routes.routes,
    money_routes.routes,
    standby_routes.routes,
    tracking_routes.routes,
    changes_routes.routes,
    webhooks_routes.routes,
    feeds_routes.routes,
)

PRUNE_EVERY = 3600.0  # seconds
RESTART_AFTER = 1.0  # seconds after which houses look for a server that said bye


def build_app(settings: Settings, *, clock: Clock | None = None, random: Random | None = None) -> web.Application:
    """Compose the application; its database must be migrated (`store.migrate.upgrade`)."""
    app = web.Application(middlewares=[around], client_max_size=MAX_BODY)
    _collaborators(app, settings, clock or SystemClock(), random or SystemRandom())
    _features(app)
    _privacy(app)
    app[keys.API] = tuple(api_routes())
    app[keys.RECEPTION] = Reception(app)
    for routes in ROUTES:
        routes.setup(app)
    for part in (
        site,
        pages,
        link_routes,
        changes_stream,
        money_routes,
        feeds_routes,
        LinkPages(clock=app[keys.CLOCK], random=app[keys.RANDOM]),
    ):
        part.setup(app)
    app.cleanup_ctx.extend([_database, _running, _measured, _announced])
    app.on_shutdown.append(_say_bye)
    return app


def api_routes() -> Iterator[Route]:
    """Give every operation of the API, in order."""
    for routes in ROUTES:
        yield from routes


def _collaborators(app: web.Application, settings: Settings, clock: Clock, random: Random) -> None:
    store = Store(settings.database)
    bus = Bus(store.url)
    outbox = Outbox(clock, bus)
    passwords = Passwords(memory_kib=settings.password_memory_kib, passes=settings.password_passes)
    installs = Installs(store, clock)
    app[keys.SETTINGS], app[keys.CLOCK], app[keys.RANDOM] = settings, clock, random
    app[keys.STORE], app[keys.BUS], app[keys.OUTBOX] = store, bus, outbox
    app[keys.ACCESS] = AccessLog()
    app[keys.IDEMPOTENCY] = Idempotency(store=store, clock=clock, random=random)
    app[keys.LIMITER] = RateLimiter(clock, scale=settings.rate_limits)
    app[keys.PASSWORDS] = passwords
    app[keys.INSTALLS] = installs
    _people(app)
    app[keys.PAIRINGS] = Pairings(store=store, clock=clock, random=random, installs=installs)
    app[keys.LINK] = LinkService(store=store, outbox=outbox, installs=installs, clock=clock, bus=bus)


def _people(app: web.Application) -> None:
    """Make what accounts, their sessions and their ways in are."""
    settings, clock, random, store = app[keys.SETTINGS], app[keys.CLOCK], app[keys.RANDOM], app[keys.STORE]
    cache, passwords = TokenCache(), app[keys.PASSWORDS]
    cache.join(app[keys.BUS])
    sessions = Sessions(store=store, clock=clock, random=random, cache=cache, token_days=settings.token_days)
    accounts = Accounts(
        store=store, clock=clock, passwords=passwords, sessions=sessions, registration_open=settings.registration_open
    )
    party = RelyingParty.at(settings.public_url, name=settings.name, more_origins=settings.passkey_origins)
    passkeys = Passkeys(store=store, clock=clock, random=random, party=party)
    entrance = Entrance(store=store, accounts=accounts, sessions=sessions, passkeys=passkeys, passwords=passwords)
    erasure = Erasure()
    app[keys.TOKEN_CACHE], app[keys.SESSIONS], app[keys.AUTHENTICATOR] = cache, sessions, sessions
    app[keys.ACCOUNTS], app[keys.PASSKEYS], app[keys.ENTRANCE] = accounts, passkeys, entrance
    app[keys.ERASURE], app[keys.RETENTION] = erasure, Retention(store, clock)
    app[keys.DEPARTURE] = Departure(store=store, entrance=entrance, erasure=erasure)


def _privacy(app: web.Application) -> None:
    """Tell what each feature keeps of people and for how long (accounts/erasure.py, accounts/retention.py)."""
    erasure, retention, installs = app[keys.ERASURE], app[keys.RETENTION], app[keys.INSTALLS]
    AccountPrivacy(
        installs=installs, cache=app[keys.TOKEN_CACHE], clock=app[keys.CLOCK], random=app[keys.RANDOM]
    ).register(erasure, retention)
    # Bookings before spaces: a booking that is canceled is told to the house of its space.
    BookingPrivacy(app[keys.BOOKINGS]).register(erasure, retention)
    spaces_privacy.register(erasure)
    tracking_privacy.register(erasure, retention)
    standby_privacy.register(erasure, retention)
    risk_privacy.register(erasure)
    holds_privacy.register(erasure)
    http_privacy.register(erasure, retention)
    LinkPrivacy(installs).register(erasure, retention)
    PlacePrivacy(app[keys.SAVED_PLACES], app[keys.SPACES]).register(erasure, retention)
    MoneyPrivacy(purse=app[keys.PURSE], clock=app[keys.CLOCK]).register(erasure, retention)
    for name, tables, part in (
        ("webhooks", ("webhooks", "webhook_attempts"), app[keys.WEBHOOKS]),
        ("calendar_feeds", ("feeds",), app[keys.FEEDS]),
    ):
        erasure.register(name, tables=tables, export=part.export, erase=part.erase)


def _features(app: web.Application) -> None:
    """Make the services of the features and tell the link who hears what."""
    clock, store, outbox, link = app[keys.CLOCK], app[keys.STORE], app[keys.OUTBOX], app[keys.LINK]
    app[keys.PRICING] = pricing_of(app[keys.SETTINGS])
    spaces = Spaces(installs=app[keys.INSTALLS], clock=clock)
    bookings = Bookings(store=store, outbox=outbox, spaces=spaces, clock=clock)
    chance = shuffler(app[keys.RANDOM])
    matching = Matching(store=store, spaces=spaces, pricing=app[keys.PRICING], clock=clock, chance=chance)
    risk = Risk(store=store, spaces=spaces, bookings=bookings, matching=matching, clock=clock)
    standby = StandbyService(
        store=store, outbox=outbox, spaces=spaces, bookings=bookings, matching=matching, risk=risk, clock=clock
    )
    app[keys.SPACES], app[keys.BOOKINGS], app[keys.MATCHING], app[keys.STANDBY] = spaces, bookings, matching, standby
    app[keys.HOLDS] = Holds(store=store, bookings=bookings, pricing=app[keys.PRICING], clock=clock)
    app[keys.HELP] = HelpDesk(store=store, bookings=bookings, link=link, limiter=app[keys.LIMITER], clock=clock)
    app[keys.RISK] = risk
    fences = KnownFences(outbox=outbox, bus=app[keys.BUS])
    spaces.on_published(fences.space_published)
    app[keys.TRACKING] = Tracking(store=store, bookings=bookings, standby=standby, clock=clock, known=fences)
    app[keys.PLACES] = finder_of(app[keys.SETTINGS], store=store, spaces=spaces, clock=clock)
    app[keys.SAVED_PLACES] = SavedPlaces(store, clock)
    _money(app)
    spaces.register(link)
    HouseFacts(bookings=bookings, spaces=spaces, clock=clock).register(link)
    app[keys.WISHES] = Wishes(store=store, bookings=bookings, spaces=spaces, clock=clock)
    app[keys.WISHES].register(link)
    standby.register(link)
    app[keys.HELP].register()
    risk.register(link)
    _open(app)


def _money(app: web.Application) -> None:
    """Let money follow the bookings."""
    parts = money_of(
        app[keys.SETTINGS], store=app[keys.STORE], bookings=app[keys.BOOKINGS], spaces=app[keys.SPACES],
        pricing=app[keys.PRICING], clock=app[keys.CLOCK],
    )  # fmt: skip
    app[keys.MONEY], app[keys.PURSE], app[keys.CHECKOUT] = parts.money, parts.purse, parts.checkout


def _open(app: web.Application) -> None:
    """Make what others plug in to: changes, webhooks, calendar feeds."""
    clock, store, outbox, random = app[keys.CLOCK], app[keys.STORE], app[keys.OUTBOX], app[keys.RANDOM]
    app[keys.READINESS] = Readiness(store)
    app[keys.METRICS] = Metrics(engine=store.engine, clock=clock)
    app[keys.CHANGES] = ChangeLog(store=store, outbox=outbox)
    app[keys.BUS].subscribe(TOKEN_FORGOTTEN, app[keys.CHANGES].look)
    app[keys.FEEDS] = Feeds(store=store, bookings=app[keys.BOOKINGS], clock=clock, random=random)
    app[keys.SENDER] = Sender(allow_private=app[keys.SETTINGS].webhooks_to_private)
    webhooks = Webhooks(store=store, outbox=outbox, sender=app[keys.SENDER], clock=clock, random=random)
    app[keys.WEBHOOKS] = webhooks
    app[keys.DELIVERIES] = Deliveries(store=store, outbox=outbox, webhooks=webhooks, clock=clock, random=random)
    connect_metrics(app, app[keys.METRICS])


def _background(app: web.Application) -> Iterator[Callable[[], Awaitable[None]]]:
    """Give the work that goes on by itself."""
    yield lambda: _prune(app[keys.LINK], app[keys.CLOCK])
    sweeps = (
        app[keys.BOOKINGS].sweep,
        app[keys.RISK].sweep,
        app[keys.STANDBY].sweep,
        app[keys.HOLDS].sweep,
        app[keys.IDEMPOTENCY].sweep,
    )
    # What these write or forget lies in the memory of each server; the rest is the work of one of them.
    own = app[keys.SESSIONS].sweep, app[keys.ACCESS].sweep, app[keys.TRACKING].sweep
    store = app[keys.STORE]
    shared = tuple(partial(_alone, store, sweep) for sweep in sweeps)
    yield lambda: run_sweeps((*shared, *(partial(_again, store, sweep) for sweep in own)), app[keys.CLOCK])
    yield app[keys.DELIVERIES].run
    yield app[keys.DELIVERIES].ticks
    if app[keys.SETTINGS].metrics_port is not None:
        yield app[keys.METRICS].watch_loop
    yield app[keys.RETENTION].run
    if (checkout := app[keys.CHECKOUT]) is not None:
        yield checkout.run
        # A provider that answers slowly must not hold up the timers of bookings.
        yield lambda: run_sweeps((partial(_alone, store, checkout.sweep),), app[keys.CLOCK])
    if app[keys.BUS].shared:
        yield app[keys.BUS].run
        yield app[keys.LINK].presence.run
        yield lambda: app[keys.OUTBOX].watch(store)


async def _again(store: Store, sweep: Sweep, now: float) -> None:
    await store.again(lambda: sweep(now))


async def _alone(store: Store, sweep: Sweep, now: float) -> None:
    """Sweep unless another server of the database does it at this moment."""
    async with store.alone(f"{sweep.__module__}.{sweep.__qualname__}") as mine:
        if mine:
            await _again(store, sweep, now)


async def _prune(link: LinkService, clock: Clock) -> None:
    while True:
        async with link.store.alone("link.prune") as mine:
            if mine:
                await link.prune()
        await clock.sleep(PRUNE_EVERY)


async def _database(app: web.Application) -> AsyncIterator[None]:
    """Own the database and the threads that hash passwords."""
    store, link = app[keys.STORE], app[keys.LINK]
    link.server, link.epoch = await store.again(lambda: _named(store))
    yield
    app[keys.PASSWORDS].close()
    await app[keys.PLACES].close()
    if (checkout := app[keys.CHECKOUT]) is not None:
        await checkout.close()
    await app[keys.SENDER].close()
    await store.close()


async def _named(store: Store) -> tuple[str, str]:
    async with store.write() as tx:
        return await server_value(tx, "server"), await server_value(tx, "epoch")


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


async def _measured(app: web.Application) -> AsyncIterator[None]:
    """Own the private port of the metrics, if the operator wants it."""
    settings = app[keys.SETTINGS]
    if settings.metrics_port is None:
        yield
        return
    server = MetricsServer(app[keys.METRICS], host=settings.metrics_host, port=settings.metrics_port)
    await server.start()
    app[keys.METRICS].port = server.port
    yield
    await server.stop()


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
