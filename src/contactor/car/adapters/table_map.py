"""The map of a table: which column is the clock, and which column is which signal.

    [time]                            # column, unit: s ms us ns (since origin) iso8601 timestamp
    column = "t"
    unit = "s"
    origin = "2024-05-01T08:00:00Z"
    [table]                           # optional: delimiter, decimal
    [signals."Vehicle.Speed"]         # column; optional: unit, scale, offset, valid, values, group
    column = "speed"
    unit = "m/s"

A map that cannot be read raises `MalformedMap`, naming file, line, key and what is allowed. Every
check is made here, so that a map that loads fits the catalogue.

    load_table_map(Path("trip.toml")).signals[0].path       # 'Vehicle.Speed'
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from contactor.car.adapters.table_entries import Entries, first_line, parse_toml
from contactor.car.adapters.table_instant import EPOCH, instant_ns, is_timezone
from contactor.clock import NS_PER_MS, NS_PER_S
from contactor.errors import ContactorError, InvalidValue, MalformedMap, UnknownSignal, UsageError
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.groups import Group
from contactor.signals.record import Scalar
from contactor.signals.validation import check_value
from contactor.units import convert

MAX_MAP_BYTES = 1_000_000


class TimeUnit(StrEnum):
    """What the time column holds: a count since the origin, or a date and time."""

    SECONDS = "s"
    MILLISECONDS = "ms"
    MICROSECONDS = "us"
    NANOSECONDS = "ns"
    ISO8601 = "iso8601"
    TIMESTAMP = "timestamp"

    @property
    def is_relative(self) -> bool:
        """Whether it counts from an origin."""
        return self in NS_PER_UNIT


NS_PER_UNIT = {
    TimeUnit.SECONDS: NS_PER_S,
    TimeUnit.MILLISECONDS: NS_PER_MS,
    TimeUnit.MICROSECONDS: 1_000,
    TimeUnit.NANOSECONDS: 1,
}


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Where the instant of a row stands.

    Fields:
        columns: one name; several are joined by a space before they are read (date, time).
        format: of a text, in strftime's letters; ISO 8601 without it.
        timezone: IANA name that a date-time without offset is in; UTC without it.
        origin_ns: int64 ns UTC that a count is since.
    """

    columns: tuple[str, ...]
    unit: TimeUnit
    format: str | None = None
    timezone: str | None = None
    origin_ns: int = 0


@dataclass(frozen=True, slots=True)
class TextLayout:
    """How a text table is written; without a delimiter the one that fits the map is taken."""

    delimiter: str | None = None
    decimal: str = "."


@dataclass(frozen=True, slots=True)
class SignalMap:
    """Which column is a signal: `value = convert(cell * scale + offset, unit)`.

    Fields:
        columns: one name; several are the elements of an array signal.
        unit: of the column; None where it is the catalogue's.
        valid: the least and greatest value in the signal's own unit that is taken.
        values: what stands for each raw word; a word that is not named is refused.
    """

    path: str
    columns: tuple[str, ...]
    unit: str | None = None
    scale: float = 1.0
    offset: float = 0.0
    valid: tuple[float, float] | None = None
    values: tuple[tuple[str, Scalar], ...] = ()
    group: Group | None = None

    @property
    def signal(self) -> Signal:
        """The leaf of the catalogue."""
        return catalogue()[self.path]

    @property
    def stored_group(self) -> Group:
        """The group that rows of this signal are stored in."""
        return self.group or self.signal.group

    @property
    def is_scaled(self) -> bool:
        """Whether a cell is calculated with, rather than taken as it is."""
        return self.unit is not None or self.scale != 1.0 or self.offset != 0.0


@dataclass(frozen=True, slots=True)
class TableMap:
    """A whole map, with the bytes that it was read from: they are part of a source's identity."""

    path: Path
    content: bytes
    time: TimeMap
    layout: TextLayout
    signals: tuple[SignalMap, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the map names, once each."""
        named = [*self.time.columns, *(name for one in self.signals for name in one.columns)]
        return tuple(dict.fromkeys(named))


def load_table_map(path: Path) -> TableMap:
    """The map in the file `path`.

    Raises:
        UsageError: no such file, or one that cannot be read.
        MalformedMap: what stands in it is no map; names file, line, key and what is allowed.
    """
    content = _read(path)
    text, document = parse_toml(path, content)
    root = Entries(path, text, (), document)
    root.only("time", "table", "signals")
    return TableMap(
        path=path,
        content=content,
        time=_time(root.table("time", example='column = "t", unit = "s"')),
        layout=_layout(root.table("table", example="", is_optional=True)),
        signals=_signals(root.table("signals", example='"Vehicle.Speed" = {column = "speed"}')),
    )


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"{path} is a directory, not a map")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MAP_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"no such file: {path}") from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if len(content) > MAX_MAP_BYTES:
        raise MalformedMap(f"{path}: a map has at most {MAX_MAP_BYTES} bytes")
    return content


def _time(time: Entries) -> TimeMap:
    time.only("column", "unit", "format", "timezone", "origin")
    unit = time.word("unit", TimeUnit)
    columns = time.names("column")
    if unit.is_relative:
        time.refuse(("format", "timezone"), f'unit = "{unit}" counts from an origin')
        if len(columns) > 1:
            raise time.wrong("column", 'several columns are joined as text: unit = "iso8601"')
        return TimeMap(columns, unit, origin_ns=_origin(time))
    time.refuse(("origin",), f'unit = "{unit}" is a date and time by itself')
    form, zone = time.text("format"), time.text("timezone")
    if form is not None and "%" not in form:
        raise time.wrong("format", f"{form!r} has no %; such as '%m/%d/%Y %H:%M:%S'")
    if zone is not None and not is_timezone(zone):
        raise time.wrong("timezone", f"unknown {zone!r}; an IANA name such as 'Europe/Berlin'")
    return TimeMap(columns, unit, form, zone)


def _origin(time: Entries) -> int:
    origin = time.get("origin", EPOCH)
    try:
        return instant_ns(origin)
    except ValueError as error:
        allowed = f"an instant such as '2024-05-01T08:00:00Z', or '{EPOCH}'"
        raise time.wrong("origin", f"{error}; {allowed}") from error


def _layout(table: Entries) -> TextLayout:
    table.only("delimiter", "decimal")
    delimiter, decimal = table.text("delimiter"), table.text("decimal") or "."
    if delimiter is not None and (len(delimiter.encode()) != 1 or delimiter in '"\r\n'):
        raise table.wrong("delimiter", f"{delimiter!r} is not one ASCII character")
    if decimal not in {".", ","}:
        raise table.wrong("decimal", f"{decimal!r} is neither '.' nor ','")
    return TextLayout(delimiter, decimal)


def _signals(signals: Entries) -> tuple[SignalMap, ...]:
    if not signals.values:
        raise signals.wrong(None, 'maps no signal; such as [signals."Vehicle.Speed"]')
    return tuple(_signal(signals, path) for path in signals.values)


def _signal(signals: Entries, path: str) -> SignalMap:
    try:
        signal = catalogue()[path]
    except UnknownSignal as error:
        hint = "" if "." in path else f' (a path stands in quotes: [signals."{path}...."])'
        raise signals.wrong(path, f"{error}{hint}") from error
    entry = signals.table(path, example='column = "speed"')
    entry.only("column", "unit", "scale", "offset", "valid", "values", "group")
    columns = entry.names("column")
    if len(columns) > 1 and not signal.datatype.is_array:
        raise entry.wrong("column", f"{path} is no array: it has one column")
    values = _values(entry, signal)
    _refuse_arithmetic(entry, signal, has_values=bool(values))
    return SignalMap(
        path=path,
        columns=columns,
        unit=_unit(entry, signal),
        scale=_scale(entry),
        offset=entry.number("offset", 0.0),
        valid=_valid(entry),
        values=values,
        group=entry.word("group", Group) if "group" in entry.values else None,
    )


def _refuse_arithmetic(entry: Entries, signal: Signal, *, has_values: bool) -> None:
    if has_values:
        entry.refuse(("unit", "scale", "offset"), "values already says what each word stands for")
    if signal.datatype.is_text or signal.datatype.element.value == "boolean":
        entry.refuse(("unit", "scale", "offset", "valid"), f"{signal.path} is {signal.datatype}")


def _unit(entry: Entries, signal: Signal) -> str | None:
    unit = entry.text("unit")
    if unit is None or unit == signal.unit:
        return None
    if signal.unit is None:
        raise entry.wrong("unit", f"{signal.path} has no unit")
    try:
        convert([0.0], unit, signal.unit)
    except (ContactorError, ValueError) as error:
        raise entry.wrong(
            "unit", f"{first_line(error)}; {signal.path} is in {signal.unit}"
        ) from error
    return unit


def _scale(entry: Entries) -> float:
    scale = entry.number("scale", 1.0)
    if scale == 0.0:
        raise entry.wrong("scale", "is 0: every cell would be the offset")
    return scale


def _valid(entry: Entries) -> tuple[float, float] | None:
    if "valid" not in entry.values:
        return None
    bounds = entry.numbers("valid")
    if len(bounds) != 2 or not bounds[0] <= bounds[1]:
        raise entry.wrong("valid", f"{list(bounds)} is not [min, max]")
    return bounds[0], bounds[1]


def _values(entry: Entries, signal: Signal) -> tuple[tuple[str, Scalar], ...]:
    if "values" not in entry.values:
        return ()
    words = entry.table("values", example='"D" = 1')
    if not words.values:
        raise entry.wrong("values", 'names no word; such as {"0" = false, "1" = true}')
    return tuple((raw.strip(), _value(words, raw, signal)) for raw in words.values)


def _value(words: Entries, raw: str, signal: Signal) -> Scalar:
    value = words.values[raw]
    if not isinstance(value, bool | int | float | str):
        raise words.wrong(raw, f"{value!r} is no {signal.datatype.element}")
    try:
        check_value(signal, (value,) if signal.datatype.is_array else value)
    except InvalidValue as error:
        raise words.wrong(raw, str(error)) from error
    return value
