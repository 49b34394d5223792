"""The air where a car is: the weather of the hour, colder higher up."""

from contactor.physics.calendar import LOCAL_NS, MINUTE_NS, NS_PER_DAY, day_of
from contactor.physics.weather import Climate, Weather, weather_of

QUARTER_NS = 15 * MINUTE_NS
# International Standard Atmosphere: 6.5 K colder with each kilometre.
LAPSE_DEGC_PER_M = 0.0065
MAX_DAYS = 8


class Outside:
    """Weather over time; it changes by the quarter of an hour, and keeps the days it made last."""

    __slots__ = (
        "_climate",
        "_days",
        "_degc",
        "_first_day",
        "_is_dark",
        "_level_m",
        "_quarter",
        "_seed",
    )

    def __init__(self, climate: Climate, *, seed: int, level_m: float, first_day: int = 0) -> None:
        """The climate is that of `level_m` above the sea; `first_day` see `weather_of`."""
        self._climate, self._seed = climate, seed
        self._level_m, self._first_day = level_m, first_day
        self._days: dict[int, Weather] = {}
        self._quarter = -1
        self._degc, self._is_dark = 0.0, False

    def ambient_degc(self, ts_ns: int, altitude_m: float) -> float:
        """Of the air at a moment and a height."""
        self._look(ts_ns // QUARTER_NS)
        return self._degc - LAPSE_DEGC_PER_M * (altitude_m - self._level_m)

    def is_dark(self, ts_ns: int) -> bool:
        """Whether one drives with lights."""
        self._look(ts_ns // QUARTER_NS)
        return self._is_dark

    def _look(self, quarter: int) -> None:
        if quarter == self._quarter:
            return
        self._quarter = quarter
        ts_ns = quarter * QUARTER_NS
        day = day_of(ts_ns)
        weather = self._days.get(day)
        if weather is None:
            if len(self._days) >= MAX_DAYS:
                self._days.clear()
            weather = self._days[day] = weather_of(
                self._climate, seed=self._seed, day=day, first_day=self._first_day
            )
        index = (ts_ns + LOCAL_NS) % NS_PER_DAY // QUARTER_NS
        self._degc, self._is_dark = weather.ambient_degc[index], weather.is_dark[index]
