"""A virtual authenticator with its browser: makes passkeys and signs with them, honestly or not.

Written from Web Authentication Level 3: sections 6.1 (authenticator data), 6.5.4 ("none" attestation), 5.8.1 (client
data), and RFC 9053 for the COSE keys.
"""

import hashlib
import json
import os
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from parkshare_backend.http.models import from_base64url, to_base64url

USER_PRESENT, USER_VERIFIED, BACKUP_ELIGIBLE, BACKED_UP, ATTESTED = 1, 4, 8, 16, 64
ES256, EDDSA = -7, -8


@dataclass
class Passkey:
    """One passkey in the authenticator."""

    rp: str
    user: bytes
    key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey
    id: bytes = field(default_factory=lambda: os.urandom(32))
    count: int = 0

    @property
    def public(self) -> bytes:
        """The COSE key."""
        if isinstance(self.key, Ed25519PrivateKey):
            return cbor2.dumps({1: 1, 3: EDDSA, -1: 6, -2: self.key.public_key().public_bytes_raw()})
        point = self.key.public_key().public_numbers()
        return cbor2.dumps({1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32), -3: point.y.to_bytes(32)})

    def sign(self, message: bytes) -> bytes:
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(message)
        return self.key.sign(message, ec.ECDSA(hashes.SHA256()))


@dataclass
class Authenticator:
    """A device with a browser on a page of `origin`; counts=False is one that keeps no counter, as synced ones do."""

    origin: str
    algorithm: int = ES256
    counts: bool = True
    synced: bool = False
    verifies: bool = True
    passkeys: list[Passkey] = field(default_factory=list)

    def create(
        self, options: dict[str, Any], *, rp: str | None = None, taken_id: bytes | None = None
    ) -> dict[str, Any]:
        """Do `navigator.credentials.create`; rp and taken_id are what a dishonest one uses instead."""
        assert options["authenticatorSelection"]["userVerification"] == "required"
        assert options["authenticatorSelection"]["residentKey"] == "required"
        assert self.algorithm in {entry["alg"] for entry in options["pubKeyCredParams"]}
        key = Ed25519PrivateKey.generate() if self.algorithm == EDDSA else ec.generate_private_key(ec.SECP256R1())
        made = Passkey(rp or options["rp"]["id"], from_base64url(options["user"]["id"]), key)
        made.id = taken_id or made.id
        self.passkeys.append(made)
        attested = bytes(16) + struct.pack(">H", len(made.id)) + made.id + made.public
        data = self._data(made, ATTESTED) + attested
        client = self._client("webauthn.create", options["challenge"])
        return self._credential(
            made,
            clientDataJSON=to_base64url(client),
            attestationObject=to_base64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            transports=["internal", "hybrid"],
        )

    def get(
        self, options: dict[str, Any], *, passkey: Passkey | None = None, challenge: str | None = None
    ) -> dict[str, Any]:
        """Do `navigator.credentials.get`, with the newest passkey unless told which."""
        used = passkey or self.passkeys[-1]
        if self.counts:
            used.count += 1
        data = self._data(used, 0)
        client = self._client("webauthn.get", challenge or options["challenge"])
        return self._credential(
            used,
            clientDataJSON=to_base64url(client),
            authenticatorData=to_base64url(data),
            signature=to_base64url(used.sign(data + hashlib.sha256(client).digest())),
            userHandle=to_base64url(used.user),
        )

    def _data(self, passkey: Passkey, flags: int) -> bytes:
        flags |= USER_PRESENT | (USER_VERIFIED if self.verifies else 0)
        flags |= BACKUP_ELIGIBLE | BACKED_UP if self.synced else 0
        return hashlib.sha256(passkey.rp.encode()).digest() + struct.pack(">BI", flags, passkey.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said, separators=(",", ":")).encode()

    def _credential(self, passkey: Passkey, **response: Any) -> dict[str, Any]:
        return {
            "id": to_base64url(passkey.id),
            "rawId": to_base64url(passkey.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
