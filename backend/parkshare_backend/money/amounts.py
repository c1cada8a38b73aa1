"""Amounts of money: whole numbers of a currency's smallest unit, never floats.

Pure: standard library only. Currencies and their decimal places are those of ISO 4217 (list one, active codes without
metals, bonds and funds).
"""

import re
from dataclasses import dataclass

_PLACES = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
        CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
        KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
        NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
        TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
    """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS: dict[str, int] = {code: places for places, codes in _PLACES.items() for code in codes.split()}
# Of a code that is not in the table, which an older house may still send: nearly every currency has two.
USUAL_PLACES = 2
_DIGITS_AT_MOST = 15  # far more than any price, and far from the end of 64 bits
_DECIMAL = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,4}))?", re.ASCII)


class AmountError(ValueError):
    """The text is not an amount of this currency; the message says what to write instead."""


@dataclass(frozen=True, slots=True)
class Amount:
    """So many of the smallest unit of a currency: Amount(250, "EUR") is EUR 2.50."""

    minor: int
    currency: str


def is_currency(code: str) -> bool:
    """Tell whether ISO 4217 has the code."""
    return code in EXPONENTS


def places(currency: str) -> int:
    """Give how many decimal places the currency is written with."""
    return EXPONENTS.get(currency, USUAL_PLACES)


def read_amount(text: str, currency: str) -> Amount:
    """Read a decimal number like `12.50` with a point and at most the currency's places; raise AmountError else."""
    if not is_currency(currency):
        raise AmountError(f"{currency} is no currency of ISO 4217. Use a code like EUR.")
    fits = _DECIMAL.fullmatch(text)
    wanted = places(currency)
    fraction = (fits[3] or "") if fits else ""
    if fits is None or len(fraction) > wanted or len(fits[2]) + wanted > _DIGITS_AT_MOST:
        example = write_minor(1250, currency)
        raise AmountError(f"An amount in {currency} is written like {example}, with at most {wanted} decimal places.")
    minor = int(fits[2] + fraction.ljust(wanted, "0"))
    return Amount(-minor if fits[1] else minor, currency)


def write_minor(minor: int, currency: str) -> str:
    """Write an amount as a decimal number with all places of the currency, without the currency: `-0.05`."""
    wanted = places(currency)
    digits = str(abs(minor)).rjust(wanted + 1, "0")
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-wanted]}.{digits[-wanted:]}" if wanted else f"{sign}{digits}"


def write_amount(amount: Amount) -> str:
    """Write an amount for people: `EUR 12.50`."""
    return f"{amount.currency} {write_minor(amount.minor, amount.currency)}"


def share(minor: int, part: int, whole: int) -> int:
    """Give `part / whole` of an amount that is not negative, rounded half up: the one rounding rule of money here."""
    if minor < 0 or part < 0 or whole <= 0:
        raise ValueError("shares are of amounts that are not negative")
    return (2 * minor * part + whole) // (2 * whole)
