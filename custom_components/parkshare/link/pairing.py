"""Linking a house to a backend: who is there, ask for a code, wait for the owner. The shape of RFC 8628."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, NoReturn

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorSSLError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
)
from yarl import URL

from .keys import HouseKeys
from .protocol import VERSION

CARD: Final = "/.well-known/parkshare"
MOST_MOVES: Final = 3
TIMEOUT: Final = ClientTimeout(total=15)
MOVED: Final = frozenset({301, 302, 303, 307, 308})
MAX_ANSWER: Final = 256 * 1024  # bytes; more is not an answer of ours
SLOW_DOWN: Final = 5.0  # s added to the interval, RFC 8628 section 3.5
SHORTEST_INTERVAL: Final = 1.0  # s; a server that asks for less is not believed


class PairingError(Exception):
    """Linking did not work. Each subclass is one thing that a person can act on."""


class BadAddressError(PairingError):
    """The text is not an http or https address."""


class UnreachableError(PairingError):
    """Nobody answers there."""


class WrongCertificateError(PairingError):
    """Somebody answers, but not with a certificate that we trust for that name."""


class NoHttpsError(PairingError):
    """Somebody answers, but does not speak https there."""


class NotParkShareError(PairingError):
    """Something answers, but it is no ParkShare backend."""


class MovedError(NotParkShareError):
    """Whoever answers sends us on to another address."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


class VersionMismatchError(PairingError):
    """A ParkShare backend that does not speak our version of the protocol."""


class BackendError(PairingError):
    """The backend answered with a problem that we did not expect. The text is its title and detail."""


class DeniedError(PairingError):
    """The owner said no."""


class ExpiredError(PairingError):
    """The code was not approved in time."""


@dataclass(frozen=True, slots=True)
class ServerCard:
    """What a backend says of itself, and the address at which it did."""

    server: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """A code that waits for the owner. device_code is a secret between the house and the backend."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: float
    interval: float

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Pairing(user_code={self.user_code!r})"


@dataclass(frozen=True, slots=True)
class Linked:
    """The owner approved."""

    install: str
    server: str
    account: str
    account_name: str


def normalise_url(text: str) -> str:
    """Bring what a person typed into one form: scheme, host, port, path without a slash at the end.

    Without a scheme https is meant. Raises BadAddressError.
    """
    text = text.strip()
    if "://" not in text:
        text = f"https://{text}"
    try:
        url = URL(text)
    except ValueError as err:
        raise BadAddressError(text) from err
    unusable = url.scheme not in {"http", "https"} or not url.host or url.user is not None
    if unusable or any(char.isspace() for char in text):
        raise BadAddressError(text)
    return str(url.with_query(None).with_fragment(None)).rstrip("/")


async def look_up(session: ClientSession, url: str) -> ServerCard:
    """Ask who answers at a normalised address. Raises a PairingError.

    The address of one of its pages will do, and one that sends on (to https, to another name) is followed.
    """
    origin = str(URL(url).origin())
    try:
        return await _look_up_at(session, url)
    except NotParkShareError:
        if origin == url:
            raise
    return await _look_up_at(session, origin)


async def _look_up_at(session: ClientSession, url: str) -> ServerCard:
    for _ in range(MOST_MOVES):
        try:
            return await _card_of(session, url)
        except MovedError as moved:
            if not moved.to.endswith(CARD):
                raise NotParkShareError(url) from moved
            to = normalise_url(moved.to.removesuffix(CARD))
            if URL(url).scheme == "https" != URL(to).scheme:
                raise NotParkShareError(url) from moved
            url = to
    raise NotParkShareError(url)


async def _card_of(session: ClientSession, url: str) -> ServerCard:
    status, answer = await _call(session, "GET", f"{url}{CARD}")
    versions = answer.get("versions")
    if status != HTTPStatus.OK or not isinstance(versions, list) or not isinstance(answer.get("server"), str):
        raise NotParkShareError(url)
    if VERSION not in versions:
        raise VersionMismatchError(f"the backend speaks {versions}, we speak {VERSION}")
    return ServerCard(answer["server"], str(answer.get("name") or url), url)


async def start(session: ClientSession, url: str, *, name: str, keys: HouseKeys) -> Pairing:
    """Ask for a code. Raises a PairingError."""
    body = {"name": name, "sign_key": keys.sign_public, "seal_key": keys.seal_public}
    status, answer = await _call(session, "POST", f"{url}/api/v1/pairings", body)
    if status != HTTPStatus.CREATED:
        _refuse(answer)
    try:
        return Pairing(
            device_code=str(answer["device_code"]),
            user_code=str(answer["user_code"]),
            verification_uri=str(answer["verification_uri"]),
            verification_uri_complete=str(answer["verification_uri_complete"]),
            expires_in=float(answer["expires_in"]),
            interval=max(SHORTEST_INTERVAL, float(answer["interval"])),
        )
    except (KeyError, TypeError, ValueError) as err:
        raise NotParkShareError(url) from err


async def wait(
    session: ClientSession, url: str, pairing: Pairing, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Linked:
    """Poll until the owner has answered. Raises DeniedError, ExpiredError or BackendError.

    A backend that is away for a while is asked again: the code stays valid, and the owner is busy elsewhere anyway.
    """
    interval, waited = pairing.interval, 0.0
    while waited < pairing.expires_in:
        await sleep(interval)
        waited += interval
        try:
            status, answer = await _call(
                session, "POST", f"{url}/api/v1/pairings/poll", {"device_code": pairing.device_code}
            )
        except UnreachableError, NotParkShareError:
            continue
        if status == HTTPStatus.OK:
            return _linked(answer)
        match answer.get("type"):
            case "/problems/authorization-pending":
                pass
            case "/problems/slow-down":
                interval += SLOW_DOWN
            case "/problems/access-denied":
                raise DeniedError
            case "/problems/expired-code":
                raise ExpiredError
            case _ if status == HTTPStatus.TOO_MANY_REQUESTS:
                interval += SLOW_DOWN
            case _ if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                _refuse(answer)
    raise ExpiredError


def _linked(answer: dict[str, Any]) -> Linked:
    try:
        account = answer["account"]
        return Linked(
            str(answer["install"]), str(answer["server"]), str(account["id"]), str(account.get("name") or account["id"])
        )
    except (KeyError, TypeError, AttributeError) as err:
        raise BackendError("the approval is incomplete") from err


def _refuse(answer: dict[str, Any]) -> NoReturn:
    said = [str(answer[key]) for key in ("title", "detail") if answer.get(key)]
    raise BackendError(": ".join(said) or "no reason given")


async def _read(response: ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise NotParkShareError(str(response.url))
    return bytes(content)


async def _call(
    session: ClientSession, method: str, url: str, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    """One call; answers status and JSON object. Raises UnreachableError, WrongCertificateError, NotParkShareError."""
    try:
        async with session.request(
            method, url, json=body, timeout=TIMEOUT, allow_redirects=False, headers={"Accept": "application/json"}
        ) as response:
            status = response.status
            content = await _read(response)
            if status in MOVED and (to := response.headers.get("Location")):
                raise MovedError(str(response.url.join(URL(to))))
    except ClientConnectorCertificateError as err:
        raise WrongCertificateError(url) from err
    except (ClientConnectorSSLError, ClientSSLError, ssl.SSLError) as err:
        raise NoHttpsError(url) from err
    except (ClientError, TimeoutError, OSError) as err:
        raise UnreachableError(url) from err
    except UnicodeError as err:  # a name that no name server can be asked for
        raise BadAddressError(url) from err
    try:
        answer = json.loads(content)
    except ValueError as err:
        raise NotParkShareError(url) from err
    if not isinstance(answer, dict):
        raise NotParkShareError(url)
    return status, answer
