"""When a delivery that failed is tried again, and when there is no more sense in it. Pure."""

GIVE_UP_AFTER = 3 * 86_400.0  # seconds without one success
FIRST_DELAY = 5.0  # seconds
GROWTH = 4.0
LONGEST_DELAY = 6 * 3600.0  # seconds
JITTER = 0.2  # of the delay, to either side: receivers that fell together are not all called together
GONE = 410  # the receiver says that it wants no more


def delay(tries: int, chance: float) -> float:
    """Give the seconds until the next try after so many failed ones; chance is a number of [0, 1).

    5 s, 20 s, 80 s, 5 min, 21 min, 1.4 h, 5.7 h, then every 6 h.
    """
    plain = min(LONGEST_DELAY, FIRST_DELAY * GROWTH ** min(tries - 1, 10))
    return plain * (1 - JITTER + 2 * JITTER * chance)


def gives_up(*, failing_since: float, now: float, status: int | None) -> str | None:
    """Give the reason for which nothing is sent any more, or None."""
    if status == GONE:
        return "gone"
    if now - failing_since >= GIVE_UP_AFTER:
        return "failing"
    return None
