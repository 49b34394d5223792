"""What a car lives through between two drives, in steps as long as nothing in it changes fast.

    asleep                              until something changes outside: all of it is exact
    awake, charging with a given power  60 s
    charging where the power follows    a 3,000th of the battery's charge
    power that rises to what is given   1 s
    woken to fill the 12 V battery      10 s
    cabin or battery brought to warmth  so that neither changes by more than a fifth of a kelvin

Steps are whole seconds, and end where the charge reaches its limit. The order of a step is that of
`CarPhysics.step`. The functions are plain ones, in float64; `kernel` has them compiled.
"""

import math
from typing import NamedTuple

from contactor.physics import charge_control, charger, equations, heat, low_voltage
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.battery import (
    Battery,
    Floats,
    Reals,
    Source,
    age,
    at_charge,
    battery_of,
    current_a,
    lasting_s,
    let_pass,
    source_of,
)

LONGEST_S, FILLING_S, SHORTEST_S = 60.0, 10.0, 1.0
# Of the battery's charge, in a step: with a given power, and where the power follows the charge.
GIVEN_STEP, FOLLOWED_STEP = 0.004, 0.0003
WARMTH_STEP_K = 0.2
# Of the time in which a heat pump brings something to its temperature.
WARMTH_PART = 0.05
UNHEATED_DEGC = -273.0


class Consumers(NamedTuple):
    """What a car takes while it stands awake.

    Fields:
        cabin_w, battery_w: heat into them; climate_w: the electricity for both.
        base_w: all but climate and 12 V battery; filling_w: for that.
        length_s: for how long this may stay the same.
    """

    cabin_w: float
    battery_w: float
    climate_w: float
    base_w: float
    filling_w: float
    length_s: float


def stand(
    lane: int,
    car: int,
    seconds: float,
    ambient_degc: float,
    setting: Floats,
    p: Reals,
    s: Reals,
    shared: Reals,
    table: Reals,
    totals: Floats,
) -> None:
    """Let a car stand for some time, in which nothing changes outside.

    Args:
        lane, car: its column in `p` and `s`, and in `totals`.
        seconds: a whole number.
        setting: see `layout`.
    """
    left_s = seconds
    while left_s > 0.0:
        left_s -= step(lane, car, left_s, ambient_degc, setting, p, s, shared, table, totals)


def step(
    lane: int,
    car: int,
    left_s: float,
    ambient_degc: float,
    setting: Floats,
    p: Reals,
    s: Reals,
    shared: Reals,
    table: Reals,
    totals: Floats,
) -> float:
    """One step; returns how long it was."""
    is_awake = look(lane, setting, s, shared)
    is_charging = s[at.IS_CHARGING, lane] > 0
    battery = battery_of(lane, p, s, table)
    if is_awake:
        needs = consumers(lane, battery.degc, ambient_degc, is_charging, setting, p, s, shared)
        length_s = min(needs.length_s, left_s)
    else:
        needs = Consumers(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        length_s = min(asleep_s(lane, s, shared), left_s)
    needs_w = needs.base_w + needs.filling_w + needs.climate_w
    if is_charging:
        longest_s = charge_length_s(lane, needs_w, battery, setting, p, s, shared, table)
        length_s = min(length_s, longest_s)
    length_s = max(math.floor(length_s), SHORTEST_S)
    source = source_of(battery, length_s, lane, p, s, shared)
    taken_w = 0.0
    if is_charging:
        charge_w = charge_power_w(
            lane, needs_w, battery, source, length_s, setting, s, shared, table
        )
        taken_w = charge_w + needs_w
    elif setting[at.PLUG] == at.AC and setting[at.IS_READY] > 0:
        taken_w = min(needs_w, setting[at.OFFERED])
    wanted_w = needs_w - taken_w
    wall_w = taken_w
    if setting[at.PLUG] == at.AC and (is_charging or taken_w > 0):
        wall_w = charger.drawn_w(
            taken_w, float(shared[at.AC_EFFICIENCY]), float(shared[at.AC_CONSTANT])
        )
    amps, is_all = current_a(wanted_w, battery, source, length_s, shared)
    power_w = (source.voltage_v - amps * source.resistance_ohm) * amps
    loss_w = let_pass(amps, needs.battery_w, battery, length_s, ambient_degc, lane, p, s, shared)
    s[at.CHARGE_POWER, lane] = max(-power_w, 0.0) if is_charging else 0.0
    age(amps, battery, length_s, lane, car, s, shared, table, totals)
    rest(lane, needs, length_s, is_awake, ambient_degc, s, shared)
    totals[at.BATTERY_OUT_J, car] += max(power_w, 0.0) * length_s
    totals[at.BATTERY_IN_J, car] -= min(power_w, 0.0) * length_s
    totals[at.BATTERY_LOSS_J, car] += loss_w * length_s
    totals[at.AUXILIARY_J, car] += (needs.base_w + needs.filling_w) * length_s
    totals[at.CLIMATE_J, car] += needs.climate_w * length_s
    totals[at.CABIN_HEAT_J, car] += abs(needs.cabin_w) * length_s
    totals[at.UNSERVED_J, car] += 0.0 if is_all else (wanted_w - power_w) * length_s
    totals[at.AC_WALL_J if setting[at.PLUG] == at.AC else at.DC_WALL_J, car] += wall_w * length_s
    totals[at.CHARGER_LOSS_J, car] += (wall_w - taken_w) * length_s
    charge = float(s[at.CHARGE, lane])
    totals[at.CHARGE_MIN, car] = min(totals[at.CHARGE_MIN, car], charge)
    totals[at.CHARGE_MAX, car] = max(totals[at.CHARGE_MAX, car], charge)
    return length_s


def look(lane: int, setting: Floats, s: Reals, shared: Reals) -> bool:
    """See whether the car charges and fills its 12 V battery; returns whether it is awake."""
    charge = float(s[at.CHARGE, lane])
    is_plugged = setting[at.PLUG] != at.UNPLUGGED
    was_done = s[at.IS_DONE, lane] > 0
    is_done = is_plugged and charge_control.is_done(charge, setting[at.CHARGE_LIMIT], was_done)
    is_charging = is_plugged and setting[at.IS_READY] > 0 and not is_done
    if is_charging != (s[at.IS_CHARGING, lane] > 0):
        s[at.TURN_CHARGE, lane] = charge
    s[at.IS_CHARGING, lane], s[at.IS_DONE, lane] = is_charging, is_done
    is_filling = low_voltage.is_filling(
        float(s[at.LOW_VOLTAGE, lane]),
        float(shared[at.LOW_VOLTAGE_WAKE_AT]),
        s[at.IS_FILLING, lane] > 0,
    )
    s[at.IS_FILLING, lane] = is_filling
    is_told = setting[at.IS_AWAKE] > 0 or setting[at.IS_PRECONDITIONING] > 0
    return is_told or is_charging or (is_filling and charge > 0)


def consumers(
    lane: int,
    battery_degc: float,
    ambient_degc: float,
    is_charging: bool,
    setting: Floats,
    p: Reals,
    s: Reals,
    shared: Reals,
) -> Consumers:
    """What a car takes that stands awake."""
    base_w = float(p[at.AUXILIARY, lane]) + setting[at.ARE_LIGHTS_ON] * float(shared[at.LIGHTS])
    filling_w = low_voltage.charge_w(
        float(s[at.LOW_VOLTAGE, lane]),
        float(shared[at.LOW_VOLTAGE_CAPACITY]),
        float(shared[at.LOW_VOLTAGE_CHARGE_MAX]),
    ) / float(shared[at.DCDC_EFFICIENCY])
    cop = float(shared[at.HEATING_COP])
    cop_per_degc = float(shared[at.HEATING_COP_PER_DEGC])
    cooling_cop = float(shared[at.COOLING_COP])
    is_preconditioning = setting[at.IS_PRECONDITIONING] > 0
    length_s = FILLING_S if s[at.IS_FILLING, lane] > 0 else LONGEST_S
    cabin_w = battery_w = climate_w = 0.0
    if setting[at.HAS_CLIMATE] > 0 or is_preconditioning:
        loss, capacity = float(shared[at.CABIN_LOSS]), float(shared[at.CABIN_HEAT_CAPACITY])
        cabin_degc = float(s[at.CABIN, lane])
        cabin_w = heat.cabin_heat_w(
            cabin_degc,
            setting[at.CABIN_TARGET_DEGC],
            ambient_degc,
            loss,
            float(shared[at.CABIN_GAIN]),
            float(shared[at.HEATING_MAX]),
            float(shared[at.COOLING_MAX]),
        )
        climate_w = float(shared[at.FAN])
        climate_w += heat.electricity_w(cabin_w, ambient_degc, cop, cop_per_degc, cooling_cop)
        slope = heat.cabin_slope_k_per_s(cabin_degc, ambient_degc, cabin_w, loss, capacity)
        length_s = min(length_s, warming_s(slope, capacity / (heat.CABIN_GAIN_W_PER_K + loss)))
    if is_charging or is_preconditioning:
        is_warmed = is_preconditioning or setting[at.PLUG] == at.DC
        battery_w = heat.battery_heat_w(
            battery_degc,
            float(shared[at.BATTERY_COOL_FROM]),
            float(shared[at.BATTERY_HEAT_TO]) if is_warmed else UNHEATED_DEGC,
            float(shared[at.BATTERY_THERMAL_MAX]),
        )
        climate_w += heat.electricity_w(battery_w, ambient_degc, cop, cop_per_degc, cooling_cop)
        per_heat = float(p[at.PER_HEAT_CAPACITY, lane])
        steady_s = 1.0 / (per_heat * heat.BATTERY_GAIN_W_PER_K)
        length_s = min(length_s, warming_s(battery_w * per_heat, steady_s))
    return Consumers(cabin_w, battery_w, climate_w, base_w, filling_w, length_s)


def warming_s(slope_k_per_s: float, steady_s: float) -> float:
    """For how long a heat pump may go on as it does; `steady_s` is its time constant."""
    return max(WARMTH_PART * steady_s, WARMTH_STEP_K / max(abs(slope_k_per_s), 1e-9))


def asleep_s(lane: int, s: Reals, shared: Reals) -> float:
    """For how long a car may sleep, until its 12 V battery wakes it."""
    above = float(s[at.LOW_VOLTAGE, lane]) - float(shared[at.LOW_VOLTAGE_WAKE_AT])
    drain_w = float(shared[at.SLEEP_DRAIN])
    if above <= 0 or drain_w <= 0:
        return math.inf
    return math.ceil(above * float(shared[at.LOW_VOLTAGE_CAPACITY]) / drain_w)


def charge_power_w(
    lane: int,
    needs_w: float,
    battery: Battery,
    source: Source,
    length_s: float,
    setting: Floats,
    s: Reals,
    shared: Reals,
    table: Reals,
) -> float:
    """The power into the battery's terminals."""
    left_as = (float(setting[at.CHARGE_LIMIT]) - battery.charge) * battery.capacity_as
    accepted_w = math.inf
    if setting[at.PLUG] == at.DC:
        accepted_w = at_charge(table, at.ACCEPTED, battery.charge) * battery.factor
    return charge_control.charge_w(
        left_as / length_s,
        float(shared[at.CHARGE_CURRENT_MAX]) * battery.factor,
        float(shared[at.VOLTAGE_MAX]),
        source.voltage_v,
        source.resistance_ohm,
        float(setting[at.OFFERED]) - needs_w,
        accepted_w,
        float(s[at.CHARGE_POWER, lane]) + float(shared[at.RAMP]) * length_s,
    )


def charge_length_s(
    lane: int,
    needs_w: float,
    battery: Battery,
    setting: Floats,
    p: Reals,
    s: Reals,
    shared: Reals,
    table: Reals,
) -> float:
    """For how long a charge may go on as it does, or until its limit: by what a second of it is."""
    source = source_of(battery, SHORTEST_S, lane, p, s, shared)
    second_w = charge_power_w(lane, needs_w, battery, source, SHORTEST_S, setting, s, shared, table)
    if second_w >= float(s[at.CHARGE_POWER, lane]) + float(shared[at.RAMP]):
        return SHORTEST_S
    into_a = -equations.current_at_a(-second_w, source.voltage_v, source.resistance_ohm)
    if into_a <= 0:
        return LONGEST_S
    left_as = (float(setting[at.CHARGE_LIMIT]) - battery.charge) * battery.capacity_as
    is_given = second_w >= setting[at.OFFERED] - needs_w
    part = GIVEN_STEP if is_given else FOLLOWED_STEP
    return min(part * battery.capacity_as / into_a, math.ceil(left_as / into_a))


def rest(
    lane: int,
    needs: Consumers,
    length_s: float,
    is_awake: bool,
    ambient_degc: float,
    s: Reals,
    shared: Reals,
) -> None:
    """What else goes on: the warmth of cabin and motor, and the 12 V battery."""
    loss, capacity = float(shared[at.CABIN_LOSS]), float(shared[at.CABIN_HEAT_CAPACITY])
    degc = float(s[at.CABIN, lane])
    slope = heat.cabin_slope_k_per_s(degc, ambient_degc, needs.cabin_w, loss, capacity)
    s[at.CABIN, lane] = degc + slope * lasting_s(length_s, loss / capacity)
    per_s = float(shared[at.MOTOR_COOLING]) * float(shared[at.MOTOR_PER_HEAT_CAPACITY])
    degc = float(s[at.MOTOR, lane])
    s[at.MOTOR, lane] = degc + (ambient_degc - degc) * per_s * lasting_s(length_s, per_s)
    into_w = needs.filling_w * float(shared[at.DCDC_EFFICIENCY])
    if not is_awake:
        into_w -= float(shared[at.SLEEP_DRAIN])
    low = float(s[at.LOW_VOLTAGE, lane])
    low += into_w * length_s / float(shared[at.LOW_VOLTAGE_CAPACITY])
    s[at.LOW_VOLTAGE, lane] = min(max(low, 0.0), 1.0)
