"""Running the server until it is told to stop."""

import asyncio
import gc
import signal
import sqlite3

import asyncpg
import sqlalchemy as sa
import structlog
import uvloop
from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.app import build_app
from parkshare_backend.http import door
from parkshare_backend.settings import Settings
from parkshare_backend.store import revisions
from parkshare_backend.store.engine import UnableError, shown

log = structlog.get_logger()


def serve(settings: Settings, *, migrate_first: bool) -> int:
    """Serve until SIGTERM or SIGINT; give the exit code."""
    if (refusal := prepare(settings, migrate_first=migrate_first)) is not None:
        log.error("server.refused", reason=refusal)
        return 1
    try:
        return asyncio.run(_serve(settings), loop_factory=uvloop.new_event_loop)
    except OSError as error:
        log.error("server.cannot_listen", host=settings.host, port=settings.port, reason=str(error))  # noqa: TRY400
        return 1


def prepare(settings: Settings, *, migrate_first: bool = True) -> str | None:
    """Bring the database up to date; give a reason when that cannot be, or the server must not start on it."""
    try:
        revision = revisions.current(settings.database)
        if revision is not None and not revisions.known(revision):
            return f"The database has revision {revision} of a newer version. Update the server, or restore a backup."
        if revision != revisions.head():
            if not migrate_first:
                return f"The database has revision {revision}, this version needs {revisions.head()}. Run `migrate`."
            from parkshare_backend.store import migrate  # noqa: PLC0415 - a server on a current one need not load it

            migrate.upgrade(settings.database)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, UnableError, OSError) as error:
        where = shown(settings.database)
        return f"The database of PARKSHARE_DATABASE, {where}, cannot be opened: {error} See `parkshare-backend doctor`."
    return None


async def _serve(settings: Settings) -> int:
    """Serve; give the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    app = build_app(settings)
    outgrown = asyncio.create_task(_outgrown(app, stop))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=settings.drain_s)
    await runner.setup()
    door.hang(runner)
    try:
        site = web.TCPSite(runner, settings.host, settings.port, backlog=1024)
        await site.start()
        # The port that the system chose, when the setting is 0.
        port = runner.addresses[0][1]
        log.info("server.listening", host=settings.host, port=port, public_url=settings.public_url)
        # What the start made stays; the collector need not look through it again and again.
        gc.collect()
        gc.freeze()
        await stop.wait()
        log.info("server.stopping")
        # First said, then done: whoever shares out the work sends none here once it has asked /readyz.
        app[keys.READINESS].stop()
        await asyncio.sleep(settings.notice_s)
    finally:
        # Stops listening, says bye to the houses (on_shutdown), waits for open requests, closes the database.
        outgrown.cancel()
        await runner.cleanup()
        app[keys.ACCESS].tell()
    log.info("server.stopped")
    return int(outgrown.done() and not outgrown.cancelled())


async def _outgrown(app: web.Application, stop: asyncio.Event) -> None:
    """Stop the server once a newer one has changed the database for itself."""
    revision = await revisions.outgrown(app[keys.STORE])
    log.error("server.outgrown", revision=revision, remedy="Start this server anew with the newer version.")
    stop.set()
