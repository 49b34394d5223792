"""The clock of each lane: from one drive of a car's schedule to the next.

Plain functions; `kernel` has them compiled. A lane is at `clock` seconds in span `span` of its car,
and drives until `edge`, for `left` more steps, the next of which is at `position` of the traces.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from contactor.physics import ageing
from contactor.physics.fleet import layout as at
from contactor.physics.fleet.battery import Floats, Reals, age, battery_of
from contactor.physics.fleet.standing import UNHEATED_DEGC, stand

Counts = NDArray[np.int64]
# More steps than any call has.
FAR = 2**40


class Lives(NamedTuple):
    """The schedules of all cars, as the kernel reads them; see `schedule.Schedule`.

    Fields:
        first: of each car, its first span; one more at the end.
        end_s, trace, setting: of each span; trace is -1 where the car stands.
        settings: (settings, SETTINGS).
        trace_first: of each trace, its first step.
        weather: (times, places, WEATHER); place: of each car; weather_s: between two times.
        record_s: between two times at which a car is written down.
    """

    first: Counts
    end_s: NDArray[np.int32]
    trace: NDArray[np.int32]
    setting: NDArray[np.int32]
    settings: Floats
    trace_first: Counts
    weather: Floats
    place: Counts
    weather_s: int
    record_s: int


class Lanes(NamedTuple):
    """Where each lane is, (LANES,)."""

    clock: Counts
    span: Counts
    edge: Counts
    left: Counts
    position: Counts


def until_drive(
    lane: int,
    car: int,
    lives: Lives,
    lanes: Lanes,
    parameters: Reals,
    p: Reals,
    s: Reals,
    shared: Reals,
    table: Reals,
    totals: Floats,
    records: Floats,
) -> bool:
    """Let a car live until it next drives; whether it does so at all."""
    while lanes.span[lane] < lives.first[car + 1]:
        span, now = lanes.span[lane], lanes.clock[lane]
        end = lives.end_s[span]
        if now >= end:
            lanes.span[lane] += 1
            continue
        edge = min(
            end,
            (now // lives.weather_s + 1) * lives.weather_s,
            (now // lives.record_s + 1) * lives.record_s,
        )
        look_around(lane, car, now, lives, parameters, p, shared, totals)
        setting, trace = lives.settings[lives.setting[span]], lives.trace[span]
        lanes.edge[lane] = edge
        if trace >= 0:
            begin = lives.end_s[span - 1] if span > lives.first[car] else 0
            if now == begin:
                set_out(lane, setting, p, s, shared)
            lanes.left[lane] = edge - now
            lanes.position[lane] = lives.trace_first[trace] + now - begin
            return True
        ambient_degc = float(p[at.AMBIENT, lane])
        stand(lane, car, float(edge - now), ambient_degc, setting, p, s, shared, table, totals)
        arrive(lane, car, lives, lanes, s, totals, records)
    return False


def flush(lane: int, car: int, sums: int, a: Reals, totals: Floats) -> None:
    """Move what a lane added up to its car."""
    for row in range(sums):
        totals[row, car] += a[row, lane]
        a[row, lane] = 0.0
    row = at.SPEED_ERROR_MPS
    totals[row, car] = max(totals[row, car], a[row, lane])
    row = at.CHARGE_MIN
    totals[row, car] = min(totals[row, car], a[row, lane])
    row = at.CHARGE_MAX
    totals[row, car] = max(totals[row, car], a[row, lane])


def drove(
    lane: int,
    car: int,
    lives: Lives,
    lanes: Lanes,
    p: Reals,
    s: Reals,
    shared: Reals,
    table: Reals,
    totals: Floats,
    records: Floats,
) -> None:
    """A lane made the last step of its drive, or came to a time at which something else changes."""
    seconds = float(lanes.edge[lane] - lanes.clock[lane])
    # Its current has aged it second by second.
    age(0.0, battery_of(lane, p, s, table), seconds, lane, car, s, shared, table, totals)
    if lanes.edge[lane] == lives.end_s[lanes.span[lane]]:
        speed = float(s[at.SPEED, lane])
        totals[at.FRICTION_J, car] += float(p[at.INERTIA, lane]) * speed * speed / 2
        s[at.SPEED, lane] = s[at.TARGET, lane] = 0.0
    arrive(lane, car, lives, lanes, s, totals, records)


def arrive(
    lane: int,
    car: int,
    lives: Lives,
    lanes: Lanes,
    s: Reals,
    totals: Floats,
    records: Floats,
) -> None:
    """Set a lane's clock to the edge it came to, and write its car down if it is time."""
    edge = lanes.edge[lane]
    lanes.clock[lane] = edge
    row = edge // lives.record_s - 1
    if edge % lives.record_s == 0 and row < len(records):
        records[row, at.RECORD_CHARGE, car] = s[at.CHARGE, lane]
        records[row, at.RECORD_TEMPERATURE, car] = s[at.TEMPERATURE, lane]
        for index, total in enumerate(at.RECORDED_SUMS):
            records[row, at.RECORD_TEMPERATURE + 1 + index, car] = totals[total, car]


def look_around(
    lane: int,
    car: int,
    now: int,
    lives: Lives,
    parameters: Reals,
    p: Reals,
    shared: Reals,
    totals: Floats,
) -> None:
    """Take in the weather, and how old the battery is by now."""
    time = min(now // lives.weather_s, len(lives.weather) - 1)
    weather = lives.weather[time, lives.place[car]]
    p[at.AMBIENT, lane] = weather[at.AMBIENT_DEGC]
    p[at.ROLLING, lane] = parameters[at.ROLLING, car] * weather[at.ROLLING_FACTOR]
    p[at.DRAG, lane] = parameters[at.DRAG, car] * weather[at.DRAG_FACTOR]
    lost = ageing.lost_by_time(totals[at.CALENDAR_AGE, car])
    lost += ageing.lost_by_cycles(totals[at.CYCLE_AGE, car])
    p[at.CAPACITY, lane] = float(shared[at.NEW_CAPACITY]) * (1.0 - lost)
    p[at.RESISTANCE_OF_AGE, lane] = 1.0 + float(shared[at.RESISTANCE_GROWTH]) * lost


def set_out(lane: int, setting: Floats, p: Reals, s: Reals, shared: Reals) -> None:
    """A drive begins."""
    is_preconditioning = setting[at.IS_PRECONDITIONING] > 0
    p[at.BASE, lane] = p[at.AUXILIARY, lane] + setting[at.ARE_LIGHTS_ON] * shared[at.LIGHTS]
    has_climate = setting[at.HAS_CLIMATE] > 0 or is_preconditioning
    p[at.CLIMATE, lane] = 1.0 if has_climate else 0.0
    p[at.CABIN_TARGET, lane] = setting[at.CABIN_TARGET_DEGC]
    heat_to = float(shared[at.BATTERY_HEAT_TO])
    p[at.HEAT_TO, lane] = heat_to if is_preconditioning else UNHEATED_DEGC
    if s[at.IS_CHARGING, lane] > 0:
        s[at.TURN_CHARGE, lane] = s[at.CHARGE, lane]
    s[at.IS_CHARGING, lane] = s[at.IS_DONE, lane] = s[at.CHARGE_POWER, lane] = 0.0
