"""One step of LANES cars that drive, in passes: arithmetic, reading tables, arithmetic.

So split, a compiler makes vector instructions of the arithmetic; the tables are read one by one. A
pass goes over all lanes and leaves rows for the next one:

    ask         what the driver asks for, the motor's torque for it, and where the tables are read
    read        the numbers around these places
    consume     what cabin, battery and 12 V take (over a life only)
    limit       what the battery gives and takes, and the torque within it
    go          what comes of it: motion, current, charge, warmth, sums
    live        and of what only a life knows: motor, cabin, 12 V, age (over a life only)

The functions are plain ones; `kernel` has them compiled. Arrays: `p` what the cars are, `s` their
state, `a` sums, `w` what one pass leaves for the next, `g` what was read, `places` where; see
`layout`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from contactor.physics import ageing, equations, heat, low_voltage
from contactor.physics.fleet import layout as at
from contactor.physics.losses import SPEEDS, TORQUES
from contactor.physics.motion import MOTOR_HEAT
from contactor.physics.pack import DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC

Reals = NDArray[np.floating[Any]]
Places = NDArray[np.uint32]

EDGE = 1.001  # of a table: the last place from which a line goes on
ONE, ROW = np.uint32(1), np.uint32(SPEEDS)
CHARGES, TEMPERATURES = np.uint32(at.CHARGES), np.uint32(at.TEMPERATURES)
# Below this charge, what a car did not drive counts as stranded.
EMPTY = 0.01
# The rows that one pass leaves for the next, and of what was read.
(
    WISH,
    GRADE,
    LOAD,
    FORCE,
    SHAFT,
    TORQUE,
    TORQUE_PART,
    SPEED_PART,
    CHARGE_PART,
    WARMTH_PART,
    GIVE,
    TAKE,
    GIVE_A,
    TAKE_A,
    SOURCE,
    OHM,
    CONSUMERS,
    FILLING,
    CLIMATE,
    CABIN_HEAT,
    BATTERY_HEAT,
    LOSS,
    CURRENT,
    OPEN,
) = range(24)
LEFT, READ, PLACES = 24, 12, 3


def line(low: float, high: float, part: float) -> float:
    """Between two points of a table."""
    return low + (high - low) * part


def on_map(low: float, right: float, up: float, both: float, part: float, up_part: float) -> float:
    """Between four points of the map of losses."""
    first = low + (right - low) * part
    return first + (up + (both - up) * part - first) * up_part


def ask(
    p: Reals, s: Reals, w: Reals, places: Places, shared: Reals, dt: float, is_life: bool
) -> None:
    """What the driver asks for, and the motor's torque for it."""
    half = dt * 0.5
    torque_most, per_torque = shared[at.TORQUE_MOST], shared[at.PER_TORQUE]
    per_shaft = shared[at.PER_SHAFT]
    derate_from, derate_to = shared[at.MOTOR_DERATE_FROM], shared[at.MOTOR_TEMPERATURE_MAX]
    for car in range(at.LANES):
        speed = s[at.SPEED, car]
        asked = equations.asked_mps2(
            speed,
            min(w[WISH, car], p[at.SPEED_MAX, car]),
            s[at.TARGET, car],
            dt,
            p[at.REACTION, car],
            p[at.ACCELERATION_MAX, car],
            p[at.DECELERATION_MAX, car],
        )
        mean = speed + asked * half
        load = equations.road_load_n(
            mean,
            p[at.ROLLING, car],
            p[at.ROLLING_PER_MPS, car],
            p[at.DRAG, car],
            p[at.WEIGHT, car] * w[GRADE, car],
        )
        is_moving = mean > equations.STANDING_MPS
        load = load if is_moving else 0.0
        force = p[at.INERTIA, car] * asked + load if is_moving else 0.0
        shaft = mean * p[at.RATIO, car]
        fade = (mean - p[at.FADE_FROM, car]) * p[at.FADE_PER_MPS, car]
        part = equations.derating(s[at.MOTOR, car], derate_from, derate_to) if is_life else 1.0
        torque = equations.torque_nm(
            force,
            shaft,
            p[at.RATIO, car],
            p[at.GEAR_EFFICIENCY, car],
            p[at.TORQUE_MAX, car] * part,
            p[at.POWER_MAX, car] * part,
            p[at.REGENERATION_MAX, car] * part,
            min(max(fade, 0.0), 1.0),
        )
        x = min(max((torque + torque_most) * per_torque, 0.0), TORQUES - EDGE)
        y = min(shaft * per_shaft, SPEEDS - EDGE)
        row, column = np.int32(x), np.int32(y)
        w[TORQUE_PART, car] = x - row
        w[SPEED_PART, car] = y - column
        places[0, car] = row * SPEEDS + column
        z = min(max(s[at.CHARGE, car], 0.0) * (at.CHARGES - 1), at.CHARGES - EDGE)
        column = np.int32(z)
        w[CHARGE_PART, car] = z - column
        places[1, car] = column + at.OPEN_CIRCUIT
        z = (s[at.TEMPERATURE, car] - at.COLDEST_DEGC) / at.DEGC_PER_STEP
        z = min(max(z, 0.0), at.TEMPERATURES - EDGE)
        column = np.int32(z)
        w[WARMTH_PART, car] = z - column
        places[2, car] = column + at.WARMTH
        w[LOAD, car], w[FORCE, car] = load, force
        w[SHAFT, car], w[TORQUE, car] = shaft, torque


def read_losses(table: Reals, places: Places, g: Reals) -> None:
    """The four points of the map around each car's torque and speed."""
    for car in range(at.LANES):
        place = places[0, car]
        g[0, car], g[1, car] = table[place], table[place + ONE]
        g[2, car], g[3, car] = table[place + ROW], table[place + ROW + ONE]


def read_battery(table: Reals, places: Places, g: Reals) -> None:
    """The two points around each car's charge and warmth."""
    for car in range(at.LANES):
        place = places[1, car]
        g[4, car], g[5, car] = table[place], table[place + ONE]
        g[6, car], g[7, car] = table[place + CHARGES], table[place + CHARGES + ONE]
        place = places[2, car]
        g[8, car], g[9, car] = table[place], table[place + ONE]
        g[10, car] = table[place + TEMPERATURES]
        g[11, car] = table[place + TEMPERATURES + ONE]


def consume(p: Reals, s: Reals, w: Reals, shared: Reals) -> None:
    """What all but the motor takes: cabin, the battery's warmth, the 12 V battery, the rest."""
    cabin_loss, cabin_gain = shared[at.CABIN_LOSS], shared[at.CABIN_GAIN]
    heating_max, cooling_max = shared[at.HEATING_MAX], shared[at.COOLING_MAX]
    fan, thermal_max = shared[at.FAN], shared[at.BATTERY_THERMAL_MAX]
    heating_cop, cop_per_degc = shared[at.HEATING_COP], shared[at.HEATING_COP_PER_DEGC]
    cooling_cop, cool_from = shared[at.COOLING_COP], shared[at.BATTERY_COOL_FROM]
    capacity, filling_max = shared[at.LOW_VOLTAGE_CAPACITY], shared[at.LOW_VOLTAGE_CHARGE_MAX]
    efficiency = shared[at.DCDC_EFFICIENCY]
    for car in range(at.LANES):
        ambient = p[at.AMBIENT, car]
        is_on = p[at.CLIMATE, car]
        cabin_w = is_on * heat.cabin_heat_w(
            s[at.CABIN, car],
            p[at.CABIN_TARGET, car],
            ambient,
            cabin_loss,
            cabin_gain,
            heating_max,
            cooling_max,
        )
        battery_w = heat.battery_heat_w(
            s[at.TEMPERATURE, car], cool_from, p[at.HEAT_TO, car], thermal_max
        )
        climate = is_on * fan + heat.electricity_w(
            cabin_w, ambient, heating_cop, cop_per_degc, cooling_cop
        )
        climate += heat.electricity_w(battery_w, ambient, heating_cop, cop_per_degc, cooling_cop)
        filling = low_voltage.charge_w(s[at.LOW_VOLTAGE, car], capacity, filling_max) / efficiency
        w[CABIN_HEAT, car], w[BATTERY_HEAT, car] = cabin_w, battery_w
        w[CLIMATE, car], w[FILLING, car] = climate, filling
        w[CONSUMERS, car] = p[at.BASE, car] + climate + filling


def limit(
    p: Reals,
    s: Reals,
    w: Reals,
    g: Reals,
    places: Places,
    shared: Reals,
    dt: float,
    is_life: bool,
) -> None:
    """What the battery can give and take, and the torque within it."""
    torque_most, per_torque = shared[at.TORQUE_MOST], shared[at.PER_TORQUE]
    per_shaft = shared[at.PER_SHAFT]
    least_v, most_v = shared[at.VOLTAGE_MIN], shared[at.VOLTAGE_MAX]
    discharge_a, charge_a = shared[at.DISCHARGE_CURRENT_MAX], shared[at.CHARGE_CURRENT_MAX]
    for car in range(at.LANES):
        loss = on_map(
            g[0, car], g[1, car], g[2, car], g[3, car], w[SPEED_PART, car], w[TORQUE_PART, car]
        )
        open_v = line(g[4, car], g[5, car], w[CHARGE_PART, car])
        ohm = line(g[6, car], g[7, car], w[CHARGE_PART, car])
        ohm *= line(g[8, car], g[9, car], w[WARMTH_PART, car])
        ohm = ohm * p[at.RESISTANCE_OF_AGE, car] + p[at.PAIRS_OHM, car]
        source = (
            open_v
            - s[at.POLARISATION_V, car] * p[at.POLARISATION_MEAN, car]
            - s[at.DIFFUSION_V, car] * p[at.DIFFUSION_MEAN, car]
        )
        give_a, take_a = equations.current_limits_a(
            s[at.CHARGE, car],
            source,
            ohm,
            line(g[10, car], g[11, car], w[WARMTH_PART, car]),
            p[at.CAPACITY, car],
            dt,
            least_v,
            most_v,
            discharge_a
            * equations.derating(s[at.TEMPERATURE, car], DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC),
            charge_a,
        )
        consumers = w[CONSUMERS, car] if is_life else p[at.AUXILIARY, car]
        give = max((source - give_a * ohm) * give_a - consumers, 0.0)
        take = (source + take_a * ohm) * take_a + consumers
        less = equations.within_battery_nm(w[TORQUE, car], w[SHAFT, car], loss, give, take)
        x = min(max((less + torque_most) * per_torque, 0.0), TORQUES - EDGE)
        y = min(w[SHAFT, car] * per_shaft, SPEEDS - EDGE)
        row, column = np.int32(x), np.int32(y)
        w[TORQUE_PART, car] = x - row
        places[0, car] = row * SPEEDS + column
        w[GIVE, car], w[TAKE, car] = give, take
        w[GIVE_A, car], w[TAKE_A, car] = give_a, take_a
        w[SOURCE, car], w[OHM, car] = source, ohm
        if is_life:
            w[OPEN, car] = open_v


def go(
    p: Reals, s: Reals, a: Reals, w: Reals, g: Reals, shared: Reals, dt: float, is_life: bool
) -> None:
    """What comes of it."""
    half = dt * 0.5
    for car in range(at.LANES):
        loss = on_map(
            g[0, car], g[1, car], g[2, car], g[3, car], w[SPEED_PART, car], w[TORQUE_PART, car]
        )
        torque = equations.within_battery_nm(
            w[TORQUE, car], w[SHAFT, car], loss, w[GIVE, car], w[TAKE, car]
        )
        ratio, speed = p[at.RATIO, car], s[at.SPEED, car]
        motor_n = equations.wheel_force_n(torque, ratio, p[at.GEAR_EFFICIENCY, car])
        acceleration, friction_n = equations.reached_mps2(
            speed,
            w[FORCE, car],
            motor_n,
            w[LOAD, car],
            p[at.BRAKE_MAX, car],
            p[at.INERTIA, car],
            dt,
        )
        mean = speed + acceleration * half
        work = torque * mean * ratio
        source, ohm = w[SOURCE, car], w[OHM, car]
        consumers = w[CONSUMERS, car] if is_life else p[at.AUXILIARY, car]
        wanted = work + loss + consumers
        asked_a = equations.current_at_a(wanted, source, ohm)
        amps = min(max(asked_a, -w[TAKE_A, car]), w[GIVE_A, car])
        power = (source - amps * ohm) * amps
        reached = speed + acceleration * dt
        heat_w = amps * amps * (ohm - p[at.PAIRS_OHM, car])
        before_v, pair_ohm = s[at.POLARISATION_V, car], p[at.POLARISATION_OHM, car]
        after_v = equations.pair_v(before_v, amps, pair_ohm, p[at.POLARISATION_KEPT, car])
        mean_v = equations.pair_v(before_v, amps, pair_ohm, p[at.POLARISATION_MEAN, car])
        heat_w += equations.pair_loss_w(
            before_v, after_v, mean_v, amps, p[at.POLARISATION_STORED, car]
        )
        s[at.POLARISATION_V, car] = after_v
        before_v, pair_ohm = s[at.DIFFUSION_V, car], p[at.DIFFUSION_OHM, car]
        after_v = equations.pair_v(before_v, amps, pair_ohm, p[at.DIFFUSION_KEPT, car])
        mean_v = equations.pair_v(before_v, amps, pair_ohm, p[at.DIFFUSION_MEAN, car])
        heat_w += equations.pair_loss_w(
            before_v, after_v, mean_v, amps, p[at.DIFFUSION_STORED, car]
        )
        s[at.DIFFUSION_V, car] = after_v
        degc = s[at.TEMPERATURE, car]
        out = p[at.COOLING, car] * (degc - p[at.AMBIENT, car])
        gained = w[BATTERY_HEAT, car] if is_life else 0.0
        slope = (heat_w + gained - out) * p[at.PER_HEAT_CAPACITY, car]
        s[at.TEMPERATURE, car] = degc + slope * dt
        s[at.SPEED, car] = reached
        s[at.TARGET, car] = min(w[WISH, car], p[at.SPEED_MAX, car])
        charge = s[at.CHARGE, car] - amps * dt / p[at.CAPACITY, car]
        s[at.CHARGE, car] = charge
        a[at.DISTANCE_M, car] += mean * dt
        a[at.BATTERY_OUT_J, car] += max(power, 0.0) * dt
        a[at.BATTERY_IN_J, car] -= min(power, 0.0) * dt
        a[at.MOTOR_LOSS_J, car] += loss * dt
        a[at.GEAR_LOSS_J, car] += (work - motor_n * mean) * dt
        a[at.FRICTION_J, car] -= friction_n * mean * dt
        # A car that stops within the step is held by less than the load.
        held_n = motor_n + friction_n - p[at.INERTIA, car] * acceleration
        a[at.ROAD_J, car] += min(w[LOAD, car], held_n) * mean * dt
        a[at.BATTERY_LOSS_J, car] += heat_w * dt
        a[at.UNSERVED_J, car] += (wanted - power) * dt if amps != asked_a else 0.0
        error = abs(reached - w[WISH, car])
        a[at.SPEED_ERROR_MPS, car] = max(a[at.SPEED_ERROR_MPS, car], error)
        a[at.CHARGE_MIN, car] = min(a[at.CHARGE_MIN, car], charge)
        a[at.CHARGE_MAX, car] = max(a[at.CHARGE_MAX, car], charge)
        if is_life:
            w[LOSS, car], w[CURRENT, car] = loss, amps
        else:
            a[at.AUXILIARY_J, car] += consumers * dt


def live(p: Reals, s: Reals, a: Reals, w: Reals, shared: Reals, dt: float) -> None:
    """What only a life knows: the warmth of motor and cabin, the 12 V battery, age and its sums."""
    motor_cooling, motor_per_heat = shared[at.MOTOR_COOLING], shared[at.MOTOR_PER_HEAT_CAPACITY]
    cabin_loss, cabin_capacity = shared[at.CABIN_LOSS], shared[at.CABIN_HEAT_CAPACITY]
    filled_per_w = shared[at.DCDC_EFFICIENCY] * dt / shared[at.LOW_VOLTAGE_CAPACITY]
    per_cell = 1.0 / shared[at.CELLS]
    through_per_a = dt / shared[at.NEW_CAPACITY] * ageing.CELL_AH * shared[at.CYCLE_AGEING]
    for car in range(at.LANES):
        ambient = p[at.AMBIENT, car]
        motor_w = w[LOSS, car] * MOTOR_HEAT - motor_cooling * (s[at.MOTOR, car] - ambient)
        s[at.MOTOR, car] += motor_w * dt * motor_per_heat
        s[at.CABIN, car] += dt * heat.cabin_slope_k_per_s(
            s[at.CABIN, car], ambient, w[CABIN_HEAT, car], cabin_loss, cabin_capacity
        )
        low = s[at.LOW_VOLTAGE, car] + w[FILLING, car] * filled_per_w
        s[at.LOW_VOLTAGE, car] = min(max(low, 0.0), 1.0)
        charge = s[at.CHARGE, car]
        depth = abs(charge - s[at.TURN_CHARGE, car])
        age_per_ah = ageing.cycling_per_ah(w[OPEN, car] * per_cell, depth)
        a[at.CYCLE_AGE, car] += age_per_ah * abs(w[CURRENT, car]) * through_per_a
        a[at.AUXILIARY_J, car] += (p[at.BASE, car] + w[FILLING, car]) * dt
        a[at.CLIMATE_J, car] += w[CLIMATE, car] * dt
        a[at.CABIN_HEAT_J, car] += abs(w[CABIN_HEAT, car]) * dt
        missed = max(w[WISH, car] - s[at.SPEED, car], 0.0) * dt
        a[at.STRANDED_M, car] += missed if charge < EMPTY else 0.0
