"""The reader service seen from Home Assistant: a Reader that asks another machine."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from .frames import fitting
from .service_auth import PROOF_HEADER, authorization, is_proof, new_nonce
from .service_wire import PROTOCOL, WireError, understand
from .strikes import STRIKES, WINDOW_S, Strikes
from .types import WHOLE, BadPicture, Effort, Look, Picture, ReaderTimeout, ReaderUnavailable

LARGEST_ANSWER: Final = 8_000_000  # bytes; a look of 64 long readings with matrices has about 3 million
MOST_PICTURES: Final = 4  # of one moment: each has to travel
LONGEST_WAIT_S: Final = 2.0  # for a service that is busy
PROBLEM: Final = "urn:parkshare:reader:"

_UNREACHABLE: Final = "Check that it runs and that its address in ParkShare's options is right."
_ENTER_ANEW: Final = "Enter the token of the reader service again, in ParkShare's options."


class ServiceError(Exception):
    """The service cannot be used as it is; key says why, for the texts of a form."""

    def __init__(self, key: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.key = key
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class About:
    """What a reader service says of itself."""

    name: str
    version: str
    identity: str
    readers: tuple[str, ...]
    wants_token: bool


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    document: dict[str, Any]
    retry_after: float | None


class ServiceReader:
    """Reads plates by asking a reader service. One that does not answer in time costs a strike; three, and it rests.

    With a token every answer has to prove that it comes from who knows it. timeout (s) is for one picture or the few
    of one moment, connecting included.
    """

    name = "service"

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        timeout: float = 8.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._url = URL(url)
        self._token = token
        self._timeout = timeout
        self._clock = clock
        self._strikes = Strikes()
        self._checked = False

    async def start(self) -> None:
        """Ask the service to warm up; raises ReaderUnavailable."""
        await self._check(warm=True)

    async def read(self, picture: Picture) -> Look:
        """Read one picture."""
        return await self._read([picture])

    async def read_best(self, pictures: Sequence[Picture]) -> Look:
        """Let the service read the best of the newest few pictures of one moment."""
        return await self._read(fitting(list(pictures)[-MOST_PICTURES:]))

    async def stop(self) -> None:
        """Nothing is held here; the service rests by itself."""
        self._checked = False

    async def _read(self, pictures: Sequence[Picture]) -> Look:
        if self._strikes.out(self._clock()):
            raise ReaderUnavailable(
                f"The reader service failed {STRIKES} times within {WINDOW_S / 60:.0f} minutes and is left alone.",
                "Look at its log and at the network between it and Home Assistant.",
            )
        if not self._checked:
            await self._check(warm=False)
        body = b"".join(picture.content for picture in pictures)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._ask_until_free(_target(pictures), body)
        except TimeoutError as error:
            self._strikes.strike(self._clock())
            raise ReaderTimeout(f"The reader service did not answer within {self._timeout:g} s.") from error
        except ServiceError as error:
            self._checked = False
            raise ReaderUnavailable(error.reason, error.remedy) from error
        if answer.status == 200:  # noqa: PLR2004 - OK
            try:
                return understand(answer.document, [picture.taken_at for picture in pictures])
            except WireError as error:
                self._strikes.strike(self._clock())
                raise ReaderTimeout("The reader service answered something that is no reading.") from error
        raise self._failure(answer)

    async def _ask_until_free(self, target: str, body: bytes) -> _Answer:
        while True:
            answer = await self._ask("POST", target, body)
            if answer.document.get("type") != f"{PROBLEM}busy":
                return answer
            await asyncio.sleep(min(answer.retry_after or 1.0, LONGEST_WAIT_S))

    def _failure(self, answer: _Answer) -> Exception:
        """Tell what an answer that is no look means for the picture and for the reader."""
        kind = str(answer.document.get("type", "")).removeprefix(PROBLEM)
        detail = str(answer.document.get("detail", ""))[:300]
        if kind == "bad-picture":
            return BadPicture(detail)
        if kind == "unavailable":
            reason, remedy = (str(answer.document.get(name, ""))[:300] for name in ("reason", "remedy"))
            return ReaderUnavailable(f"The reader service cannot read: {reason}", remedy)
        self._strikes.strike(self._clock())
        return ReaderTimeout(f"The reader service failed ({answer.status}). {detail}".strip())

    async def _check(self, *, warm: bool) -> None:
        try:
            await self._about(warm=warm)
        except ServiceError as error:
            raise ReaderUnavailable(error.reason, error.remedy) from error
        self._strikes.forgive()
        self._checked = True

    async def about(self) -> About:
        """Ask who is there and whether the token is right; raises ServiceError."""
        return await self._about(warm=False)

    async def _about(self, *, warm: bool) -> About:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._ask("GET", "/v1/about?warm=1" if warm else "/v1/about")
        except TimeoutError as error:
            raise ServiceError(
                "cannot_connect", f"The reader service did not answer within {self._timeout:g} s.", _UNREACHABLE
            ) from error
        said = answer.document
        protocol, readers = said.get("protocol"), said.get("readers")
        if answer.status != 200 or not isinstance(protocol, int) or not isinstance(readers, list):  # noqa: PLR2004
            raise ServiceError("not_a_reader", "Something answers that is no reader service.", _UNREACHABLE)
        if protocol != PROTOCOL:
            raise ServiceError(
                "version_mismatch",
                f"The reader service speaks version {protocol} of the protocol, ParkShare version {PROTOCOL}.",
                "Update the older of the two.",
            )
        return About(
            name=str(said.get("name", ""))[:64],
            version=str(said.get("version", ""))[:64],
            identity=str(said.get("id", ""))[:64],
            readers=tuple(str(reader)[:64] for reader in readers[:8]),
            wants_token=bool(said.get("token", True)),
        )

    async def _ask(self, method: str, target: str, body: bytes = b"") -> _Answer:
        """Send a request and read its answer, bounded; raises ServiceError, and TimeoutError from around it."""
        nonce = new_nonce()
        headers = {}
        if self._token:
            headers["Authorization"] = authorization(self._token, nonce, method=method, target=target, body=body)
        # Encoded already: what is signed has to be what is sent.
        url = self._url.origin().join(URL(target, encoded=True))
        try:
            async with self._session.request(
                method, url, data=body or None, headers=headers, allow_redirects=False, timeout=_NO_LIMIT
            ) as answer:
                content = await _bounded(answer)
                retry_after = answer.headers.get("Retry-After", "")
                status, claimed = answer.status, answer.headers.get(PROOF_HEADER, "")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise ServiceError(
                "cannot_connect", f"The reader service at {self._url.host} cannot be reached.", _UNREACHABLE
            ) from error
        if status == 401:  # noqa: PLR2004 - unauthorized
            raise ServiceError("wrong_token", "The reader service does not accept the token.", _ENTER_ANEW)
        if self._token and not is_proof(claimed, self._token, nonce, status=status, body=content):
            raise ServiceError(
                "not_proven",
                "What answers at the reader service's address does not know the token.",
                "Somebody else may have taken its address. Check the address in ParkShare's options.",
            )
        return _Answer(status, _document(content), float(retry_after) if retry_after.isdecimal() else None)


# The limit is around the whole exchange, waiting for a busy service included.
_NO_LIMIT: Final = aiohttp.ClientTimeout(total=None)


def _target(pictures: Sequence[Picture]) -> str:
    """Return path and query of a request to read pictures of one view."""
    last = pictures[-1]
    query: dict[str, str] = {}
    if len(pictures) > 1:
        query["sizes"] = ",".join(str(len(picture.content)) for picture in pictures)
    if last.region != WHOLE:
        region = last.region
        query["region"] = ",".join(f"{side:.5f}" for side in (region.left, region.top, region.right, region.bottom))
    if last.effort is not Effort.USUAL:
        query["effort"] = last.effort.value
    if last.camera:
        # Only that it is the same view as before matters there, not which one it is.
        query["camera"] = hashlib.sha256(last.camera.encode()).hexdigest()[:16]
    return "/v1/read" + (f"?{urlencode(query, safe=',')}" if query else "")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    chunks, size = [], 0
    async for chunk in answer.content.iter_any():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise aiohttp.ClientPayloadError("an answer without end")
        chunks.append(chunk)
    return b"".join(chunks)


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError, RecursionError:
        return {}
    return document if isinstance(document, dict) else {}
