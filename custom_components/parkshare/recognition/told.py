"""What the verdict tells its owner: reasons and evidence in plain words, never a plate.

Pure: standard library only.
"""

from collections.abc import Sequence

from .levels import VerdictPolicy
from .sights import Sight, Worth

NO_PLATE_EXPECTED = "No plate is expected, so none can be recognised."
NO_PICTURE = "There is no picture to judge."
UNKNOWN_CHARACTERS = "The expected plate has characters that the reader does not know. Let the car in by hand."
NOTHING_SEEN = "No plate can be seen. Check that the camera sees the car, its light and its focus."
CLEARLY_READ = "The plate was read clearly and is the expected one."
REPEATS = "The camera repeats its last picture."

_NAMES = {
    "ppocr": "the PP-OCR reader",
    "own": "our own small reader",
    "frigate": "Frigate",
    "fast_plate_ocr": "fast-plate-ocr",
    "embedded": "the embedded reader",
}


def what_is_missing(sights: Sequence[Sight], *, repeated: int) -> str:
    """Say why it is not sure yet, and what would help."""
    if not sights:
        return NO_PICTURE
    if all(sight.fit is None for sight in sights):
        return NOTHING_SEEN
    best = max(sight.worth for sight in sights)
    if best >= Worth.PROBABLE:
        reason = "One picture probably shows the expected plate; another one is needed to be sure."
    elif best:
        reason = "One reader sees the expected plate; another reader that agrees is needed to be sure."
    elif any(sight.other_plate for sight in sights):
        reason = "One picture seems to show another plate; another one is needed to be sure."
    else:
        return "A plate can be seen, but not clearly enough to compare it."
    return f"{reason} {REPEATS}" if repeated else reason


def evidence_of(
    sights: Sequence[Sight], best: Sight | None, *, contrary: int, repeated: int, policy: VerdictPolicy
) -> tuple[str, ...]:
    """List what the verdict rests on, one short sentence each: pictures, readers, how near, what speaks against it."""
    told = [_counted(len(sights), "picture was compared.", "pictures were compared.")]
    if repeated:
        told.append(
            _counted(repeated, "more repeats an earlier one and does", "more repeat earlier ones and do")
            + " not count."
        )
    if best is not None and best.fit is not None:
        told += _best_picture(best, policy)
    agreeing = sum(sight.worth > Worth.NOTHING for sight in sights)
    if len(sights) > 1:
        told.append(
            _counted(agreeing, "picture speaks for the expected plate.", "pictures speak for the expected plate.")
        )
    if contrary:
        told.append(_counted(contrary, "picture clearly shows", "pictures clearly show") + " another plate.")
    return tuple(told)


def _best_picture(best: Sight, policy: VerdictPolicy) -> list[str]:
    found = best.fit
    assert found is not None  # noqa: S101 - the caller looked
    told = []
    silent = found.judged - found.agreeing
    if found.agreeing:
        verb = "finds" if len(found.agreeing) == 1 else "agree on"
        told.append(f"In the best picture {_listed(found.agreeing)} {verb} the expected plate.")
    if silent:
        other = "something else" if found.agreeing else "nothing like the expected plate"
        who = _listed(silent)
        told.append(f"{who[0].upper()}{who[1:]} {'reads' if len(silent) == 1 else 'read'} {other}.")
    enough = policy.admit_score_two_readers if len(found.judged) > 1 else policy.admit_score
    if found.lead is not None and found.score >= policy.contrary_score:
        told.append(f"That scores {found.score:+.1f}; {enough:+.1f} is enough for one picture.")
    if found.text is not None:
        told.append(f"The text is exactly the expected one, each character at least {found.text:.0%} sure.")
    if found.part is not None and found.lead is None:
        told.append("No reader knows all characters of the expected plate; the others were compared.")
    return told


def _counted(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def _listed(readers: frozenset[str]) -> str:
    named = sorted(_NAMES.get(reader, f"the reader {reader}" if reader else "the reader") for reader in readers)
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
