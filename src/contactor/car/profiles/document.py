"""A TOML file of a profile, read key by key; what is wrong becomes a finding with its line.

    document = read_document(folder / "map.toml", findings)
    document.root.only("format", "title", "signals", "actuators")
    document.root.text("title")             # None, and a finding, where it is no text

Nothing is raised: a reader goes on, so that one run of `profile check` tells all that is wrong.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from contactor.car.profiles.finding import Finding, Level
from contactor.car.profiles.toml_lines import KeyLines, KeyPath, key_lines

FORMAT = 1
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Table:
    """The keys of one TOML table of `file`; `path` is its name in parts."""

    file: str
    lines: KeyLines
    path: KeyPath
    values: Mapping[str, object]
    findings: list[Finding]

    def add(self, level: Level, message: str, *key: str) -> None:
        """A finding at `key` below this table, or at the table itself."""
        path = self.path + key
        self.findings.append(Finding(self.file, self.lines.of(path), level, message))

    def error(self, message: str, *key: str) -> None:
        """An error at `key`, or at the table itself."""
        self.add(Level.ERROR, message, *key)

    def only(self, *allowed: str) -> None:
        """An error for every other key, naming the nearest that is allowed."""
        for key in self.values:
            if key not in allowed:
                self.error(f"unknown key {key!r}; {nearest(key, allowed, 'allowed')}", key)

    def has(self, key: str) -> bool:
        """Whether `key` is there."""
        return key in self.values

    def get(self, key: str) -> object:
        """Whatever stands at `key`, None where nothing does."""
        return self.values.get(key)

    def table(self, key: str) -> "Table":
        """The table at `key`; an empty one where there is none."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.error(f"{key} is {value!r:.60}, not a table", key)
            value = {}
        return Table(self.file, self.lines, (*self.path, key), value, self.findings)

    def tables(self, key: str) -> "Iterator[tuple[str, Table]]":
        """Each table in the table at `key`, with its name."""
        outer = self.table(key)
        for name in outer.values:
            yield name, outer.table(name)

    def text(self, key: str) -> str | None:
        """The text at `key`."""
        value = self.values.get(key)
        if value is None or (isinstance(value, str) and value):
            return value
        self.error(f"{key} is {value!r:.60}, not a text", key)
        return None

    def flag(self, key: str) -> bool | None:
        """true or false at `key`."""
        value = self.values.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.error(f"{key} is {value!r:.60}, not true or false", key)
        return None

    def number(self, key: str) -> float | None:
        """The finite number at `key`."""
        value = self.values.get(key)
        if value is None:
            return None
        number = _finite(value)
        if number is None:
            self.error(f"{key} is {value!r:.60}, not a number", key)
        return number

    def interval(self, key: str) -> tuple[float, float] | None:
        """`[low, high]` at `key`."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, list) and len(value) == 2:
            low, high = (_finite(end) for end in value)
            if low is not None and high is not None and low <= high:
                return low, high
        self.error(f"{key} is {value!r:.60}, not [low, high]", key)
        return None

    def texts(self, key: str) -> tuple[str, ...]:
        """The text, or the texts of the list, at `key`."""
        value = self.values.get(key)
        if value is None:
            return ()
        names = value if isinstance(value, list) else [value]
        if names and all(isinstance(name, str) and name for name in names):
            return tuple(names)
        self.error(f"{key} is {value!r:.60}, not a text nor a list of texts", key)
        return ()

    def check_format(self) -> None:
        """An error unless `format` is the one that this version reads."""
        value = self.values.get("format")
        if value != FORMAT or isinstance(value, bool):
            found = "is missing" if value is None else f"is {value!r:.20}"
            self.error(f"format {found}; this version reads format = {FORMAT}", "format")


def read_document(path: Path, findings: list[Finding]) -> Table | None:
    """The root table of the TOML file `path`, or None with a finding that says why."""
    try:
        content = path.read_bytes()
    except OSError as error:
        findings.append(Finding(path.name, None, Level.ERROR, _missing(error)))
        return None
    return parse_document(path.name, content, findings)


def parse_document(file: str, content: bytes, findings: list[Finding]) -> Table | None:
    """The root table of a TOML text, or None with a finding that says why."""
    text, problem, line = _decode(content)
    if problem is None:
        try:
            values = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            problem, line = _reason(text, error)
        else:
            return Table(file, key_lines(text), (), values, findings)
    findings.append(Finding(file, line, Level.ERROR, problem))
    return None


def _decode(content: bytes) -> tuple[str, str | None, int | None]:
    if len(content) > MAX_BYTES:
        return "", f"{len(content)} bytes; at most {MAX_BYTES} are read", None
    try:
        return content.decode("utf-8-sig"), None, None
    except UnicodeDecodeError as error:
        return "", "not UTF-8 text", content[: error.start].count(b"\n") + 1


def _reason(text: str, error: Exception) -> tuple[str, int | None]:
    """What is wrong with a text that is no TOML, and its line."""
    message = (str(error).splitlines() or [type(error).__name__])[0]
    if message.startswith(("Cannot declare", "Cannot overwrite", "Duplicate")):
        lines = key_lines(text)
        for path, line in lines.again.items():
            return f"{spelled(path)} is there twice; first in line {lines.first[path]}", line
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if place is None:
        return f"not TOML: {message}", None
    line = int(place[1]) if place[1] else text.count("\n") + 1
    return f"not TOML: {message[: place.start()]}", line


def _missing(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "this file is missing"
    return f"cannot be read: {error.strerror}"


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def spelled(path: KeyPath) -> str:
    """A key path as it is written: signals."Vehicle.Speed"."""
    return ".".join(part if re.fullmatch(r"[\w-]+", part) else f'"{part}"' for part in path)


def nearest(word: str, allowed: Iterable[str], what: str) -> str:
    """`nearest: ...` where something is near, else `WHAT: ...` with all there is (the first 12)."""
    known = list(allowed)
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.7)
    if near:
        return f"nearest: {', '.join(near)}"
    more = f", ... ({len(known)} in all)" if len(known) > 12 else ""
    return f"{what}: {', '.join(known[:12]) or 'none'}{more}"
