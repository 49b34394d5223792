"""Exact conversions between units: the only place where a factor stands.

A unit is a dimension and a line to that dimension's base: `base = value * scale + offset`, both
exact fractions. Names are those of VSS ("km/h", "Celsius", "percent"); other spellings are aliases.

    convert(10.0, "m/s", "km/h")                        # 36.0
    convert(np.array([32.0, 212.0]), "degF", "Celsius") # array([  0., 100.])
    convert(1.0, "mi", "km/h")                          # InvalidValue: mi is a length, ...

Sources: BIPM, The International System of Units, 9th edition (2019); NIST SP 811 (2008), appendix B
(mile, inch, degree Fahrenheit, pound-force per square inch, foot); COVESA VSS 6.0, `units.yaml`.
"""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue

Array: TypeAlias = NDArray[np.float64]
Exact: TypeAlias = int | str | Fraction
# Numerator and denominator up to here are exact in a float64 (IEEE 754, 53 bits of precision).
MAX_EXACT = 2**53
# A radian has no exact fraction of a turn; this is the float64 nearest to pi, as a fraction.
PI = Fraction(math.pi)


class Dimension(StrEnum):
    """What a unit measures; only units of one dimension convert into each other."""

    ACCELERATION = "an acceleration"
    ANGLE = "an angle"
    ANGULAR_SPEED = "an angular speed"
    CHARGE = "an electric charge"
    CURRENT = "an electric current"
    ENERGY = "an energy"
    ENERGY_PER_DISTANCE = "an energy per distance"
    FORCE = "a force"
    FREQUENCY = "a rate of beats or cycles"
    LENGTH = "a length"
    MASS = "a mass"
    MASS_FLOW = "a mass flow"
    MASS_PER_DISTANCE = "a mass per distance"
    POWER = "a power"
    PRESSURE = "a pressure"
    RATIO = "a ratio"
    RESISTANCE = "an electric resistance"
    SPEED = "a speed"
    TEMPERATURE = "a temperature"
    TIME = "a time"
    TORQUE = "a torque"
    VOLTAGE = "a voltage"
    VOLUME = "a volume"
    VOLUME_PER_DISTANCE = "a volume per distance"
    DISTANCE_PER_VOLUME = "a distance per volume"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: `base = value * scale + offset` in the base unit of its dimension."""

    name: str
    dimension: Dimension
    scale: Fraction
    offset: Fraction
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Conversion:
    """`to = value * numerator / denominator + offset`, in that order, which rounds the least."""

    numerator: float
    denominator: float
    offset: float

    def of(self, values: Array) -> Array:
        """`values` (n,) converted."""
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = values * self.numerator / self.denominator
        return scaled + self.offset if self.offset else scaled


def _unit(name: str, dimension: Dimension, scale: Exact, *aliases: str, offset: Exact = 0) -> Unit:
    return Unit(name, dimension, Fraction(scale), Fraction(offset), aliases)


# 1 mi = 1609.344 m, 1 in = 0.0254 m, 1 ft = 0.3048 m: exact (NIST SP 811, appendix B.6).
# 1 psi = 1 lbf/in^2, 1 lbf = 4.4482216152605 N exactly.
UNITS: tuple[Unit, ...] = (
    _unit("m/s^2", Dimension.ACCELERATION, 1, "m/s2", "m/s²"),
    _unit("rad", Dimension.ANGLE, 1),
    _unit("degrees", Dimension.ANGLE, PI / 180, "deg", "degree", "°"),
    _unit("rad/s", Dimension.ANGULAR_SPEED, 1),
    _unit("degrees/s", Dimension.ANGULAR_SPEED, PI / 180, "deg/s", "°/s"),
    _unit("rpm", Dimension.ANGULAR_SPEED, PI / 30, "1/min", "r/min", "rev/min"),
    _unit("Ah", Dimension.CHARGE, 3600, "A.h", "A h"),
    _unit("C", Dimension.CHARGE, 1, "As"),
    _unit("A", Dimension.CURRENT, 1, "amp", "amps", "ampere"),
    _unit("mA", Dimension.CURRENT, "1/1000"),
    _unit("J", Dimension.ENERGY, 1, "Ws"),
    _unit("kJ", Dimension.ENERGY, 1000),
    _unit("MJ", Dimension.ENERGY, 1_000_000),
    _unit("Wh", Dimension.ENERGY, 3600),
    _unit("kWh", Dimension.ENERGY, 3_600_000),
    _unit("kWh/100km", Dimension.ENERGY_PER_DISTANCE, 36),
    _unit("Wh/km", Dimension.ENERGY_PER_DISTANCE, "3.6"),
    _unit("N", Dimension.FORCE, 1),
    _unit("kN", Dimension.FORCE, 1000),
    _unit("bpm", Dimension.FREQUENCY, 1, "beats/min"),
    _unit("cpm", Dimension.FREQUENCY, 1, "cycles/min"),
    _unit("Hz", Dimension.FREQUENCY, 60),
    _unit("m", Dimension.LENGTH, 1, "meter", "meters", "metre", "metres"),
    _unit("km", Dimension.LENGTH, 1000, "kilometer", "kilometers", "kilometre", "kilometres"),
    _unit("cm", Dimension.LENGTH, "1/100"),
    _unit("mm", Dimension.LENGTH, "1/1000"),
    _unit("mi", Dimension.LENGTH, "1609.344", "mile", "miles"),
    _unit("inch", Dimension.LENGTH, "0.0254", "inches", "in"),
    _unit("ft", Dimension.LENGTH, "0.3048", "foot", "feet"),
    _unit("kg", Dimension.MASS, 1),
    _unit("g", Dimension.MASS, "1/1000"),
    _unit("g/s", Dimension.MASS_FLOW, 1),
    _unit("g/km", Dimension.MASS_PER_DISTANCE, 1),
    _unit("W", Dimension.POWER, 1, "watt", "watts"),
    _unit("kW", Dimension.POWER, 1000),
    _unit("Pa", Dimension.PRESSURE, 1),
    _unit("hPa", Dimension.PRESSURE, 100),
    _unit("kPa", Dimension.PRESSURE, 1000),
    _unit("bar", Dimension.PRESSURE, 100_000),
    _unit("mbar", Dimension.PRESSURE, 100),
    _unit("psi", Dimension.PRESSURE, Fraction("4.4482216152605") / Fraction("0.0254") ** 2),
    _unit("ratio", Dimension.RATIO, 1),
    _unit("percent", Dimension.RATIO, "1/100", "%", "pct", "per cent"),
    _unit("Ohm", Dimension.RESISTANCE, 1, "ohms", "Ω"),
    _unit("kOhm", Dimension.RESISTANCE, 1000, "kΩ"),
    _unit("m/s", Dimension.SPEED, 1, "mps"),
    _unit("km/h", Dimension.SPEED, Fraction(5, 18), "kph", "kmh", "kmph"),
    _unit("mph", Dimension.SPEED, Fraction("1609.344") / 3600, "mi/h"),
    _unit("K", Dimension.TEMPERATURE, 1, "kelvin"),
    _unit("Celsius", Dimension.TEMPERATURE, 1, "degC", "deg C", "°C", offset="273.15"),
    _unit(
        "degF",
        Dimension.TEMPERATURE,
        Fraction(5, 9),
        "Fahrenheit",
        "deg F",
        "°F",
        offset=Fraction("273.15") - Fraction(160, 9),
    ),
    _unit("s", Dimension.TIME, 1, "sec", "second", "seconds"),
    _unit("ms", Dimension.TIME, "1/1000", "millisecond", "milliseconds"),
    _unit("us", Dimension.TIME, "1/1000000", "µs"),
    _unit("min", Dimension.TIME, 60, "minute", "minutes"),
    _unit("h", Dimension.TIME, 3600, "hour", "hours", "hr"),
    _unit("Nm", Dimension.TORQUE, 1, "N.m", "N m", "N·m"),
    _unit("V", Dimension.VOLTAGE, 1, "volt", "volts"),
    _unit("mV", Dimension.VOLTAGE, "1/1000"),
    _unit("kV", Dimension.VOLTAGE, 1000),
    _unit("l", Dimension.VOLUME, 1, "litre", "liter", "litres", "liters"),
    _unit("cm^3", Dimension.VOLUME, "1/1000", "cm3", "ccm", "ml"),
    _unit("l/100km", Dimension.VOLUME_PER_DISTANCE, 1, "l/100 km"),
    _unit("km/l", Dimension.DISTANCE_PER_VOLUME, 1),
)


@cache
def _names() -> dict[str, Unit]:
    """Every spelling; those that differ only in case ("mV", "MV") are told apart by it."""
    return {name: unit for unit in UNITS for name in (unit.name, *unit.aliases)}


@cache
def _lower_names() -> dict[str, Unit]:
    """Spellings without case, for the units that no other one shares them with."""
    found: dict[str, Unit] = {}
    shared: set[str] = set()
    for name, unit in _names().items():
        if found.setdefault(name.lower(), unit) is not unit:
            shared.add(name.lower())
    return {name: unit for name, unit in found.items() if name not in shared and len(name) > 2}


def find_unit(name: str) -> Unit | None:
    """The unit of that name or alias, or None; case counts only where it tells two units apart."""
    text = name.strip()
    return _names().get(text) or _lower_names().get(text.lower())


def unit_named(name: str) -> Unit:
    """The unit of that name or alias.

    Raises:
        InvalidValue: it is not known; the message names it, the nearest, and how many are known.
    """
    unit = find_unit(name)
    if unit is None:
        near = difflib.get_close_matches(name, _names(), n=3)
        known = ", ".join(near) if near else ", ".join(unit.name for unit in UNITS)
        raise InvalidValue(f"unknown unit {name[:40]!r}; {'nearest' if near else 'known'}: {known}")
    return unit


@cache
def conversion(from_unit: str, to_unit: str) -> Conversion:
    """How values in `from_unit` become values in `to_unit`.

    Raises:
        InvalidValue: one is not known, or they measure different things.
    """
    source, target = unit_named(from_unit), unit_named(to_unit)
    if source.dimension is not target.dimension:
        raise InvalidValue(
            f"{source.name} is {source.dimension}, {target.name} is {target.dimension}"
        )
    scale = source.scale / target.scale
    offset = (source.offset - target.offset) / target.scale
    if scale.numerator > MAX_EXACT or scale.denominator > MAX_EXACT:
        return Conversion(float(scale), 1.0, float(offset))
    return Conversion(float(scale.numerator), float(scale.denominator), float(offset))


@overload
def convert(values: float, from_unit: str, to_unit: str) -> float: ...


@overload
def convert(values: Array | Sequence[float], from_unit: str, to_unit: str) -> Array: ...


def convert(values: float | Array | Sequence[float], from_unit: str, to_unit: str) -> float | Array:
    """A number, or numbers (n,), in another unit; equal units leave every value as it is.

    Raises:
        InvalidValue: a unit is not known, or the two measure different things.
    """
    rule = conversion(from_unit, to_unit)
    if isinstance(values, int | float):
        return float(rule.of(np.asarray([values], np.float64))[0])
    return rule.of(np.asarray(values, np.float64))
