"""Sending to an address that a stranger chose, without being made a tool against somebody's network.

The address of every connection is looked at when the socket is made: whatever the name resolved to before, and
however the number was written, the connection goes to a public address or it is not made (DNS rebinding finds no gap
between the look and the call). No redirect is followed, no proxy, no cookie; the body of an answer is never read.
"""

import asyncio
import errno
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientConnectorSSLError,
    ClientError,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

TIMEOUT = ClientTimeout(total=15, connect=8)  # seconds, body of the request included
CONNECTIONS = 64
_REFUSED = "not a public address"
_OK = range(200, 300)
_REDIRECTS = range(300, 400)
_FIRST_FREE_PORT = 1024  # what listens below speaks something else, 80 and 443 apart
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a word, the status if there was one, and how long it took."""

    word: str
    status: int | None
    took_ms: int

    @property
    def delivered(self) -> bool:
        """Tell whether the receiver has it."""
        return self.word == "delivered"


def url_fault(text: str, *, allow_private: bool) -> str | None:
    """Tell what is wrong with an address for webhooks and what to do, or None."""
    try:
        url = URL(text)
        port = url.port
    except ValueError:
        return "This is no URL. Give one like https://example.org/parkshare."
    if url.scheme not in ({"https", "http"} if allow_private else {"https"}) or not url.host:
        return "Only https:// is sent to. Give an address like https://example.org/parkshare."
    if url.user or url.password or url.fragment:
        return "Leave out user name, password and fragment; the signature proves where a delivery comes from."
    return None if allow_private else _private_fault(url.host, port)


def _private_fault(host: str, port: int | None) -> str | None:
    if port is None or (port < _FIRST_FREE_PORT and port not in {80, 443}):
        return "This port is not sent to. Use 443, or one from 1024 on."
    if host == "localhost" or host.endswith(".localhost") or not is_public(host, names=True):
        return "Only public addresses are sent to. Give one that can be reached from the internet."
    return None


def is_public(address: str, *, names: bool = False) -> bool:
    """Tell whether an IP address may be sent to; with names, whatever is no address may be for now."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return names
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in (known, *_inside(known)))


def _inside(address: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """Give the IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return []
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFF_FFFF))
    return [one for one in found if one is not None]


class Sender:
    """The one client from which deliveries go out."""

    def __init__(
        self,
        *,
        allow_private: bool,
        resolver: Callable[[], AbstractResolver] | None = None,
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.allow_private = allow_private
        self._resolver = resolver
        self._ticks = ticks
        self._session: ClientSession | None = None

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Send once and tell what came of it; nothing is raised for what a receiver does."""
        started, status = self._ticks(), None
        try:
            async with asyncio.timeout(TIMEOUT.total):
                response = await self._open().post(
                    URL(url),
                    data=body,
                    headers={"Content-Type": "application/json", "User-Agent": "ParkShare-Webhooks/1", **headers},
                    allow_redirects=False,
                )
                status = response.status
                response.close()  # unread: what a receiver says in words is not for us
            word = "delivered" if status in _OK else "redirect" if status in _REDIRECTS else "refused"
        except TimeoutError:
            word = "timeout"
        except (ClientError, OSError, ValueError) as error:
            word = _word(error)
        return Outcome(word, status, round((self._ticks() - started) * 1000))

    async def close(self) -> None:
        """End every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> ClientSession:
        if self._session is None:
            connector = TCPConnector(
                resolver=self._resolver() if self._resolver else None,
                use_dns_cache=False,
                force_close=True,
                limit=CONNECTIONS,
                socket_factory=self._socket,
            )
            self._session = ClientSession(
                connector=connector, timeout=TIMEOUT, cookie_jar=DummyCookieJar(), auto_decompress=False
            )
        return self._session

    def _socket(self, found: tuple[Any, ...]) -> socket.socket:
        """Make the socket of one connection, or refuse to: `found` is what getaddrinfo gives (RFC 3493)."""
        family, kind, protocol, _, address = found
        if not self.allow_private and not is_public(str(address[0])):
            raise OSError(errno.EACCES, _REFUSED)
        return socket.socket(family, kind, protocol)


def _word(error: Exception) -> str:
    match error:
        case ClientConnectorDNSError():
            return "no-such-host"
        case ClientConnectorCertificateError() | ClientConnectorSSLError():
            return "tls"
        case ClientConnectorError():
            return "address-refused" if _REFUSED in str(error) else "unreachable"
        case _:
            return "broken"
