"""What a fit may change of a car, and within which ranges: stated before any recording is seen.

The constant load is always fitted, rolling resistance and drag area first of all others; each where
the recordings tell of it.

| parameter | range |
| --- | --- |
| rolling resistance | 0.004 to 0.02; tyres of the best label class have 0.0065 (EU 2020/740) |
| drag area | 0.3 to 1.5 m², from a small streamlined car to a van |
| constant load | 0 to 5 kW, all consumers and the driveline's constant loss |
| gear efficiency | 0.6 to 0.99 |
| copper loss | a fifth of the base's to five times it |
| inverter loss | 0.01 to 0.2 of the power: an efficiency of 0.8 to 0.99 |
| regeneration | 1 to 300 kW |
| mass | 15 % about the base's |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from contactor.physics.parameters import CarParameters, ranges_of

LOAD = "auxiliaries.base_w"
CONSTANT = "driveline.constant_w"
LOAD_MAX_W = 5000.0


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a car that a fit may change.

    Fields:
        name: group and field of `contactor.physics.parameters`.
        range_of: what is allowed, low and high, for a base with that value.
        is_first: it is fitted before others are tried.
    """

    name: str
    unit: str
    range_of: Callable[[float], tuple[float, float]]
    is_first: bool = False


def value_of(model: CarParameters, name: str) -> float:
    """What a car has, of group and field."""
    group, field = name.split(".")
    return float(getattr(getattr(model, group), field))


def with_value(model: CarParameters, name: str, value: float) -> CarParameters:
    """The same car with another value of one parameter."""
    group, field = name.split(".")
    changed = replace(getattr(model, group), **{field: value})
    return replace(model, **{group: changed})


def _fixed(low: float, high: float) -> Callable[[float], tuple[float, float]]:
    return lambda _: (low, high)


def _about(low: float, high: float) -> Callable[[float], tuple[float, float]]:
    return lambda base: (low * base, high * base)


PARAMETERS: tuple[Parameter, ...] = (
    Parameter("body.rolling_resistance", "N/N", _fixed(0.004, 0.02), is_first=True),
    Parameter("body.drag_area_m2", "m2", _fixed(0.3, 1.5), is_first=True),
    Parameter("driveline.gear_efficiency", "ratio", _fixed(0.6, 0.99)),
    Parameter("driveline.copper_w_per_nm2", "W/Nm2", _about(0.2, 5.0)),
    Parameter("driveline.inverter_loss", "ratio", _fixed(0.01, 0.2)),
    Parameter("driveline.regeneration_power_max_kw", "kW", _fixed(1.0, 300.0)),
    Parameter("body.mass_kg", "kg", _about(0.85, 1.15)),
)
BY_NAME = {one.name: one for one in PARAMETERS}


def allowed(model: CarParameters, name: str) -> tuple[float, float]:
    """How far a base's number may be changed, and still be a profile's."""
    group, field = name.split(".")
    low, high = BY_NAME[name].range_of(value_of(model, name))
    possible = ranges_of(type(getattr(model, group)))[field]
    return max(low, possible.low), min(high, possible.high)
