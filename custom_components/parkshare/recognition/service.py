"""The reader service: a reader behind HTTP, for a machine with more power or other models than Home Assistant's.

    GET  /healthz    is it alive; anybody may ask
    GET  /v1/about   name, version, protocol, readers; a token is checked if there is one; ?warm=1 warms the reader up
    POST /v1/read    a picture as body (or several of one moment, with ?sizes=...); answers service_wire.describe

Errors are RFC 9457 problems. What is in a picture or on a plate is never logged.
"""

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from .service_auth import PROOF_HEADER, Signed, check_request, digest_of, proof, service_id
from .service_wire import PROTOCOL, describe
from .types import (
    WHOLE,
    BadPicture,
    Effort,
    Look,
    Picture,
    Reader,
    ReaderError,
    ReaderTimeout,
    ReaderUnavailable,
    Region,
)

LOGGER: Final = logging.getLogger("parkshare.reader")
VERSION: Final = "0.1.0"  # that of the integration
NAME: Final = "ParkShare reader"
LARGEST_BODY: Final = 40_000_000  # bytes; one picture has at most 20 million (pictures.py)
MOST_PICTURES: Final = 6  # of one moment
LONGEST_CAMERA: Final = 64  # characters of the name of a view
PROBLEM: Final = "urn:parkshare:reader:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """What one service takes on at a time (s unless said)."""

    waiting: int = 4  # requests beside the one that is read; more are sent away, since their moment is over soon
    body_s: float = 10.0  # for a body to arrive
    read_s: float = 30.0  # waiting for its turn included
    idle_s: float = 600.0  # after which the reader's memory is given back
    retry_after_s: int = 1


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer that tells what is wrong. more is added to the document."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.more = more

    def document(self) -> dict[str, Any]:
        """Render it."""
        return {
            "type": PROBLEM + self.code,
            "title": self.status.phrase,
            "status": self.status.value,
            "detail": self.detail,
            **self.more,
        }


class ReaderService:
    """One reader and the requests for it, one at a time."""

    def __init__(self, reader: Reader, *, token: str | None, limits: ServiceLimits | None = None) -> None:
        """Without a token anybody who reaches the port may read; only for a network of one's own."""
        self._reader = reader
        self._token = token
        self._limits = limits or ServiceLimits()
        self._inside = 0
        self._one_at_a_time = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._reads = 0

    def app(self) -> web.Application:
        """Make the application."""
        app = web.Application(middlewares=[self._answer], client_max_size=LARGEST_BODY)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/v1/about", self._about)
        app.router.add_post("/v1/read", self._read)
        app.on_cleanup.append(self._stop)
        return app

    # Routes

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _about(self, request: web.Request) -> web.Response:
        about: dict[str, Any] = {
            "name": NAME,
            "version": VERSION,
            "protocol": PROTOCOL,
            "readers": [self._reader.name],
            "id": service_id(self._token) if self._token else "",
            "token": self._token is not None,
        }
        if "Authorization" in request.headers:
            self._admitted(request)
            # Not for everybody: a count that grows tells when a car comes.
            about["reads"] = self._reads
            if request.query.get("warm") == "1":
                self._start(self._warm_up())
        return web.json_response(about)

    async def _read(self, request: web.Request) -> web.Response:
        signed = self._admitted(request)
        if self._inside > self._limits.waiting:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                "Other pictures are being read. Try again in a moment.",
                headers={"Retry-After": str(self._limits.retry_after_s)},
            )
        self._inside += 1
        try:
            pictures = self._pictures(request, await self._body(request, signed))
            return web.json_response(await self._looked(pictures))
        finally:
            self._inside -= 1

    # Parts of a request

    def _admitted(self, request: web.Request) -> Signed:
        """Check who asks; before the body is read, so that a stranger costs nothing."""
        if self._token is None:
            return Signed("", "")
        header = request.headers.get("Authorization", "")
        signed = check_request(self._token, header, method=request.method, target=request.raw_path)
        if signed is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "The token is missing or wrong. It is printed when the service starts for the first time.",
                headers={"WWW-Authenticate": "ParkShare, Bearer"},
            )
        request["signed"] = signed
        return signed

    async def _body(self, request: web.Request, signed: Signed) -> bytes:
        try:
            async with asyncio.timeout(self._limits.body_s):
                body = await request.read()
        except TimeoutError:
            raise Problem(HTTPStatus.REQUEST_TIMEOUT, "slow", "The picture did not arrive in time.") from None
        except web.HTTPRequestEntityTooLarge:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"More than {LARGEST_BODY // 1_000_000} MB."
            ) from None
        if signed.digest and not hmac.compare_digest(signed.digest, digest_of(body)):
            raise Problem(HTTPStatus.UNAUTHORIZED, "unauthorized", "The body is not the one that was signed.")
        return body

    def _pictures(self, request: web.Request, body: bytes) -> list[Picture]:
        """Cut the body into its pictures; their time is only their order here."""
        try:
            region = _region(request.query.get("region"))
            sizes = [int(size) for size in request.query.get("sizes", str(len(body))).split(",")]
        except ValueError as error:
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-request", f"The query cannot be used: {error}") from None
        if not body:
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-request", "Send a picture as the body.")
        if len(sizes) > MOST_PICTURES or sum(sizes) != len(body) or min(sizes) <= 0:
            raise Problem(HTTPStatus.BAD_REQUEST, "bad-request", "The sizes do not fit the body.")
        camera = request.query.get("camera", "")[:LONGEST_CAMERA]
        wanted = request.query.get("effort", "")
        effort = Effort(wanted) if wanted in Effort else Effort.USUAL  # a newer house may know more of them
        pictures, begin = [], 0
        for index, size in enumerate(sizes):
            pictures.append(Picture(body[begin : begin + size], float(index), region, camera, effort))
            begin += size
        return pictures

    async def _looked(self, pictures: list[Picture]) -> dict[str, Any]:
        self._stay_awake()
        try:
            async with asyncio.timeout(self._limits.read_s), self._one_at_a_time:
                look = await (self._reader.read_best(pictures) if len(pictures) > 1 else self._reader.read(pictures[0]))
        except BadPicture as error:
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "bad-picture", str(error)) from None
        except ReaderUnavailable as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", str(error), reason=error.reason, remedy=error.remedy
            ) from None
        except (ReaderTimeout, TimeoutError) as error:
            detail = str(error) or "The picture took too long to read."
            raise Problem(HTTPStatus.GATEWAY_TIMEOUT, "slow", detail) from None
        finally:
            self._rest_when_idle()
        self._reads += 1
        return describe(look, picture=_which(look, pictures))

    # Life

    async def _warm_up(self) -> None:
        self._stay_awake()
        with suppress(ReaderError):  # told to whoever wants something read
            async with self._one_at_a_time:
                await self._reader.start()
        self._rest_when_idle()

    async def _rest(self) -> None:
        async with self._one_at_a_time:
            if not self._inside:
                await self._reader.stop()

    def _stay_awake(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _rest_when_idle(self) -> None:
        self._stay_awake()
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self._limits.idle_s, lambda: self._start(self._rest()))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stop(self, _app: web.Application) -> None:
        self._stay_awake()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._reader.stop()

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Turn what went wrong into a problem, and prove who answers."""
        try:
            answer = await handler(request)
        except Problem as problem:
            answer = _problem(problem)
        except web.HTTPException as error:
            answer = _problem(Problem(HTTPStatus(error.status), "http", error.reason))
        except Exception as error:  # noqa: BLE001 - the next request may fare better
            # Neither the message nor where: an exception may quote what was read.
            LOGGER.error("A request failed: %s", type(error).__name__)  # noqa: TRY400
            answer = _problem(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "defect", "Something is wrong in the service."))
        signed: Signed | None = request.get("signed")
        if self._token and signed and signed.nonce and isinstance(answer, web.Response):
            body = answer.body if isinstance(answer.body, bytes) else b""
            answer.headers[PROOF_HEADER] = proof(self._token, signed.nonce, status=answer.status, body=body)
        return answer


def _problem(problem: Problem) -> web.Response:
    return web.Response(
        body=json.dumps(problem.document()).encode(),
        status=problem.status.value,
        content_type="application/problem+json",
        headers=problem.headers,
    )


def _region(text: str | None) -> Region:
    if not text:
        return WHOLE
    left, top, right, bottom = (float(part) for part in text.split(","))
    return Region(left, top, right, bottom)


def _which(look: Look, pictures: list[Picture]) -> int:
    """Tell which picture was read: a reader that chooses says so with its time."""
    return next((index for index, picture in enumerate(pictures) if picture.taken_at == look.taken_at), 0)
