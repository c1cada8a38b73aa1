"""Sessions, one's data and the end of an account over HTTP."""

from parkshare_backend import keys
from parkshare_backend.accounts.entrance import WRONG_PROOF
from parkshare_backend.accounts.erasure import ACCOUNT_IN_USE
from parkshare_backend.accounts.schemas import (
    ExportAnswer,
    ProofRequest,
    RevokedAnswer,
    RevokeRequest,
    SessionAnswer,
    SessionsAnswer,
)
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import ANY_SCOPE, Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.models import Id
from parkshare_backend.http.problems import NOT_FOUND

routes = Routes()


@routes.get("/api/v1/tokens", scope=Scope.ACCOUNT, response=SessionsAnswer)
async def sessions(ctx: Context) -> SessionsAnswer:
    """List where the account is signed in."""
    return SessionsAnswer(
        items=[
            SessionAnswer(
                id=session.id,
                label=session.label,
                scopes=sorted(session.scopes),
                created_at=session.created_at,
                last_used_at=session.last_used_at,
                expires_at=session.expires_at,
                current=session.id == ctx.principal.token,
            )
            for session in await ctx.app[keys.SESSIONS].listed(ctx.account)
        ]
    )


@routes.delete("/api/v1/tokens/current", scope=ANY_SCOPE, status=204)
async def sign_out(ctx: Context) -> None:
    """Revoke the token that this call came with, whatever it may do."""
    await ctx.app[keys.SESSIONS].revoke(ctx.account, ctx.principal.token)


@routes.delete(
    "/api/v1/tokens/{token}", scope=Scope.ACCOUNT, path_types={"token": Id}, status=204, problems=(NOT_FOUND,)
)
async def revoke_token(ctx: Context) -> None:
    """Revoke one token of the account."""
    await ctx.app[keys.SESSIONS].revoke(ctx.account, ctx.path["token"])


@routes.post("/api/v1/tokens/revoke", scope=Scope.ACCOUNT, request=RevokeRequest, response=RevokedAnswer)
async def revoke_tokens(ctx: Context, body: RevokeRequest) -> RevokedAnswer:
    """Revoke all other tokens, or all: sign out everywhere."""
    keep = ctx.principal.token if body.which == "others" else None
    async with ctx.app[keys.STORE].write() as tx:
        revoked = await ctx.app[keys.SESSIONS].revoke_all(tx, ctx.account, keep=keep)
    return RevokedAnswer(revoked=revoked)


@routes.get("/api/v1/account/export", scope=Scope.ACCOUNT, response=ExportAnswer, rate=Rate.LOGIN)
async def export(ctx: Context) -> ExportAnswer:
    """Give everything that the server keeps of the account."""
    return ExportAnswer(
        server=ctx.app[keys.LINK].server,
        exported_at=ctx.app[keys.CLOCK].now(),
        account=ctx.account,
        parts=await ctx.app[keys.DEPARTURE].export(ctx.account),
    )


@routes.delete(
    "/api/v1/account",
    scope=Scope.ACCOUNT,
    request=ProofRequest,
    status=204,
    rate=Rate.LOGIN,
    problems=(WRONG_PROOF, ACCOUNT_IN_USE),
)
async def erase_account(ctx: Context, body: ProofRequest) -> None:
    """Erase the account and what is kept of it; there is no way back."""
    await ctx.app[keys.DEPARTURE].erase(ctx.account, body.proof)
