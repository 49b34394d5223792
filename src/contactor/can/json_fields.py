"""Members of a JSON file, read with their place, so that an error can name it.

root = parsed("car.json", text)
root.need("commands").items()[3].need("hdr").hexadecimal(3, 4)
# DatabaseError: car.json: commands[3].hdr is 'ZZ', allowed: 3 or 4 hexadecimal digits
"""

import json
import math
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from contactor.errors import DatabaseError

HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
LONGEST_SHOWN = 40

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


def parsed(source: str, text: str) -> "Field":
    """The root of a JSON text.

    Args:
        source: the file's name, for errors.

    Raises:
        DatabaseError: it is no JSON; the message names the line.
    """
    try:
        return Field(source, "", json.loads(text, parse_constant=_refuse))
    except json.JSONDecodeError as error:
        raise DatabaseError(f"{source}, line {error.lineno}: {error.msg}") from error
    except RecursionError as error:
        raise DatabaseError(f"{source} is nested too deep") from error
    except ValueError as error:
        raise DatabaseError(f"{source}: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def _is_held(value: int | float) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _shown(name: str) -> str:
    """A name as part of a place: one line, and not long."""
    name = name if len(name) <= LONGEST_SHOWN else f"{name[:LONGEST_SHOWN]}..."
    return name if name.isprintable() else ascii(name)


@dataclass(frozen=True, slots=True)
class Field:
    """A value and where it is.

    Fields:
        source: the file's name.
        place: such as `commands[3].hdr`; empty for the whole.
    """

    source: str
    place: str
    value: Json

    def members(self) -> "dict[str, Field]":
        """The members of an object."""
        if not isinstance(self.value, dict):
            self.wrong("an object")
        dot = "." if self.place else ""
        return {
            name: Field(self.source, f"{self.place}{dot}{_shown(name)}", value)
            for name, value in self.value.items()
        }

    def items(self) -> "list[Field]":
        """The items of a list."""
        if not isinstance(self.value, list):
            self.wrong("a list")
        return [
            Field(self.source, f"{self.place}[{number}]", value)
            for number, value in enumerate(self.value)
        ]

    def need(self, name: str) -> "Field":
        """A member that must be there."""
        if (found := self.get(name)) is None:
            raise DatabaseError(f"{self.source}: {self.place or 'the file'} has no {name!r}")
        return found

    def get(self, name: str) -> "Field | None":
        """A member, None where it is not there."""
        return self.members().get(name)

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            self.wrong("a text")
        return self.value

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            self.wrong("true or false")
        return self.value

    def number(self) -> int | float:
        """A finite number."""
        value = self.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not _is_held(value):
            self.wrong("a number that a float64 can hold")
        return value

    def whole(self, low: int, high: int) -> int:
        """An integer from `low` to `high`."""
        value = self.value
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.wrong(f"whole numbers from {low} to {high}")
        return value

    def hexadecimal(self, *digits: int) -> str:
        """A text of hexadecimal digits, as capitals.

        Args:
            digits: the lengths that are allowed.
        """
        value = self.value
        if not isinstance(value, str) or len(value) not in digits or not set(value) <= HEXADECIMAL:
            self.wrong(f"{' or '.join(map(str, digits))} hexadecimal digits")
        return value.upper()

    def wrong(self, allowed: str) -> NoReturn:
        """Refuse this value.

        Raises:
            DatabaseError: always, with the place and what is allowed.
        """
        shown = repr(self.value)
        shown = shown if len(shown) <= LONGEST_SHOWN else f"{shown[:LONGEST_SHOWN]}..."
        raise DatabaseError(
            f"{self.source}: {self.place or 'the file'} is {shown}, allowed: {allowed}"
        )
