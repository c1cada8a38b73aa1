"""Rate limits: token buckets in memory, one for each caller and class of route."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import RATE_LIMITED, Problem


class Rate(StrEnum):
    """The class of a route: how expensive it is, or how much guessing it invites."""

    NORMAL = "normal"
    SEARCH = "search"
    LOGIN = "login"  # passwords and new accounts
    CODE = "code"  # looking at somebody's pairing code
    POLL = "poll"  # a house that waits for its owner
    GATE_CODE = "gate-code"  # a code that opens one space; counted for each booking
    OUTBOUND = "outbound"  # makes the server call somebody else at once


# The headers RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers): how many requests at once (q) and
# in how many seconds an empty bucket is full again (w); how many are left (r), and in how many seconds it is full (t).
type Left = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bucket: `burst` requests at once, then `per_minute`."""

    burst: float
    per_minute: float


# Passwords: 10 tries, then one in 12 s, on top of argon2. User codes: 20^8 codes live 15 minutes; at
# 5 guesses a minute from one caller a hit on one of 1000 open codes takes about ten years.
DEFAULT_ALLOWANCES: dict[Rate, Allowance] = {
    Rate.NORMAL: Allowance(burst=120, per_minute=600),
    Rate.SEARCH: Allowance(burst=30, per_minute=120),
    Rate.LOGIN: Allowance(burst=10, per_minute=5),
    Rate.CODE: Allowance(burst=10, per_minute=5),
    Rate.POLL: Allowance(burst=20, per_minute=60),
    # The house itself counts wrong tries, and allows fewer: this keeps it from being asked at all.
    Rate.GATE_CODE: Allowance(burst=8, per_minute=2),
    Rate.OUTBOUND: Allowance(burst=10, per_minute=10),
}
# What one address may do in all classes together, before anybody knows who calls. Offices share one.
ADDRESS_ALLOWANCE = Allowance(burst=600, per_minute=3000)

_MAX_BUCKETS = 50_000  # about 10 MB; the least recently used one is forgotten, and was full by then


@lru_cache(maxsize=10_000)
def line_of(address: str) -> str:
    """Give what counts as one caller: an IPv4 address, or the /64 network of an IPv6 one.

    A subscriber's line has 2^64 IPv6 addresses; a limit for each of them would be none.
    """
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return f"{ip_address(int(known) >> 64 << 64)}/64"


class RateLimiter:
    """Buckets that fill with time; a caller with an empty one is told when to come back.

    scale multiplies every allowance; 0 switches the limits off.
    """

    def __init__(self, clock: Clock, *, scale: float = 1.0) -> None:
        self._clock = clock
        self._scale = scale
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._sizes = {rate: self._size(rate) for rate in (None, *Rate)} if scale else {}

    def _size(self, rate: Rate | None) -> tuple[str, float, float, str]:
        """Give a class's name, its burst, what comes back each second, and its policy as the header says it."""
        allowance = ADDRESS_ALLOWANCE if rate is None else DEFAULT_ALLOWANCES[rate]
        name = "address" if rate is None else rate.value
        burst, refill = allowance.burst * self._scale, allowance.per_minute * self._scale / 60
        return name, burst, refill, f'"{name}";q={int(burst)};w={math.ceil(burst / refill)}'

    def hit(self, caller: str, rate: Rate | None) -> Left | None:
        """Take one request of the caller; raise Problem(RATE_LIMITED) when none is left.

        caller is `account:<id>`, `address:<ip>` or `booking:<id>:<account>`; rate None is the allowance
        of the address as a whole. Gives what is left of a route's allowance, None when there are no limits.
        """
        if not self._scale:
            return None
        name, burst, refill, policy = self._sizes[rate]
        key, now = (caller, name), self._clock.now()
        left, at = self._buckets.pop(key, (burst, now))
        if now > at:
            left += (now - at) * refill
        left = min(left, burst)
        if left < 1:
            self._buckets[key] = (left, now)
            raise _used_up(name, policy, math.ceil((1 - left) / refill))
        left -= 1
        self._buckets[key] = (left, now)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        if rate is None:
            return None  # the allowance of the route is the one that a caller is told of
        return policy, f'"{name}";r={int(left)};t={math.ceil((burst - left) / refill)}'


def _used_up(name: str, policy: str, retry_after: int) -> Problem:
    return Problem(
        RATE_LIMITED,
        f"Too many requests. Try again in {retry_after} s.",
        headers={
            "Retry-After": str(retry_after),
            "RateLimit-Policy": policy,
            "RateLimit": f'"{name}";r=0;t={retry_after}',
        },
        extra={"retry_after": retry_after},
    )
