"""`parkshare-backend doctor`: what an operator can check before asking for help, each with its remedy."""

import asyncio
import os
import shutil
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import sqlalchemy as sa

from parkshare_backend.money.audit import audit, given_up
from parkshare_backend.settings import Settings
from parkshare_backend.store import migrate
from parkshare_backend.store.contract import SQLITE
from parkshare_backend.store.engine import UNABLE, Store, UnableError, database_url, shown
from parkshare_backend.store.server import look_at, set_aside

FREE_SPACE = 256 * 1024 * 1024  # bytes; a full disk stops every booking
# This version was not there before, so a clock that says otherwise is wrong.
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
_LOCAL = {"localhost", "127.0.0.1", "::1", "0.0.0.0"}


def report(settings: Settings) -> int:
    """Print each check; give 1 when one failed, else 0."""
    failed = False
    print(f"     database: {shown(settings.database)}")  # noqa: T201
    for name, check in _checks(settings):
        problem = check(settings)
        failed = failed or problem is not None
        print(f"{'ok  ' if problem is None else 'FAIL'} {name}{'' if problem is None else ': ' + problem}")  # noqa: T201
    for warning in warnings(settings):
        print(f"note {warning}")  # noqa: T201
    return int(failed)


def warnings(settings: Settings) -> Iterator[str]:
    """Give what is right for a test at home and wrong for a server in the open."""
    url = urlsplit(settings.public_url)
    if url.scheme == "http" and url.hostname not in _LOCAL:
        yield "PARKSHARE_PUBLIC_URL is http: passwords travel in the clear. Put a TLS proxy before the server."
    if url.hostname in _LOCAL:
        yield "PARKSHARE_PUBLIC_URL is this machine: other machines cannot use it. Set it to the server's address."
    if (set_aside := _set_aside(settings)) > 0:
        facts = "1 fact of a house" if set_aside == 1 else f"{set_aside} facts of houses"
        yield (
            f"{facts} could not be applied, by a defect of the server, and set aside in the table link_set_aside. "
            "Report it with the lines `link.failed` of the log."
        )
    if lost := _asked(settings, given_up):
        yield (
            f"{lost} payments or refunds were refused by the payment provider for good. Look for `money.given_up` in "
            "the log and settle them with the provider."
        )
    if settings.rate_limits == 0:
        yield "PARKSHARE_RATE_LIMITS is 0: anybody may guess passwords as fast as they can. Set it to 1."


def _writable(settings: Settings) -> str | None:
    path = _path(settings)
    folder = path.parent
    if not folder.is_dir():
        return f"The folder {folder} does not exist. Make it, or set PARKSHARE_DATABASE to another path."
    if not os.access(folder, os.W_OK):
        return f"The folder {folder} cannot be written; SQLite needs that for its log. Change its owner or rights."
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute("CREATE TABLE doctor_was_here (x)")
            database.execute("ROLLBACK")
    except sqlite3.Error as error:
        return f"{path} cannot be written ({error}). Check its owner and rights, and that no other program holds it."
    return None


def _intact(settings: Settings) -> str | None:
    if not _path(settings).exists():
        return None
    try:
        with closing(sqlite3.connect(_path(settings), timeout=5)) as database:
            (answer,) = database.execute("PRAGMA quick_check(1)").fetchone()
            broken = database.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        return f"SQLite cannot read it ({error}). Restore a backup."
    if answer != "ok" or broken is not None:
        return "SQLite finds it damaged. Stop the server and restore a backup."
    return None


def _migrated(settings: Settings) -> str | None:
    try:
        revision = migrate.current(settings.database)
    except (sa.exc.SQLAlchemyError, sqlite3.Error, asyncpg.PostgresError, UnableError) as error:
        return f"The revision cannot be read ({type(error).__name__}). Is this a ParkShare database?"
    if revision == migrate.head():
        return None
    if revision is None:
        return "There are no tables yet. Run `parkshare-backend migrate`; `serve` does it too."
    if not migrate.known(revision):
        return f"Revision {revision} is of a newer version. Update the server."
    return f"Revision {revision} is older than {migrate.head()}. Run `parkshare-backend migrate`."


def _journal(settings: Settings) -> str | None:
    if not _path(settings).exists():
        return None
    try:
        with closing(sqlite3.connect(_path(settings), timeout=5)) as database:
            (mode,) = database.execute("PRAGMA journal_mode").fetchone()
    except sqlite3.Error as error:
        return f"The journal mode cannot be read ({error})."
    if mode == "wal":
        return None
    return f"The journal mode is {mode}. Put the database on a local disk (no network share) and run `migrate`."


def _set_aside(settings: Settings) -> int:
    """Count the facts that no code of ours could apply; what cannot be read, other checks tell."""
    return _asked(settings, set_aside) or 0


def _clock(_settings: Settings) -> str | None:
    if time.time() >= EARLIEST:
        return None
    return f"The clock says {datetime.now(UTC):%Y-%m-%d}. Set it, best by NTP: bookings are all about time."


def _public_url(settings: Settings) -> str | None:
    url = urlsplit(settings.public_url)
    if url.hostname and not url.query and not url.fragment and url.path in {"", "/"}:
        return None
    return "PARKSHARE_PUBLIC_URL must be an address like https://park.example.org, without a path."


def _space(settings: Settings) -> str | None:
    folder = _path(settings).parent
    if not folder.is_dir() or shutil.disk_usage(folder).free >= FREE_SPACE:
        return None
    return f"Less than {FREE_SPACE >> 20} MiB are free in {folder}. Make room."


def _path(settings: Settings) -> Path:
    return Path(str(database_url(settings.database).database))


def _books(settings: Settings) -> str | None:
    """Look whether money is where it must be; what can't be read, other checks tell."""
    wrong = _asked(settings, audit)
    if not wrong:
        return None
    return f"{' '.join(wrong)} This is a defect of the server: report it, and restore nothing before you understand it."


def _asked[Answer](settings: Settings, ask: Callable[[Store], Awaitable[Answer]]) -> Answer | None:
    async def look() -> Answer:
        store = Store(settings.database)
        try:
            return await ask(store)
        finally:
            await store.close()

    if _migrated(settings) is not None:
        return None
    try:
        return asyncio.run(look())
    except UNABLE:
        return None


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[Settings], str | None]]]:
    """Give what can be checked; files are looked at where the database is one."""
    is_file = database_url(settings.database).get_backend_name() == SQLITE
    if not is_file:
        yield "database answers", lambda settings: look_at(settings.database)
    for name, check in CHECKS.items():
        if is_file or name not in OF_FILES:
            yield name, check


OF_FILES = {"database can be written", "database is intact", "write-ahead log is on", "disk has room"}
CHECKS: dict[str, Callable[[Settings], str | None]] = {
    "database can be written": _writable,
    "database is intact": _intact,
    "migrations are current": _migrated,
    "write-ahead log is on": _journal,
    "disk has room": _space,
    "money is where it must be": _books,
    "clock is right": _clock,
    "public address is usable": _public_url,
}
