"""Telling others of a running reader service: the local network by mDNS, Home Assistant's Supervisor by its API."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from .service import VERSION

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

LOGGER: Final = logging.getLogger("parkshare.reader")
SERVICE: Final = "_parkshare-read._tcp.local."  # a name may have 15 letters at most (RFC 6335), so not "-reader"
SUPERVISOR: Final = "http://supervisor"
DISCOVERY: Final = "parkshare"  # the domain whose config flow is told
TRIES: Final = 6
ANSWER_S: Final = 10.0
PAUSE_S: Final = 10.0  # between two tries; the Supervisor starts together with its apps


class Announcement:
    """The service's name in the local network while it runs. Needs the package zeroconf; without it nothing is told."""

    def __init__(self, *, identity: str, host: str, port: int, tls: bool) -> None:
        self._identity = identity
        self._host = host
        self._port = port
        self._tls = tls
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Announce. A network without multicast is told once in the log and costs nothing else."""
        try:
            from zeroconf import Error as ZeroconfError  # noqa: PLC0415 - optional here
            from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415
        except ImportError:
            LOGGER.warning("The package zeroconf is missing, so nobody is told of this reader.")
            return
        try:
            self._zeroconf = AsyncZeroconf()
            await self._zeroconf.async_register_service(self._info(), allow_name_change=True)
        except (OSError, ZeroconfError) as error:
            LOGGER.warning("The local network cannot be told of this reader: %s", error)

    async def stop(self) -> None:
        """Say goodbye."""
        if self._zeroconf is not None:
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
            self._zeroconf = None

    def _info(self) -> ServiceInfo:
        from zeroconf import ServiceInfo  # noqa: PLC0415

        name = f"ParkShare reader {self._identity[:6]}"
        return ServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            addresses=[ip_address(address).packed for address in _addresses(self._host)],
            port=self._port,
            properties={"version": VERSION, "id": self._identity, "tls": "1" if self._tls else "0"},
            server=f"parkshare-reader-{self._identity[:6]}.local.",
        )


async def tell_supervisor(
    token: str, config: Mapping[str, Any], *, supervisor: str = SUPERVISOR, pause: float = PAUSE_S
) -> bool:
    """Tell Home Assistant's Supervisor that this app offers a reader; returns whether it listened."""
    headers = {"Authorization": f"Bearer {token}"}
    message = {"service": DISCOVERY, "config": dict(config)}
    timeout = aiohttp.ClientTimeout(total=ANSWER_S)
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(pause)
        with suppress(aiohttp.ClientError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
                session.post(f"{supervisor}/discovery", json=message) as answer,
            ):
                if answer.ok:
                    return True
                LOGGER.warning("The Supervisor did not take the announcement: %s", answer.status)
    return False


def _addresses(host: str) -> list[str]:
    """The addresses to announce: the one that is listened on, or the one this machine would use to go out."""
    with suppress(ValueError):
        if not ip_address(host).is_unspecified:
            return [host]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the route is looked up
        except OSError:
            return ["127.0.0.1"]
        return [str(probe.getsockname()[0])]
