"""What makes the car move, from `physics.toml`: every number in its range, every curve in order.

    format = 1
    [body]
    mass_kg = 1975              # group and key are those of contactor.physics.parameters

A key that has no default there must be given.
"""

import dataclasses
from itertools import pairwise
from typing import Any, TypeVar

from contactor.car.profiles.document import Table
from contactor.physics.parameters import (
    Auxiliaries,
    Battery,
    Body,
    CarParameters,
    Charging,
    Climate,
    Driveline,
    Driver,
    Range,
    ranges_of,
)

MAX_POINTS = 200
# The state of charge of these curves must go from empty to full.
WHOLE = ("open_circuit_state_of_charge", "dc_state_of_charge")

G = TypeVar("G")


def read_physics(root: Table) -> CarParameters | None:
    """The parameters of a `physics.toml`; None, with findings, where anything is wrong."""
    before = len(root.findings)
    root.only("format", *(one.name for one in dataclasses.fields(CarParameters)))
    root.check_format()
    groups: dict[str, Any] = {
        "body": _group(Body, root.table("body")),
        "driveline": _group(Driveline, root.table("driveline")),
        "battery": _group(Battery, root.table("battery")),
        "climate": _group(Climate, root.table("climate")),
        "charging": _group(Charging, root.table("charging")),
        "auxiliaries": _group(Auxiliaries, root.table("auxiliaries")),
        "driver": _group(Driver, root.table("driver")),
    }
    if len(root.findings) > before or None in groups.values():
        return None
    parameters = CarParameters(**groups)
    _check_order(parameters, root)
    return parameters if len(root.findings) == before else None


def _group(group: type[G], table: Table) -> G | None:
    """One group of parameters, or None with findings."""
    ranges = ranges_of(group)
    table.only(*ranges)
    before = len(table.findings)
    needed = {
        one.name
        for one in dataclasses.fields(group)  # type: ignore[arg-type]  # each of them is one
        if one.default is dataclasses.MISSING
    }
    given: dict[str, Any] = {}
    for key, allowed in ranges.items():
        if not table.has(key):
            if key in needed:
                table.error(f"{key} is missing")
        elif allowed.by is None:
            given[key] = _number(table, key, allowed)
        else:
            given[key] = _numbers(table, key, allowed)
    if len(table.findings) > before:
        return None
    for key, allowed in ranges.items():
        _check_curve(table, key, allowed, given)
    given |= {key: int(value) for key, value in given.items() if ranges[key].is_whole}
    return group(**given) if len(table.findings) == before else None


def _number(table: Table, key: str, allowed: Range) -> float | None:
    value = table.number(key)
    if value is None:
        return None
    if not allowed.low <= value <= allowed.high:
        table.error(f"{key} is {value:g}; {allowed.low:g} to {allowed.high:g} is allowed", key)
    if allowed.is_whole and value != int(value):
        table.error(f"{key} is {value:g}, not a whole number", key)
    return value


def _numbers(table: Table, key: str, allowed: Range) -> tuple[float, ...]:
    values = table.get(key)
    is_list = isinstance(values, list) and 2 <= len(values) <= MAX_POINTS
    if not isinstance(values, list) or not is_list:
        table.error(f"{key} is {values!r:.60}, not a list of 2 to {MAX_POINTS} numbers", key)
        return ()
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            table.error(f"{value!r:.40} in {key} is not a number", key)
        elif not allowed.low <= value <= allowed.high:
            text = f"{value:g} in {key}; {allowed.low:g} to {allowed.high:g} is allowed"
            table.error(text, key)
        else:
            continue
        return ()
    return tuple(float(value) for value in values)


def _check_curve(table: Table, key: str, allowed: Range, given: dict[str, Any]) -> None:
    """An error where the two lists of a curve do not go together."""
    if allowed.by is None:
        return
    values = given[key]
    if key != allowed.by:
        if len(values) != len(given[allowed.by]):
            text = f"{key} has {len(values)} numbers, {allowed.by} has {len(given[allowed.by])}"
            table.error(text, key)
    elif any(high <= low for low, high in pairwise(values)):
        table.error(f"{key} must go up from each number to the next", key)
    elif key in WHOLE and (values[0] != 0 or values[-1] != 1):
        table.error(f"{key} goes from {values[0]:g} to {values[-1]:g}; it must be 0 to 1", key)


def _check_order(parameters: CarParameters, root: Table) -> None:
    """Errors where two numbers contradict each other."""
    battery, driveline = parameters.battery, parameters.driveline
    curve = battery.open_circuit_v
    if any(high <= low for low, high in pairwise(curve)):
        text = "open_circuit_v must go up from each number to the next"
        root.error(text, "battery", "open_circuit_v")
    if battery.cell_voltage_min_v >= curve[0]:
        text = f"cell_voltage_min_v must be below the empty cell's {curve[0]:g} V"
        root.error(text, "battery", "cell_voltage_min_v")
    if battery.cell_voltage_max_v <= curve[-1]:
        text = f"cell_voltage_max_v must be above the full cell's {curve[-1]:g} V"
        root.error(text, "battery", "cell_voltage_max_v")
    if driveline.regeneration_full_kmh <= driveline.regeneration_from_kmh:
        text = "regeneration_full_kmh must be above regeneration_from_kmh"
        root.error(text, "driveline", "regeneration_full_kmh")
    if driveline.motor_temperature_max_degc <= driveline.motor_derate_from_degc:
        text = "motor_temperature_max_degc must be above motor_derate_from_degc"
        root.error(text, "driveline", "motor_temperature_max_degc")
