"""Commuters for a benchmark: to work and back each day, made of standard cycles.

Each car has its own times and drives, of a library of them; a drive lasts about 45 minutes.
"""

import numpy as np

from contactor.physics.cycles.standard import standard_cycle
from contactor.physics.fleet.schedule import ASLEEP, STANDS, Schedule, Setting, Traces

CYCLES = ("UDDS", "HWFET", "WLTC3b")
DRIVES, DRIVE_S = 64, 2700
SLOWS_MPS2 = 1.5
HOUR_S, DAY_S = 3600, 86_400
AT_THE_PLUG = Setting(plug="ac", station_power_w=11_000, is_awake=False)
READIED = Setting(plug="ac", station_power_w=11_000, is_awake=False, is_preconditioning=True)
DRIVING, GETTING_OUT = Setting(is_climate_on=True), Setting()
SETTINGS = (AT_THE_PLUG, READIED, DRIVING, GETTING_OUT, ASLEEP)
# A day: night, made ready, to work, getting out, at work, home, getting out, night.
SPANS = (0, 1, 2, 3, 4, 2, 3, 0)
READY_S, OUT_S = 900, 120


def commuters(cars: int, days: int, *, seed: int = 1) -> Schedule:
    """What they do from a midnight in January on."""
    random = np.random.default_rng(seed)
    library = Traces([_drive(random) for _ in range(DRIVES)])
    there, back = random.integers(0, DRIVES, (2, cars, days))
    ends = np.empty((cars, days, len(SPANS)), np.int64)
    ends[..., 0] = random.integers(6 * HOUR_S, 8 * HOUR_S, (cars, days))
    ends[..., 1] = ends[..., 0] + READY_S
    ends[..., 2] = ends[..., 1] + library.seconds[there]
    ends[..., 3] = ends[..., 2] + OUT_S
    ends[..., 4] = random.integers(16 * HOUR_S, 18 * HOUR_S, (cars, days))
    ends[..., 5] = ends[..., 4] + library.seconds[back]
    ends[..., 6] = ends[..., 5] + OUT_S
    ends[..., 7] = DAY_S
    ends += np.arange(days)[:, None] * DAY_S
    traces = np.full(ends.shape, STANDS)
    traces[..., 2], traces[..., 5] = there, back
    hour = np.arange(days * 24)
    season = 10 - 9 * np.cos(2 * np.pi * (hour / 24 - 15) / 365)
    return Schedule(
        first=np.arange(cars + 1) * days * len(SPANS),
        end_s=ends.ravel(),
        trace=traces.ravel(),
        setting=np.broadcast_to(SPANS, ends.shape).ravel(),
        settings=SETTINGS,
        traces=library,
        ambient_degc=season + 4 * np.cos(2 * np.pi * (hour % 24 - 15) / 24),
    )


def _drive(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Speeds and grades of a drive that slows down to rest."""
    whole = np.concatenate(
        [standard_cycle(CYCLES[one]).speed_mps[1:] for one in random.integers(0, 3, 3)]
    )[:DRIVE_S]
    left_s = np.arange(len(whole))[::-1]
    speeds = np.minimum(whole * random.uniform(0.85, 1.05), left_s * SLOWS_MPS2)
    return speeds, 0.01 * np.sin(np.arange(len(whole)) / random.uniform(50, 300))
