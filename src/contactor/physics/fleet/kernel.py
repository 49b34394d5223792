"""The loop over steps and cars, compiled.

A step is made in passes over LANES cars: arithmetic, reading tables, arithmetic. So split, a
compiler makes vector instructions of the arithmetic; the tables are read one by one. The equations
themselves are those of `contactor.physics.equations`.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from contactor.physics import equations, losses, pack
from contactor.physics.fleet import layout as at
from contactor.physics.losses import SPEEDS, TORQUES
from contactor.physics.pack import DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC

Floats = NDArray[np.float64]

# Additions keep their order; what is given up is the care for NaN and infinity.
FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}
# Sums are moved to float64 after so many steps.
FLUSH = 512
EDGE = 1.001  # of a table: the last place from which a line goes on
ONE, ROW = np.uint32(1), np.uint32(SPEEDS)
CHARGES, TEMPERATURES = np.uint32(at.CHARGES), np.uint32(at.TEMPERATURES)
# The rows of what one pass leaves for the next.
(
    TARGET,
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
    SOURCE,
    OHM,
) = range(14)
LEFT = 14

for _equation in (
    equations.asked_mps2,
    equations.road_load_n,
    equations.torque_nm,
    equations.within_battery_nm,
    equations.wheel_force_n,
    equations.reached_mps2,
    equations.current_limits_a,
    equations.current_at_a,
    equations.derating,
    equations.pair_v,
    equations.pair_loss_w,
):
    register_jitable(_equation)


@register_jitable
def _line(low: float, high: float, part: float) -> float:
    return low + (high - low) * part


@register_jitable
def _on_map(low: float, right: float, up: float, both: float, part: float, up_part: float) -> float:
    first = low + (right - low) * part
    return first + (up + (both - up) * part - first) * up_part


@register_jitable
def _read_losses(table: Floats, places: NDArray[np.uint32], read: Floats) -> None:
    """The four points of the map around each car's torque and speed."""
    for car in range(at.LANES):
        place = places[0, car]
        read[0, car], read[1, car] = table[place], table[place + ONE]
        read[2, car], read[3, car] = table[place + ROW], table[place + ROW + ONE]


def _compiled(sources: str) -> Any:
    """The kernel; what `sources` says is part of what its machine code is kept under."""

    @numba.njit(nogil=True, error_model="numpy", fastmath=FAST, cache=True)
    def drive(
        first: int,
        last: int,
        dt: float,
        speeds: Floats,
        grades: Floats,
        parameters: Floats,
        shared: Floats,
        table: Floats,
        states: Floats,
        totals: NDArray[np.float64],
    ) -> None:
        """Drive the cars first..last (a multiple of LANES) along their traces.

        Args:
            dt: of a step, s; of the type of the arrays.
            speeds, grades: (steps, 1) for all or (steps, cars): m/s and ratio, at each step's end.
            parameters, states, totals: (quantities, cars), see `layout`; the last two are changed.
            shared, table: see `layout`.
        """
        _ = sources
        real = parameters.dtype
        lanes = at.LANES
        p = np.empty((at.PARAMETERS, lanes), real)
        s = np.empty((at.STATES, lanes), real)
        a = np.zeros((at.TOTALS, lanes), real)
        w = np.empty((LEFT, lanes), real)
        g = np.empty((12, lanes), real)
        places = np.empty((3, lanes), np.uint32)
        half = dt * 0.5
        torque_most, per_torque = shared[at.TORQUE_MOST], shared[at.PER_TORQUE]
        per_shaft = shared[at.PER_SHAFT]
        least_v, most_v = shared[at.VOLTAGE_MIN], shared[at.VOLTAGE_MAX]
        discharge_a, charge_a = shared[at.DISCHARGE_MAX], shared[at.CHARGE_MAX]
        for begin in range(first, last, lanes):
            for row in range(at.PARAMETERS):
                for car in range(lanes):
                    p[row, car] = parameters[row, begin + car]
            for row in range(at.STATES):
                for car in range(lanes):
                    s[row, car] = states[row, begin + car]
            for step in range(len(speeds)):
                if speeds.shape[1] == 1:
                    for car in range(lanes):
                        w[TARGET, car] = speeds[step, 0]
                else:
                    for car in range(lanes):
                        w[TARGET, car] = speeds[step, begin + car]
                if grades.shape[1] == 1:
                    for car in range(lanes):
                        w[GRADE, car] = grades[step, 0]
                else:
                    for car in range(lanes):
                        w[GRADE, car] = grades[step, begin + car]
                # What the driver asks for, and the motor's torque for it.
                for car in range(lanes):
                    speed = s[at.SPEED, car]
                    asked = equations.asked_mps2(
                        speed,
                        min(w[TARGET, car], p[at.SPEED_MAX, car]),
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
                    torque = equations.torque_nm(
                        force,
                        shaft,
                        p[at.RATIO, car],
                        p[at.GEAR_EFFICIENCY, car],
                        p[at.TORQUE_MAX, car],
                        p[at.POWER_MAX, car],
                        p[at.REGENERATION_MAX, car],
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
                _read_losses(table, places, g)
                for car in range(lanes):
                    place = places[1, car]
                    g[4, car], g[5, car] = table[place], table[place + ONE]
                    g[6, car], g[7, car] = table[place + CHARGES], table[place + CHARGES + ONE]
                    place = places[2, car]
                    g[8, car], g[9, car] = table[place], table[place + ONE]
                    g[10, car] = table[place + TEMPERATURES]
                    g[11, car] = table[place + TEMPERATURES + ONE]
                # What the battery can give and take, and the torque within it.
                for car in range(lanes):
                    loss = _on_map(
                        g[0, car],
                        g[1, car],
                        g[2, car],
                        g[3, car],
                        w[SPEED_PART, car],
                        w[TORQUE_PART, car],
                    )
                    open_v = _line(g[4, car], g[5, car], w[CHARGE_PART, car])
                    ohm = _line(g[6, car], g[7, car], w[CHARGE_PART, car])
                    ohm *= _line(g[8, car], g[9, car], w[WARMTH_PART, car])
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
                        _line(g[10, car], g[11, car], w[WARMTH_PART, car]),
                        p[at.CAPACITY, car],
                        dt,
                        least_v,
                        most_v,
                        discharge_a
                        * equations.derating(
                            s[at.TEMPERATURE, car], DERATE_FROM_DEGC, TEMPERATURE_MAX_DEGC
                        ),
                        charge_a,
                    )
                    give = max((source - give_a * ohm) * give_a - p[at.AUXILIARY, car], 0.0)
                    take = (source + take_a * ohm) * take_a + p[at.AUXILIARY, car]
                    less = equations.within_battery_nm(
                        w[TORQUE, car], w[SHAFT, car], loss, give, take
                    )
                    x = min(max((less + torque_most) * per_torque, 0.0), TORQUES - EDGE)
                    y = min(w[SHAFT, car] * per_shaft, SPEEDS - EDGE)
                    row, column = np.int32(x), np.int32(y)
                    w[TORQUE_PART, car] = x - row
                    places[0, car] = row * SPEEDS + column
                    w[GIVE, car], w[TAKE, car] = give, take
                    w[SOURCE, car], w[OHM, car] = source, ohm
                _read_losses(table, places, g)
                # What comes of it.
                for car in range(lanes):
                    loss = _on_map(
                        g[0, car],
                        g[1, car],
                        g[2, car],
                        g[3, car],
                        w[SPEED_PART, car],
                        w[TORQUE_PART, car],
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
                    amps = equations.current_at_a(work + loss + p[at.AUXILIARY, car], source, ohm)
                    power = (source - amps * ohm) * amps
                    reached = speed + acceleration * dt
                    heat = amps * amps * (ohm - p[at.PAIRS_OHM, car])
                    before_v, pair_ohm = s[at.POLARISATION_V, car], p[at.POLARISATION_OHM, car]
                    after_v = equations.pair_v(
                        before_v, amps, pair_ohm, p[at.POLARISATION_KEPT, car]
                    )
                    mean_v = equations.pair_v(
                        before_v, amps, pair_ohm, p[at.POLARISATION_MEAN, car]
                    )
                    heat += equations.pair_loss_w(
                        before_v, after_v, mean_v, amps, p[at.POLARISATION_STORED, car]
                    )
                    s[at.POLARISATION_V, car] = after_v
                    before_v, pair_ohm = s[at.DIFFUSION_V, car], p[at.DIFFUSION_OHM, car]
                    after_v = equations.pair_v(before_v, amps, pair_ohm, p[at.DIFFUSION_KEPT, car])
                    mean_v = equations.pair_v(before_v, amps, pair_ohm, p[at.DIFFUSION_MEAN, car])
                    heat += equations.pair_loss_w(
                        before_v, after_v, mean_v, amps, p[at.DIFFUSION_STORED, car]
                    )
                    s[at.DIFFUSION_V, car] = after_v
                    degc = s[at.TEMPERATURE, car]
                    out = p[at.COOLING, car] * (degc - p[at.AMBIENT, car])
                    s[at.SPEED, car] = reached
                    s[at.TARGET, car] = min(w[TARGET, car], p[at.SPEED_MAX, car])
                    s[at.CHARGE, car] -= amps * dt / p[at.CAPACITY, car]
                    s[at.TEMPERATURE, car] = degc + (heat - out) * dt * p[at.PER_HEAT_CAPACITY, car]
                    a[at.DISTANCE_M, car] += mean * dt
                    a[at.BATTERY_OUT_J, car] += max(power, 0.0) * dt
                    a[at.BATTERY_IN_J, car] -= min(power, 0.0) * dt
                    a[at.MOTOR_LOSS_J, car] += loss * dt
                    a[at.GEAR_LOSS_J, car] += (work - motor_n * mean) * dt
                    a[at.FRICTION_J, car] -= friction_n * mean * dt
                    a[at.ROAD_J, car] += w[LOAD, car] * mean * dt
                    a[at.BATTERY_LOSS_J, car] += heat * dt
                    a[at.AUXILIARY_J, car] += p[at.AUXILIARY, car] * dt
                    error = abs(reached - w[TARGET, car])
                    a[at.SPEED_ERROR_MPS, car] = max(a[at.SPEED_ERROR_MPS, car], error)
                if step % FLUSH == FLUSH - 1 or step == len(speeds) - 1:
                    for row in range(at.SPEED_ERROR_MPS):
                        for car in range(lanes):
                            totals[row, begin + car] += a[row, car]
                            a[row, car] = 0.0
            for car in range(lanes):
                before = totals[at.SPEED_ERROR_MPS, begin + car]
                totals[at.SPEED_ERROR_MPS, begin + car] = max(before, a[at.SPEED_ERROR_MPS, car])
                a[at.SPEED_ERROR_MPS, car] = 0.0
            for row in range(at.STATES):
                for car in range(lanes):
                    states[row, begin + car] = s[row, car]

    return drive


# Numba looks at this file alone to see whether machine code that it kept is still right.
drive = _compiled(
    sha256(
        b"".join(Path(one.__file__).read_bytes() for one in (equations, at, losses, pack))
    ).hexdigest()
)


def warm() -> None:
    """Compile for the types that fleets call with."""
    for real in (np.float64, np.float32):
        drive(
            0,
            0,
            real(1.0),
            np.zeros((1, 1), real),
            np.zeros((1, 1), real),
            np.zeros((at.PARAMETERS, 0), real),
            np.zeros(at.SHARED, real),
            np.zeros(at.TABLE_SIZE, real),
            np.zeros((at.STATES, 0), real),
            np.zeros((at.TOTALS, 0)),
        )
