"""The battery of one lane over a step of any length; plain functions in float64, for `standing`.

The same as `contactor.physics.battery`, on the rows and tables of `layout`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.physics import ageing, equations, pack
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.passes import EDGE, line
from contactor.physics.pack import DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC

Reals = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]


class Battery(NamedTuple):
    """What it is before a step.

    Fields:
        charge, degc: its state of charge, its temperature.
        capacity_as: at its present health.
        open_v: at no current; instant_ohm: without the RC pairs.
        factor: what the temperature allows of the charge current.
    """

    charge: float
    degc: float
    capacity_as: float
    open_v: float
    instant_ohm: float
    factor: float


class Source(NamedTuple):
    """What it is during a step: a voltage behind a resistance."""

    voltage_v: float
    resistance_ohm: float


def battery_of(lane: int, p: Reals, s: Reals, table: Reals) -> Battery:
    """The battery of a lane."""
    charge, degc = float(s[at.CHARGE, lane]), float(s[at.TEMPERATURE, lane])
    instant_ohm = at_charge(table, at.RESISTANCE, charge) * at_warmth(table, at.WARMTH, degc)
    return Battery(
        charge,
        degc,
        float(p[at.CAPACITY, lane]),
        at_charge(table, at.OPEN_CIRCUIT, charge),
        instant_ohm * float(p[at.RESISTANCE_OF_AGE, lane]),
        at_warmth(table, at.CHARGE_FACTOR, degc),
    )


def source_of(
    battery: Battery, length_s: float, lane: int, p: Reals, s: Reals, shared: Reals
) -> Source:
    """What the battery is during a step of this length."""
    first_ohm, second_ohm = (
        float(p[at.POLARISATION_OHM, lane]),
        float(p[at.DIFFUSION_OHM, lane]),
    )
    _, first, _ = pack.pair_over(first_ohm, float(shared[at.POLARISATION_S]), length_s)
    _, second, _ = pack.pair_over(second_ohm, float(shared[at.DIFFUSION_S]), length_s)
    slow_v = float(s[at.POLARISATION_V, lane]) * first + float(s[at.DIFFUSION_V, lane]) * second
    slow_ohm = first_ohm * (1.0 - first) + second_ohm * (1.0 - second)
    return Source(battery.open_v - slow_v, battery.instant_ohm + slow_ohm)


def current_a(
    wanted_w: float, battery: Battery, source: Source, length_s: float, shared: Reals
) -> tuple[float, bool]:
    """The current (+ discharges) for a power, within what the battery may; whether it is all."""
    give_a, take_a = equations.current_limits_a(
        battery.charge,
        source.voltage_v,
        source.resistance_ohm,
        battery.factor,
        battery.capacity_as,
        length_s,
        float(shared[at.VOLTAGE_MIN]),
        float(shared[at.VOLTAGE_MAX]),
        float(shared[at.DISCHARGE_CURRENT_MAX])
        * equations.derating(battery.degc, DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC),
        float(shared[at.CHARGE_CURRENT_MAX]),
    )
    asked_a = equations.current_at_a(wanted_w, source.voltage_v, source.resistance_ohm)
    amps = min(max(asked_a, -take_a), give_a)
    return amps, amps == asked_a


def let_pass(
    amps: float,
    heat_w: float,
    battery: Battery,
    length_s: float,
    ambient_degc: float,
    lane: int,
    p: Reals,
    s: Reals,
    shared: Reals,
) -> float:
    """Let a current pass; returns what it turned into heat, in watts.

    Args:
        heat_w: from the heat pump.
    """
    loss_w = amps * amps * battery.instant_ohm
    for row, resistance, time in (
        (at.POLARISATION_V, at.POLARISATION_OHM, at.POLARISATION_S),
        (at.DIFFUSION_V, at.DIFFUSION_OHM, at.DIFFUSION_S),
    ):
        ohm, before_v = float(p[resistance, lane]), float(s[row, lane])
        kept, mean, stored = pack.pair_over(ohm, float(shared[time]), length_s)
        after_v = equations.pair_v(before_v, amps, ohm, kept)
        mean_v = equations.pair_v(before_v, amps, ohm, mean)
        loss_w += equations.pair_loss_w(before_v, after_v, mean_v, amps, stored)
        s[row, lane] = after_v
    charge = battery.charge - amps * length_s / battery.capacity_as
    s[at.CHARGE, lane] = min(max(charge, 0.0), 1.0)
    per_heat, cooling = float(p[at.PER_HEAT_CAPACITY, lane]), float(p[at.COOLING, lane])
    slope = (loss_w + heat_w - cooling * (battery.degc - ambient_degc)) * per_heat
    s[at.TEMPERATURE, lane] = battery.degc + slope * lasting_s(length_s, cooling * per_heat)
    return loss_w


def age(
    amps: float,
    battery: Battery,
    length_s: float,
    lane: int,
    car: int,
    s: Reals,
    shared: Reals,
    table: Reals,
    totals: Floats,
) -> None:
    """Age the battery by a step: by its time, at the mean of the warmth before and now, and use."""
    charge, degc = float(s[at.CHARGE, lane]), float(s[at.TEMPERATURE, lane])
    cell_v = at_charge(table, at.OPEN_CIRCUIT, charge) / float(shared[at.CELLS])
    rate_per_s = ageing.calendar_of_voltage(cell_v)
    rate_per_s *= ageing.calendar_of_warmth_per_s((battery.degc + degc) / 2)
    totals[at.CALENDAR_AGE, car] += float(shared[at.CALENDAR_AGEING]) * rate_per_s * length_s
    through_ah = abs(amps) * length_s / float(shared[at.NEW_CAPACITY]) * ageing.CELL_AH
    depth = abs(charge - float(s[at.TURN_CHARGE, lane]))
    per_ah = ageing.cycling_per_ah(cell_v, depth) * float(shared[at.CYCLE_AGEING])
    totals[at.CYCLE_AGE, car] += per_ah * through_ah


def lasting_s(seconds: float, per_s: float) -> float:
    """For how long a slope would have to last that fades with `per_s`, to come to the same."""
    return -math.expm1(-per_s * seconds) / per_s if per_s > 0 else seconds


def at_charge(table: Reals, begin: int, charge: float) -> float:
    """What a table holds for a state of charge."""
    place = min(max(charge, 0.0) * (at.CHARGES - 1), at.CHARGES - EDGE)
    column = int(place)
    return line(float(table[begin + column]), float(table[begin + column + 1]), place - column)


def at_warmth(table: Reals, begin: int, degc: float) -> float:
    """What a table holds for a temperature of the battery."""
    place = (degc - at.COLDEST_DEGC) / at.DEGC_PER_STEP
    place = min(max(place, 0.0), at.TEMPERATURES - EDGE)
    column = int(place)
    return line(float(table[begin + column]), float(table[begin + column + 1]), place - column)
