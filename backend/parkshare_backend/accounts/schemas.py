"""What the account and pairing routes read and answer."""

from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from parkshare_backend.http.auth import Scope
from parkshare_backend.http.models import Answer, Id, Name, Request, SizedBytes, UtcTime

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
# PublicKeyCredential.toJSON() of Web Authentication Level 3; its bytes are checked when they are used.
Credential = Annotated[
    dict[str, Any],
    Field(description="what `PublicKeyCredential.toJSON()` gives", json_schema_extra={"required": ["id", "response"]}),
]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]


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
    scopes: Scopes | None = None


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


class Proof(Request):
    """Who you are, proved again: the password, or a passkey for the options of `POST /account/confirm/options`."""

    password: Annotated[SecretStr, Field(max_length=200)] | None = None
    passkey: Credential | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Proof:
        if (self.password is None) == (self.passkey is None):
            raise ValueError("give either password or passkey")
        return self


class ProofRequest(Request):
    """Something that asks who you are once more."""

    proof: Proof


class PasswordRequest(Request):
    """A new password."""

    password: Password
    proof: Proof


class PasskeySignUpOptionsRequest(Request):
    """An account that is to begin with a passkey."""

    email: Email
    name: Name


class PasskeySignUpRequest(Request):
    """The passkey of a new account; without `scopes` the token gets every scope."""

    credential: Credential
    passkey_name: Name = "Passkey"
    label: Label = ""
    scopes: Scopes | None = None


class PasskeySignInOptionsRequest(Request):
    """With an e-mail only a passkey of that account is accepted."""

    email: Annotated[str, StringConstraints(max_length=254)] | None = None


class PasskeySignInRequest(Request):
    """Sign in with a passkey; without `scopes` the token gets every scope."""

    credential: Credential
    label: Label = ""
    scopes: Scopes | None = None


class PasskeyRequest(Request):
    """One more passkey for the account."""

    name: Name
    credential: Credential


class PasskeyName(Request):
    """Another name for a passkey."""

    name: Name


class OptionsAnswer(Answer):
    """What the page hands to the browser: `PublicKeyCredential.parse…OptionsFromJSON(options)`."""

    options: dict[str, Any]


class PasskeyAnswer(Answer):
    """One passkey. `suspected_at`: its counter went back then, so somebody may have a copy: remove it if in doubt."""

    id: Id
    name: str
    synced: bool
    created_at: UtcTime
    last_used_at: UtcTime | None
    suspected_at: UtcTime | None


class PasskeysAnswer(Answer):
    """The ways into the account."""

    items: list[PasskeyAnswer]
    has_password: bool


class SessionAnswer(Answer):
    """One token of the account, without its text. `last_used_at` is told to the hour."""

    id: Id
    label: str
    scopes: list[Scope]
    created_at: UtcTime
    last_used_at: UtcTime | None
    expires_at: UtcTime
    current: bool


class SessionsAnswer(Answer):
    """The account's live tokens, newest first."""

    items: list[SessionAnswer]


class RevokeRequest(Request):
    """Which tokens to revoke: all others, or all (sign out everywhere)."""

    which: Literal["others", "all"]


class RevokedAnswer(Answer):
    """How many tokens ended."""

    revoked: int


class ExportAnswer(Answer):
    """Everything that the server keeps of a person, by feature."""

    server: str
    exported_at: UtcTime
    account: str
    parts: dict[str, list[Any]]
