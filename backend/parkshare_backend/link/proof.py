"""How a house proves who it is: one challenge for each connection, answered with its Ed25519 key.

No bearer secret exists: what a house signs names the host that it dialled, the nonce and the time of this
one connection, so it is worth nothing on another.
"""

import base64
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from yarl import URL

from parkshare_backend.accounts.installs import Install
from parkshare_backend.clock import Random, to_rfc3339
from parkshare_backend.http.problems import Kind, define
from parkshare_backend.link.protocol import VERSION, Auth, Close, signed_bytes
from parkshare_backend.link.service import LinkService

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

BAD_KEY = define(
    "bad-key",
    401,
    "The house cannot prove who it is",
    "The signature is wrong or the house is unknown to this server. Pair the house again.",
)
REVOKED = define(
    "install-revoked", 403, "The house was revoked", "The owner revoked this house. Pair it again to use it."
)
UPGRADE_NEEDED = define(
    "upgrade-needed",
    426,
    "The versions do not fit",
    "The house and the server speak no common version. Update the older one.",
)
WRONG_HOST = define(
    "wrong-host",
    401,
    "The house dialled another address",
    "The house signed for an address that this server does not have. Pair it again with the server's public address, "
    "or set PARKSHARE_PUBLIC_URL to the address that houses dial.",
)


class Refused(Exception):  # noqa: N818 - the frame is called so
    """The house stays out: the problem's kind and the close code that tell it what to do next."""

    def __init__(self, kind: Kind, close: Close) -> None:
        super().__init__(kind.code)
        self.kind = kind
        self.close = close


@dataclass(frozen=True, slots=True)
class Challenge:
    """What the house signs: the host it dialled, and a nonce and time of this connection."""

    host: str
    ours: bool  # whether that is an address of this server
    nonce: str
    time: str  # RFC 3339, as in hello


def make_challenge(host: str, *, ours: bool, now: float, random: Random) -> Challenge:
    """Make the challenge of one connection; now is UTC epoch seconds."""
    return Challenge(host, ours, base64.urlsafe_b64encode(random.randbytes(24)).decode(), to_rfc3339(now))


def is_ours(host: str, *, public_url: str, own_address: str) -> bool:
    """Tell whether a Host header names this server, so that a proof for it was meant for us.

    It does when it is the public address, or the address at which the connection arrived. A server whose
    public address is not set up (localhost) knows no name of its own and takes every one; `doctor` says so.
    """
    public = URL(public_url)
    try:
        dialled = URL.build(scheme=public.scheme, authority=host)
    except ValueError:
        return False
    named = (
        dialled.host_port_subcomponent is not None and dialled.host_port_subcomponent == public.host_port_subcomponent
    )
    return public.host in LOCAL_HOSTS or named or (bool(own_address) and dialled.host == own_address)


async def prove(auth: Auth, challenge: Challenge, service: LinkService) -> Install:
    """Give the house behind an answer to the challenge; raise Refused for anybody else."""
    if auth.v != VERSION:
        raise Refused(UPGRADE_NEEDED, Close.UPGRADE)
    async with service.store.read() as tx:
        install = await service.installs.get(tx, auth.install)
    signed = signed_bytes(host=challenge.host, install=auth.install, nonce=challenge.nonce, time=challenge.time)
    if install is None or not _signed_by(install.sign_key, auth.sig, signed):
        raise Refused(BAD_KEY, Close.BAD_KEY)
    if not challenge.ours:
        # Somebody between the house and us passes the proof on: the house meant to talk to them.
        raise Refused(WRONG_HOST, Close.BAD_KEY)
    if install.revoked_at is not None:
        raise Refused(REVOKED, Close.REVOKED)
    return install


def _signed_by(key: bytes, signature: bytes, signed: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except InvalidSignature, ValueError:
        return False
    return True
