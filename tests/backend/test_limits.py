"""Rate limits: who asks too often is told when to come back."""

from ipaddress import ip_network

import pytest
from aiohttp.test_utils import TestClient, make_mocked_request
from hypothesis import given, settings as examples, strategies as st

from parkshare_backend.app import build_app
from parkshare_backend.http.limits import DEFAULT_ALLOWANCES, Rate, RateLimiter, line_of
from parkshare_backend.http.middleware import caller_address
from parkshare_backend.http.problems import Problem
from parkshare_backend.settings import Settings
from tests.backend.conftest import MakeClient
from tests.backend.support import PASSWORD, FakeClock


@pytest.fixture
async def limited(settings: Settings, clock: FakeClock, make_client: MakeClient) -> TestClient:
    return await make_client(build_app(settings.model_copy(update={"rate_limits": 1.0}), clock=clock))


async def test_guessing_passwords_ends_with_429_and_a_time(limited: TestClient, clock: FakeClock) -> None:
    guess = {"email": "anna@example.org", "password": PASSWORD}
    burst = int(DEFAULT_ALLOWANCES[Rate.LOGIN].burst)
    answers = [await limited.post("/api/v1/tokens", json=guess) for _ in range(burst + 1)]
    assert [answer.status for answer in answers] == [401] * burst + [429]
    wait = int(answers[-1].headers["Retry-After"])
    assert (await answers[-1].json())["type"] == "/problems/rate-limited"
    clock.move(wait)
    assert (await limited.post("/api/v1/tokens", json=guess)).status == 401


async def test_a_full_log_in_bucket_leaves_other_routes_alone(limited: TestClient) -> None:
    for _ in range(12):
        await limited.post("/api/v1/tokens", json={"email": "anna@example.org", "password": PASSWORD})
    assert (await limited.get("/.well-known/parkshare")).status == 200


async def test_callers_do_not_share_a_bucket() -> None:
    limiter = RateLimiter(FakeClock())
    for _ in range(10):
        limiter.hit("address:192.0.2.1", Rate.LOGIN)
    with pytest.raises(Problem):
        limiter.hit("address:192.0.2.1", Rate.LOGIN)
    limiter.hit("address:192.0.2.2", Rate.LOGIN)


def test_who_used_up_a_bucket_lately_is_remembered_however_many_come() -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock)
    for caller in range(30_000):
        limiter.hit(f"address:{caller}", Rate.LOGIN)
    clock.move(1)
    for _ in range(10):
        limiter.hit("address:greedy", Rate.LOGIN)
    clock.move(1)
    for caller in range(30_000, 50_000):
        limiter.hit(f"address:{caller}", Rate.LOGIN)
    with pytest.raises(Problem):
        limiter.hit("address:greedy", Rate.LOGIN)


@examples(max_examples=50, deadline=None)
@given(st.lists(st.floats(min_value=0, max_value=60), max_size=100))
def test_no_pattern_of_requests_gets_more_than_burst_and_rate(pauses: list[float]) -> None:
    clock = FakeClock()
    limiter, allowed, started = RateLimiter(clock), 0, clock.now()
    waits: list[int] = []
    for pause in pauses:
        clock.move(pause)
        try:
            limiter.hit("address:192.0.2.1", Rate.LOGIN)
            allowed += 1
        except Problem as problem:
            waits.append(int(problem.headers["Retry-After"]))
    assert all(wait >= 1 for wait in waits)
    allowance = DEFAULT_ALLOWANCES[Rate.LOGIN]
    assert allowed <= allowance.burst + (clock.now() - started) * allowance.per_minute / 60 + 1e-6


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ((), "203.0.113.5", "127.0.0.1"),
        (("127.0.0.0/8",), "203.0.113.5", "203.0.113.5"),
        (("127.0.0.0/8",), "198.51.100.1, 203.0.113.5", "203.0.113.5"),
        (("127.0.0.0/8", "10.0.0.0/8"), "203.0.113.5, 10.1.1.1", "203.0.113.5"),
        (("127.0.0.0/8",), "", "127.0.0.1"),
    ],
)
def test_only_a_trusted_proxy_may_say_who_calls(trusted: tuple[str, ...], forwarded: str, expected: str) -> None:
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote="127.0.0.1")
    assert caller_address(request, tuple(ip_network(net) for net in trusted)) == expected


def test_one_line_of_ipv6_is_one_caller() -> None:
    """A line has 2^64 addresses: a limit for each would be none."""
    assert line_of("2001:db8:1:2:3:4:5:6") == line_of("2001:db8:1:2::7") == "2001:db8:1:2::/64"
    assert line_of("2001:db8:1:3::7") != line_of("2001:db8:1:2::7")
    assert line_of("::ffff:192.0.2.1") == line_of("192.0.2.1") == "192.0.2.1"
    assert line_of("fe80::1%eth0") == "fe80::/64"
    assert line_of("unknown") == "unknown"


async def test_every_answer_of_a_limited_route_tells_what_is_left(limited: TestClient, clock: FakeClock) -> None:
    guess = {"email": "anna@example.org", "password": PASSWORD}
    first = await limited.post("/api/v1/tokens", json=guess)
    assert first.headers["RateLimit-Policy"] == '"login";q=10;w=120'
    assert first.headers["RateLimit"] == '"login";r=9;t=12'
    for _ in range(9):
        last = await limited.post("/api/v1/tokens", json=guess)
    assert last.headers["RateLimit"] == '"login";r=0;t=120'
    refused = await limited.post("/api/v1/tokens", json=guess)
    assert (refused.status, refused.headers["RateLimit"]) == (429, f'"login";r=0;t={refused.headers["Retry-After"]}')
    clock.move(120)
    again = await limited.post("/api/v1/tokens", json=guess)
    assert again.headers["RateLimit"] == '"login";r=9;t=12'


async def test_without_limits_nothing_is_said_of_them(client: TestClient) -> None:
    assert "RateLimit" not in (await client.get("/.well-known/parkshare")).headers
