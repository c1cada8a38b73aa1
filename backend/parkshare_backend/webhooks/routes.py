"""HTTP routes of webhooks."""

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Reply, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.conditional import PRECONDITION_FAILED
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.problems import NOT_FOUND
from parkshare_backend.webhooks.models import (
    WEBHOOK_PATH,
    AttemptAnswer,
    AttemptsAnswer,
    AttemptsQuery,
    NewWebhookAnswer,
    RedeliveryRequest,
    WebhookAnswer,
    WebhookChange,
    WebhookRequest,
    WebhooksAnswer,
)
from parkshare_backend.webhooks.rows import Webhook
from parkshare_backend.webhooks.service import TOO_MANY_WEBHOOKS

routes = Routes()


def render(webhook: Webhook, *, secret: str | None = None) -> WebhookAnswer:
    """Show a webhook; its secret only when it is new."""
    shown = {
        "id": webhook.id, "url": webhook.url, "kinds": webhook.kinds, "description": webhook.description,
        "state": webhook.state, "reason": webhook.reason, "created_at": webhook.created_at,
        "revision": webhook.revision, "cursor": webhook.cursor, "waiting": webhook.waiting, "tries": webhook.tries,
        "failing_since": webhook.failing_since, "next_try_at": webhook.due_at if webhook.tries else None,
        "old_secret_until": webhook.old_secret_until,
    }  # fmt: skip
    if secret is None:
        return WebhookAnswer.model_validate(shown)
    return NewWebhookAnswer.model_validate(shown | {"secret": secret})


@routes.post(
    "/api/v1/webhooks",
    scope=Scope.INTEGRATIONS,
    request=WebhookRequest,
    response=NewWebhookAnswer,
    status=201,
    creates=True,
    problems=(TOO_MANY_WEBHOOKS,),
)
async def add_webhook(ctx: Context, body: WebhookRequest) -> WebhookAnswer:
    """Send the account's changes to an address from now on; the secret is shown this once."""
    webhook = await ctx.app[keys.WEBHOOKS].add(ctx.account, body)
    return render(webhook, secret=webhook.secret)


@routes.get("/api/v1/webhooks", scope=Scope.INTEGRATIONS, response=WebhooksAnswer)
async def list_webhooks(ctx: Context) -> WebhooksAnswer:
    """List the account's webhooks."""
    return WebhooksAnswer(items=[render(webhook) for webhook in await ctx.app[keys.WEBHOOKS].listed(ctx.account)])


@routes.get(
    "/api/v1/webhooks/{webhook}",
    scope=Scope.INTEGRATIONS,
    response=WebhookAnswer,
    path_types=WEBHOOK_PATH,
    tagged=True,
    problems=(NOT_FOUND,),
)
async def get_webhook(ctx: Context) -> Reply:
    """Show a webhook."""
    webhook = await ctx.app[keys.WEBHOOKS].get(ctx.account, ctx.path["webhook"])
    return Reply(render(webhook), revision=webhook.revision)


@routes.patch(
    "/api/v1/webhooks/{webhook}",
    scope=Scope.INTEGRATIONS,
    request=WebhookChange,
    response=WebhookAnswer,
    path_types=WEBHOOK_PATH,
    tagged=True,
    problems=(NOT_FOUND, PRECONDITION_FAILED),
)
async def change_webhook(ctx: Context, body: WebhookChange) -> Reply:
    """Change a webhook, pause it, or make it active again, which tries at once."""
    webhook = await ctx.app[keys.WEBHOOKS].change(ctx.account, ctx.path["webhook"], body, seen=ctx.precondition)
    return Reply(render(webhook), revision=webhook.revision)


@routes.delete(
    "/api/v1/webhooks/{webhook}",
    scope=Scope.INTEGRATIONS,
    path_types=WEBHOOK_PATH,
    status=204,
    problems=(NOT_FOUND,),
)
async def remove_webhook(ctx: Context) -> None:
    """Delete a webhook and its log."""
    await ctx.app[keys.WEBHOOKS].remove(ctx.account, ctx.path["webhook"])


@routes.post(
    "/api/v1/webhooks/{webhook}/rotate",
    scope=Scope.INTEGRATIONS,
    response=NewWebhookAnswer,
    path_types=WEBHOOK_PATH,
    problems=(NOT_FOUND,),
)
async def rotate_webhook(ctx: Context) -> WebhookAnswer:
    """Make a new secret, shown this once; for a day the old one signs beside it."""
    webhook = await ctx.app[keys.WEBHOOKS].rotate(ctx.account, ctx.path["webhook"])
    return render(webhook, secret=webhook.secret)


@routes.get(
    "/api/v1/webhooks/{webhook}/attempts",
    scope=Scope.INTEGRATIONS,
    query=AttemptsQuery,
    response=AttemptsAnswer,
    path_types=WEBHOOK_PATH,
    problems=(NOT_FOUND,),
)
async def list_attempts(ctx: Context) -> AttemptsAnswer:
    """List the last attempts to send, newest first."""
    limit = ctx.query(AttemptsQuery).limit
    return AttemptsAnswer(items=await ctx.app[keys.WEBHOOKS].attempts(ctx.account, ctx.path["webhook"], limit=limit))


@routes.post(
    "/api/v1/webhooks/{webhook}/ping",
    scope=Scope.INTEGRATIONS,
    response=AttemptAnswer,
    path_types=WEBHOOK_PATH,
    rate=Rate.OUTBOUND,
    problems=(NOT_FOUND,),
)
async def ping_webhook(ctx: Context) -> AttemptAnswer:
    """Send a `webhook.ping` now and tell what came of it."""
    return await ctx.app[keys.WEBHOOKS].ping(ctx.account, ctx.path["webhook"])


@routes.post(
    "/api/v1/webhooks/{webhook}/redeliver",
    scope=Scope.INTEGRATIONS,
    request=RedeliveryRequest,
    response=AttemptAnswer,
    path_types=WEBHOOK_PATH,
    rate=Rate.OUTBOUND,
    problems=(NOT_FOUND,),
)
async def redeliver(ctx: Context, body: RedeliveryRequest) -> AttemptAnswer:
    """Send a change once more now, beside the order, and tell what came of it."""
    return await ctx.app[keys.WEBHOOKS].redeliver(ctx.account, ctx.path["webhook"], body.q)
