"""Running the reader service: `python -m custom_components.parkshare.recognition serve`, or as a Home Assistant app."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from .embedded import EmbeddedReader
from .fast_plate import DEFAULT_DETECTOR, DEFAULT_MODEL, FastPlateModels, FastPlateReader
from .service import ReaderService
from .service_announce import Announcement, tell_supervisor
from .service_auth import SHORTEST_TOKEN, new_token, service_id
from .types import Reader

LOGGER: Final = logging.getLogger("parkshare.reader")
PORT: Final = 8733
TOKEN_FILE: Final = Path("parkshare-reader.token")
APP_OPTIONS: Final = Path("/data/options.json")  # where a Home Assistant app finds what its user chose
GOODBYE_S: Final = 2.0  # for requests under way when the service ends


def main(arguments: Sequence[str]) -> int:
    """Serve until told to end; returns the exit code."""
    options = _parser().parse_args([*arguments, *_app_arguments()])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        token = None if options.no_token else _token(options.token_file)
        tls = _tls(options.cert, options.key)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return asyncio.run(_serve(options, token, tls))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="recognition serve", description="ParkShare's plate reader as a service.")
    parser.add_argument("--host", default="0.0.0.0", help="address to listen on (default: all)")
    parser.add_argument("--port", type=int, default=PORT, help="(default: %(default)s)")
    parser.add_argument("--token-file", type=Path, default=TOKEN_FILE, help="made with a new token if it is missing")
    parser.add_argument("--no-token", action="store_true", help="let anybody read who reaches the port")
    parser.add_argument("--reader", choices=("embedded", "fast-plate-ocr"), default="embedded")
    parser.add_argument(
        "--models", type=Path, help="embedded: folder of the models; fast-plate-ocr: where they are kept"
    )
    parser.add_argument("--ocr", default=DEFAULT_MODEL, help="fast-plate-ocr: a model of its hub, or an ONNX file")
    parser.add_argument("--ocr-config", default="", help="fast-plate-ocr: the configuration (YAML) of an ONNX file")
    parser.add_argument(
        "--detector", default=DEFAULT_DETECTOR, help="fast-plate-ocr: a model of its hub, an ONNX file, or none"
    )
    parser.add_argument("--announce", action=argparse.BooleanOptionalAction, default=True, help="tell the network")
    parser.add_argument("--cert", type=Path, help="certificate chain (PEM), for https")
    parser.add_argument("--key", type=Path, help="its private key (PEM)")
    return parser


def _app_arguments() -> list[str]:
    """What the user of the Home Assistant app chose, as arguments."""
    if "SUPERVISOR_TOKEN" not in os.environ or not APP_OPTIONS.is_file():
        return []
    chosen: dict[str, Any] = json.loads(APP_OPTIONS.read_text())
    known = ("reader", "ocr", "ocr_config", "detector")
    pairs = [(f"--{name.replace('_', '-')}", str(chosen[name])) for name in known if chosen.get(name)]
    return [part for pair in pairs for part in pair]


def _token(file: Path) -> str:
    """Read the token, or make one and print it once; raises OSError and ValueError."""
    with contextlib.suppress(FileNotFoundError):
        token = file.read_text(encoding="ascii").strip()
        if len(token) < SHORTEST_TOKEN:
            raise ValueError(f"{file}: the token is shorter than {SHORTEST_TOKEN} characters. Delete the file.")
        return token
    token = new_token()
    file.parent.mkdir(parents=True, exist_ok=True)
    # Nobody else on this machine may read it, not even for a moment.
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as stream:
        stream.write(f"{token}\n")
    sys.stdout.write(f"The token of this reader, kept in {file}:\n\n    {token}\n\nHome Assistant will ask for it.\n")
    sys.stdout.flush()
    return token


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None:
        raise ValueError("--key needs --cert")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    return context


def _reader(options: argparse.Namespace) -> Reader:
    if options.reader == "embedded":
        return EmbeddedReader(options.models)
    models = FastPlateModels(
        ocr=options.ocr,
        ocr_config=options.ocr_config,
        detector="" if options.detector == "none" else options.detector,
        folder=str(options.models or options.token_file.parent / "fast-plate-ocr"),
    )
    return FastPlateReader(models)


async def _serve(options: argparse.Namespace, token: str | None, tls: ssl.SSLContext | None) -> int:
    service = ReaderService(_reader(options), token=token)
    # No access log: it would tell when a car comes.
    runner = web.AppRunner(service.app(), access_log=None, shutdown_timeout=GOODBYE_S)
    await runner.setup()
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    announcements: list[Announcement] = []
    telling: asyncio.Task[bool] | None = None
    try:
        await web.TCPSite(runner, options.host, options.port, ssl_context=tls).start()
        port = int(runner.addresses[0][1])
        LOGGER.info("Reading with %s on port %d%s", options.reader, port, " (https)" if tls else "")
        identity = service_id(token) if token else ""
        supervisor = os.environ.get("SUPERVISOR_TOKEN")
        if supervisor:
            config = {"host": socket.gethostname(), "port": port, "token": token, "id": identity}
            telling = asyncio.create_task(tell_supervisor(supervisor, config))
        elif options.announce and token:
            announcements.append(Announcement(identity=identity, host=options.host, port=port, tls=tls is not None))
            await announcements[0].start()
        await ended.wait()
    except OSError as error:
        LOGGER.error("The port cannot be listened on: %s", error.strerror)  # noqa: TRY400 - the reason says it all
        return 1
    finally:
        if telling is not None:
            telling.cancel()
        for announcement in announcements:
            await announcement.stop()
        await runner.cleanup()
    return 0
