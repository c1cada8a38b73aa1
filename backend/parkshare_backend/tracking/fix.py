"""One position report of a phone, and what the fence machine makes of its time and accuracy.

Pure: standard library only.
"""

import math
from dataclasses import dataclass, replace
from statistics import median

UNKNOWN_ACCURACY_M = 50.0  # a phone that doesn't say is neither perfect nor useless
SKEW_SAMPLES = 9
SKEW_MIN_SAMPLES = 3
SKEW_SPACING_S = 5.0  # a queue that is flushed arrives in one breath: it counts as one sample
NOT_YET = math.nan  # what received_at is until somebody takes the fix in hand
SKEW_TOLERATED_S = 30.0  # below this a difference is delay, not a wrong clock


# Not frozen: to make a frozen one takes three times as long. Only received_at is ever set later.
@dataclass(slots=True)
class Fix:
    """One position report.

    at is the phone's time of the fix, received_at ours (NOT_YET until somebody takes it in hand), sent_at the
    phone's clock when it sent the message live, None if it doesn't say or the message waited in a queue; all UTC
    epoch seconds. accuracy_m is the radius that holds the true place in 68 of 100 cases; None or <= 0 means
    unknown. entered: the phone's own fence says that it went in.
    """

    lat: float
    lon: float
    at: float
    received_at: float
    accuracy_m: float | None = None
    sent_at: float | None = None
    mock: bool = False
    entered: bool = False

    @property
    def radius_m(self) -> float:
        """The accuracy to reckon with."""
        return self.accuracy_m if self.accuracy_m is not None and self.accuracy_m > 0 else UNKNOWN_ACCURACY_M


@dataclass(frozen=True, slots=True)
class Clock:
    """How far the phone's clock is behind ours, learnt from live sends: (sent_at, received_at) of the last few.

    newest_sent_at is that of every send, sampled or not: a message that comes again tells how late it is, not
    how late the clock is.
    """

    samples: tuple[tuple[float, float], ...] = ()
    newest_sent_at: float = -math.inf

    def learn(self, fix: Fix) -> Clock:
        """Take a live send into account, once, and not several of one breath."""
        if fix.sent_at is None or fix.sent_at <= self.newest_sent_at:
            return self
        heard = replace(self, newest_sent_at=fix.sent_at)
        if self.samples and fix.received_at - self.samples[-1][1] < SKEW_SPACING_S:
            return heard
        return replace(heard, samples=(*self.samples, (fix.sent_at, fix.received_at))[-SKEW_SAMPLES:])

    def correct(self, at: float) -> float:
        """Give our time for a time of the phone."""
        if len(self.samples) < SKEW_MIN_SAMPLES:
            return at
        behind = median(received_at - sent_at for sent_at, received_at in self.samples)
        return at + behind if abs(behind) > SKEW_TOLERATED_S else at
