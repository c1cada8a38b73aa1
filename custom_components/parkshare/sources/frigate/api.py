"""Frigate's HTTP API, as far as we need it: who it is, how its cameras are, and their pictures.

Port 5000 asks for no login, port 8971 does. In front of it stands nginx, which keeps answers for 5 s.
"""

import binascii
import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from .card import Card, card_of
from .messages import MessageError, Stats, stats_of

LIMIT: Final = aiohttp.ClientTimeout(total=10)
LARGEST_ANSWER: Final = 4 * 1024 * 1024  # bytes; the configuration of 20 cameras is 0.3 MB
LARGEST_PICTURE: Final = 16 * 1024 * 1024
RENEW_BEFORE: Final = 30.0  # s before a token ends
USUAL_PATIENCE: Final = 60.0  # s until the next login where Frigate says only that there were too many
FRESH: Final = {"X-Cache-Bypass": "1"}
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}")
UNAUTHORIZED, NOT_FOUND, TOO_MANY = 401, 404, 429


class FrigateError(Exception):
    """Frigate gave no answer that can be used."""


class UnreachableError(FrigateError):
    """Nobody answers there, or not in time."""


class CertificateError(FrigateError):
    """It shows a certificate that is not trusted; Frigate makes its own unless it is given one."""


class LoginError(FrigateError):
    """It does not accept the name or the password, or asks for them."""


class BusyError(FrigateError):
    """It wants no more logins for a while."""


class NotFrigateError(FrigateError):
    """Something answers, but not as Frigate does."""


class MissingError(FrigateError):
    """It does not have what was asked for."""


class NoPictureError(FrigateError):
    """It has no picture of the camera as it is now."""


class FrigateApi:
    """One Frigate. The session should keep no cookies: the token travels in a header."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        username: str = "",
        password: str = "",
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock
        self._session = session
        self._base = URL(url.rstrip("/") + "/")
        self._username, self._password = username, password
        self._token, self._token_ends = "", 0.0
        self._patience_ends = 0.0
        self.ahead: float | None = None  # s, how far Frigate's clock is ahead of ours; None before an answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of the session; its connections are Home Assistant's."""
        self._session.detach()

    async def version(self) -> str:
        """Return the version, such as 0.17.2-abcdef."""
        text = (await self._get("api/version")).decode(errors="replace").strip()
        if not text[:1].isdigit() or len(text) > 40:  # noqa: PLR2004 - a page of something else
            raise NotFrigateError("its version is no version")
        return text

    async def config(self) -> Card:
        """Return the part of the configuration that matters here."""
        return card_of(await self._get_json("api/config"))

    async def stats(self) -> Stats:
        """Return the figures of this moment; they are not kept by the proxy."""
        try:
            return stats_of(await self._get_json("api/stats"))
        except MessageError as err:
            raise NotFrigateError(str(err)) from err

    async def latest(self, camera: str) -> bytes:
        """Return the picture of a camera as it is now. Raises NoPictureError.

        A camera that is off or away is answered with 200 and a picture that says so, or with the last one that there
        was (0.18, then with a header): only one that gives pictures right now is asked for one.
        """
        path = f"api/{_segment(camera)}/latest.jpg"
        if (await self.stats()).fps.get(camera, 0.0) <= 0:
            raise NoPictureError("the camera gives no pictures")
        return await self._picture(path)

    # The wire

    async def _picture(self, path: str) -> bytes:
        try:
            content = await self._get(path, largest=LARGEST_PICTURE, picture=True)
        except MissingError as err:
            raise NoPictureError(str(err)) from err
        if not content:
            raise NoPictureError("the picture is empty")
        return content

    async def _get_json(self, path: str) -> Mapping[str, Any]:
        try:
            answer = json.loads(await self._get(path))
        except (ValueError, RecursionError) as err:
            raise NotFrigateError("its answer is not JSON") from err
        if not isinstance(answer, Mapping):
            raise NotFrigateError("its answer is no object")
        return answer

    async def _get(
        self,
        path: str,
        *,
        largest: int = LARGEST_ANSWER,
        picture: bool = False,
        again: bool = True,
    ) -> bytes:
        if self._username and self._clock() >= self._token_ends - RENEW_BEFORE:
            await self._login()
        headers = FRESH | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        status, head, body = await self._exchange("GET", path, headers=headers, largest=largest)
        if status == UNAUTHORIZED:
            if not (self._username and again):
                raise LoginError("it asks for a login")
            # A token ends early when Frigate is given a new secret.
            self._token_ends = 0.0
            return await self._get(path, largest=largest, picture=picture, again=False)
        if status == NOT_FOUND:
            raise MissingError("it does not have that")
        if status != 200:  # noqa: PLR2004
            raise NotFrigateError(f"it answers with {status}")
        if picture and head.get("X-Frigate-Offline", "").lower() == "true":
            raise NoPictureError("the camera is offline, the picture an old one")
        if picture and not head.get("Content-Type", "").startswith("image/"):
            raise NoPictureError("it sent no picture")
        return body

    async def _login(self) -> None:
        if self._clock() < self._patience_ends:
            raise BusyError("it wants no login for a while")
        body = {"user": self._username, "password": self._password}
        status, head, _ = await self._exchange("POST", "api/login", body=body)
        if status == TOO_MANY:
            wait = head.get("Retry-After", "")
            self._patience_ends = self._clock() + (min(float(wait), 3600.0) if wait.isdecimal() else USUAL_PATIENCE)
            raise BusyError("it had too many logins")
        if status in {400, UNAUTHORIZED, 403}:
            raise LoginError("it does not accept the name or the password")
        # The cookie's name can be configured, so it is known by what is in it.
        cookies = [cookie.partition(";")[0].partition("=")[2] for cookie in head.getall("Set-Cookie", [])]
        token = next((value for value in cookies if token_end(value) is not None), None)
        if status != 200 or token is None:  # noqa: PLR2004
            raise NotFrigateError("its login gives no token")
        self._token, self._token_ends = token, token_end(token) or 0.0
        # By Frigate's clock, and by a clock that is off it might have ended already: one request for each login.
        self._token_ends = max(self._token_ends - (self.ahead or 0.0), self._clock() + RENEW_BEFORE + 1)

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        largest: int = LARGEST_ANSWER,
    ) -> tuple[int, Any, bytes]:
        asked = self._clock()
        try:
            async with self._session.request(
                method,
                self._base.join(URL(path)),
                headers=headers,
                json=body,
                timeout=LIMIT,
                allow_redirects=False,
            ) as answer:
                content = bytearray()
                async for part in answer.content.iter_any():
                    content += part
                    if len(content) > largest:
                        raise NotFrigateError("its answer is too long")
                self._take_time(answer.headers.get("Date", ""), (asked + self._clock()) / 2)
                return answer.status, answer.headers, bytes(content)
        except aiohttp.ClientConnectorCertificateError as err:
            raise CertificateError("its certificate is not trusted") from err
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
            raise UnreachableError(str(err) or type(err).__name__) from err

    def _take_time(self, date: str, our_time: float) -> None:
        try:
            self.ahead = parsedate_to_datetime(date).timestamp() + 0.5 - our_time
        except ValueError, TypeError, OverflowError:
            return


def is_segment(name: str) -> bool:
    """Tell whether Frigate can have given this name to a camera."""
    return _SEGMENT.fullmatch(name) is not None


def _segment(name: str) -> str:
    """Return a camera's name for a path; what somebody typed must not lead elsewhere."""
    if not is_segment(name):
        raise NoPictureError("that is no name that Frigate gives")
    return name


def token_end(token: str) -> float | None:
    """Return when a JWT ends (epoch seconds of who made it), None for what is none. It is not verified: not ours to."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, claims, signature
        return None
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        end = float(claims["exp"])
    except ValueError, TypeError, KeyError, OverflowError, RecursionError, binascii.Error:
        return None
    return end if isfinite(end) else None
