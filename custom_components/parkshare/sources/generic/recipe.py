"""How to get plates out of the messages of some program. Pure: a message in, what it says out.

A message is whatever JSON can hold. Nothing in it can raise here: what cannot be understood is told as a problem.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from math import isfinite
from typing import Any, Final

from custom_components.parkshare.sources.evidence import BELIEVED, UNSCORED, plate_text
from custom_components.parkshare.sources.freshness import parse_time
from custom_components.parkshare.sources.paths import Path, parse_path

# What is stored of any source that is described by paths.
CONF_PLATE_PATH: Final = "plate_path"
CONF_EACH_PATH: Final = "each_path"
CONF_SCORE_PATH: Final = "score_path"
CONF_SCORE_SCALE: Final = "score_scale"
CONF_MIN_SCORE: Final = "min_score"
CONF_BELIEVE_ALONE: Final = "believe_alone"
CONF_CAMERA_PATH: Final = "camera_path"
CONF_CAMERAS: Final = "cameras"
CONF_ONLY_PATH: Final = "only_path"
CONF_ONLY: Final = "only"
CONF_TIME_PATH: Final = "time_path"
CONF_MAX_AGE: Final = "max_age_s"
CONF_SPARSE: Final = "sparse"

USUAL_MAX_AGE: Final = 15.0  # s
MOST_PLATES: Final = 16  # of one message: a picture with more cars tells nothing about one bay


class Scale(StrEnum):
    """In what a score is counted."""

    NONE = "none"
    FRACTION = "fraction"  # 0..1
    PERCENT = "percent"  # 0..100


class Problem(StrEnum):
    """What could not be understood, by the path that should have led to it."""

    PLATE = "plate"
    SCORE = "score"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Found:
    """One plate in a message, with a confidence of 0..1 (UNSCORED: not believed alone).

    said_at is the message's own time if it has one.
    """

    plate: str = field(repr=False)
    confidence: float
    said_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Where a message has what, and which messages count. Names to compare with are lower case."""

    plate: Path
    each: Path | None = None
    score: Path | None = None
    scale: Scale = Scale.NONE
    min_score: float = 0.0
    believe_alone: bool = False
    camera: Path | None = None
    cameras: frozenset[str] = frozenset()
    only: Path | None = None
    only_values: frozenset[str] = frozenset()
    time: Path | None = None
    max_age: float = USUAL_MAX_AGE
    sparse: bool = False

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Recipe:
        """Read what the flow stored; raises KeyError, TypeError or ValueError (BadPathError for a path)."""
        scale = Scale(stored.get(CONF_SCORE_SCALE) or Scale.NONE)
        return cls(
            plate=parse_path(stored[CONF_PLATE_PATH]),
            each=_path(stored, CONF_EACH_PATH),
            score=_path(stored, CONF_SCORE_PATH) if scale is not Scale.NONE else None,
            scale=scale,
            min_score=float(stored.get(CONF_MIN_SCORE) or 0) / 100,
            believe_alone=bool(stored.get(CONF_BELIEVE_ALONE)),
            camera=_path(stored, CONF_CAMERA_PATH),
            cameras=_names(stored.get(CONF_CAMERAS)),
            only=_path(stored, CONF_ONLY_PATH),
            only_values=_names(stored.get(CONF_ONLY)),
            time=_path(stored, CONF_TIME_PATH),
            max_age=float(stored.get(CONF_MAX_AGE) or USUAL_MAX_AGE),
            sparse=bool(stored.get(CONF_SPARSE)),
        )


@dataclass(frozen=True, slots=True)
class Extracted:
    """What one message says."""

    found: tuple[Found, ...] = ()
    problems: frozenset[Problem] = frozenset()


def extract(message: Any, recipe: Recipe, *, zone: tzinfo) -> Extracted:
    """Find the plates of a message; zone is that of times that name none."""
    found: list[Found] = []
    problems: set[Problem] = set()
    for entry in _entries(message, recipe.each):
        if not _counts(entry, message, recipe):
            continue
        if len(found) == MOST_PLATES:
            break
        said = _find(recipe.plate, entry, message)
        if said in (None, "") or (text := _as_text(said)) is None or (plate := plate_text(text)) is None:
            if said not in (None, "") or not recipe.sparse:
                problems.add(Problem.PLATE)
            continue
        said_at = None
        if recipe.time:
            said_at = parse_time(_find(recipe.time, entry, message), zone)
            if said_at is None:
                # Without its time nobody knows whether it is of now.
                problems.add(Problem.TIME)
                continue
        confidence, understood = _confidence(entry, message, recipe)
        if not understood:
            problems.add(Problem.SCORE)
        if confidence is not None:
            found.append(Found(plate, confidence, said_at))
    return Extracted(tuple(found), frozenset(problems))


def _confidence(entry: Any, message: Any, recipe: Recipe) -> tuple[float | None, bool]:
    """Return how sure the source is, None if that is below what the owner wants; and whether it could be understood.

    A score that cannot be understood loses nothing but the score: the plate then counts only in company.
    """
    if recipe.score is None:
        return (BELIEVED if recipe.believe_alone else UNSCORED), True
    score = _score(_find(recipe.score, entry, message), recipe.scale)
    if score is None:
        return UNSCORED, False
    return (score if score >= recipe.min_score else None), True


def _score(value: Any, scale: Scale) -> float | None:
    if isinstance(value, str):
        value = value.strip().removesuffix("%").strip()
        try:
            value = float(value) if len(value) <= 30 else None  # noqa: PLR2004 - no figure is as long
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 100 or not isfinite(value):  # noqa: PLR2004
        return None
    score = float(value) / (100 if scale is Scale.PERCENT else 1)
    # A fraction that is told as a percentage would look like no confidence at all, so it is no score either.
    mistaken = scale is Scale.PERCENT and 0 < value < 1
    return score if 0 <= score <= 1 and not mistaken else None


def _entries(message: Any, each: Path | None) -> Iterator[Any]:
    """Yield each part of a message that may have a plate: the items of a list in it, or the message itself."""
    if each is None:
        yield message
        return
    inner = each.find(message)
    if isinstance(inner, list):
        yield from inner[: MOST_PLATES * 4]
    elif inner is not None:
        yield inner


def _find(path: Path, entry: Any, message: Any) -> Any:
    """Look in the entry first, then in the whole message: camera and time often stand once for all of a list."""
    found = path.find(entry)
    return path.find(message) if found is None and entry is not message else found


def _counts(entry: Any, message: Any, recipe: Recipe) -> bool:
    """Tell whether the message is of a camera, and of a kind, that the owner named."""
    for path, names in ((recipe.camera, recipe.cameras), (recipe.only, recipe.only_values)):
        if path and names:
            value = _as_text(_find(path, entry, message))
            if value is None or value.strip().casefold() not in names:
                return False
    return True


def _as_text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    # A plate of digits only, or the number of a camera.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12:
        return str(value)
    return None


def _path(stored: Mapping[str, Any], key: str) -> Path | None:
    text = stored.get(key)
    return parse_path(text) if text else None


def _names(stored: Any) -> frozenset[str]:
    return frozenset(str(name).strip().casefold() for name in stored or ())
