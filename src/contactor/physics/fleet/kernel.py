"""The loops over steps and cars, compiled.

    drive   cars along traces, step by step, all together
    live    cars along their own schedules: each lane has its own clock; the seconds of drives are
            made together, and what lies between two drives is lived through at once

Both are one loop around `passes`, compiled twice: what only a life needs is left out of driving.
The equations themselves are those of `contactor.physics`, compiled as they are.
"""

from hashlib import sha256
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from contactor.physics import (
    ageing,
    charge_control,
    charger,
    equations,
    heat,
    losses,
    low_voltage,
    motion,
    pack,
)
from contactor.physics.fleet import battery, lanes, passes, standing
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.columns import NO_LIVES
from contactor.physics.fleet.lanes import FAR, Lanes, Lives

Floats = NDArray[np.float64]

# Additions keep their order; what is given up is the care for NaN and infinity.
FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn"}

for _function in (
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
    heat.cabin_heat_w,
    heat.battery_heat_w,
    heat.electricity_w,
    heat.cabin_slope_k_per_s,
    low_voltage.charge_w,
    low_voltage.is_filling,
    charge_control.is_done,
    charge_control.charge_w,
    charger.drawn_w,
    ageing.cycling_per_ah,
    ageing.calendar_of_voltage,
    ageing.calendar_of_warmth_per_s,
    ageing.lost_by_time,
    ageing.lost_by_cycles,
    passes.line,
    passes.on_map,
    pack.pair_over,
    battery.at_charge,
    battery.at_warmth,
    battery.lasting_s,
    battery.battery_of,
    battery.source_of,
    battery.current_a,
    battery.let_pass,
    battery.age,
    standing.look,
    standing.warming_s,
    standing.consumers,
    standing.asleep_s,
    standing.charge_power_w,
    standing.charge_length_s,
    standing.rest,
    standing.step,
    standing.stand,
    lanes.look_around,
    lanes.set_out,
    lanes.arrive,
    lanes.flush,
    lanes.drove,
    lanes.until_drive,
):
    register_jitable(_function)
# In the loop itself the compiler sees how the rows lie, and makes vectors of them.
for _function in (
    passes.ask,
    passes.read_losses,
    passes.read_battery,
    passes.consume,
    passes.limit,
    passes.go,
    passes.live,
):
    register_jitable(forceinline=True)(_function)


def _compiled(sources: str, is_life: bool) -> Any:
    """The kernel; what `sources` says is part of what its machine code is kept under."""
    sums = at.SUMS_OF_LIFE if is_life else at.SUMS_OF_DRIVE

    @numba.njit(nogil=True, error_model="numpy", fastmath=FAST, cache=True)
    def run(
        first: int,
        last: int,
        steps: int,
        dt: float,
        speeds: Floats,
        grades: Floats,
        strides: tuple[int, int],
        lives: Lives,
        parameters: Floats,
        shared: Floats,
        table: Floats,
        states: Floats,
        totals: NDArray[np.float64],
        records: NDArray[np.float64],
    ) -> None:
        """Take the cars first..last (a multiple of LANES) through their traces or lives.

        Args:
            steps: of a drive.
            dt: of a step that drives, s; of the type of the arrays.
            speeds, grades: one after another, m/s and ratio, at each step's end; over a life, with
                REST behind the last.
            strides: from one step to the next in both; a drive has 1 where all cars share it.
            parameters, states, totals: (quantities, cars), see `layout`; the last two are changed.
            shared, table: see `layout`.
            records: (times, RECORDS, cars) to be filled over a life.
        """
        _ = sources
        real = parameters.dtype
        p = np.empty((at.PARAMETERS, at.LANES), real)
        s = np.empty((at.STATES, at.LANES), real)
        a = np.empty((at.TOTALS, at.LANES), real)
        w = np.empty((passes.LEFT, at.LANES), real)
        g = np.empty((passes.READ, at.LANES), real)
        places = np.empty((passes.PLACES, at.LANES), np.uint32)
        clocks = np.zeros((5, at.LANES), np.int64)
        where = Lanes(clocks[0], clocks[1], clocks[2], clocks[3], clocks[4])
        left, position = where.left, where.position
        is_alive = np.zeros(at.LANES, np.bool_)
        for begin in range(first, last, at.LANES):
            for row in range(at.PARAMETERS):
                for lane in range(at.LANES):
                    p[row, lane] = parameters[row, begin + lane]
            for row in range(at.STATES):
                for lane in range(at.LANES):
                    s[row, lane] = states[row, begin + lane]
            for row in range(at.TOTALS):
                for lane in range(at.LANES):
                    a[row, lane] = 0.0
            for lane in range(at.LANES):
                a[at.CHARGE_MIN, lane] = a[at.CHARGE_MAX, lane] = s[at.CHARGE, lane]
                if is_life:
                    car = begin + lane
                    where.clock[lane], where.span[lane] = 0, lives.first[car]
                    is_alive[lane] = lanes.until_drive(
                        lane, car, lives, where, parameters, p, s, shared, table, totals, records
                    )
                    if not is_alive[lane]:
                        left[lane], position[lane] = FAR, len(speeds) - at.REST
                        for row in range(at.STATES):
                            states[row, car] = s[row, lane]
                else:
                    left[lane], is_alive[lane] = steps, True
            is_own = strides[0] > 1, strides[1] > 1
            speed_at, grade_at = begin * is_own[0], begin * is_own[1]
            count, since = is_alive.sum(), 0
            while count > 0:
                length = min(left.min(), at.REST - since)
                for _step in range(length):
                    if is_life:
                        for lane in range(at.LANES):
                            w[passes.WISH, lane] = speeds[position[lane]]
                            w[passes.GRADE, lane] = grades[position[lane]]
                            position[lane] += 1
                    else:
                        for lane in range(at.LANES):
                            w[passes.WISH, lane] = speeds[speed_at + lane * is_own[0]]
                        for lane in range(at.LANES):
                            w[passes.GRADE, lane] = grades[grade_at + lane * is_own[1]]
                        speed_at += strides[0]
                        grade_at += strides[1]
                    passes.ask(p, s, w, places, shared, dt, is_life)
                    passes.read_losses(table, places, g)
                    passes.read_battery(table, places, g)
                    if is_life:
                        passes.consume(p, s, w, shared)
                    passes.limit(p, s, w, g, places, shared, dt, is_life)
                    passes.read_losses(table, places, g)
                    passes.go(p, s, a, w, g, shared, dt, is_life)
                    if is_life:
                        passes.live(p, s, a, w, shared, dt)
                since += length
                for lane in range(at.LANES):
                    left[lane] -= length
                if since == at.REST:
                    since = 0
                    for lane in range(at.LANES):
                        if is_alive[lane]:
                            lanes.flush(lane, begin + lane, sums, a, totals)
                for lane in range(at.LANES):
                    if not is_alive[lane]:
                        position[lane] = len(speeds) - at.REST
                    elif left[lane] == 0:
                        car = begin + lane
                        lanes.flush(lane, car, sums, a, totals)
                        is_on = False
                        if is_life:
                            lanes.drove(
                                lane, car, lives, where, p, s, shared, table, totals, records
                            )
                            is_on = lanes.until_drive(
                                lane, car, lives, where, parameters, p, s, shared, table, totals,
                                records,
                            )  # fmt: skip
                        if not is_on:
                            left[lane], is_alive[lane] = FAR, False
                            count -= 1
                            for row in range(at.STATES):
                                states[row, car] = s[row, lane]

    return run


def _digest() -> str:
    """Of the sources: Numba looks at this file alone to see whether machine code is still right."""
    physics = ageing, charge_control, charger, equations, heat, losses, low_voltage, motion, pack
    modules = *physics, at, battery, lanes, passes, standing
    return sha256(b"".join(Path(one.__file__).read_bytes() for one in modules)).hexdigest()


drive = _compiled(_digest(), False)
live = _compiled(_digest(), True)


def warm() -> None:
    """Compile for the types that fleets call with."""
    for real in (np.float64, np.float32):
        for kernel in (drive, live):
            kernel(
                0,
                0,
                0,
                real(1.0),
                np.zeros(0, real),
                np.zeros(0, real),
                (1, 1),
                NO_LIVES,
                np.zeros((at.PARAMETERS, 0), real),
                np.zeros(at.SHARED, real),
                np.zeros(at.TABLE_SIZE, real),
                np.zeros((at.STATES, 0), real),
                np.zeros((at.TOTALS, 0)),
                np.zeros((0, at.RECORDS, 0)),
            )
