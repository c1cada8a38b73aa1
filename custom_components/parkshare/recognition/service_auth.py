"""How the reader service and its client prove to each other that they know the token, without sending it.

Pure: standard library only. A request is signed with an HMAC over all that matters in it, and its answer with one over
the request's nonce and the answer's body. So in a network without TLS nobody can learn the token by listening, and
nobody can answer in the service's place: what a reader says decides whether a barrier goes down. Pictures are not
hidden by this; TLS does that.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

PROOF_HEADER: Final = "Parkshare-Proof"
SHORTEST_TOKEN: Final = 16  # characters; below, listening and trying out would find it

_SCHEME: Final = re.compile(
    r'ParkShare nonce="(?P<nonce>[0-9a-f]{32})", digest="(?P<digest>[0-9a-f]{64})", mac="(?P<mac>[0-9a-f]{64})"'
)
_ABOUT_ID: Final = "parkshare reader id"


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request as its header says: the digest is that of the body, which is to be compared when it is read."""

    nonce: str
    digest: str


def new_token() -> str:
    """Make a token: 192 bits, in letters that can be copied."""
    return secrets.token_urlsafe(24)


def service_id(token: str) -> str:
    """Return the public id of the service with this token; a new token makes another service of it."""
    return _mac(token, _ABOUT_ID)[:16]


def new_nonce() -> str:
    """Make a nonce for one request."""
    return secrets.token_hex(16)


def authorization(token: str, nonce: str, *, method: str, target: str, body: bytes = b"") -> str:
    """Return the Authorization header of a request; target is path and query, as sent."""
    digest = digest_of(body)
    mac = _mac(token, "request", nonce, method, target, digest)
    return f'ParkShare nonce="{nonce}", digest="{digest}", mac="{mac}"'


def check_request(token: str, header: str, *, method: str, target: str) -> Signed | None:
    """Return what a request's Authorization header says if it was made with the token, else None.

    A bearer token is taken too, for people with curl: then there is neither nonce nor digest.
    """
    kind, _, credentials = header.partition(" ")
    if kind.lower() == "bearer":
        same = hmac.compare_digest(_bytes(credentials.strip()), token.encode())
        return Signed("", "") if same else None
    if (match := _SCHEME.fullmatch(header)) is None:
        return None
    nonce, digest, mac = match["nonce"], match["digest"], match["mac"]
    same = hmac.compare_digest(mac, _mac(token, "request", nonce, method, target, digest))
    return Signed(nonce, digest) if same else None


def proof(token: str, nonce: str, *, status: int, body: bytes) -> str:
    """Return what proves that an answer comes from who knows the token, and belongs to the request with this nonce."""
    return _mac(token, "answer", nonce, str(status), digest_of(body))


def is_proof(claimed: str, token: str, nonce: str, *, status: int, body: bytes) -> bool:
    """Tell whether an answer's proof is right."""
    return hmac.compare_digest(_bytes(claimed), proof(token, nonce, status=status, body=body).encode())


def digest_of(body: bytes) -> str:
    """Return the digest of a body, as in the header."""
    return hashlib.sha256(body).hexdigest()


def _bytes(header: str) -> bytes:
    """Return a header as it came: what is not UTF-8 in it was read as surrogates."""
    return header.encode(errors="surrogateescape")


def _mac(token: str, *parts: str) -> str:
    return hmac.new(token.encode(), "\n".join(parts).encode(), hashlib.sha256).hexdigest()
