"""Reads `map.toml`, checking every key against the catalogue and the DBC.

    format = 1
    title = "Nissan Leaf ZE1 (2018 on)"

    [signals."Vehicle.Powertrain.TractionBattery.CurrentVoltage"]
    from = "BatteryState.PackVoltage"     # or two of one message, with combine = "product";
                                          # of an array its elements, with combine = "list"
    unavailable = [0x3FF]                 # raw; for two a list of lists, or lists by name
    unit = "V"                            # of the physical value; default the DBC's, see below
    scale = 1.0                           # then offset, invert; before the conversion
    valid = [0, 500]                      # in the catalogue's unit
    group = "drive"                       # mean, stale_s: instead of the catalogue's

    [signals."Vehicle.LowVoltageSystemState"]
    from = "ShiftState.PowerMode"
    values = {1 = "ON", 2 = "OFF"}        # raw to value; others are not available, or `otherwise`

    [actuators."Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"]
    frame = "DoorCommand.Lock"            # unit, scale, offset, invert, values: as read, reversed

Without `unit`, the DBC's unit counts where `units` knows it; else, and for a product, the number is
taken to be in the catalogue's unit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from contactor.can.database import Database, SignalFormat
from contactor.car.profiles.document import Table
from contactor.car.profiles.entry import ActuatorEntry, MapEntry, default_stale_s
from contactor.car.profiles.finding import is_ok
from contactor.car.profiles.leaf import known_signal
from contactor.car.profiles.map_source import (
    formats_of,
    known_formats,
    read_sources,
    read_unavailable,
)
from contactor.car.profiles.map_value import (
    SCALING_KEYS,
    check_source,
    check_type,
    read_group,
    read_mean,
    read_otherwise,
    read_scaling,
    read_unit,
    read_valid,
    read_values,
)
from contactor.car.profiles.mapping import SignalMap
from contactor.signals.catalogue import Kind

Entry = TypeVar("Entry", MapEntry, ActuatorEntry)

SIGNAL_KEYS = (
    *("from", "combine", "unavailable", "unit", *SCALING_KEYS),
    *("values", "otherwise", "valid", "group", "mean", "stale_s"),
)
ACTUATOR_KEYS = ("frame", "unit", *SCALING_KEYS, "values")


@dataclass(frozen=True, slots=True)
class SignalMapFile:
    """What a `map.toml` holds."""

    title: str
    map: SignalMap


def read_map(root: Table, database: Database | None) -> SignalMapFile:
    """The map of a `map.toml`; entries that are wrong are left out, with findings.

    Args:
        database: the DBC that the map stands on; None where it cannot be read, which leaves the
            names of its signals unchecked.
    """
    root.only("format", "title", "signals", "actuators")
    root.check_format()
    title = root.text("title")
    if title is None and not root.has("title"):
        root.error('title is missing; such as title = "Nissan Leaf ZE1 (2018 on)"')
    if not root.has("signals"):
        root.error('no [signals."..."]: the map reads nothing')
    formats = formats_of(database)
    signals = [_signal_entry(path, table, formats) for path, table in root.tables("signals")]
    actuators = [_actuator_entry(path, table, formats) for path, table in root.tables("actuators")]
    return SignalMapFile(title or "", SignalMap(_sound(signals), _sound(actuators)))


def _sound(entries: Sequence[Entry | None]) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if entry is not None)


def _signal_entry(
    path: str, table: Table, formats: Mapping[str, SignalFormat] | None
) -> MapEntry | None:
    already = len(table.findings)
    table.only(*SIGNAL_KEYS)
    signal = known_signal(path, table)
    sources = read_sources(table)
    known = known_formats(sources, "from", table, formats)
    unavailable = read_unavailable(table, sources, known)
    if signal is None:
        return None
    check_type(signal, table)
    check_source(signal, table, known)
    values = read_values(signal, table, known)
    group = read_group(table) or signal.group
    stale_s = table.number("stale_s")
    if stale_s is not None and stale_s <= 0:
        table.error(f"stale_s is {stale_s:g}; more than 0 is allowed", "stale_s")
    entry = MapEntry(
        signal=signal,
        sources=sources,
        group=group,
        is_mean=read_mean(signal, table),
        stale_s=default_stale_s(group) if stale_s is None else stale_s,
        unavailable=unavailable,
        unit=None if values is not None else read_unit(signal, table, known),
        scaling=read_scaling(table),
        values=values,
        otherwise=read_otherwise(signal, table),
        valid=read_valid(signal, table),
    )
    return entry if is_ok(table.findings[already:]) else None


def _actuator_entry(
    path: str, table: Table, formats: Mapping[str, SignalFormat] | None
) -> ActuatorEntry | None:
    already = len(table.findings)
    table.only(*ACTUATOR_KEYS)
    signal = known_signal(path, table)
    frame = table.text("frame")
    if frame is None and not table.has("frame"):
        table.error('frame is missing; such as frame = "DoorCommand.Lock"')
    known = known_formats(() if frame is None else (frame,), "frame", table, formats)
    if signal is None or frame is None:
        return None
    if signal.kind is not Kind.ACTUATOR:
        table.error(f"{path} is a {signal.kind}: only an actuator can be set")
    check_type(signal, table)
    values = read_values(signal, table, known)
    if values is not None and len(set(values.values())) < len(values):
        table.error("values: two raw values stand for one value; one must be chosen", "values")
    entry = ActuatorEntry(
        signal=signal,
        frame=frame,
        unit=None if values is not None else read_unit(signal, table, known),
        scaling=read_scaling(table),
        values={value: raw for raw, value in (values or {}).items()},
    )
    return entry if is_ok(table.findings[already:]) else None
