"""A TOML table of a map, read key by key; what is wrong is told with file, line and key.

time = Entries(path, text, ("time",), {"col": "t"})
time.only("column", "unit")     # MalformedMap: trip.toml, line 2: [time] col is unknown; ...
"""

import difflib
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from contactor.errors import MalformedMap

Word = TypeVar("Word", bound=StrEnum)


def parse_toml(path: Path, content: bytes) -> tuple[str, dict[str, object]]:
    """The text and the document of a TOML file.

    Raises:
        MalformedMap: not UTF-8, or not TOML.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise MalformedMap(f"{path}, line {line}: not UTF-8 text") from error
    try:
        return text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise MalformedMap(f"{path}: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What the error says, in one line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


@dataclass(frozen=True, slots=True)
class Entries:
    """The keys of one TOML table, `section` being its name in parts."""

    path: Path
    source: str
    section: tuple[str, ...]
    values: Mapping[str, object]

    def wrong(self, key: str | None, problem: str) -> MalformedMap:
        """The error for `key`, or for the whole table."""
        line = self._line(key)
        where = f"{self.path}, line {line}" if line else f"{self.path}"
        name = ".".join(f'"{part}"' if "." in part else part for part in self.section)
        words = [f"[{name}]" if name else "", key if key is not None else "", problem]
        return MalformedMap(f"{where}: {' '.join(word for word in words if word)}")

    def only(self, *allowed: str) -> None:
        """Refuse every other key."""
        for key in self.values:
            if key not in allowed:
                near = difflib.get_close_matches(key, allowed, n=1)
                hint = f"did you mean {near[0]!r}? " if near else ""
                raise self.wrong(key, f"is unknown; {hint}allowed: {', '.join(allowed)}")

    def refuse(self, keys: Sequence[str], reason: str) -> None:
        """Refuse keys that make no sense here."""
        for key in keys:
            if key in self.values:
                raise self.wrong(key, f"is not allowed: {reason}")

    def get(self, key: str, default: object = None) -> object:
        """Whatever stands at `key`."""
        return self.values.get(key, default)

    def table(self, key: str, *, example: str, is_optional: bool = False) -> "Entries":
        """The table at `key`."""
        value = self.values.get(key, {} if is_optional else None)
        if value is None:
            raise self.wrong(None, f"[{key}] is missing; such as {example}")
        if not isinstance(value, dict):
            raise self.wrong(key, f"{value!r:.60} is no table; such as {{{example}}}")
        return Entries(self.path, self.source, (*self.section, key), value)

    def text(self, key: str) -> str | None:
        """The text at `key`, None where there is none."""
        value = self.values.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            raise self.wrong(key, f"{value!r:.60} is no text")
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """The column name or names at `key`."""
        value = self.values.get(key)
        if value is None:
            raise self.wrong(None, f'{key} is missing; such as {key} = "speed"')
        names = value if isinstance(value, list) else [value]
        if not names or not all(isinstance(name, str) and name for name in names):
            raise self.wrong(key, f"{value!r:.60} is no column name, nor a list of them")
        return tuple(names)

    def number(self, key: str, default: float) -> float:
        """The finite number at `key`."""
        value = self._number(key, self.values.get(key, default))
        if not math.isfinite(value):
            raise self.wrong(key, f"{value} is not finite")
        return value

    def numbers(self, key: str) -> tuple[float, ...]:
        """The list of numbers at `key`."""
        value = self.values.get(key)
        if not isinstance(value, list):
            raise self.wrong(key, f"{value!r:.60} is no list of numbers")
        return tuple(self._number(key, one) for one in value)

    def _number(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"{value!r:.60} is no number")
        try:
            return float(value)
        except OverflowError as error:
            raise self.wrong(key, "is too large a number") from error

    def word(self, key: str, words: type[Word]) -> Word:
        """The word of a closed set at `key`."""
        value = self.values.get(key)
        allowed = ", ".join(words)
        if value is None:
            raise self.wrong(None, f"{key} is missing; one of {allowed}")
        if not isinstance(value, str) or value not in set(words):
            near = difflib.get_close_matches(str(value), [str(word) for word in words], n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise self.wrong(key, f"{value!r:.60} is unknown; {hint}one of {allowed}")
        return words(value)

    def _line(self, key: str | None) -> int | None:
        """The line that `key` of this table stands in, or the table's own; a search in the text."""
        parts = [*self.section, key] if key is not None else [*self.section]
        inside = not self.section
        header = None
        for number, line in enumerate(self.source.splitlines(), 1):
            words = _header(line)
            if words is not None:
                inside = words == list(self.section)
                header = number if inside or words == parts else header
                if words == parts:
                    return number
            elif key is not None and inside and _starts_with_key(line, key):
                return number
        return header or self._inline_line()

    def _inline_line(self) -> int | None:
        """The line of a table that is written as `key = {...}`."""
        if not self.section:
            return None
        *outer, own = self.section
        return Entries(self.path, self.source, tuple(outer), {})._line(own)


def _header(line: str) -> list[str] | None:
    match = re.fullmatch(r"\s*\[([^\[\]]+)\]\s*(#.*)?", line)
    if match is None:
        return None
    parts = re.findall(r'"([^"]*)"|\'([^\']*)\'|([A-Za-z0-9_-]+)', match[1])
    return ["".join(part) for part in parts]


def _starts_with_key(line: str, key: str) -> bool:
    escaped = re.escape(key)
    return re.match(rf"\s*(\"{escaped}\"|'{escaped}'|{escaped})\s*[=.]", line) is not None
