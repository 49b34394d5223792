"""The schedule of cars that live by a `Plan`: what their drivers do, second by second, kept once.

    plans = [Plan(seed=seed, scenario=load_scenario("year")) for seed in range(100)]
    fleet.live(schedule_of(plans, start_ns=start_ns, seconds=7 * 86_400))

Speeds are the plan's at the end of each second; a drive that begins within a second begins with it.
Warmth outside is that of each quarter of an hour's beginning, as the plan's is.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue
from contactor.physics.calendar import NS_PER_S
from contactor.physics.fleet.schedule import Schedule, Setting, Stretch, Traces
from contactor.physics.outside import QUARTER_NS
from contactor.physics.plan import Plan, Situation

QUARTER_S = QUARTER_NS // NS_PER_S

Floats = NDArray[np.float64]


def schedule_of(
    plans: Sequence[Plan],
    *,
    start_ns: int,
    seconds: int,
    charge_limit: float = 0.8,
    cabin_target_degc: float = 21.0,
) -> Schedule:
    """What cars do from a moment on, one by each plan; drives begun before the end are driven on.

    Args:
        start_ns: the beginning of a quarter of an hour.
        seconds: for how long.

    Raises:
        InvalidValue: it begins within a quarter of an hour, or nobody lives at all.
    """
    if start_ns % QUARTER_NS:
        raise InvalidValue(f"start_ns is {start_ns}; a multiple of {QUARTER_NS} is needed")
    if seconds < 1 or not plans:
        raise InvalidValue(f"{len(plans)} cars for {seconds} s; at least one of each is needed")
    drives: list[tuple[Floats, Floats]] = []
    lives: list[list[Stretch]] = []
    quarters = -(-seconds // QUARTER_S)
    ambient = np.empty((quarters, len(plans)))
    for column, plan in enumerate(plans):
        life: list[Stretch] = []
        now = 0
        while now < seconds:
            situation = plan.at(start_ns + now * NS_PER_S)
            setting = _setting(situation, charge_limit, cabin_target_degc)
            if situation.is_driving:
                drive = _drive(plan, start_ns + now * NS_PER_S)
                life.append(Stretch(len(drive[0]), setting, len(drives)))
                drives.append(drive)
            else:
                until = -(-(situation.next_change_ns - start_ns) // NS_PER_S)
                life.append(Stretch(min(until, seconds) - now, setting))
            now += life[-1].seconds
        lives.append(_joined(life))
        for quarter in range(quarters):
            ambient[quarter, column] = plan.at(start_ns + quarter * QUARTER_NS).ambient_degc
    return Schedule.of(
        lives,
        traces=Traces(drives),
        ambient_degc=ambient,
        weather_s=QUARTER_S,
        place=np.arange(len(plans)),
    )


def _setting(situation: Situation, charge_limit: float, cabin_target_degc: float) -> Setting:
    return Setting(
        plug=situation.plug,
        charge_limit=charge_limit,
        station_power_w=situation.station_power_w,
        station_phases=situation.station_phases,
        is_awake=situation.is_awake,
        is_climate_on=situation.is_climate_on,
        cabin_target_degc=cabin_target_degc,
        are_lights_on=situation.are_lights_on,
    )


def _drive(plan: Plan, begin_ns: int) -> tuple[Floats, Floats]:
    """Speeds and grades of a drive, to its end at rest."""
    speeds, grades = [], []
    second, here = 0, plan.at(begin_ns)
    while here.is_driving:
        second += 1
        after = plan.at(begin_ns + second * NS_PER_S)
        speeds.append(after.target_speed_mps if after.is_driving else 0.0)
        grades.append(here.grade)
        here = after
    return np.array(speeds), np.array(grades)


def _joined(life: list[Stretch]) -> list[Stretch]:
    """Without borders between stretches in which a car stands alike."""
    joined: list[Stretch] = []
    for stretch in life:
        last = joined[-1] if joined else None
        if last is not None and last[1:] == stretch[1:]:
            joined[-1] = last._replace(seconds=last.seconds + stretch.seconds)
        else:
            joined.append(stretch)
    return joined
