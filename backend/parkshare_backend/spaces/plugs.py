"""Plugs of spaces, and whether one serves what a driver needs.

Pure: standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plug:
    """A socket or cable at a space. kind is a connector word of OCPI 2.3, like IEC_62196_T2; None is any (a wish)."""

    kind: str | None
    power_kw: float | None = None


def serves(plug: Plug | None, wish: Plug) -> bool:
    """Tell whether the plug of a space is what a driver wishes; a power that is not known is not enough."""
    if plug is None or (wish.kind is not None and plug.kind != wish.kind):
        return False
    return wish.power_kw is None or (plug.power_kw or 0.0) >= wish.power_kw
