"""Logs: structlog for us and for the libraries, with what must never be written taken out last.

A plate, a position, a token or a key in a log outlives every rule about them, so the processor knows the
names under which they could appear and the shapes that they have.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Literal

import structlog

# Set for each request, with everything that it starts. structlog's own variables take five times as long to set.
REQUEST: ContextVar[str] = ContextVar("request", default="")
REDACTED = "[redacted]"
SECRET_NAMES = frozenset({
    "plate", "sealed_plate", "lat", "lon", "latitude", "longitude", "position", "positions", "fix", "fixes", "place",
    "address", "access_notes", "token", "tokens", "authorization", "cookie", "password",
    "email", "device_code", "user_code", "sig", "signature", "nonce", "csrf", "secret", "phone", "d", "body", "query",
    "url", "challenge", "credential", "webhook-signature",
})  # fmt: skip
# Tokens, addresses of feeds and keys of webhooks anywhere in a text; sealed plates, keys and device codes are long
# base64url; query strings; e-mail addresses, and with them the password of a database's URL.
_SECRET_SHAPES = re.compile(
    r"pk[sf]_[A-Za-z0-9_-]+|whsec_[A-Za-z0-9+/=]+|[A-Za-z0-9_-]{43,}|\?[^\s\"']+|[^\s\"'@<>]+@[^\s\"'@<>]+"
)


def name_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Add the request during which something happened (a structlog processor)."""
    request = REQUEST.get()
    return {"request": request, **event} if request else event


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets out of an event, however deep they lie (a structlog processor)."""
    for name, value in list(event.items()):
        event[name] = REDACTED if name.lower() in SECRET_NAMES else _clean(value)
    return event


def _clean(value: Any) -> Any:
    match value:
        case str():
            return _SECRET_SHAPES.sub(REDACTED, value)
        case dict():
            return {
                name: REDACTED if str(name).lower() in SECRET_NAMES else _clean(inner) for name, inner in value.items()
            }
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case bytes():
            return REDACTED
        case None | bool() | int() | float():
            return value
        case _:
            return _SECRET_SHAPES.sub(REDACTED, str(value))


def configure(*, form: Literal["auto", "console", "json"], level: str) -> None:
    """Send every log line of the process to standard error; auto is console on a terminal, else JSON."""
    before: list[structlog.typing.Processor] = [
        name_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    render: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer()
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*before, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redact,
            render,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Our own access log has no query strings; aiohttp's would.
    logging.getLogger("aiohttp.access").disabled = True
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
