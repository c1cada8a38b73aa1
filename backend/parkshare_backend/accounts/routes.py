"""Accounts, tokens, pairings and houses over HTTP."""

from urllib.parse import quote

from parkshare_backend import keys
from parkshare_backend.accounts.pairings import (
    ALREADY_DECIDED,
    DENIED,
    EXPIRED_CODE,
    PENDING,
    SLOW_DOWN,
    UNKNOWN_CODE,
    Pairing,
)
from parkshare_backend.accounts.schemas import (
    AccountAnswer,
    AccountName,
    AccountRequest,
    InstallAnswer,
    InstallsAnswer,
    MeAnswer,
    NewPairingAnswer,
    PairedAnswer,
    PairingAnswer,
    PairingRequest,
    PollRequest,
    TokenAnswer,
    TokenRequest,
    UserCode,
)
from parkshare_backend.accounts.secrets import fingerprint
from parkshare_backend.accounts.service import EMAIL_TAKEN, REGISTRATION_CLOSED, WRONG_CREDENTIALS
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND, UNAVAILABLE

routes = Routes()


@routes.post(
    "/api/v1/accounts",
    scope=None,
    request=AccountRequest,
    response=AccountAnswer,
    status=201,
    rate=Rate.LOGIN,
    problems=(EMAIL_TAKEN, REGISTRATION_CLOSED),
)
async def register(ctx: Context, body: AccountRequest) -> AccountAnswer:
    """Make an account."""
    account = await ctx.app[keys.ACCOUNTS].register(
        email=body.email, password=body.password.get_secret_value(), name=body.name
    )
    return AccountAnswer(id=account.id, email=account.email, name=account.name, created_at=account.created_at)


@routes.post(
    "/api/v1/tokens",
    scope=None,
    request=TokenRequest,
    response=TokenAnswer,
    status=201,
    rate=Rate.LOGIN,
    problems=(WRONG_CREDENTIALS,),
)
async def sign_in(ctx: Context, body: TokenRequest) -> TokenAnswer:
    """Sign in: a token with some or all scopes."""
    token = await ctx.app[keys.ACCOUNTS].sign_in(
        email=body.email,
        password=body.password.get_secret_value(),
        label=body.label,
        scopes=frozenset(body.scopes or Scope),
    )
    return TokenAnswer(
        token=token.text,
        scopes=sorted(token.scopes),
        expires_at=token.expires_at,
        account=AccountName(id=token.account.id, name=token.account.name),
    )


@routes.get("/api/v1/me", scope=Scope.ACCOUNT, response=MeAnswer, tagged=True)
async def me(ctx: Context) -> Reply:
    """Tell whose token this is and what it may do."""
    account = await ctx.app[keys.ACCOUNTS].get(ctx.account)
    answer = MeAnswer(id=account.id, email=account.email, name=account.name, scopes=sorted(ctx.principal.scopes))
    return Reply(answer, revision=account.id)  # nothing here is changed by it: the tag only saves the answer


@routes.post(
    "/api/v1/pairings",
    scope=None,
    request=PairingRequest,
    response=NewPairingAnswer,
    status=201,
    rate=Rate.LOGIN,
    problems=(UNAVAILABLE,),
)
async def start_pairing(ctx: Context, body: PairingRequest) -> NewPairingAnswer:
    """Begin linking a house; it shows the user code and the fingerprint to its owner."""
    pairing = await ctx.app[keys.PAIRINGS].start(name=body.name, sign_key=body.sign_key, seal_key=body.seal_key)
    page = f"{ctx.app[keys.SETTINGS].public_url}/link"
    return NewPairingAnswer(
        device_code=pairing.device_code,
        user_code=pairing.user_code,
        verification_uri=page,
        verification_uri_complete=f"{page}?user_code={quote(pairing.user_code)}",
        expires_in=int(pairing.expires_in),
        interval=pairing.interval,
    )


@routes.post(
    "/api/v1/pairings/poll",
    scope=None,
    request=PollRequest,
    response=PairedAnswer,
    rate=Rate.POLL,
    problems=(PENDING, SLOW_DOWN, DENIED, EXPIRED_CODE),
)
async def poll_pairing(ctx: Context, body: PollRequest) -> PairedAnswer:
    """Ask whether the owner has approved."""
    paired = await ctx.app[keys.PAIRINGS].poll(body.device_code)
    account = AccountName(id=paired.account, name=paired.account_name)
    return PairedAnswer(install=paired.install, server=ctx.app[keys.LINK].server, account=account)


@routes.get(
    "/api/v1/pairings/{user_code}",
    scope=Scope.INSTALLS,
    path_types={"user_code": UserCode},
    response=PairingAnswer,
    rate=Rate.CODE,
    problems=(UNKNOWN_CODE,),
)
async def look_at_pairing(ctx: Context) -> PairingAnswer:
    """Show the house behind a code before deciding."""
    return _answer(await ctx.app[keys.PAIRINGS].look(ctx.path["user_code"]))


@routes.post(
    "/api/v1/pairings/{user_code}/approve",
    scope=Scope.INSTALLS,
    path_types={"user_code": UserCode},
    response=PairingAnswer,
    rate=Rate.CODE,
    problems=(UNKNOWN_CODE, ALREADY_DECIDED),
)
async def approve_pairing(ctx: Context) -> PairingAnswer:
    """Link the house to the caller's account."""
    return _answer(await ctx.app[keys.PAIRINGS].approve(ctx.path["user_code"], ctx.account))


@routes.post(
    "/api/v1/pairings/{user_code}/deny",
    scope=Scope.INSTALLS,
    path_types={"user_code": UserCode},
    response=PairingAnswer,
    rate=Rate.CODE,
    problems=(UNKNOWN_CODE, ALREADY_DECIDED),
)
async def deny_pairing(ctx: Context) -> PairingAnswer:
    """Refuse the house."""
    return _answer(await ctx.app[keys.PAIRINGS].deny(ctx.path["user_code"]))


@routes.get("/api/v1/installs", scope=Scope.INSTALLS, response=InstallsAnswer)
async def list_installs(ctx: Context) -> InstallsAnswer:
    """List the caller's houses."""
    link = ctx.app[keys.LINK]
    return InstallsAnswer(
        items=[
            InstallAnswer(
                id=install.id,
                name=install.name,
                fingerprint=fingerprint(install.sign_key, install.seal_key),
                created_at=install.created_at,
                revoked_at=install.revoked_at,
                connected=await link.connected(install.id),
            )
            for install in await ctx.app[keys.INSTALLS].owned_by(ctx.account)
        ]
    )


@routes.delete(
    "/api/v1/installs/{install}", scope=Scope.INSTALLS, path_types={"install": Id}, status=204, problems=(NOT_FOUND,)
)
async def revoke_install(ctx: Context) -> None:
    """Revoke a house: its connection ends and it is refused from now on."""
    await ctx.app[keys.INSTALLS].revoke(ctx.account, ctx.path["install"])


def _answer(pairing: Pairing) -> PairingAnswer:
    return PairingAnswer(
        user_code=pairing.user_code,
        name=pairing.name,
        fingerprint=pairing.fingerprint,
        state=pairing.state,
        expires_at=pairing.expires_at,
    )
