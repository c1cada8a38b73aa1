"""What was seen of the car that stands there: the looks of the camera and of other sources, and the pictures behind."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from custom_components.parkshare.recognition import Decision, Look, Picture, Verdict, VerdictPolicy, judge

from .burst import Burst

# A car that stood there earlier must not speak for the one that stands there now.
LOOKS_KEPT: Final = 12
LOOK_MAX_AGE: Final = 60.0  # s
CAMERA: Final = ""


class Evidence:
    """All looks of one armed phase, judged together. expected is the plate that is booked."""

    def __init__(self, expected: str, policy: VerdictPolicy) -> None:
        self.expected = expected
        self._policy = policy
        # Each source has its own: one that talks much must not push out what the others saw.
        self._looks: dict[str, deque[Look]] = {}
        self._pictures = Burst(most=LOOKS_KEPT)
        self._plates_at: set[float] = set()
        self._verdict: Verdict | None = None
        # When that was seen on which the verdict rests (UTC epoch seconds).
        self.seen_at = 0.0

    @property
    def nearly_sure(self) -> bool:
        """Tell whether the booked plate was seen, but not surely enough: one more look may decide."""
        verdict = self._verdict
        return verdict is not None and verdict.decision is Decision.UNSURE and verdict.agreeing > 0

    def read(self, look: Look, pictures: Sequence[Picture]) -> Verdict:
        """Take in what the reader read in the best of some pictures."""
        self._pictures.add(next((each for each in pictures if each.taken_at == look.taken_at), pictures[-1]))
        if look.readings:
            self._plates_at.add(look.taken_at)
        return self.heard(look, CAMERA)

    def heard(self, look: Look, source: str) -> Verdict:
        """Take in a look of a source and judge all of them."""
        self._looks.setdefault(source, deque(maxlen=LOOKS_KEPT)).append(look)
        every = sorted((each for looks in self._looks.values() for each in looks), key=lambda each: each.taken_at)
        # Measured from the newest one to come: where the clock was set back, older ones have later times.
        recent = [each for each in every if abs(look.taken_at - each.taken_at) <= LOOK_MAX_AGE]
        self._verdict = judge(recent, self.expected, self._policy)
        self.seen_at = self._last_shown(recent) if self._verdict.decision is Decision.ADMIT else look.taken_at
        return self._verdict

    def _last_shown(self, looks: Sequence[Look]) -> float:
        """Return when the expected plate was last seen: a look at an empty bay does not make what was before it new."""
        shown = (each.taken_at for each in reversed(looks) if judge([each], self.expected, self._policy).agreeing)
        return next(shown, 0.0)

    def best_picture(self) -> Picture | None:
        """Return the picture behind the verdict, else the newest that showed a plate, else the newest one."""
        best_at = self._verdict.best_at if self._verdict else None
        return (
            self._pictures.newest(lambda picture: picture.taken_at == best_at)
            or self._pictures.newest(lambda picture: picture.taken_at in self._plates_at)
            or self._pictures.newest(lambda _: True)
        )
