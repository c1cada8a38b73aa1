"""The page `/link`: an owner signs in, compares name and fingerprint of a house, approves or denies.

Plain forms, no script. Each form carries a token that is bound to a cookie only this browser has (a signed
double submit), so another site cannot press a button; the session is a short-lived token with the one scope
`installs` in a cookie that no script can read.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import urlencode, urlsplit

from aiohttp import hdrs, web

from parkshare_backend import keys
from parkshare_backend.accounts.pairings import Pairing, State
from parkshare_backend.clock import Clock, Random
from parkshare_backend.http.api import CALLER
from parkshare_backend.http.auth import Principal, Scope
from parkshare_backend.http.limits import Rate
from parkshare_backend.http.pages import page
from parkshare_backend.http.problems import Problem

PATH = "/link"
SESSION = "parkshare_link"
BROWSER = "parkshare_browser"
SESSION_LIFE = 900.0  # seconds; as long as a code lives
_MAX_FIELD = 300  # characters of a form field

type Page = Callable[[web.Request], Awaitable[web.Response]]


class LinkPages:
    """The pages and what protects their forms."""

    def __init__(self, *, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        # New with each start of the server: a form that was open over a restart is loaded again.
        self._key = random.randbytes(32)

    def setup(self, app: web.Application) -> None:
        """Add the pages' addresses."""
        app.router.add_get(PATH, self._guarded(self.show))
        app.router.add_post(f"{PATH}/sign-in", self._guarded(self.sign_in))
        app.router.add_post(f"{PATH}/decide", self._guarded(self.decide))

    def _guarded(self, handler: Page) -> Page:
        """Draw problems as pages, for people."""

        async def guarded(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except Problem as problem:
                response = page(problem.kind.title, _problem(problem) + _again(), status=problem.status)
                response.headers.update({k: v for k, v in problem.headers.items() if k != hdrs.WWW_AUTHENTICATE})
                return response

        return guarded

    async def show(self, request: web.Request) -> web.Response:
        """Show the form that comes next: sign in, type the code, or decide."""
        browser = request.cookies.get(BROWSER) or self._random.randbytes(16).hex()
        code = request.query.get("user_code", "")[:_MAX_FIELD]
        principal = await self._session(request)
        if principal is None:
            response = page("Sign in to link your home", self._sign_in_form(browser, code))
        elif not code:
            response = page("Link your home", _code_form(""))
        else:
            response = await self._confirm(request, principal, browser, code)
        self._keep(request, response, BROWSER, browser, SESSION_LIFE * 4)
        return response

    async def _confirm(self, request: web.Request, principal: Principal, browser: str, code: str) -> web.Response:
        request.app[keys.LIMITER].hit(f"account:{principal.account}", Rate.CODE)
        try:
            pairing = await request.app[keys.PAIRINGS].look(code)
        except Problem as problem:
            return page("Link your home", _problem(problem) + _code_form(code), status=problem.status)
        if pairing.state is not State.PENDING:
            return _decided(pairing)
        return page("Link this home?", self._decision_form(browser, pairing))

    async def sign_in(self, request: web.Request) -> web.Response:
        """Check the password; go on with the code."""
        request.app[keys.LIMITER].hit(f"address:{request[CALLER].address}", Rate.LOGIN)
        form = await self._form(request)
        if form is None:
            return self._stale()
        code = form.get("user_code", "")
        try:
            token = await request.app[keys.ACCOUNTS].sign_in(
                email=form.get("email", ""),
                password=form.get("password", ""),
                label="linking a home",
                scopes=frozenset({Scope.INSTALLS}),
                life=SESSION_LIFE,
            )
        except Problem as problem:
            browser = request.cookies.get(BROWSER, "")
            body = _problem(problem) + self._sign_in_form(browser, code, email=form.get("email", ""))
            return page("Sign in to link your home", body, status=problem.status)
        target = PATH + ("?" + urlencode({"user_code": code}) if code else "")
        response = web.Response(status=303, headers={hdrs.LOCATION: target})
        self._keep(request, response, SESSION, token.text, SESSION_LIFE)
        return response

    async def decide(self, request: web.Request) -> web.Response:
        """Approve or deny."""
        form = await self._form(request)
        principal = await self._session(request)
        if form is None or principal is None or form.get("decision") not in {"approve", "deny"}:
            return self._stale()
        request.app[keys.LIMITER].hit(f"account:{principal.account}", Rate.CODE)
        pairings, code = request.app[keys.PAIRINGS], form.get("user_code", "")
        if form["decision"] == "approve":
            return _decided(await pairings.approve(code, principal.account))
        return _decided(await pairings.deny(code))

    async def _session(self, request: web.Request) -> Principal | None:
        token = request.cookies.get(SESSION)
        if not token:
            return None
        try:
            principal = await request.app[keys.AUTHENTICATOR].authenticate(token)
        except Problem:
            return None
        return principal if Scope.INSTALLS in principal.scopes else None

    async def _form(self, request: web.Request) -> dict[str, str] | None:
        """Read a form that this browser got from us; None when somebody else made it."""
        if request.content_type != "application/x-www-form-urlencoded":
            return None
        try:
            # A page with `Referrer-Policy: no-referrer` posts `Origin: null`; the token decides then.
            origin = request.headers.get(hdrs.ORIGIN, "null")
            if origin != "null" and urlsplit(origin).netloc != request.host:
                return None
            posted = await request.post()
        except ValueError, LookupError:  # no address, or no text in the encoding that it claims
            return None
        form = {name: value[:_MAX_FIELD] for name, value in posted.items() if isinstance(value, str)}
        expected = self._token(request.cookies.get(BROWSER, ""))
        return form if hmac.compare_digest(form.get("csrf", "").encode(), expected.encode()) else None

    def _token(self, browser: str) -> str:
        return hmac.new(self._key, browser.encode(), hashlib.sha256).hexdigest()

    def _keep(self, request: web.Request, response: web.Response, name: str, value: str, life: float) -> None:
        secure = request.app[keys.SETTINGS].public_url.startswith("https://")
        response.set_cookie(name, value, max_age=int(life), path=PATH, httponly=True, samesite="Lax", secure=secure)

    def _stale(self) -> web.Response:
        body = '<p class="problem" role="alert">This form is too old or came from another page. Load it again.</p>'
        return page("Load the page again", body + _again(), status=403)

    def _sign_in_form(self, browser: str, code: str, *, email: str = "") -> str:
        return (
            f'<form method="post" action="{PATH}/sign-in">{self._hidden(browser, code)}'
            '<label for="email">E-mail</label>'
            f'<input id="email" name="email" type="email" autocomplete="username" required value="{escape(email)}">'
            '<label for="password">Password</label>'
            '<input id="password" name="password" type="password" autocomplete="current-password" required>'
            '<button type="submit">Sign in</button></form>'
        )

    def _decision_form(self, browser: str, pairing: Pairing) -> str:
        return (
            "<p>A Home Assistant asks to share parking spaces in your name. Compare these with what it shows:</p>"
            f"<dl><dt>Home</dt><dd>{escape(pairing.name)}</dd>"
            f'<dt>Code</dt><dd class="key">{escape(pairing.user_code)}</dd>'
            f'<dt>Key fingerprint</dt><dd class="key">{escape(pairing.fingerprint)}</dd></dl>'
            '<p class="note">If you did not start this in your own Home Assistant, deny it.</p>'
            f'<form method="post" action="{PATH}/decide">{self._hidden(browser, pairing.user_code)}'
            '<button type="submit" name="decision" value="approve">Approve</button>'
            '<button type="submit" name="decision" value="deny">Deny</button></form>'
        )

    def _hidden(self, browser: str, code: str) -> str:
        return (
            f'<input type="hidden" name="csrf" value="{self._token(browser)}">'
            f'<input type="hidden" name="user_code" value="{escape(code)}">'
        )


def _code_form(code: str) -> str:
    return (
        f'<form method="get" action="{PATH}"><label for="user_code">Code that Home Assistant shows</label>'
        f'<input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" required '
        f'value="{escape(code)}"><button type="submit">Continue</button></form>'
    )


def _decided(pairing: Pairing) -> web.Response:
    if pairing.state is State.APPROVED:
        return page("Linked", f"<p>{escape(pairing.name)} is linked. You can close this page.</p>")
    return page("Denied", f"<p>{escape(pairing.name)} was denied. You can close this page.</p>")


def _problem(problem: Problem) -> str:
    return f'<p class="problem" role="alert">{escape(problem.detail)}</p>'


def _again() -> str:
    return f'<p><a href="{PATH}">Back to linking a home</a></p>'
