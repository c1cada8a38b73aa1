"""What a browser and an authenticator are asked, and whether what they answer holds (Web Authentication, Level 3).

The library knows the bytes; here stand our choices: the user is verified (a fingerprint, a PIN), the passkey can be
found without a name, no attestation is asked for (it would tell which device somebody has).

The library is loaded with the first passkey: it takes 0.2 s and 8 MB, and most starts and many servers need none.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

if TYPE_CHECKING:
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

TIMEOUT_MS = 300_000  # as long as a challenge lives


class RefusedError(Exception):
    """What came is not what was asked for; the reason stays inside, it would help only who tries."""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What an authenticator made: its id of it, a COSE public key, its counter."""

    credential: bytes
    public_key: bytes
    sign_count: int
    synced: bool
    transports: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: id is the host of the server's address, origins are the pages (and apps) that may ask."""

    id: str
    name: str
    origins: tuple[str, ...]

    @classmethod
    def at(cls, public_url: str, *, name: str, more_origins: Sequence[str] = ()) -> RelyingParty:
        """Make the party of a server that is reached at this address."""
        parts = urlsplit(public_url)
        return cls(parts.hostname or "", name, (f"{parts.scheme}://{parts.netloc}", *more_origins))

    def ask_new(
        self, challenge: bytes, *, account: str, email: str, name: str, known: Sequence[tuple[bytes, tuple[str, ...]]]
    ) -> dict[str, Any]:
        """Give the options of `navigator.credentials.create`; `known` are passkeys that the account has."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        options = generate_registration_options(
            rp_id=self.id,
            rp_name=self.name,
            user_id=UUID(account).bytes,
            user_name=email,
            user_display_name=name,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_described(known),
            supported_pub_key_algs=_algorithms(),
        )
        return _json(options_to_json(options))

    def ask(self, challenge: bytes, known: Sequence[tuple[bytes, tuple[str, ...]]] = ()) -> dict[str, Any]:
        """Give the options of `navigator.credentials.get`; without `known` the authenticator shows what it has."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        options = generate_authentication_options(
            rp_id=self.id,
            challenge=challenge,
            timeout=TIMEOUT_MS,
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return _json(options_to_json(options))

    def made(self, credential: dict[str, Any], challenge: bytes) -> NewCredential:
        """Check what `create` gave."""
        from webauthn import verify_registration_response
        from webauthn.helpers import parse_registration_credential_json
        from webauthn.helpers.structs import CredentialDeviceType

        try:
            verified = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=list(self.origins),
                require_user_verification=True,
                supported_pub_key_algs=_algorithms(),
            )
            transports = parse_registration_credential_json(credential).response.transports or []
        except Exception as error:
            # The parsers meet the bytes of strangers: whatever they stumble on is a refused credential.
            raise RefusedError from error
        return NewCredential(
            credential=verified.credential_id,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            synced=verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            transports=tuple(transport.value for transport in transports),
        )

    def counted(self, credential: dict[str, Any], challenge: bytes, public_key: bytes) -> int:
        """Check what `get` gave; give the authenticator's counter, which the caller compares with the last one."""
        from webauthn import verify_authentication_response

        try:
            verified = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=list(self.origins),
                credential_public_key=public_key,
                credential_current_sign_count=0,  # a counter that goes back is noted, not only refused
                require_user_verification=True,
            )
        except Exception as error:
            raise RefusedError from error
        return verified.new_sign_count


def challenge_in(credential: dict[str, Any]) -> bytes:
    """Give the challenge that was signed, by which the server finds what it asked."""
    from webauthn.helpers import base64url_to_bytes, parse_client_data_json

    try:
        return parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge
    except Exception as error:
        raise RefusedError from error


def asserted(credential: dict[str, Any]) -> tuple[bytes, bytes | None]:
    """Give the id of the credential that `get` used, and the account it says it belongs to (16 bytes of the id)."""
    from webauthn.helpers import parse_authentication_credential_json

    try:
        parsed = parse_authentication_credential_json(credential)
    except Exception as error:
        raise RefusedError from error
    return parsed.raw_id, parsed.response.user_handle


def _algorithms() -> list[COSEAlgorithmIdentifier]:
    """Give what every authenticator of the last years has; RSA only where old Windows needs it."""
    from webauthn.helpers.cose import COSEAlgorithmIdentifier as Known

    return [Known.EDDSA, Known.ECDSA_SHA_256, Known.RSASSA_PKCS1_v1_5_SHA_256]


def _described(known: Sequence[tuple[bytes, tuple[str, ...]]]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(id=credential, transports=[AuthenticatorTransport(word) for word in transports])
        for credential, transports in known
    ]


def _json(text: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text)
    return read
