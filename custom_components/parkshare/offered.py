"""What a space costs and what stands at it, as its owner entered it, in the words of the backend. Pure."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from .const import CONF_ACCESS_NOTES, CONF_CURRENCY, CONF_PLUG, CONF_PLUG_KW, CONF_PRICE_MINOR

# What a private space has, and the connector words of OCPI 2.3 for it.
PLUGS: Final[Mapping[str, str]] = {
    "type_2": "IEC_62196_T2",
    "type_1": "IEC_62196_T1",
    "schuko": "DOMESTIC_F",
    "british": "DOMESTIC_G",
    "swiss": "DOMESTIC_J",
    "italian": "DOMESTIC_L",
    "american": "DOMESTIC_B",
    "camping_16": "IEC_60309_2_single_16",
    "red_16": "IEC_60309_2_three_16",
    "red_32": "IEC_60309_2_three_32",
    "ccs_2": "IEC_62196_T2_COMBO",
    "ccs_1": "IEC_62196_T1_COMBO",
    "chademo": "CHADEMO",
    "nacs": "NACS",
}
MOST_MINOR: Final = 10_000_000  # that the backend takes, for an hour
LONGEST_NOTES: Final = 1000  # characters

# Decimal places of ISO 4217 where they are not two.
_PLACES: Final[Mapping[str, int]] = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split(), 0),  # noqa: SIM905
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),  # noqa: SIM905
}


def places(currency: str) -> int:
    """Return how many decimal places a currency is written with."""
    return _PLACES.get(currency, 2)


def to_minor(amount: float, currency: str) -> int:
    """Return an amount as it is entered (2.5) in the currency's smallest unit (250)."""
    return int((Decimal(str(amount)) * 10 ** places(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def from_minor(minor: int, currency: str) -> float:
    """Return an amount as it is entered."""
    return float(Decimal(minor) / 10 ** places(currency))


def price_document(settings: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """Return the `price` of space.publish: of an hour, 0 when the space is free; currency is the house's own.

    A price keeps the currency in which it was entered: another one of the house would make it another price.
    """
    return {
        "amount_minor": int(settings.get(CONF_PRICE_MINOR, 0)),
        "currency": settings.get(CONF_CURRENCY) or currency,
    }


def plug_document(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the `plug` of space.publish; None where there is none."""
    if (kind := PLUGS.get(settings.get(CONF_PLUG, ""))) is None:
        return None
    return {"kind": kind, "power_kw": settings.get(CONF_PLUG_KW)}


def notes_of(settings: Mapping[str, Any]) -> str:
    """Return what a renter has to know to get in."""
    return str(settings.get(CONF_ACCESS_NOTES, ""))
