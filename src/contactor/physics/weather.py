"""Made-up weather: warmth and darkness by the quarter of an hour.

    weather_of(climate, seed=1, day=20_000).ambient_degc[32]     # at 08:00

The daily mean goes straight from the middle of one month to that of the next; each day is seeded
warmer or colder, and goes over into the next without a jump. A series by the hour stands in place
of all that.
"""

import datetime as dt
import math
import random
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from contactor.physics.calendar import EPOCH

MONTHS = 12
QUARTERS = 96
DAYS_PER_YEAR = 365.25
WARMEST_HOUR = 15.0
# At 47 degrees north the day lasts 12 h, and 3.7 h more or less at the solstices.
NOON_HOUR, HALF_DAY_HOURS, HALF_DAY_SWING_HOURS, EQUINOX_DAY = 12.4, 6.0, 1.85, 80.0
_MONTH_DAYS = (31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MIDDLES = [end - days / 2 for end, days in zip(accumulate(_MONTH_DAYS), _MONTH_DAYS, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """The seasons of a place.

    Fields:
        mean_degc: of January to December.
        day_swing_degc: how much warmer the afternoon is than the mean, and the night colder.
        day_spread_degc: standard deviation of a day's mean about the season's.
        hourly_degc: in place of these, from local midnight of the first day on, round and round.
    """

    mean_degc: tuple[float, ...] = (10.0,) * MONTHS
    day_swing_degc: float = 4.0
    day_spread_degc: float = 2.5
    hourly_degc: tuple[float, ...] = ()

    def daily_mean_degc(self, day_of_year: float) -> float:
        """Of the season, `day_of_year` from 0 to 365.25."""
        after = next((month for month, at in enumerate(_MIDDLES) if at > day_of_year), MONTHS)
        before_day = _MIDDLES[after - 1] - (DAYS_PER_YEAR if after == 0 else 0.0)
        after_day = _MIDDLES[after % MONTHS] + (DAYS_PER_YEAR if after == MONTHS else 0.0)
        part = (day_of_year - before_day) / (after_day - before_day)
        low, high = self.mean_degc[after - 1], self.mean_degc[after % MONTHS]
        return low + (high - low) * part


class Weather(NamedTuple):
    """One day, by the quarter of an hour of local time."""

    ambient_degc: tuple[float, ...]
    is_dark: tuple[bool, ...]


def weather_of(climate: Climate, *, seed: int, day: int, first_day: int = 0) -> Weather:
    """The weather of a day; `day` counts from 1970-01-01, local time.

    Args:
        first_day: with which a series by the hour begins.
    """
    ambient, dark = [], []
    date = EPOCH + dt.timedelta(day)
    of_year = (date - date.replace(month=1, day=1)).days
    today, tomorrow = (_spread(climate, seed, one) for one in (day, day + 1))
    for quarter in range(QUARTERS):
        hour = quarter / 4
        if climate.hourly_degc:
            ambient.append(_from_series(climate.hourly_degc, (day - first_day) * 24 + hour))
        else:
            mean = climate.daily_mean_degc(of_year + hour / 24)
            swing = math.cos(2 * math.pi * (hour - WARMEST_HOUR) / 24) * climate.day_swing_degc
            ambient.append(mean + swing + today + (tomorrow - today) * hour / 24)
        angle = 2 * math.pi / DAYS_PER_YEAR * (of_year + hour / 24 - EQUINOX_DAY)
        half = HALF_DAY_HOURS + HALF_DAY_SWING_HOURS * math.sin(angle)
        dark.append(abs(hour - NOON_HOUR) > half)
    return Weather(tuple(ambient), tuple(dark))


def _from_series(series: tuple[float, ...], hour: float) -> float:
    whole = math.floor(hour)
    low, high = series[whole % len(series)], series[(whole + 1) % len(series)]
    return low + (high - low) * (hour - whole)


def _spread(climate: Climate, seed: int, day: int) -> float:
    return random.Random(f"weather {seed} {day}").gauss(0.0, climate.day_spread_degc)
