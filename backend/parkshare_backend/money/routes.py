"""HTTP routes of money: the purse, the yearly report, and the door for the payment provider's events."""

import re

from aiohttp import web

from parkshare_backend import keys
from parkshare_backend.http.api import Context, Routes
from parkshare_backend.http.auth import Scope
from parkshare_backend.http.cursors import cursor, read_number_cursor
from parkshare_backend.http.pages import page
from parkshare_backend.http.problems import NOT_FOUND, Problem
from parkshare_backend.money.models import (
    BalanceAnswer,
    BalancesAnswer,
    EntryAnswer,
    Heard,
    ReportYear,
    SellerAnswer,
    SellerBody,
    StatementPage,
    StatementQuery,
)
from parkshare_backend.money.outcomes import BAD_SIGNATURE
from parkshare_backend.money.purse import Seller

routes = Routes()

PAID_PAGE = "/paid"  # where the checkout sends people back to
_PAID = """<h1>Thank you</h1>
<p>Whether the payment came, your ParkShare app shows in a moment. You can close this page.</p>"""


@routes.get("/api/v1/account/balance", scope=Scope.ACCOUNT, response=BalancesAnswer)
async def balance(ctx: Context) -> BalancesAnswer:
    """Show what the account has, by currency."""
    purse = ctx.app[keys.PURSE]
    items = [
        BalanceAnswer(currency=item.currency, amount_minor=item.amount_minor, held_minor=item.held_minor)
        for item in await purse.balances(ctx.account)
    ]
    return BalancesAnswer(items=items, may_owe=purse.may_owe)


@routes.get("/api/v1/account/statement", scope=Scope.ACCOUNT, query=StatementQuery, response=StatementPage)
async def statement(ctx: Context) -> StatementPage:
    """List the entries of the account, newest first."""
    query = ctx.query(StatementQuery)
    entries, more = await ctx.app[keys.PURSE].statement(
        ctx.account, before=read_number_cursor(query.cursor), limit=query.limit
    )
    items = [
        EntryAnswer(
            n=entry.n,
            at=entry.at,
            cause=entry.cause,
            booking=entry.booking,
            amount_minor=entry.amount_minor,
            currency=entry.currency,
        )
        for entry in entries
    ]
    return StatementPage(items=items, next=cursor(entries[-1].n) if more else None)


@routes.get(
    "/api/v1/account/report/{year}",
    scope=Scope.ACCOUNT,
    path_types={"year": ReportYear},
    media="text/csv",
    problems=(NOT_FOUND,),
)
async def yearly_report(ctx: Context) -> web.Response:
    """Give the owner's report of a year (`2026.csv`) with the fields of DAC7."""
    year = re.sub(r"\D", "", ctx.path["year"])
    text = await ctx.app[keys.PURSE].yearly(ctx.account, int(year))
    headers = {"Content-Disposition": f'attachment; filename="parkshare-{year}.csv"'}
    return web.Response(text=text, content_type="text/csv", charset="utf-8", headers=headers)


@routes.get("/api/v1/account/seller", scope=Scope.ACCOUNT, response=SellerAnswer, problems=(NOT_FOUND,))
async def get_seller(ctx: Context) -> SellerAnswer:
    """Show what the account said of itself as a seller."""
    return _seller(await ctx.app[keys.PURSE].seller(ctx.account))


@routes.put("/api/v1/account/seller", scope=Scope.ACCOUNT, request=SellerBody, response=SellerAnswer)
async def put_seller(ctx: Context, body: SellerBody) -> SellerAnswer:
    """Tell what tax law asks about somebody who lets a space for money."""
    return _seller(await ctx.app[keys.PURSE].tell_seller(ctx.account, body.model_dump()))


@routes.post("/api/v1/payments/webhook", scope=None, response=Heard, problems=(BAD_SIGNATURE, NOT_FOUND))
async def webhook(ctx: Context) -> Heard:
    """Hear an event of the payment provider; its signature is the proof, and each event counts once."""
    checkout = ctx.app[keys.CHECKOUT]
    if checkout is None:
        raise Problem(NOT_FOUND, "This server takes no payments through a checkout.")
    await checkout.outcomes.hear(await ctx.request.read(), ctx.request.headers.get("Stripe-Signature", ""))
    return Heard(received=True)


async def paid(_request: web.Request) -> web.Response:
    """Show people who come back from the checkout where to look."""
    return page("Payment", _PAID)


def setup(app: web.Application) -> None:
    """Add the page's address."""
    app.router.add_get(PAID_PAGE, paid)


def _seller(seller: Seller) -> SellerAnswer:
    return SellerAnswer(
        legal_name=seller.legal_name,
        address=seller.address,
        country=seller.country,
        tax_id=seller.tax_id,
        tax_country=seller.tax_country,
        vat_id=seller.vat_id,
        birth_date=seller.birth_date,
        updated_at=seller.updated_at,
    )
