"""Lives to be lived by fleets, and the single car that lives them second by second."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from contactor.physics.car import CarPhysics, Controls
from contactor.physics.fleet.schedule import ASLEEP, STANDS, Schedule, Setting, Stretch, Traces

DAY_S = 86_400
DRIVING = Setting(is_climate_on=True)
DARK = replace(DRIVING, are_lights_on=True)
TO_THE_CHARGER = replace(DRIVING, is_preconditioning=True)
AWAKE = Setting()
READY = Setting(plug="ac", station_power_w=11_000, is_awake=False, is_preconditioning=True)
NIGHT = Setting(plug="ac", station_power_w=11_000, is_awake=False)
SOCKET = Setting(plug="ac", station_power_w=2_300, station_phases=1, is_awake=False)
FAST = Setting(plug="dc", station_power_w=150_000, charge_limit=0.9, is_climate_on=True)


def walk(seed: int, seconds: int, most_mps: float = 35.0) -> np.ndarray:
    """Speeds of a drive that stops now and then, and at its end, (seconds,)."""
    random = np.random.default_rng(seed)
    speeds = np.cumsum(random.normal(0, 1.2, seconds))
    speeds = np.clip(np.abs(speeds) - 3, 0, most_mps)
    slowing = np.arange(seconds)[::-1] * 1.5
    return np.minimum(speeds, slowing)


def traces() -> Traces:
    """A drive to work, one back up a hill, one over land, and one on a motorway."""
    hill = 0.03 * np.sin(np.arange(1500) / 200)
    motorway = np.minimum(np.full(3600, 36.0), np.arange(3600)[::-1] * 1.5)
    return Traces(
        [(walk(1, 1500), 0.0), (walk(2, 1500), hill), (walk(3, 2400), -0.01), (motorway, 0.0)]
    )


def working_day(library: Traces, night: Setting) -> list[Stretch]:
    """To work and back, between two nights, with a drive over land on the way."""
    seconds = library.seconds.tolist()
    life = town_day(library, night)
    errand = [Stretch(seconds[2], DRIVING, 2), Stretch(2000, ASLEEP)]
    *before, last = [*life[:5], *errand, *life[5:]]
    return [*before, last._replace(seconds=last.seconds - seconds[2] - 2000)]


def town_day(library: Traces, night: Setting) -> list[Stretch]:
    """To work and back."""
    seconds = library.seconds.tolist()
    life = [
        Stretch(6 * 3600 + 1740, night),
        Stretch(900, replace(night, is_preconditioning=True)),
        Stretch(seconds[0], DARK, 0),
        Stretch(120, AWAKE),
        Stretch(8 * 3600, ASLEEP),
        Stretch(seconds[1], DRIVING, 1),
        Stretch(30, AWAKE),
    ]
    return [*life, Stretch(DAY_S - sum(one.seconds for one in life), night)]


def holiday(library: Traces) -> list[Stretch]:
    """Motorway with fast charging, until the evening."""
    seconds = int(library.seconds[3])
    life = [Stretch(5 * 3600, NIGHT)]
    for _ in range(3):
        life += [Stretch(seconds, TO_THE_CHARGER, 3), Stretch(20, AWAKE), Stretch(1500, FAST)]
    return [*life, Stretch(DAY_S - sum(one.seconds for one in life), ASLEEP)]


def days_of(*days: Sequence[Stretch]) -> list[Stretch]:
    """One day after another."""
    return [stretch for day in days for stretch in day]


def hourly_degc(mean_degc: float, days: int) -> np.ndarray:
    """A swing over each day, (hours,)."""
    return mean_degc + 5 * np.sin(2 * np.pi * (np.arange(days * 24) - 9) / 24)


def live_by_seconds(car: CarPhysics, schedule: Schedule, index: int) -> None:
    """Let the single car live what one car of a fleet does, in steps of 1 s throughout."""
    now, speeds, grades = 0, np.zeros(0), np.zeros(0)
    for span in range(schedule.first[index], schedule.first[index + 1]):
        setting = schedule.settings[schedule.setting[span]]
        trace = int(schedule.trace[span])
        if trace != STANDS:
            speeds, grades = schedule.traces.of(trace)
        controls = Controls(**asdict(setting), is_driving=trace != STANDS)
        for second in range(int(schedule.end_s[span]) - now):
            hour = min((now + second) // schedule.weather_s, len(schedule.ambient_degc) - 1)
            controls.ambient_degc = float(schedule.ambient_degc[hour, schedule.place[index]])
            if trace != STANDS:
                controls.target_speed_mps = float(speeds[second])
                controls.grade = float(grades[second])
            car.step(1.0, controls)
        now = int(schedule.end_s[span])
