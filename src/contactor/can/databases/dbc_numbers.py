"""Numbers as DBC files write them, good and bad.

number("-0.5"), number(".25"), number("1,5"), number("abc")
# ("-0.5", "0.25", None, None)
factor_and_offset("0,5,-40")        # ("0.5", "-40"): a decimal comma, and no other reading
factor_and_offset("1,5,5")          # None: 1.5 and 5, or 1 and 5.5
"""

import re

_PLAIN = re.compile(r"[-+]?\d+\.?\d*([eE][+-]?\d+)?")
_BARE = re.compile(r"([-+]?)(\.\d+([eE][+-]?\d+)?)")
_COMMA = re.compile(r"[-+]?\d*,\d+([eE][+-]?\d+)?")
_LONGEST = 400


def is_plain(text: str) -> bool:
    """Whether every DBC parser reads it."""
    return len(text) <= _LONGEST and _PLAIN.fullmatch(text) is not None


def number(text: str) -> str | None:
    """A number in the plain form, or None where it is none."""
    text = text.strip()
    if is_plain(text):
        return text
    if len(text) <= _LONGEST and (bare := _BARE.fullmatch(text)):
        return f"{bare[1]}0{bare[2]}"
    return None


def comma_number(text: str) -> str | None:
    """A number whose decimal sign may be a comma."""
    text = text.strip()
    if len(text) <= _LONGEST and _COMMA.fullmatch(text):
        text = text.replace(",", ".")
    return number(text)


def whole(text: str) -> int | None:
    """An integer, also in hexadecimal or as "3.0"."""
    text = text.strip()
    if len(text) > 40:
        return None
    if re.fullmatch(r"[-+]?(\d+|0[xX][0-9a-fA-F]+)", text):
        return int(text, 16 if "x" in text.lower() else 10)
    return int(text.split(".")[0]) if re.fullmatch(r"[-+]?\d+\.0*", text) else None


def factor_and_offset(text: str) -> tuple[str, str] | None:
    """What stands in a signal's round brackets, or None where it has no certain reading."""
    if ";" in text:
        parts = text.split(";")
        values = [comma_number(part) for part in parts]
        return _pair(values) if len(parts) == 2 else None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) == 2:
        return _pair([number(part) for part in parts])
    if len(parts) == 4:
        return _pair([number(".".join(parts[:2])), number(".".join(parts[2:]))])
    if len(parts) == 3:
        return _pair([number(part) for part in _two_of_three(*parts)])
    return None


def _two_of_three(first: str, middle: str, last: str) -> tuple[str, str]:
    """A decimal comma in one of two numbers: a fraction has no sign, and is not written as 0."""
    in_factor = middle.isdigit() and middle.strip("0") != ""
    in_offset = last.isdigit() and last.strip("0") != "" and first.strip("+-0") != ""
    if in_factor and in_offset:
        return "", ""
    return (first, f"{middle}.{last}") if in_offset else (f"{first}.{middle}", last)


def _pair(values: list[str | None]) -> tuple[str, str] | None:
    factor, offset = values
    return None if factor is None or offset is None else (factor, offset)
