"""Rate limits: token buckets in memory, one for each caller and class of route."""

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from parkshare_backend.clock import Clock
from parkshare_backend.http.problems import RATE_LIMITED, Problem


class Rate(StrEnum):
    """The class of a route: how expensive it is, or how much guessing it invites."""

    # As of any text: that of an Enum is a function in Python, and every request looks some up.
    __hash__ = str.__hash__

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

_MAX_BUCKETS = 25_000  # of a class, about 5 MB


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


class _Bucket:
    """What a caller had left of a class when they last came."""

    __slots__ = ("at", "left")

    def __init__(self, left: float, at: float) -> None:
        self.left = left
        self.at = at


class _Class:
    """The buckets of a class, and how large they are."""

    def __init__(self, rate: Rate | None, scale: float) -> None:
        allowance = ADDRESS_ALLOWANCE if rate is None else DEFAULT_ALLOWANCES[rate]
        self.name = "address" if rate is None else rate.value
        self.burst = allowance.burst * scale
        self.refill = allowance.per_minute * scale / 60  # each second
        self.policy = f'"{self.name}";q={int(self.burst)};w={math.ceil(self.burst / self.refill)}'
        self.buckets: dict[str, _Bucket] = {}

    def open(self, caller: str, now: float) -> _Bucket:
        """Give a new caller a full bucket."""
        if len(self.buckets) >= _MAX_BUCKETS:
            self._make_room(now)
        bucket = self.buckets[caller] = _Bucket(self.burst, now)
        return bucket

    def _make_room(self, now: float) -> None:
        """Forget who has a full bucket again, then those who were not here for longest: at least a tenth of all."""
        full_in_s = self.burst / self.refill
        kept = {caller: bucket for caller, bucket in self.buckets.items() if now - bucket.at < full_in_s}
        if len(kept) > (most := _MAX_BUCKETS * 9 // 10):
            lately = sorted(kept, key=lambda caller: kept[caller].at)[-most:]
            kept = {caller: kept[caller] for caller in lately}
        self.buckets = kept


class RateLimiter:
    """Buckets that fill with time; a caller with an empty one is told when to come back.

    scale multiplies every allowance; 0 switches the limits off.
    """

    def __init__(self, clock: Clock, *, scale: float = 1.0) -> None:
        self._clock = clock
        self._classes = {rate: _Class(rate, scale) for rate in (None, *Rate)} if scale else {}

    def hit(self, caller: str, rate: Rate | None, *, now: float | None = None) -> Left | None:
        """Take one request of the caller; raise Problem(RATE_LIMITED) when none is left.

        caller is `account:<id>`, `address:<ip>` or `booking:<id>:<account>`; rate None is the allowance
        of the address as a whole; now None is this moment. Gives what is left of a route's allowance, None when there
        are no limits.
        """
        if not self._classes:
            return None
        kind = self._classes[rate]
        if now is None:
            now = self._clock.now()
        bucket = kind.buckets.get(caller) or kind.open(caller, now)
        left, burst, refill = bucket.left, kind.burst, kind.refill
        if now > bucket.at:
            left = min(burst, left + (now - bucket.at) * refill)
        bucket.at = now
        if left < 1:
            bucket.left = left
            raise _used_up(kind.name, kind.policy, math.ceil((1 - left) / refill))
        bucket.left = left = left - 1
        if rate is None:
            return None  # the allowance of the route is the one that a caller is told of
        return kind.policy, f'"{kind.name}";r={int(left)};t={math.ceil((burst - left) / refill)}'


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
