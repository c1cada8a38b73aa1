"""Announcing the server in the local network (DNS-SD over multicast DNS)."""

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

log = structlog.get_logger()

SERVICE = "_parkshare._tcp.local."


def service_info(*, server: str, public_url: str, port: int, addresses: list[str]) -> ServiceInfo:
    """Describe the server; TXT `url` is there so that a house dials the name of the certificate."""
    # Here, not above: most servers announce nothing, and need not load it.
    from zeroconf import ServiceInfo  # noqa: PLC0415

    host = urlsplit(public_url).hostname or ""
    txt = {"v": "1", "id": server, "path": "/"}
    if host not in {"localhost", "127.0.0.1", "::1", ""}:
        txt["url"] = public_url
    return ServiceInfo(
        SERVICE,
        f"ParkShare {server[-8:]}.{SERVICE}",
        addresses=[ip_address(address).packed for address in addresses],
        port=port,
        properties=txt,
        server=f"parkshare-{server[-8:]}.local.",
    )


def own_addresses() -> list[str]:
    """Give this machine's address in the local network, the one it would use to go out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the route is looked up
        except OSError:
            return ["127.0.0.1"]
        return [str(probe.getsockname()[0])]


class Announcement:
    """The server's name in the local network while it runs."""

    def __init__(self, *, server: str, public_url: str, port: int) -> None:
        self._info = service_info(server=server, public_url=public_url, port=port, addresses=own_addresses())
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Announce; a network without multicast is told once in the log and costs nothing else."""
        from zeroconf import Error as ZeroconfError  # noqa: PLC0415
        from zeroconf.asyncio import AsyncZeroconf  # noqa: PLC0415

        try:
            self._zeroconf = AsyncZeroconf()
            await self._zeroconf.async_register_service(self._info, allow_name_change=True)
        except (OSError, ZeroconfError) as error:
            log.warning("zeroconf.unavailable", reason=str(error))

    async def stop(self) -> None:
        """Say goodbye."""
        if self._zeroconf is not None:
            await self._zeroconf.async_unregister_all_services()
            await self._zeroconf.async_close()
