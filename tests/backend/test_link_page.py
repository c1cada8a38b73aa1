"""The page on which an owner approves a house, as a browser without scripts uses it."""

import re
from html.parser import HTMLParser

import pytest
from aiohttp import ClientSession, CookieJar
from aiohttp.test_utils import TestClient

from tests.backend.support import PASSWORD, House, Person

from tests.backend.test_pairings import poll, start  # isort: skip


class Form(HTMLParser):
    """The one form of a page: its action and its named fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.labelled: set[str] = set()
        self.visible: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        if tag == "label":
            self.labelled.add(values["for"])
        if tag == "input":
            self.fields[values["name"]] = values.get("value", "")
            if values.get("type") != "hidden":
                self.visible.add(values["id"])


@pytest.fixture
async def browser(client: TestClient):  # noqa: ANN201
    async with ClientSession(base_url=client.make_url("/"), cookie_jar=CookieJar(unsafe=True)) as session:
        yield session


async def sign_in(browser: ClientSession, owner: Person, code: str, **changed: str) -> str:
    shown = Form(await (await browser.get("/link", params={"user_code": code})).text())
    filled = shown.fields | {"email": owner.email, "password": PASSWORD} | changed
    return await (await browser.post(shown.action, data=filled)).text()


async def test_an_owner_approves_a_house_in_the_browser(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    confirm = await sign_in(browser, owner, pairing["user_code"])
    seen = await (await client.get(f"/api/v1/pairings/{pairing['user_code']}", headers=owner.headers)).json()
    assert seen["fingerprint"] in confirm
    assert ">Home<" in confirm
    form = Form(confirm)
    done = await browser.post(form.action, data=form.fields | {"decision": "approve"})
    assert "is linked" in await done.text()
    assert (await poll(client, pairing))[0] == 200


async def test_an_owner_denies_a_house_in_the_browser(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    form = Form(await sign_in(browser, owner, pairing["user_code"]))
    assert "was denied" in await (await browser.post(form.action, data=form.fields | {"decision": "deny"})).text()
    assert (await poll(client, pairing))[1]["type"] == "/problems/access-denied"


@pytest.mark.parametrize("changed", [{"csrf": ""}, {"csrf": "0" * 64}, {"decision": "maybe"}])
async def test_a_forged_form_decides_nothing(
    client: TestClient, browser: ClientSession, owner: Person, changed: dict[str, str]
) -> None:
    pairing = await start(client, House())
    form = Form(await sign_in(browser, owner, pairing["user_code"]))
    refused = await browser.post(form.action, data=form.fields | {"decision": "approve"} | changed)
    assert refused.status == 403
    assert (await poll(client, pairing))[1]["type"] == "/problems/authorization-pending"


async def test_a_form_from_another_site_decides_nothing(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    form = Form(await sign_in(browser, owner, pairing["user_code"]))
    data = form.fields | {"decision": "approve"}
    refused = await browser.post(form.action, data=data, headers={"Origin": "https://evil.example"})
    assert refused.status == 403


async def test_another_browsers_form_token_is_worth_nothing(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    form = Form(await sign_in(browser, owner, pairing["user_code"]))
    async with ClientSession(base_url=client.make_url("/"), cookie_jar=CookieJar(unsafe=True)) as other:
        await sign_in(other, owner, pairing["user_code"])
        refused = await other.post(form.action, data=form.fields | {"decision": "approve"})
        assert refused.status == 403


async def test_a_wrong_password_keeps_the_code_and_says_so(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    text = await sign_in(browser, owner, pairing["user_code"], password="wrong")
    assert 'role="alert"' in text
    assert Form(text).fields["user_code"] == pairing["user_code"]
    assert PASSWORD not in text


async def test_a_house_name_cannot_bring_html(client: TestClient, browser: ClientSession, owner: Person) -> None:
    body = {"name": "<script>alert(1)</script>", **House().public_keys}
    pairing = await (await client.post("/api/v1/pairings", json=body)).json()
    text = await sign_in(browser, owner, pairing["user_code"])
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    reflected = await (await browser.get("/link", params={"user_code": '"><script>'})).text()
    assert "<script" not in reflected


async def test_the_pages_obey_their_own_policy_and_label_every_field(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    pairing = await start(client, House())
    pages = [
        await (await browser.get("/link")).text(),
        await sign_in(browser, owner, pairing["user_code"]),
        await (await browser.get("/link")).text(),
        await (await browser.get("/link", params={"user_code": "BBBB-BBBB"})).text(),
    ]
    for text in pages:
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=", text)
        assert '<html lang="en">' in text
        assert text.count("<h1>") == 1
        form = Form(text)
        assert form.visible <= form.labelled
    style = await browser.get("/assets/pages.css")
    assert style.content_type == "text/css"


async def test_the_session_cookie_is_out_of_reach_of_scripts(
    client: TestClient, browser: ClientSession, owner: Person
) -> None:
    shown = Form(await (await browser.get("/link")).text())
    filled = shown.fields | {"email": owner.email, "password": PASSWORD}
    answer = await browser.post(shown.action, data=filled, allow_redirects=False)
    cookie = next(value for value in answer.headers.getall("Set-Cookie") if value.startswith("parkshare_link="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
