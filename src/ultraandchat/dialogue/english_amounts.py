"""Money, units, powers and parts in an English text as words."""

import re

from ultraandchat.dialogue.english_count import NUMBER, Step, cardinal, exact, step

_MONEY = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
    "₹": ("rupee", "rupees", "paisa", "paise"),
}
_CODES = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_UNITS = {
    "m^2": "square meter", "km^2": "square kilometer", "cm^2": "square centimeter", "m^3": "cubic meter",
    "cm^3": "cubic centimeter", "km/s": "kilometer per second", "MB/s": "megabyte per second",
    "Mbit/s": "megabit per second", "GB/s": "gigabyte per second", "kWh": "kilowatt hour", "kcal": "kilocalorie",
    "tbsp": "tablespoon", "tsp": "teaspoon", "fl oz": "fluid ounce", "hPa": "hectopascal", "ha": "hectare",
    "km/h": "kilometer per hour", "m/s": "meter per second", "mph": "mile per hour",
    "km": "kilometer", "cm": "centimeter", "mm": "millimeter", "m": "meter", "mi": "mile",
    "ft": "foot", "kg": "kilogram", "mg": "milligram", "g": "gram", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "ml": "milliliter", "l": "liter", "L": "liter", "ms": "millisecond",
    "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "kW": "kilowatt",
    "W": "watt", "V": "volt", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "°C": "degree Celsius", "°F": "degree Fahrenheit", "°": "degree",
    "%": "percent", "¢": "cent",
}  # fmt: skip
_SHORT_SCALES = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
FRACTIONS = {
    "1/2": "one half",
    "1/3": "one third",
    "2/3": "two thirds",
    "1/4": "one quarter",
    "3/4": "three quarters",
}
_SIGNS = "".join(_MONEY)
_BEGIN = r"(?<![\d.,])"
"""Of a number; without it a long one is read anew from each of its figures."""
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))


def _money(found: re.Match[str]) -> str:
    one, many, cent, cents = _MONEY[found["sign"]]
    amount = found["amount"]
    scale = found["scale"] or _SHORT_SCALES.get((found["short"] or "").lower())
    if scale:
        return f"{cardinal(amount)} {scale} {many}"
    whole, _, rest = amount.replace(",", "").partition(".")
    if rest and len(rest) != 2:
        return f"{cardinal(amount)} {many}"
    said = f"{cardinal(whole)} {one if whole == '1' else many}"
    if not int(rest or 0):
        return said
    small = f"{cardinal(str(int(rest)))} {cent if int(rest) == 1 else cents}"
    return small if whole == "0" else f"{said} and {small}"


def _unit(found: re.Match[str]) -> str:
    unit = _UNITS[found["unit"]]
    sign = "minus " if found["sign"] else ""
    return f"{sign}{cardinal(found['number'])} {unit if found['number'] == '1' else _several(unit)}"


def _several(unit: str) -> str:
    """The plural: "square kilometers", "meters per second", "degrees Celsius"."""
    if unit == "percent" or unit.endswith("hertz"):
        return unit
    one, per, time = unit.partition(" per ")
    if one == "foot":
        return "feet"
    kind, of, scale = one.partition(" ") if one.startswith("degree") else (one, "", "")
    return f"{kind}s{of}{scale}{per}{time}"


def _part(found: re.Match[str]) -> str:
    words = FRACTIONS.get(found["part"])
    return f"{words} {_UNITS[found['unit']]}" if words else found[0]


AMOUNT_STEPS: tuple[Step, ...] = (
    exact(rf"\b({'|'.join(_CODES)})\s?(?=\d)", lambda found: _CODES[found[1]]),
    exact(
        rf"{_BEGIN}({NUMBER})\s?({'|'.join(_CODES)})\b", lambda found: _CODES[found[2]] + found[1]
    ),
    # "1.234,56" is how much of Europe writes it.
    exact(
        rf"([{_SIGNS}]\s?)(\d{{1,3}}(?:\.\d{{3}})+),(\d\d)(?!\d)",
        lambda found: f"{found[1]}{found[2].replace('.', '')}.{found[3]}",
    ),
    exact(rf"{_BEGIN}({NUMBER})\s?([{_SIGNS}])(?!\s?\d)", lambda found: found[2] + found[1]),
    exact(
        rf"([{_SIGNS}]\s?(?:{NUMBER}))\s?[-–—]\s?(?=[{_SIGNS}]\s?\d)",
        lambda found: f"{found[1]} to ",
    ),
    step(
        rf"(?P<sign>[{_SIGNS}])\s?(?P<amount>{NUMBER})"
        r"(?:\s(?P<scale>thousand|million|billion|trillion)\b|\s?(?P<short>k|mn?|bn?)(?!\w))?",
        _money,
    ),
    exact(rf"(?<![\d/])(?P<part>[1-3]/[2-4])\s?(?P<unit>{_UNIT})(?![\w/])", _part),
    exact(
        rf"(?<![\w.])(?P<sign>[-−])?(?P<number>{NUMBER})\s?(?P<unit>{_UNIT})(?![\w/])",
        _unit,
    ),
    exact(r"(?<=\d\.\d)s\b|(?<=\d\.\d\d)s\b", lambda _: " seconds"),
    exact(r"\^\s?2(?!\d)", lambda _: " squared "),
    exact(r"\^\s?3(?!\d)", lambda _: " cubed "),
    exact(r"\^\s?(?=\d)", lambda _: " to the power of "),
    exact(r"(?<=\d)k(?!\w)", lambda _: " thousand"),
)
