"""What was seen of the car that stands there: the looks of the camera and of other sources, and the pictures behind."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from custom_components.parkshare.recognition import (
    WHOLE,
    Decision,
    Look,
    Picture,
    Reading,
    Region,
    Verdict,
    VerdictPolicy,
    fold,
    judge,
    normalise,
)
from custom_components.parkshare.recognition.levels import POLICIES, Level
from custom_components.parkshare.recognition.sights import places

from .burst import Burst

# A car that stood there earlier must not speak for the one that stands there now.
LOOKS_KEPT: Final = 12
LOOK_MAX_AGE: Final = 60.0  # s
CAMERA: Final = ""
# A code that the renter shows opens like a plate and may be shown by anybody who sees it: only the surest reading does.
CODE_POLICY: Final = POLICIES[Level.STRICT]
CODE_MISREAD: Final = 2  # characters; what is read that near to a code is the code, not another car's plate
NO_CARS: Final = "What was read is no other car's plate where the booked car would stand."

type Codes = Callable[[], Sequence[str]]


class Evidence:
    """All looks of one armed phase, judged together.

    expected is the plate that is booked, region where it is looked for, codes what its renter may show to the camera
    instead. After look_harder more is looked at: the whole picture, and those codes.
    """

    def __init__(self, expected: str, policy: VerdictPolicy, *, region: Region = WHOLE, codes: Codes = tuple) -> None:
        self.expected = expected
        self._policy = policy
        self._region = region
        self._codes = codes
        self._harder = False
        # Each source has its own: one that talks much must not push out what the others saw.
        self._looks: dict[str, deque[Look]] = {}
        self._pictures = Burst(most=LOOKS_KEPT)
        self._plates_at: set[float] = set()
        self._verdict: Verdict | None = None
        # When that was seen on which the verdict rests (UTC epoch seconds).
        self.seen_at = 0.0

    def look_harder(self) -> None:
        """From now on the looks may be of the whole picture, and may show a code."""
        self._harder = True

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
        recent = self._recent(look.taken_at)
        self._verdict = self._judged(recent)
        admits = self._verdict.decision is Decision.ADMIT
        self.seen_at = _last_shown(recent, self.expected, self._policy) if admits else look.taken_at
        return self._verdict

    def shown_code(self, now: float) -> tuple[str, float] | None:
        """Return the code that is surely shown to the camera, and when it was last seen; None while none is.

        Only codes that are right now count; now and the time are UTC epoch seconds.
        """
        if not self._harder:
            return None
        recent = self._recent(now)
        for code in self._codes():
            if judge(recent, code, CODE_POLICY).decision is Decision.ADMIT:
                return code, _last_shown(recent, code, CODE_POLICY)
        return None

    def against(self, look: Look) -> Look:
        """Return a look without what speaks against no car: what is read outside of the region, and shown codes."""
        codes = [fold(normalise(code)) for code in self._codes()]
        kept = tuple(
            each for each in look.readings if self._in_region(each, look) and not any(_is_near(each, c) for c in codes)
        )
        return look if len(kept) == len(look.readings) else replace(look, readings=kept)

    def _judged(self, looks: Sequence[Look]) -> Verdict:
        """Judge all that was read. A neighbour's car outside of the region may turn nobody away."""
        verdict = judge(looks, self.expected, self._policy)
        if verdict.decision is Decision.REFUSE:
            of_here = judge([self.against(look) for look in looks], self.expected, self._policy)
            if of_here.decision is not Decision.REFUSE:
                return replace(verdict, decision=Decision.UNSURE, reason=NO_CARS, contrary=0)
        return verdict

    def _recent(self, now: float) -> list[Look]:
        every = sorted((each for looks in self._looks.values() for each in looks), key=lambda each: each.taken_at)
        # Measured from the newest one to come: where the clock was set back, older ones have later times.
        return [each for each in every if abs(now - each.taken_at) <= LOOK_MAX_AGE]

    def _in_region(self, reading: Reading, look: Look) -> bool:
        """Tell whether a reading lies in the region; of readers that do not say where, all do."""
        if not self._harder or not reading.box or look.quality is None:
            return True
        xs, ys = zip(*reading.box, strict=True)
        across, down = sum(xs) / len(xs) / look.quality.width, sum(ys) / len(ys) / look.quality.height
        region = self._region
        return bool(region.left <= across <= region.right and region.top <= down <= region.bottom)

    def newest_picture(self) -> Picture | None:
        """Return the newest picture that was read."""
        return self._pictures.newest(lambda _: True)

    def best_picture(self) -> Picture | None:
        """Return the picture behind the verdict, else the newest that showed a plate, else the newest one."""
        best_at = self._verdict.best_at if self._verdict else None
        return (
            self._pictures.newest(lambda picture: picture.taken_at == best_at)
            or self._pictures.newest(lambda picture: picture.taken_at in self._plates_at)
            or self.newest_picture()
        )


def _last_shown(looks: Sequence[Look], expected: str, policy: VerdictPolicy) -> float:
    """Return when the expected text was last seen: a look at an empty bay does not make what was before it new."""
    shown = (each.taken_at for each in reversed(looks) if judge([each], expected, policy).agreeing)
    return next(shown, 0.0)


def _is_near(reading: Reading, code: str) -> bool:
    return bool(places(code, fold(normalise(reading.text))) <= CODE_MISREAD)
