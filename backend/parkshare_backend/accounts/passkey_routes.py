"""Passkeys over HTTP: always options first, then what the device made of them."""

from collections.abc import Sequence

from parkshare_backend import keys
from parkshare_backend.accounts.entrance import PASSKEY_REFUSED, WRONG_PROOF
from parkshare_backend.accounts.passkeys import (
    LAST_WAY_IN,
    PASSKEY_KNOWN,
    PASSKEY_UNUSABLE,
    TOO_MANY_PASSKEYS,
    Passkey,
)
from parkshare_backend.accounts.schemas import (
    AccountName,
    OptionsAnswer,
    PasskeyAnswer,
    PasskeyName,
    PasskeyRequest,
    PasskeysAnswer,
    PasskeySignInOptionsRequest,
    PasskeySignInRequest,
    PasskeySignUpOptionsRequest,
    PasskeySignUpRequest,
    PasswordRequest,
    ProofRequest,
    TokenAnswer,
)
from parkshare_backend.accounts.service import EMAIL_TAKEN, REGISTRATION_CLOSED, NewToken
from parkshare_backend.accounts.sessions import CONFIRM_FIRST
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND

routes = Routes()


@routes.post(
    "/api/v1/accounts/passkey/options",
    scope=None,
    request=PasskeySignUpOptionsRequest,
    response=OptionsAnswer,
    rate=Rate.LOGIN,
    problems=(REGISTRATION_CLOSED,),
)
async def begin_passkey_sign_up(ctx: Context, body: PasskeySignUpOptionsRequest) -> OptionsAnswer:
    """Begin an account with a passkey and no password."""
    return OptionsAnswer(options=await ctx.app[keys.ENTRANCE].begin_sign_up(email=body.email, name=body.name))


@routes.post(
    "/api/v1/accounts/passkey",
    scope=None,
    request=PasskeySignUpRequest,
    response=TokenAnswer,
    status=201,
    rate=Rate.LOGIN,
    problems=(EMAIL_TAKEN, REGISTRATION_CLOSED, PASSKEY_UNUSABLE, PASSKEY_KNOWN),
)
async def passkey_sign_up(ctx: Context, body: PasskeySignUpRequest) -> TokenAnswer:
    """Make the account and sign in."""
    token = await ctx.app[keys.ENTRANCE].sign_up(
        credential=body.credential, passkey=body.passkey_name, label=body.label, scopes=_scopes(body.scopes)
    )
    return _token(token)


@routes.post(
    "/api/v1/tokens/passkey/options",
    scope=None,
    request=PasskeySignInOptionsRequest,
    response=OptionsAnswer,
    rate=Rate.LOGIN,
)
async def begin_passkey_sign_in(ctx: Context, body: PasskeySignInOptionsRequest) -> OptionsAnswer:
    """Begin to sign in with a passkey; no e-mail is needed."""
    return OptionsAnswer(options=await ctx.app[keys.ENTRANCE].begin_sign_in(email=body.email))


@routes.post(
    "/api/v1/tokens/passkey",
    scope=None,
    request=PasskeySignInRequest,
    response=TokenAnswer,
    status=201,
    rate=Rate.LOGIN,
    problems=(PASSKEY_REFUSED,),
)
async def passkey_sign_in(ctx: Context, body: PasskeySignInRequest) -> TokenAnswer:
    """Sign in with a passkey: a token with some or all scopes."""
    token = await ctx.app[keys.ENTRANCE].sign_in(
        credential=body.credential, label=body.label, scopes=_scopes(body.scopes)
    )
    return _token(token)


@routes.get("/api/v1/account/passkeys", scope=Scope.ACCOUNT, response=PasskeysAnswer)
async def passkeys(ctx: Context) -> PasskeysAnswer:
    """List the ways into the account."""
    found, has_password = await ctx.app[keys.PASSKEYS].listed(ctx.account)
    return PasskeysAnswer(items=[_passkey(passkey) for passkey in found], has_password=has_password)


@routes.post("/api/v1/account/passkeys/options", scope=Scope.ACCOUNT, response=OptionsAnswer, problems=(NOT_FOUND,))
async def begin_passkey(ctx: Context) -> OptionsAnswer:
    """Begin to add a passkey to the account."""
    return OptionsAnswer(options=await ctx.app[keys.PASSKEYS].begin_adding(ctx.account))


@routes.post(
    "/api/v1/account/passkeys",
    scope=Scope.ACCOUNT,
    request=PasskeyRequest,
    response=PasskeyAnswer,
    status=201,
    creates=True,
    problems=(CONFIRM_FIRST, PASSKEY_UNUSABLE, PASSKEY_KNOWN, TOO_MANY_PASSKEYS),
)
async def add_passkey(ctx: Context, body: PasskeyRequest) -> PasskeyAnswer:
    """Add a passkey to the account."""
    added = await ctx.app[keys.ENTRANCE].add_passkey(ctx.principal, name=body.name, credential=body.credential)
    return _passkey(added)


@routes.put(
    "/api/v1/account/passkeys/{passkey}",
    scope=Scope.ACCOUNT,
    path_types={"passkey": Id},
    request=PasskeyName,
    response=PasskeyAnswer,
    problems=(NOT_FOUND,),
)
async def rename_passkey(ctx: Context, body: PasskeyName) -> PasskeyAnswer:
    """Give a passkey another name."""
    return _passkey(await ctx.app[keys.PASSKEYS].rename(ctx.account, ctx.path["passkey"], body.name))


@routes.delete(
    "/api/v1/account/passkeys/{passkey}",
    scope=Scope.ACCOUNT,
    path_types={"passkey": Id},
    status=204,
    problems=(NOT_FOUND, CONFIRM_FIRST, LAST_WAY_IN),
)
async def remove_passkey(ctx: Context) -> None:
    """Remove a passkey, but never the last way in."""
    await ctx.app[keys.ENTRANCE].remove_passkey(ctx.principal, ctx.path["passkey"])


@routes.post("/api/v1/account/confirm/options", scope=Scope.ACCOUNT, response=OptionsAnswer)
async def begin_confirming(ctx: Context) -> OptionsAnswer:
    """Begin to prove with a passkey who you are."""
    return OptionsAnswer(options=await ctx.app[keys.ENTRANCE].begin_confirming(ctx.account))


@routes.post(
    "/api/v1/account/confirm",
    scope=Scope.ACCOUNT,
    request=ProofRequest,
    status=204,
    rate=Rate.LOGIN,
    problems=(WRONG_PROOF,),
)
async def confirm(ctx: Context, body: ProofRequest) -> None:
    """Prove who you are: for ten minutes this token may add and remove passkeys."""
    await ctx.app[keys.ENTRANCE].confirm(ctx.principal, body.proof)


@routes.put(
    "/api/v1/account/password",
    scope=Scope.ACCOUNT,
    request=PasswordRequest,
    status=204,
    rate=Rate.LOGIN,
    problems=(WRONG_PROOF,),
)
async def set_password(ctx: Context, body: PasswordRequest) -> None:
    """Set or change the password; every other session ends."""
    await ctx.app[keys.ENTRANCE].set_password(ctx.principal, body.proof, body.password.get_secret_value())


@routes.delete(
    "/api/v1/account/password",
    scope=Scope.ACCOUNT,
    request=ProofRequest,
    status=204,
    rate=Rate.LOGIN,
    problems=(WRONG_PROOF, LAST_WAY_IN),
)
async def remove_password(ctx: Context, body: ProofRequest) -> None:
    """Remove the password of an account that has a passkey; every other session ends."""
    await ctx.app[keys.ENTRANCE].remove_password(ctx.principal, body.proof)


def _scopes(asked: Sequence[Scope] | None) -> frozenset[Scope]:
    return frozenset(asked or Scope)


def _token(token: NewToken) -> TokenAnswer:
    account = AccountName(id=token.account.id, name=token.account.name)
    return TokenAnswer(token=token.text, scopes=sorted(token.scopes), expires_at=token.expires_at, account=account)


def _passkey(passkey: Passkey) -> PasskeyAnswer:
    return PasskeyAnswer(
        id=passkey.id,
        name=passkey.name,
        synced=passkey.synced,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        suspected_at=passkey.suspected_at,
    )
