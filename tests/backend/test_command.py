"""The command `parkshare-backend`, its settings and its logs."""

import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from parkshare_backend import logs
from parkshare_backend.__main__ import main
from parkshare_backend.settings import Settings
from parkshare_backend.store import migrate
from parkshare_backend.store.engine import database_url
from parkshare_backend.store.schema import on_connection

type Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command with settings; give its exit code and what it printed."""
    monkeypatch.setenv("PARKSHARE_DATABASE", str(tmp_path / "parkshare.db"))
    monkeypatch.setattr(logs, "configure", lambda **_: None)

    def run(*arguments: str, **environment: str) -> tuple[int, str]:
        for name, value in environment.items():
            monkeypatch.setenv(f"PARKSHARE_{name}", value)
        with pytest.raises(SystemExit) as left:
            main(arguments)
        printed = capsys.readouterr()
        return int(str(left.value.code)), printed.out + printed.err

    return run


def test_migrate_makes_a_database_that_the_doctor_finds_well(run: Run) -> None:
    assert run("doctor")[0] == 1
    assert run("migrate")[0] == 0
    code, printed = run("doctor")
    assert code == 0, printed
    assert "FAIL" not in printed


def test_the_doctor_names_what_is_wrong_and_the_remedy(run: Run, tmp_path: Path) -> None:
    run("migrate")
    with closing(sqlite3.connect(tmp_path / "parkshare.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
        database.execute("PRAGMA journal_mode=DELETE")
    code, printed = run("doctor", PUBLIC_URL="https://park.example.org/path", RATE_LIMITS="0")
    assert code == 1
    for remedy in ("Update the server", "local disk", "PARKSHARE_PUBLIC_URL must be", "PARKSHARE_RATE_LIMITS is 0"):
        assert remedy in printed


def test_the_doctor_says_so_when_the_file_is_no_database(run: Run, tmp_path: Path) -> None:
    (tmp_path / "parkshare.db").write_bytes(b"this is not a database, it is a letter" * 100)
    code, printed = run("doctor")
    assert code == 1
    assert "Restore a backup" in printed


def test_the_doctor_says_so_when_the_folder_is_missing(run: Run, tmp_path: Path) -> None:
    code, printed = run("doctor", DATABASE=str(tmp_path / "nowhere" / "parkshare.db"))
    assert code == 1
    assert "does not exist" in printed


def test_serve_refuses_a_database_of_a_newer_version(
    run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run("migrate")
    with closing(sqlite3.connect(tmp_path / "parkshare.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    assert run("serve")[0] == 1


def test_serve_without_migrating_refuses_an_empty_database(run: Run) -> None:
    assert run("serve", "--no-migrate")[0] == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "x"), ("PORT", "70000"), ("DATABASE", "mysql://x/y"), ("PUBLIC_URL", "park"), ("RATE_LIMITS", "-1")],
)
def test_a_wrong_setting_is_named(run: Run, name: str, value: str) -> None:
    code, printed = run("doctor", **{name: value})
    assert code == 2
    assert f"PARKSHARE_{name}:" in printed


def test_openapi_prints_the_document(run: Run) -> None:
    code, printed = run("openapi")
    assert code == 0
    assert json.loads(printed)["openapi"] == "3.1.0"


def test_secrets_can_come_from_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parkshare_name").write_text("From a file\n")
    monkeypatch.setattr("parkshare_backend.settings.SECRETS_DIR", tmp_path)
    assert Settings().name == "From a file"


def test_the_schema_in_the_code_is_the_migrated_schema(migrated: Path) -> None:
    assert migrate.differences(str(migrated)) == []


def test_migrating_twice_changes_nothing(database: str) -> None:
    before = migrate.current(database)
    migrate.upgrade(database)
    assert migrate.current(database) == before == migrate.head()


def test_a_schema_that_somebody_changed_by_hand_is_noticed(database: str, engine: str) -> None:
    surprise = {
        "sqlite": "CREATE TRIGGER surprise AFTER DELETE ON tokens BEGIN SELECT 1; END",
        "postgresql": "CREATE TRIGGER surprise BEFORE UPDATE ON tokens FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    }
    undone = "DROP TRIGGER surprise" + (" ON tokens" if engine == "postgresql" else "")
    by_hand(database, "ALTER TABLE accounts ADD COLUMN shoe_size INTEGER", surprise[engine])
    found = " ".join(migrate.differences(database))
    assert "shoe_size" in found
    assert "surprise" in found
    by_hand(database, undone, "ALTER TABLE accounts DROP COLUMN shoe_size")
    assert migrate.differences(database) == []


def by_hand(database: str, *statements: str) -> None:
    def work(connection: sa.Connection) -> None:
        for statement in statements:
            connection.exec_driver_sql(statement)

    on_connection(database_url(database), work, writes=True)


SECRETS = {
    "plate": "AB-123-CD",
    "lat": 52.5200066,
    "position": {"lat": 52.52, "lon": 13.40495},
    "authorization": "Bearer something",
    "password": "correct horse",
    "nested": {"sealed_plate": "sealed", "deeper": [{"token": "secret-token"}]},
    "note": "the token pks_0123456789abcdefghijklmnopqrstuvwxyz was used",
    "key": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY",
    "path": "/link?user_code=WDJB-MJHT",
}
FORBIDDEN = (
    "AB-123-CD",
    "52.52",
    "13.40495",
    "something",
    "correct horse",
    "sealed",
    "secret-token",
    "pks_0",
    "QUJD",
    "WDJB",
)


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_secret_reaches_a_log_line(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    kept, level, before = root.handlers[:], root.level, structlog.get_config()
    try:
        logs.configure(form=form, level="info")  # type: ignore[arg-type]
        structlog.get_logger().bind().info("said", booking="b1", **SECRETS)
        logging.getLogger("a.library").warning("GET /link?user_code=WDJB-MJHT with %s", SECRETS["note"])
        failure = ValueError("pks_0123456789abcdefghijklmnopqrstuvwxyz")
        structlog.get_logger().error("failed", exc_info=failure)
    finally:
        root.handlers[:] = kept
        root.setLevel(level)
        logging.getLogger("aiohttp.access").disabled = False
        structlog.configure(**before)
    printed = capsys.readouterr().err
    assert "b1" in printed
    assert "failed" in printed
    for secret in FORBIDDEN:
        assert secret not in printed.replace("sealed_plate", "")


def test_migrate_says_why_it_cannot_and_what_to_do(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    code, printed = run("migrate", DATABASE=str(tmp_path / "file" / "parkshare.db"))
    assert code == 1
    assert "doctor" in printed
    assert "Traceback" not in printed
    run("migrate", DATABASE=str(tmp_path / "newer.db"))
    with closing(sqlite3.connect(tmp_path / "newer.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    code, printed = run("migrate")
    assert code == 1
    assert "newer version" in printed


def test_a_migration_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """As after a kill: the next start begins from the beginning instead of finding half a schema."""
    path = tmp_path / "parkshare.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE standbys (in_the_way)")
    with pytest.raises(sa.exc.OperationalError):
        migrate.upgrade(str(path))
    with closing(sqlite3.connect(path)) as database:
        made = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        assert made == {"standbys"}
        database.execute("DROP TABLE standbys")
    migrate.upgrade(str(path))
    assert migrate.differences(str(path)) == []


def test_the_doctor_tells_of_facts_that_were_set_aside(run: Run, tmp_path: Path) -> None:
    run("migrate")
    with closing(sqlite3.connect(tmp_path / "parkshare.db")) as database:
        database.execute("INSERT INTO accounts (id, email, name, password, created_at) VALUES ('a', 'a@b', 'A', '', 0)")
        database.execute(
            "INSERT INTO installs (id, account, name, sign_key, seal_key, created_at) "
            "VALUES ('i', 'a', 'Home', x'', x'', 0)"
        )
        database.execute("INSERT INTO link_set_aside VALUES ('i', 1, '{}', 0)")
        database.commit()
    code, printed = run("doctor")
    assert code == 0
    assert "1 fact of a house could not be applied" in printed
