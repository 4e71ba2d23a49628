"""Units and money of one language as words: CLDR's names, in the plural that goes with the number."""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_decimal, get_currency_name
from babel.units import format_compound_unit, format_unit

from ultraandchat.dialogue.spoken_count import LARGEST, Count
from ultraandchat.dialogue.wording import Wording, changed, pick

UNITS = {
    "km/s": "length-kilometer/duration-second", "MB/s": "digital-megabyte/duration-second",
    "GB/s": "digital-gigabyte/duration-second", "Mbit/s": "digital-megabit/duration-second",
    "km/h": "speed-kilometer-per-hour", "m/s": "speed-meter-per-second", "mph": "speed-mile-per-hour",
    "km": "length-kilometer", "cm": "length-centimeter", "mm": "length-millimeter", "m": "length-meter",
    "mi": "length-mile", "ft": "length-foot", "m^2": "area-square-meter", "km^2": "area-square-kilometer",
    "cm^2": "area-square-centimeter", "m^3": "volume-cubic-meter", "cm^3": "volume-cubic-centimeter",
    "ha": "area-hectare", "kg": "mass-kilogram", "mg": "mass-milligram", "g": "mass-gram", "lb": "mass-pound",
    "lbs": "mass-pound", "oz": "mass-ounce", "t": "mass-tonne", "ml": "volume-milliliter", "cl": "volume-centiliter",
    "dl": "volume-deciliter", "l": "volume-liter", "L": "volume-liter", "ms": "duration-millisecond",
    "s": "duration-second", "sec": "duration-second", "min": "duration-minute", "h": "duration-hour",
    "kW": "power-kilowatt", "kWh": "energy-kilowatt-hour", "W": "power-watt", "V": "electric-volt",
    "kcal": "energy-kilocalorie", "Hz": "frequency-hertz", "kHz": "frequency-kilohertz", "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz", "KB": "digital-kilobyte", "kB": "digital-kilobyte", "MB": "digital-megabyte",
    "GB": "digital-gigabyte", "TB": "digital-terabyte", "hPa": "pressure-hectopascal", "°C": "temperature-celsius",
    "°F": "temperature-fahrenheit", "°": "angle-degree", "%": "concentr-percent", "‰": "concentr-permille",
}  # fmt: skip
"""As they are written, with CLDR's names of them. "m" is a meter and "M" is not."""

CURRENCIES = {
    "€": "EUR", "US$": "USD", "$": "USD", "£": "GBP", "¥": "JPY", "₽": "RUB", "₺": "TRY", "₹": "INR", "₩": "KRW", "₪": "ILS",
} | {code: code for code in ("EUR", "USD", "GBP", "CHF", "JPY", "PLN", "SEK", "NOK", "DKK", "BRL", "RUB", "TRY", "CNY")}  # fmt: skip


class Units:
    """One locale's."""

    def __init__(self, locale: Locale, wording: Wording, count: Count) -> None:
        self._locale = locale
        self._wording = wording
        self._count = count
        self.signs = CURRENCIES | wording.signs
        self._units = UNITS | {sign: UNITS[same] for sign, same in wording.units.items()}
        self.pattern = "|".join(
            re.escape(one) for one in sorted(self._units, key=len, reverse=True)
        )
        signs = sorted(self.signs, key=len, reverse=True)
        self.money_pattern = "|".join(
            rf"\b{re.escape(one)}(?!\w)" if one[0].isalpha() else re.escape(one) for one in signs
        )

    def measure(self, figures: str, unit: str) -> str:
        """ "5,5" and "km" as words."""
        if unit == "%" and self._wording.percent:
            return self._wording.percent.format(self._count.cardinal(figures))
        plain = self._count.plain(figures)
        if len(plain) > LARGEST:
            return f"{self._count.cardinal(figures)} {unit}"
        return self.named(figures, self._units[unit])

    def part(self, figures: str, unit: str) -> str:
        """ "1/4" and "l" as words."""
        wording = self._wording
        pattern = _unit_pattern(str(self._locale), self._units[unit], wording.part_of)
        of = "" if figures == "1/2" or not wording.of else f"{wording.of} "
        noun = pattern.replace("{0}", "").strip()
        change = pick(wording.halves, before=noun) if figures == "1/2" else None
        fraction = wording.fractions[figures]
        return f"{changed(fraction, change) if change else fraction} {of}{noun}"

    def named(self, figures: str, unit: str) -> str:
        """The same with CLDR's name of the unit."""
        pattern = _unit_pattern(str(self._locale), unit, self._count.plain(figures))
        noun = pattern.replace("{0}", "").strip()
        return pattern.replace("{0}", self._count.cardinal(figures, noun))

    def money(self, figures: str, sign: str, scale: str = "") -> str:
        """ "3,50" and "€" as words."""
        code, count, wording = self.signs[sign], self._count, self._wording
        plain = count.plain(figures)
        whole, _, rest = plain.partition(".")
        if scale:
            name = self._currency(code, "1000000")
            of = (
                f"{wording.of[0]}'"
                if wording.of == "de" and self._elides(name)
                else f"{wording.of} ".lstrip()
            )
            return f"{count.cardinal(figures)} {scale} {of}{name}"
        if len(rest) != 2 or int(rest) == 0:
            shown = figures if len(rest) != 2 else whole
            name = self._currency(code, plain[:LARGEST] if len(rest) != 2 else whole[:LARGEST])
            return f"{count.cardinal(shown, name)} {name}"
        cents = count.cardinal(str(int(rest)))
        if whole == "0" and wording.cents:
            return f"{cents} {wording.cents[int(rest) != 1]}"
        name = self._currency(code, whole[:LARGEST])
        money = f"{count.cardinal(whole, name)} {name}"
        return wording.money.format(money=money, cents=cents)

    def _elides(self, name: str) -> bool:
        return self._locale.language == "fr" and name[0].lower() in "aeiouyéèêh"

    def _currency(self, code: str, plain: str) -> str:
        if code in self._wording.currencies:
            return self._wording.currencies[code][plain != "1"]
        return self._count.repaired(_currency_name(str(self._locale), code, plain))


@lru_cache(maxsize=1024)
def _currency_name(locale: str, code: str, plain: str) -> str:
    return get_currency_name(code, count=Decimal(plain), locale=locale)


@lru_cache(maxsize=1024)
def _unit_pattern(locale: str, unit: str, plain: str) -> str:
    value = Decimal(plain)
    unit, _, per = unit.partition("/")
    said = (
        format_compound_unit(value, unit, denominator_unit=per, locale=locale) or ""
        if per
        else format_unit(value, unit, "long", locale=locale)
    )
    return " ".join(said.replace(format_decimal(value, locale=locale), "{0}", 1).split())
