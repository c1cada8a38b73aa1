"""What the account and pairing routes read and answer."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Answer, Name, Request, SizedBytes, UtcTime

# One @, no spaces, a dot in the domain is not asked for (houses have `anna@nas`). Mail proves the rest.
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$"),
    Field(examples=["anna@example.org"]),
]
# NIST SP 800-63B: length is what counts; the upper bound keeps hashing cheap to refuse.
Password = Annotated[SecretStr, Field(min_length=10, max_length=200)]
Label = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")]
PublicKey = Annotated[bytes, SizedBytes(32)]
UserCode = Annotated[str, StringConstraints(min_length=1, max_length=20)]
DeviceCode = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class AccountRequest(Request):
    """A new account."""

    email: Email
    password: Password
    name: Name


class AccountAnswer(Answer):
    """The caller's account."""

    id: str
    email: str
    name: str
    created_at: UtcTime


class TokenRequest(Request):
    """Sign in; without `scopes` the token gets every scope."""

    email: Annotated[str, StringConstraints(max_length=254)]
    password: Annotated[SecretStr, Field(max_length=200)]
    label: Label = ""
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))] | None = None


class AccountName(Answer):
    """Whose something is."""

    id: str
    name: str


class TokenAnswer(Answer):
    """A token; its text is shown this once."""

    token: str
    scopes: list[Scope]
    expires_at: UtcTime
    account: AccountName


class MeAnswer(Answer):
    """Who the token speaks for and what it may do."""

    id: str
    email: str
    name: str
    scopes: list[Scope]


class PairingRequest(Request):
    """A house that wants to be linked: Ed25519 and X25519 public keys, 32 bytes each."""

    name: Name
    sign_key: PublicKey
    seal_key: PublicKey


class NewPairingAnswer(Answer):
    """RFC 8628 section 3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class PairingAnswer(Answer):
    """A pairing as its owner sees it; compare the fingerprint with what the house shows."""

    user_code: str
    name: str
    fingerprint: str
    state: str
    expires_at: UtcTime


class PollRequest(Request):
    """The house asks whether it was approved."""

    device_code: DeviceCode


class PairedAnswer(Answer):
    """The house is linked: this is its install."""

    install: str
    server: str
    account: AccountName


class InstallAnswer(Answer):
    """One house of the account."""

    id: str
    name: str
    fingerprint: str
    created_at: UtcTime
    revoked_at: UtcTime | None
    connected: bool


class InstallsAnswer(Answer):
    """The account's houses."""

    items: list[InstallAnswer]
