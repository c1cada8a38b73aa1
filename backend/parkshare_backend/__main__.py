"""The command `parkshare-backend`: serve, migrate, openapi, asyncapi, doctor."""

import argparse
import json
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from parkshare_backend import logs, serve
from parkshare_backend.app import api_routes
from parkshare_backend.changes import asyncapi
from parkshare_backend.http.openapi import document
from parkshare_backend.money import command as credits_command
from parkshare_backend.settings import Settings
from parkshare_backend.store import revisions


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    parsed = _parser().parse_args(arguments)
    try:
        settings = Settings()
    except ValidationError as error:
        for entry in error.errors(include_url=False, include_input=False, include_context=False):
            name = "_".join(str(step) for step in entry["loc"]).upper()
            print(f"PARKSHARE_{name}: {entry['msg']}", file=sys.stderr)  # noqa: T201 - there is no log yet
        sys.exit(2)
    logs.configure(form=settings.log_format, level=settings.log_level)
    sys.exit(_run(parsed, settings))


def _run(parsed: argparse.Namespace, settings: Settings) -> int:  # noqa: PLR0911 - one for each command
    match parsed.command:
        case "serve":
            return serve.serve(settings, migrate_first=not parsed.no_migrate)
        case "migrate":
            if (refusal := serve.prepare(settings)) is not None:
                print(refusal, file=sys.stderr)  # noqa: T201 - said to a person
                return 1
            print(f"The database is at revision {revisions.current(settings.database)}.")  # noqa: T201
            return 0
        case "openapi":
            print(json.dumps(document(api_routes()), indent=2, sort_keys=True))  # noqa: T201
            return 0
        case "asyncapi":
            print(json.dumps(asyncapi.document(), indent=2, sort_keys=True))  # noqa: T201
            return 0
        case "credits":
            currency = parsed.currency or settings.credits_currency
            return credits_command.grant(settings, email=parsed.email, amount=parsed.amount, currency=currency)
        case _:
            from parkshare_backend import doctor  # noqa: PLC0415 - a server need not load it

            return doctor.report(settings)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parkshare-backend",
        description="The shared backend of ParkShare. Settings come from the environment (PARKSHARE_...).",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve", help="run the server; brings the database up to date first")
    serving.add_argument("--no-migrate", action="store_true", help="refuse to start instead of changing the schema")
    commands.add_parser("migrate", help="bring the database to the schema of this version")
    commands.add_parser("openapi", help="print the OpenAPI 3.1 document")
    commands.add_parser("asyncapi", help="print the AsyncAPI 3.0 document of the stream of changes")
    credits_ = commands.add_parser("credits", help="give accounts credits of this server")
    granting = credits_.add_subparsers(dest="doing", required=True).add_parser(
        "grant", help="give an account credits; `-- EMAIL -5.00` takes some"
    )
    granting.add_argument("email")
    granting.add_argument("amount", help="like 12.50")
    granting.add_argument("--currency", help="an ISO 4217 code; the default is PARKSHARE_CREDITS_CURRENCY")
    commands.add_parser("doctor", help="check settings and database; exit code 1 when something is wrong")
    return parser


if __name__ == "__main__":
    main()
