"""The page on which a region is drawn, and pictures by link: for who has the link, for minutes, and nothing else."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.parkshare.flows.region_page import PAGE_URL, PICTURE_URL
from custom_components.parkshare.flows.tickets import LIFE, NotAPictureError, Question, Tickets, tickets_of
from custom_components.parkshare.recognition import WHOLE, Region

PICTURE = b"\xff\xd8\xff a picture"


class Asked:
    """A question, and what came back."""

    def __init__(self, **texts: str) -> None:
        self.opened = 0
        self.answers: list[Region | None] = []
        self.question = Question(
            texts={"title": "Where?"} | texts,
            language="en",
            region=Region(0.1, 0.2, 0.8, 0.9),
            opened=self._open,
            answered=self.answers.append,
        )

    def _open(self) -> None:
        self.opened += 1


@pytest.fixture
async def tickets(hass: HomeAssistant) -> Tickets:
    """The links of a Home Assistant in which nobody has linked an account yet."""
    assert await async_setup_component(hass, "parkshare", {})
    return tickets_of(hass)


@pytest.fixture
async def browser(tickets: Tickets, hass_client_no_auth: ClientSessionGenerator) -> TestClient:
    """A browser that is not signed in."""
    return await hass_client_no_auth()


async def test_who_has_the_link_sees_the_picture_and_the_page(tickets: Tickets, browser: TestClient) -> None:
    asked = Asked()
    secret = tickets.issue(PICTURE, question=asked.question)
    assert len(secret) >= 43
    answer = await browser.get(PICTURE_URL.format(secret=secret))
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", PICTURE)
    page = await browser.get(PAGE_URL.format(secret=secret))
    assert (page.status, page.content_type) == (200, "text/html")
    settings = json.loads(re.search(r'id="settings"[^>]*>(.*?)</script>', await page.text()).group(1))
    assert settings["region"] == [0.1, 0.2, 0.8, 0.9]
    assert settings["texts"] == {"title": "Where?"}
    assert asked.opened == 1
    tickets.revoke(secret)


async def test_the_page_is_kept_nowhere_framed_nowhere_and_asks_nobody_else(
    tickets: Tickets, browser: TestClient
) -> None:
    secret = tickets.issue(PICTURE, question=Asked().question)
    pages = [await browser.get(PAGE_URL.format(secret=secret)) for _ in range(2)]
    for page in (*pages, await browser.get(PICTURE_URL.format(secret=secret))):
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    policies = [page.headers["Content-Security-Policy"] for page in pages]
    assert policies[0] != policies[1]
    for policy, page in zip(policies, pages, strict=True):
        assert policy.startswith("default-src 'none'; img-src 'self'; connect-src 'self'; script-src 'nonce-")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        text = await page.text()
        assert not re.search(r"(src|href)=\"(?!/api/parkshare/picture/)", text)
        assert "//" not in re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
        nonce = re.search(r"script-src 'nonce-([^']+)'", policy).group(1)
        assert [tag for tag in re.findall(r"<(?:script|style)[^>]*>", text) if f'nonce="{nonce}"' not in tag] == []
    tickets.revoke(secret)


async def test_a_wrong_link_shows_nothing(tickets: Tickets, browser: TestClient) -> None:
    asked = Asked()
    right = tickets.issue(PICTURE, question=asked.question)
    for secret in ("wrong", right[:-1], f"{right}x", right.swapcase(), "..%2Fregion", "a" * 5000):
        for call in (
            browser.get(PAGE_URL.format(secret=secret)),
            browser.get(PICTURE_URL.format(secret=secret)),
            browser.post(PAGE_URL.format(secret=secret), json={"region": [0, 0, 1, 1]}),
        ):
            answer = await call
            assert answer.status in {400, 404}, secret
            assert PICTURE not in await answer.read()
    assert asked.answers == []
    tickets.revoke(right)


async def test_a_picture_link_is_no_page(tickets: Tickets, browser: TestClient) -> None:
    secret = tickets.issue(PICTURE)
    assert (await browser.get(PAGE_URL.format(secret=secret))).status == 404
    assert (await browser.post(PAGE_URL.format(secret=secret), json={"region": None})).status == 404
    tickets.revoke(secret)


async def test_an_answer_is_taken_once_and_uses_the_link_up(tickets: Tickets, browser: TestClient) -> None:
    asked = Asked()
    secret = tickets.issue(PICTURE, question=asked.question)
    drawn = {"region": [0.25, 0.5, 0.75, 1]}
    assert (await browser.post(PAGE_URL.format(secret=secret), json=drawn)).status == 204
    assert (await browser.post(PAGE_URL.format(secret=secret), json=drawn)).status == 404
    assert (await browser.get(PAGE_URL.format(secret=secret))).status == 404
    assert (await browser.get(PICTURE_URL.format(secret=secret))).status == 404
    assert asked.answers == [Region(0.25, 0.5, 0.75, 1.0)]


@pytest.mark.parametrize(("sent", "answer"), [(None, None), ([0, 0, 1, 1], WHOLE)])
async def test_leaving_it_and_the_whole_picture_are_answers_too(
    tickets: Tickets, browser: TestClient, sent: Any, answer: Region | None
) -> None:
    asked = Asked()
    secret = tickets.issue(PICTURE, question=asked.question)
    assert (await browser.post(PAGE_URL.format(secret=secret), json={"region": sent})).status == 204
    assert asked.answers == [answer]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"[]",
        b'"region"',
        b"{}",
        b'{"region": 7}',
        b'{"region": [0, 0, 1]}',
        b'{"region": [0, 0, 1, 1, 1]}',
        b'{"region": [0.5, 0, 0.5, 1]}',
        b'{"region": [0.8, 0, 0.2, 1]}',
        b'{"region": [-0.1, 0, 1, 1]}',
        b'{"region": [0, 0, 1, 1.1]}',
        b'{"region": [0, 0, NaN, 1]}',
        b'{"region": [0, 0, Infinity, 1]}',
        b'{"region": [0, 0, 0.04, 1]}',
        b'{"region": ["a", {}, null, 1]}',
        b'{"region": [0, 0, 1, 1], "more": "' + b"x" * 2000 + b'"}',
        b"\xff\xfe" * 100,
    ],
)
async def test_what_is_no_region_is_refused_and_the_page_may_try_again(
    tickets: Tickets, browser: TestClient, body: bytes
) -> None:
    asked = Asked()
    secret = tickets.issue(PICTURE, question=asked.question)
    answer = await browser.post(PAGE_URL.format(secret=secret), data=body, headers={"Content-Type": "application/json"})
    assert (answer.status, asked.answers) == (400, [])
    assert (await browser.get(PAGE_URL.format(secret=secret))).status == 200
    tickets.revoke(secret)


async def test_a_link_ends_after_ten_minutes(hass: HomeAssistant, tickets: Tickets, browser: TestClient) -> None:
    ended: list[str] = []
    asked = Asked()
    secret = tickets.issue(PICTURE, question=asked.question, expired=lambda: ended.append("page"))
    async_fire_time_changed(hass, dt_util.utcnow() + LIFE - timedelta(seconds=5))
    assert (await browser.get(PAGE_URL.format(secret=secret))).status == 200
    async_fire_time_changed(hass, dt_util.utcnow() + LIFE + timedelta(seconds=1))
    await hass.async_block_till_done()
    assert (await browser.get(PAGE_URL.format(secret=secret))).status == 404
    assert (await browser.get(PICTURE_URL.format(secret=secret))).status == 404
    assert (await browser.post(PAGE_URL.format(secret=secret), json={"region": None})).status == 404
    assert (ended, asked.answers) == (["page"], [])


async def test_words_in_the_page_stay_words(tickets: Tickets, browser: TestClient) -> None:
    evil = "</script></title><script>alert(1)</script>$nonce &amp;"
    secret = tickets.issue(PICTURE, question=Asked(title=evil, hint=evil).question)
    text = await (await browser.get(PAGE_URL.format(secret=secret))).text()
    assert "<script>alert" not in text
    assert text.count("</script>") == 2
    settings = json.loads(re.search(r'id="settings"[^>]*>(.*?)</script>', text).group(1))
    assert settings["texts"]["hint"] == evil
    tickets.revoke(secret)


@pytest.mark.parametrize("content", [b"", b"<html>no picture</html>", b"GIF89a", b"%PDF-1.7"])
async def test_what_is_no_picture_gets_no_link(tickets: Tickets, content: bytes) -> None:
    with pytest.raises(NotAPictureError):
        tickets.issue(content)
