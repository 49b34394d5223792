"""A part of a scenario file, read key by key; what is wrong is told with its place."""

from collections.abc import Sequence
from typing import Any

from contactor.errors import MalformedScenario


class Section:
    """A table of the file; `where` is how its author would name it."""

    def __init__(self, file: str, where: str, entries: object) -> None:
        self._file, self._where = file, where
        if not isinstance(entries, dict):
            raise self._wrong_whole(f"is {entries!r:.60}, not a table")
        self._entries: dict[str, Any] = entries

    @property
    def keys(self) -> list[str]:
        """Its keys, in their order."""
        return list(self._entries)

    def wrong(self, key: str, what: str) -> MalformedScenario:
        """An error about one key."""
        place = f"{self._where}.{key}" if self._where else key
        return MalformedScenario(f"{self._file}: {place} {what}")

    def _wrong_whole(self, what: str) -> MalformedScenario:
        return MalformedScenario(f"{self._file}: {self._where} {what}")

    def only(self, *keys: str) -> None:
        """Refuse any other key."""
        for key in self._entries:
            if key not in keys:
                raise self.wrong(key, f"is unknown; allowed are {', '.join(keys)}")

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return key in self._entries

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number in low..high."""
        value = self._entries.get(key, default)
        if value is None:
            raise self.wrong(key, f"is missing: a number, {low:g} to {high:g}")
        return self._checked(key, value, low, high)

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number in low..high."""
        value = self.number(key, low, high, default)
        if value != int(value):
            raise self.wrong(key, f"is {value:g}, not a whole number")
        return int(value)

    def numbers(
        self, key: str, count: int, low: float, high: float, default: Sequence[float] | None = None
    ) -> tuple[float, ...]:
        """So many numbers in low..high."""
        values = self._entries.get(key, default)
        if not isinstance(values, list | tuple) or len(values) != count:
            raise self.wrong(key, f"is {values!r:.60}, not a list of {count} numbers")
        return tuple(self._checked(key, value, low, high) for value in values)

    def rows(self, key: str, count: int) -> list[tuple[float, ...]]:
        """Lists of so many numbers."""
        rows = self._entries.get(key)
        if not isinstance(rows, list) or not rows:
            raise self.wrong(key, f"is {rows!r:.60}, not a list of lists of {count} numbers")
        found = []
        for row in rows:
            if not isinstance(row, list) or len(row) != count:
                raise self.wrong(key, f"has {row!r:.60}, not {count} numbers")
            found.append(tuple(self._checked(key, value, -1e6, 1e6) for value in row))
        return found

    def text(self, key: str, default: str | None = None) -> str:
        """A text that is not empty."""
        value = self._entries.get(key, default)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, f"is {value!r:.60}, not a text" if value else "is missing")
        return value

    def word(self, key: str, allowed: Sequence[str], default: str | None = None) -> str:
        """One of some words."""
        value = self._entries.get(key, default)
        if value not in allowed:
            raise self.wrong(key, f"is {value!r:.60}; allowed are {', '.join(allowed)}")
        return str(value)

    def words(self, key: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """One or more of some words: a word, or a list of them."""
        value = self._entries.get(key)
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not values:
            raise self.wrong(key, f"is {value!r:.60}; one or more of {', '.join(allowed)}")
        for one in values:
            if one not in allowed:
                raise self.wrong(key, f"has {one!r:.60}; allowed are {', '.join(allowed)}")
        return tuple(values)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._entries.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"is {value!r:.60}, neither true nor false")
        return value

    def table(self, key: str) -> "Section":
        """A table in this one; an empty one where it is missing."""
        where = f"{self._where}.{key}" if self._where else key
        return Section(self._file, where, self._entries.get(key, {}))

    def tables(self, key: str) -> list["Section"]:
        """The tables of a list; none where it is missing."""
        values = self._entries.get(key, [])
        if not isinstance(values, list):
            raise self.wrong(key, f"is {values!r:.60}, not a list of tables, [[{key}]]")
        where = f"{self._where}.{key}" if self._where else key
        return [
            Section(self._file, f"{where}[{number}]", value)
            for number, value in enumerate(values, 1)
        ]

    def _checked(self, key: str, value: object, low: float, high: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.wrong(key, f"is {value!r:.60}, not a number")
        if not low <= value <= high:
            raise self.wrong(key, f"is {value:g}; {low:g} to {high:g} is allowed")
        return float(value)
