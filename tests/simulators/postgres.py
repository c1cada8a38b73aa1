"""A private PostgreSQL: its own folder, reached through a socket in it and not by the network, ended by its process id.

By hand: python -m tests.simulators.postgres --folder .demo/postgres
"""

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from tests.simulators.process import Child, ProcessFailedError

START_WITHIN = 60.0  # seconds; about one on an idle machine
USER = "parkshare"
# A commit that does not wait for the disk: no test but those of durability is about a power cut.
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
SMALL = ("shared_buffers=64MB", "max_connections=200", "autovacuum_naptime=10s")

EMPTY = """
DO $$ DECLARE here text; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR here IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', here);
    END LOOP;
END $$
"""


def programs() -> Path:
    """Give the folder of PostgreSQL's programs: Debian keeps them out of the path, the newest counts."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if (initdb := shutil.which("initdb")) is not None:
        return Path(initdb).resolve().parent
    raise ProcessFailedError("PostgreSQL is not installed. Run scripts/setup.")


def installed() -> bool:
    """Tell whether there is a PostgreSQL to start."""
    with contextlib.suppress(ProcessFailedError):
        return programs().is_dir()
    return False


class Postgres:
    """One cluster; `with Postgres(folder) as postgres: postgres.url("name")`."""

    def __init__(self, folder: Path, *, durable: bool = False, settings: Sequence[str] = ()) -> None:
        self.folder = folder.resolve()
        options = [*SMALL, *(() if durable else QUICK), *settings]
        command: list[str | Path] = [programs() / "postgres", "-D", self.folder / "data"]
        command += ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        command += [part for option in options for part in ("-c", option)]
        self._as_user = _somebody_else()
        self.process = Child("PostgreSQL", self._as_user + command, log=self.folder / "log" / "postgres.log")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, database: str) -> str:
        """Give the setting PARKSHARE_DATABASE for a database of this cluster."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers."""
        if not (self.folder / "data" / "PG_VERSION").exists():
            self._make()
        self.process.start()
        deadline = time.monotonic() + START_WITHIN
        while not self._answers():
            self.process.require_running()
            if time.monotonic() > deadline:
                raise ProcessFailedError(f"PostgreSQL did not start; see {self.process.log}\n{self.process.tail()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order, without waiting for who is connected."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End it as a power cut does (its own children end with it)."""
        self._signal(signal.SIGKILL)

    def create(self, database: str, *, template: str = "template0") -> str:
        """Make a database as a copy of another one that nobody uses; give its setting."""
        self.sql(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected."""
        self.sql(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def empty(self, database: str) -> None:
        """Take every row out of every table but the migrations', whoever is connected; triggers do not hear of it."""
        self.sql(EMPTY, database=database)

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Run statements through psql; give what it prints, columns parted by |."""
        command = [programs() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder]
        command += ["-U", USER, "-d", database, "-c", statement]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ProcessFailedError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()

    def _make(self) -> None:
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        data.mkdir(mode=0o700, exist_ok=True)
        if self._as_user:
            self.folder.chmod(0o755)
            for path in (self.folder, self.folder / "log", data):
                shutil.chown(path, _user().pw_name)
        command = [*self._as_user, programs() / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8"]
        command += ["--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, cwd="/")
        if done.returncode != 0:
            raise ProcessFailedError(f"initdb failed: {done.stderr.strip()}")

    def _answers(self) -> bool:
        command = [programs() / "pg_isready", "-q", "-h", self.folder]
        return subprocess.run([str(part) for part in command], check=False).returncode == 0

    def _signal(self, how: signal.Signals) -> None:
        # What changes the user becomes PostgreSQL, so the child's id is that of the server itself.
        if (pid := self.process.pid) is not None:
            os.kill(pid, how)
            deadline = time.monotonic() + START_WITHIN
            while self.process.running and time.monotonic() < deadline:
                time.sleep(0.02)
        self.process.stop()


def _user() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ProcessFailedError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`.")


def _somebody_else() -> list[str | Path]:
    """Give the start of a command that runs as an ordinary user: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user, setpriv = _user(), shutil.which("setpriv") or "setpriv"
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


@contextlib.contextmanager
def private_postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """Run a cluster in a folder of its own that is removed at the end.

    Not in a folder of pytest: those only their owner may enter, and the server runs as somebody else.
    """
    folder = Path(tempfile.mkdtemp(prefix="parkshare-postgres-"))
    try:
        with Postgres(folder, durable=durable) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Run a cluster until Ctrl-C."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.postgres", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    with Postgres(parser.parse_args().folder, durable=True) as postgres:
        with contextlib.suppress(ProcessFailedError):  # it is there from the last time
            postgres.create("parkshare")
        print(f"PARKSHARE_DATABASE={postgres.url('parkshare')} until Ctrl-C", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
