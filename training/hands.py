"""The families of letters that plates use: random hands of one kind each.

Every call gives another hand, so that the reader learns what the kind has in common and not one drawing of it.
"""

from collections.abc import Callable
from random import Random

from training.strokes import Hand


def din(random: Random) -> Hand:
    """DIN 1451 and its many cousins on European plates: even strokes, straight sides, round bowls."""
    return Hand(
        weight=random.uniform(0.12, 0.17),
        width=random.uniform(0.48, 0.62),
        roundness=random.uniform(2.3, 3.4),
        waist=random.uniform(0.45, 0.51),
        digits=random.uniform(0.92, 1.02),
        cell=random.random() < 0.4,
        one=random.choice(("flag", "flag", "flag", "foot")),
        three=random.choice(("round", "round", "round", "flat")),
        six=random.choice(("round", "slanted", "slanted")),
        g_bar=random.choice(("hook", "inside")),
        k_joint=random.choice(("stem", "point")),
        m_dip=random.uniform(0.45, 1.0),
        opening=random.uniform(25, 45),
        round_ends=random.random() < 0.25,
    )


def forgery_hindering(random: Random) -> Hand:
    """Germany's and the Mercosur's letters (and others' after them): unlike each other on purpose, mono-spaced."""
    return Hand(
        weight=random.uniform(0.12, 0.155),
        width=random.uniform(0.54, 0.64),
        roundness=random.uniform(2.6, 3.6),
        waist=random.uniform(0.42, 0.5),
        digits=random.uniform(0.9, 1.0),
        cell=True,
        one=random.choice(("flag", "foot")),
        three="flat" if random.random() < 0.7 else "round",
        four="open" if random.random() < 0.2 else "closed",
        six="slanted" if random.random() < 0.6 else "round",
        g_bar=random.choice(("spur", "hook")),
        i_bars=random.random() < 0.8,
        j_bar=random.random() < 0.8,
        m_dip=random.uniform(0.5, 0.75),
        q_tail=random.choice(("across", "short")),
        r_leg=random.choice(("slanted", "upright")),
        opening=random.uniform(20, 34),
        slit=random.random() < 0.25,
        round_ends=random.random() < 0.4,
    )


def brazilian(random: Random) -> Hand:
    """Brazil's older plates: heavy, wide letters, a 1 that is nearly an I, a flat A, closed forms."""
    return Hand(
        weight=random.uniform(0.13, 0.21),
        width=random.uniform(0.52, 0.7),
        roundness=random.uniform(2.4, 4.0),
        waist=random.uniform(0.46, 0.52),
        digits=random.uniform(0.88, 1.02),
        cell=random.random() < 0.4,
        one=random.choice(("flag", "bare", "flag", "foot")),
        three=random.choice(("round", "round", "flat")),
        six=random.choice(("round", "round", "slanted")),
        a_top=random.choice(("flat", "pointed")),
        g_bar=random.choice(("hook", "inside", "spur")),
        m_dip=random.uniform(0.5, 1.0),
        q_tail=random.choice(("across", "short")),
        r_leg=random.choice(("slanted", "upright")),
        w_rise=random.uniform(0.1, 0.45),
        opening=random.uniform(22, 40),
        round_ends=random.random() < 0.35,
    )


def british(random: Random) -> Hand:
    """The British letters and their relatives in the Commonwealth: 79 x 50 mm with a 14 mm stroke."""
    return Hand(
        weight=random.uniform(0.15, 0.2),
        width=random.uniform(0.56, 0.68),
        roundness=random.uniform(3.0, 4.6),
        waist=random.uniform(0.46, 0.52),
        cell=True,
        one=random.choice(("bare", "flag", "bare")),
        six=random.choice(("round", "round", "slanted")),
        g_bar=random.choice(("hook", "spur")),
        m_dip=random.uniform(0.5, 0.8),
        opening=random.uniform(24, 38),
        w_rise=random.uniform(0.2, 0.5),
    )


def american(random: Random) -> Hand:
    """The narrow dies of the United States and Canada: tall, straight-sided, corners rounded, evenly spaced."""
    return Hand(
        weight=random.uniform(0.1, 0.17),
        width=random.uniform(0.4, 0.56),
        roundness=random.uniform(2.8, 5.5),
        waist=random.uniform(0.44, 0.53),
        wide=random.uniform(1.0, 1.2),
        digits=random.uniform(0.95, 1.03),
        cell=random.random() < 0.7,
        one=random.choice(("flag", "foot", "bare", "flag")),
        zero=random.choice(("plain",) * 9 + ("slashed",)),
        three=random.choice(("round",) * 5 + ("flat",)),
        four=random.choice(("closed", "closed", "open")),
        six=random.choice(("round", "round", "round", "slanted")),
        seven=random.choice(("straight", "straight", "curved")),
        a_top=random.choice(("pointed", "flat", "flat", "arched")),
        g_bar=random.choice(("hook", "inside", "spur")),
        i_bars=random.random() < 0.6,
        j_bar=random.random() < 0.25,
        k_joint=random.choice(("stem", "point")),
        m_dip=random.uniform(0.35, 0.9),
        q_tail=random.choice(("across", "short")),
        r_leg=random.choice(("slanted", "slanted", "upright")),
        w_rise=random.uniform(0.1, 0.6),
        opening=random.uniform(18, 36),
        round_ends=random.random() < 0.55,
    )


def square(random: Random) -> Hand:
    """Nearly rectangular bowls: older dies, stencils, Asian and some Gulf plates."""
    return Hand(
        weight=random.uniform(0.11, 0.19),
        width=random.uniform(0.44, 0.72),
        roundness=random.uniform(4.5, 9.0),
        waist=random.uniform(0.44, 0.52),
        cell=True,
        one=random.choice(("bare", "flag", "foot")),
        zero=random.choice(("plain", "plain", "plain", "plain", "dotted", "slashed")),
        four=random.choice(("closed", "open")),
        seven=random.choice(("straight", "curved", "crossed")),
        a_top=random.choice(("flat", "arched")),
        g_bar=random.choice(("inside", "hook", "spur")),
        i_bars=random.random() < 0.5,
        m_dip=random.uniform(0.4, 0.7),
        opening=random.uniform(15, 28),
        round_ends=random.random() < 0.3,
    )


KINDS: dict[str, Callable[[Random], Hand]] = {
    "din": din,
    "fe": forgery_hindering,
    "br": brazilian,
    "gb": british,
    "us": american,
    "square": square,
}
