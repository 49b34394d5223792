"""Made-up weather of the upper Rhine valley: warmth and darkness by the quarter of an hour.

    weather_of(seed=1, day=20_000).ambient_degc[32]     # at 08:00

The year's mean and swing are those of a temperate valley; each day is seeded warmer or colder, and
goes over into the next without a jump.
"""

import math
import random
from typing import NamedTuple

QUARTERS = 96
# Mean and half swing of the daily mean over the year; the day's own half swing.
YEAR_MEAN_DEGC, YEAR_SWING_DEGC, DAY_SWING_DEGC = 10.0, 9.0, 4.0
COLDEST_DAY, DAYS_PER_YEAR = 15.0, 365.25
WARMEST_HOUR = 15.0
DAY_SPREAD_DEGC = 2.5
# At 47 degrees north the day lasts 12 h, and 3.7 h more or less at the solstices.
NOON_HOUR, HALF_DAY_HOURS, HALF_DAY_SWING_HOURS, EQUINOX_DAY = 12.4, 6.0, 1.85, 80.0


class Weather(NamedTuple):
    """One day, by the quarter of an hour of local time."""

    ambient_degc: tuple[float, ...]
    is_dark: tuple[bool, ...]


def weather_of(*, seed: int, day: int) -> Weather:
    """The weather of a day; `day` counts from 1970-01-01, local time."""
    ambient, dark = [], []
    today, tomorrow = _spread(seed, day), _spread(seed, day + 1)
    for quarter in range(QUARTERS):
        hour = quarter / 4
        year = 2 * math.pi / DAYS_PER_YEAR
        date = day % DAYS_PER_YEAR + hour / 24
        mean = YEAR_MEAN_DEGC - YEAR_SWING_DEGC * math.cos(year * (date - COLDEST_DAY))
        swing = DAY_SWING_DEGC * math.cos(2 * math.pi * (hour - WARMEST_HOUR) / 24)
        ambient.append(mean + swing + today + (tomorrow - today) * hour / 24)
        half = HALF_DAY_HOURS + HALF_DAY_SWING_HOURS * math.sin(year * (date - EQUINOX_DAY))
        dark.append(abs(hour - NOON_HOUR) > half)
    return Weather(tuple(ambient), tuple(dark))


def _spread(seed: int, day: int) -> float:
    return random.Random(f"weather {seed} {day}").gauss(0.0, DAY_SPREAD_DEGC)
