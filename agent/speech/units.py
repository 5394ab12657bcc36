"""Units of measurement, percentages, temperatures and blood pressure. The numbers stay; numbers.py reads them."""

import re

from agent.speech.number_words import NUMBER, plural

_ANY_CASE = {
    "mg": "milligram", "mcg": "microgram", "μg": "microgram", "ug": "microgram", "kg": "kilogram", "ml": "milliliter",
    "dl": "deciliter", "cm": "centimeter", "mm": "millimeter", "km": "kilometer", "ft": "foot", "lb": "pound", "lbs": "pound",
    "oz": "ounce", "fl oz": "fluid ounce", "tsp": "teaspoon", "tbsp": "tablespoon", "kcal": "kilocalorie", "cal": "calorie",
    "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "sec": "second", "secs": "second", "wk": "week",
    "wks": "week", "mo": "month", "mos": "month", "yr": "year", "yrs": "year", "mph": "mile per hour",
    "kph": "kilometer per hour", "bpm": "beat per minute", "mmhg": "millimeter of mercury", "mmol": "millimole",
    "meq": "milliequivalent", "tab": "tablet", "tabs": "tablet", "caps": "capsule", "cc": "cubic centimeter",
    "khz": "kilohertz", "hz": "hertz", "gb": "gigabyte", "mb": "megabyte", "sq ft": "square foot", "ppm": "part per million",
}  # fmt: skip
_EXACT_CASE = {
    "g": "gram",
    "L": "liter",
    "l": "liter",
    "m": "meter",
    "h": "hour",
    "s": "second",
    "IU": "international unit",
}
_UNITS = "|".join(sorted(map(re.escape, [*_ANY_CASE, *_EXACT_CASE]), key=len, reverse=True))
_PER = "|".join(
    sorted(
        map(re.escape, [*_ANY_CASE, *_EXACT_CASE, "day", "week", "month", "year", "hour", "minute", "dose"]),
        key=len,
        reverse=True,
    )
)

_MEASURE = re.compile(
    rf"({NUMBER}|\d/\d)(\s?-?\s?)({_UNITS})(?:\s?/\s?({_PER}))?(?![\w°'’]|\.\w)(\.(?=\s+[a-z(]|,))?", re.I
)
_PRESSURE = re.compile(r"(?<![\d/.])([5-9]\d|1\d\d|2\d\d)/([3-9]\d|1[0-4]\d)(?![\d/])")
_TEMPERATURE = re.compile(rf"({NUMBER})\s?(?:°|º|deg(?:rees)?\.?)\s?(C|F)\b|({NUMBER})\s?°")
_PERCENT = re.compile(r"(?<=\d)\s?%")
_FEET_INCHES = re.compile(r"""(?<![\w.])(\d)'\s?(\d{1,2})(?:"|'')?(?![\w'])""")
_OLD = re.compile(r"(\d)\s?(?:y/o|yo)\b")
_SCALES = {"C": "Celsius", "F": "Fahrenheit"}


def read_units(text: str) -> str:
    """'5 mg' -> '5 milligrams', '98.6°F' -> '98.6 degrees Fahrenheit', '120/80' -> '120 over 80'."""
    text = _PERCENT.sub(" percent", text)
    text = _PRESSURE.sub(r"\1 over \2", text)
    text = _TEMPERATURE.sub(_temperature, text)
    text = _FEET_INCHES.sub(r"\1 feet \2", text)
    text = _OLD.sub(r"\1 year old", text)
    return _MEASURE.sub(_measure, text)


def _temperature(match: re.Match[str]) -> str:
    value = match[1] or match[3]
    return f"{value} {plural('degree', value)}" + (f" {_SCALES[match[2]]}" if match[2] else "")


def _measure(match: re.Match[str]) -> str:
    name = _name(match[3])
    if name is None or ("-" in match[2] and len(match[3]) == 1):
        return match[0]
    is_one = match[1] in ("1", "1/2", "1/4", "3/4", "1/3", "2/3") and not match.string[: match.start()].endswith(
        ("-", "–", ".", ",")
    )
    spoken = name if is_one or "-" in match[2] else plural(name, match[1])
    if match[1].count("/") and is_one:
        spoken = f"of {'an' if name[0] in 'aeiouh' else 'a'} {name}"
    if match[4]:
        spoken += f" per {_name(match[4]) or match[4].lower()}"
    return f"{match[1]} {spoken}"


def _name(unit: str) -> str | None:
    """The singular; None where the case is wrong ('5 M' is not five meters)."""
    return _EXACT_CASE.get(unit) or (_ANY_CASE.get(unit.lower()))
