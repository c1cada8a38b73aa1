"""Letter shapes drawn from strokes, as plates have them: parametric families instead of typefaces.

A glyph is a list of strokes, a stroke a list of points in a box of 1 x 1, y downwards. One Hand, a set of
proportions and habits, gives a whole family; the makers at the end imitate what is stamped on plates. They are drawn
from how such letters are built (narrow dies, DIN 1451, forgery-hindering letters, the British ones), not traced.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageDraw

type Stroke = list[tuple[float, float]]

_OVERSAMPLING = 3
_NARROW = "1I"
_WIDE = "MW"


@dataclass(frozen=True, slots=True)
class Hand:
    """The proportions and habits of one family.

    weight is the width of a stroke and width that of a letter, both as parts of the letter's height. roundness is the
    exponent of the bowls' superellipse: 2 is a circle, 6 nearly a box. waist is where B, P, R, S, 3 and 8 narrow.
    cell says that all letters are equally wide. The habits say which of several usual forms a character has.
    """

    weight: float = 0.15
    width: float = 0.56
    roundness: float = 2.6
    waist: float = 0.48
    wide: float = 1.15
    digits: float = 1.0
    cell: bool = False
    round_ends: bool = False
    one: str = "flag"
    zero: str = "plain"
    three: str = "round"
    four: str = "closed"
    six: str = "round"
    seven: str = "straight"
    a_top: str = "pointed"
    g_bar: str = "inside"
    i_bars: bool = False
    j_bar: bool = False
    k_joint: str = "stem"
    m_dip: float = 0.7
    q_tail: str = "across"
    r_leg: str = "slanted"
    w_rise: float = 0.25
    opening: float = 38.0
    slit: bool = False


def family(hand: Hand, height: int) -> dict[str, Image.Image]:
    """Draw all characters of a hand, each as a mask (mode L) of the given height."""
    return {character: _drawn(character, hand, height) for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _drawn(character: str, hand: Hand, height: int) -> Image.Image:
    wide = hand.width * (hand.digits if character.isdigit() else 1.0)
    if character in _NARROW and _is_thin(character, hand):
        wide = hand.weight * (1.0 if _is_bare(character, hand) else 1.9)
    elif character in _WIDE and not hand.cell:
        wide *= hand.wide
    tall = height * _OVERSAMPLING
    pen = hand.weight * tall
    if character in "MW":  # heavy letters with four legs are drawn thinner, or they fill up
        pen *= 0.88
    picture = Image.new("L", (max(_OVERSAMPLING * 4, round(wide * tall)), tall))
    draw = ImageDraw.Draw(picture)
    across, down = picture.width - pen, tall - pen
    for stroke in strokes(character, hand):
        points = [(pen / 2 + x * across, pen / 2 + y * down) for x, y in stroke]
        _draw_stroke(draw, points, pen, round_ends=hand.round_ends)
    return picture.reduce(_OVERSAMPLING)


def _draw_stroke(draw: ImageDraw.ImageDraw, points: Stroke, pen: float, *, round_ends: bool) -> None:
    """Draw with ends half a pen longer; what reaches out of the letter's box is cut off flat by the picture's edge."""
    if round_ends or points[0] == points[-1]:
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=255)
    else:
        points = [_beyond(points[1], points[0], pen / 2), *points[1:-1], _beyond(points[-2], points[-1], pen / 2)]
    draw.line(points, fill=255, width=max(1, round(pen)), joint="curve")


def _beyond(start: tuple[float, float], end: tuple[float, float], length: float) -> tuple[float, float]:
    distance = math.dist(start, end) or 1.0
    return (end[0] + (end[0] - start[0]) * length / distance, end[1] + (end[1] - start[1]) * length / distance)


def _is_thin(character: str, hand: Hand) -> bool:
    return (character == "1" and hand.one != "foot") or (character == "I" and not hand.i_bars)


def _is_bare(character: str, hand: Hand) -> bool:
    return character == "I" or hand.one == "bare"


def strokes(character: str, hand: Hand) -> list[Stroke]:
    """Return the strokes of one character."""
    return _GLYPHS[character](hand)


def _arc(box: tuple[float, float, float, float], start: float, end: float, roundness: float) -> Stroke:
    """Return points of a superellipse in a box, from angle to angle (degrees, 0 right, 90 down)."""
    left, top, right, bottom = box
    middle, centre = (left + right) / 2, (top + bottom) / 2
    steps = max(6, round(abs(end - start) / 9))
    points = []
    for step in range(steps + 1):
        angle = math.radians(start + (end - start) * step / steps)
        cosine, sine = math.cos(angle), math.sin(angle)
        points.append(
            (
                middle + (right - left) / 2 * math.copysign(abs(cosine) ** (2 / roundness), cosine),
                centre + (bottom - top) / 2 * math.copysign(abs(sine) ** (2 / roundness), sine),
            )
        )
    return points


def _lines(*points: tuple[float, float]) -> Stroke:
    return list(points)


def _bowl(top: float, bottom: float, right: float, hand: Hand) -> Stroke:
    """Return a bowl on a stem at the left: out, round, and back."""
    out = 0.3 * right
    return [(0.0, top), *_arc((2 * out - right, top, right, bottom), -90, 90, hand.roundness), (0.0, bottom)]


def _turned(some: list[Stroke]) -> list[Stroke]:
    return [[(1 - x, 1 - y) for x, y in stroke] for stroke in some]


def _zero(hand: Hand) -> list[Stroke]:
    ring = _arc((0, 0, 1, 1), -50, 310, hand.roundness)
    more = {"slashed": [_lines((0.15, 0.82), (0.85, 0.18))], "dotted": [_lines((0.5, 0.45), (0.5, 0.55))]}
    return [ring[1:-1] if hand.slit else ring, *more.get(hand.zero, [])]


def _one(hand: Hand) -> list[Stroke]:
    if hand.one == "bare":
        return [_lines((0.5, 0), (0.5, 1))]
    if hand.one == "foot":
        return [_lines((0.1, 0.26), (0.5, 0), (0.5, 1)), _lines((0, 1), (1, 1))]
    return [_lines((0, 0.2), (0.9, 0.02)), _lines((1, 0), (1, 1))]


def _three(hand: Hand) -> list[Stroke]:
    if hand.three == "flat":
        return [[(0.02, 0), (0.96, 0), (0.4, 0.4), *_arc((0, 0.38, 1, 1), -80, 155, hand.roundness)]]
    upper = _arc((0.02, 0, 0.96, hand.waist), -155, 80, hand.roundness)
    lower = _arc((0, hand.waist, 1, 1), -80, 155, hand.roundness)
    return [[*upper, (0.42, hand.waist), *lower]]


def _four(hand: Hand) -> list[Stroke]:
    if hand.four == "open":
        return [_lines((0.5, 0), (0.0, 0.7), (1, 0.7)), _lines((0.72, 0.4), (0.72, 1))]
    return [_lines((0.72, 0.0), (0.0, 0.72), (1, 0.72)), _lines((0.74, 0), (0.74, 1))]


def _six(hand: Hand) -> list[Stroke]:
    loop = _arc((0, 0.38, 1, 1), -180, 180, hand.roundness)
    if hand.six == "slanted":
        return [loop, _lines((0.68, 0), (0.03, 0.6))]
    return [loop, [*_arc((0, 0, 1, 1), -hand.opening, -180, hand.roundness), (0, 0.7)]]


def _seven(hand: Hand) -> list[Stroke]:
    leg = [(0.0, 0.0), (1.0, 0.0), (0.34, 1.0)]
    if hand.seven == "curved":
        leg = [(0.0, 0.0), (1.0, 0.0), (0.62, 0.42), (0.45, 0.7), (0.4, 1.0)]
    return [leg, *([_lines((0.25, 0.52), (0.85, 0.52))] if hand.seven == "crossed" else [])]


def _a(hand: Hand) -> list[Stroke]:
    bar = _lines((0.14, 0.68), (0.86, 0.68))
    if hand.a_top == "arched":
        arch = _arc((0, 0, 1, 0.9), -180, 0, hand.roundness)
        return [[(0, 1), *arch, (1, 1)], _lines((0, 0.6), (1, 0.6))]
    if hand.a_top == "flat":
        return [_lines((0, 1), (0.36, 0), (0.64, 0), (1, 1)), bar]
    return [_lines((0, 1), (0.5, 0), (1, 1)), bar]


def _b(hand: Hand) -> list[Stroke]:
    return [_lines((0, 0), (0, 1)), _bowl(0, hand.waist, 0.94, hand), _bowl(hand.waist, 1, 1, hand)]


def _g(hand: Hand) -> list[Stroke]:
    round_part = _arc((0, 0, 1, 1), -hand.opening, -345, hand.roundness)
    if hand.g_bar == "hook":
        return [[*round_part, (1, 0.56), (0.6, 0.56)]]
    if hand.g_bar == "spur":
        return [_arc((0, 0, 1, 1), -hand.opening, -330, hand.roundness), _lines((0.55, 0.56), (1, 0.56), (1, 1))]
    return [[*round_part, (1, 0.54), (0.48, 0.54)]]


def _i(hand: Hand) -> list[Stroke]:
    bars = [_lines((0, 0), (1, 0)), _lines((0, 1), (1, 1))] if hand.i_bars else []
    return [_lines((0.5, 0), (0.5, 1)), *bars]


def _j(hand: Hand) -> list[Stroke]:
    bar = [_lines((0.3, 0), (1, 0))] if hand.j_bar else []
    return [[(1.0, 0.0), *_arc((0, 0.45, 1, 1), 0, 165, hand.roundness)], *bar]


def _k(hand: Hand) -> list[Stroke]:
    stem = _lines((0, 0), (0, 1))
    if hand.k_joint == "point":
        return [stem, _lines((1, 0), (0.05, 0.5), (1, 1))]
    return [stem, _lines((0.95, 0), (0, 0.64)), _lines((0.34, 0.42), (1, 1))]


def _q(hand: Hand) -> list[Stroke]:
    tail = _lines((0.56, 0.68), (1.0, 1.02)) if hand.q_tail == "across" else _lines((0.62, 0.8), (0.86, 1.0))
    return [_arc((0, 0, 1, 1 if hand.q_tail == "across" else 0.95), 0, 360, hand.roundness), tail]


def _r(hand: Hand) -> list[Stroke]:
    waist = hand.waist + 0.05
    leg = _lines((0.45, waist), (1, 1))
    if hand.r_leg == "upright":
        leg = _lines((0.5, waist), (0.88, waist + 0.12), (0.96, 1))
    return [_lines((0, 0), (0, 1)), _bowl(0, waist, 0.96, hand), leg]


def _s(hand: Hand) -> list[Stroke]:
    upper = _arc((0.02, 0, 0.97, hand.waist), -hand.opening + 12, -262, hand.roundness)
    lower = _arc((0, hand.waist, 1, 1), -82, 155, hand.roundness)
    return [[*upper, *lower]]


def _w(hand: Hand) -> list[Stroke]:
    return [_lines((0, 0), (0.23, 1), (0.5, hand.w_rise), (0.77, 1), (1, 0))]


_GLYPHS: dict[str, Callable[[Hand], list[Stroke]]] = {
    "0": _zero,
    "1": _one,
    "2": lambda hand: [[*_arc((0, 0, 1, 0.62), -165, 32, hand.roundness), (0.0, 1.0), (1.0, 1.0)]],
    "3": _three,
    "4": _four,
    "5": lambda hand: [[(0.93, 0), (0.1, 0), (0.05, 0.48), *_arc((0, 0.36, 1, 1), -142, 155, hand.roundness)]],
    "6": _six,
    "7": _seven,
    "8": lambda hand: [
        _arc((0.05, 0, 0.95, hand.waist), 90, 450, hand.roundness),
        _arc((0, hand.waist, 1, 1), -90, 270, hand.roundness),
    ],
    "9": lambda hand: _turned(_six(hand)),
    "A": _a,
    "B": _b,
    "C": lambda hand: [_arc((0, 0, 1, 1), -hand.opening, hand.opening - 360, hand.roundness)],
    "D": lambda hand: [_lines((0, 0), (0, 1)), _bowl(0, 1, 1, hand)],
    "E": lambda hand: [_lines((1, 0), (0, 0), (0, 1), (1, 1)), _lines((0, hand.waist), (0.85, hand.waist))],
    "F": lambda hand: [_lines((1, 0), (0, 0), (0, 1)), _lines((0, hand.waist), (0.85, hand.waist))],
    "G": _g,
    "H": lambda hand: [_lines((0, 0), (0, 1)), _lines((1, 0), (1, 1)), _lines((0, hand.waist), (1, hand.waist))],
    "I": _i,
    "J": _j,
    "K": _k,
    "L": lambda _: [_lines((0, 0), (0, 1), (1, 1))],
    "M": lambda hand: [_lines((0, 1), (0, 0), (0.5, hand.m_dip), (1, 0), (1, 1))],
    "N": lambda _: [_lines((0, 1), (0, 0), (1, 1), (1, 0))],
    "O": lambda hand: [_arc((0, 0, 1, 1), -50, 310, hand.roundness)],
    "P": lambda hand: [_lines((0, 0), (0, 1)), _bowl(0, hand.waist + 0.06, 1, hand)],
    "Q": _q,
    "R": _r,
    "S": _s,
    "T": lambda _: [_lines((0, 0), (1, 0)), _lines((0.5, 0), (0.5, 1))],
    "U": lambda hand: [[(0, 0), *_arc((0, 0.4, 1, 1), 180, 0, hand.roundness), (1, 0)]],
    "V": lambda _: [_lines((0, 0), (0.5, 1), (1, 0))],
    "W": _w,
    "X": lambda _: [_lines((0, 0), (1, 1)), _lines((1, 0), (0, 1))],
    "Y": lambda hand: [_lines((0, 0), (0.5, hand.waist + 0.05), (1, 0)), _lines((0.5, hand.waist), (0.5, 1))],
    "Z": lambda _: [_lines((0, 0), (1, 0), (0, 1), (1, 1))],
}
