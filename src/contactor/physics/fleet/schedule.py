"""What the cars of a fleet do, for as long as a year: spans of driving and standing, as arrays.

    traces = Traces([(to_work_mps, 0.0), (home_mps, grades)])
    night = Setting(plug="ac", station_power_w=11_000.0, is_awake=False)
    schedule = Schedule.of(
        [[Stretch(8 * 3600, night), Stretch.drive(traces, 0), Stretch(9 * 3600, ASLEEP), ...]],
        traces=traces,
        ambient_degc=hourly_degc,
    )
    fleet.live(schedule)

Traces and settings are kept once and pointed to, so that a span takes 12 bytes: 1,000 cars that
drive twice a day for a year are 40 MB, where their speeds would be 16 GB.

Rules:
- Times are whole seconds since the schedule began.
- A drive lasts as long as its trace, a step a second, and ends at rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from contactor.errors import InvalidValue
from contactor.physics.state import Plug

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Indices = NDArray[np.int32]

STANDS = -1
FASTEST_MPS, STEEPEST = 150.0, 1.0
COLDEST_DEGC, WARMEST_DEGC = -60.0, 60.0
LONGEST_S = 2**31 - 1
STATION_MAX_W = 2e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What driver and station do during a span; the fields are those of `Controls`.

    Raises:
        InvalidValue: one of them is beyond what there is.
    """

    plug: Plug = "none"
    is_charge_allowed: bool = True
    charge_limit: float = 0.8
    station_power_w: float = 0.0
    station_phases: int = 3
    is_awake: bool = True
    is_climate_on: bool = False
    is_preconditioning: bool = False
    cabin_target_degc: float = 21.0
    are_lights_on: bool = False

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("charge_limit", self.charge_limit, 0.0, 1.0),
            ("station_power_w", self.station_power_w, 0.0, STATION_MAX_W),
            ("station_phases", self.station_phases, 1, 3),
            ("cabin_target_degc", self.cabin_target_degc, 0.0, 40.0),
        ):
            if not low <= value <= high:
                raise InvalidValue(f"{name} is {value:g}; {low:g} to {high:g} is allowed")


ASLEEP = Setting(is_awake=False)


class Traces:
    """A library of drives: speeds and grades, a step a second.

    Args:
        drives: of each, the speeds at the end of each second (m/s), and the grades over it: as
            many, or a number.

    Raises:
        InvalidValue: a drive is empty, does not end at rest, or holds what no car does.
    """

    def __init__(self, drives: Sequence[tuple[ArrayLike, ArrayLike]]) -> None:
        speeds = [np.asarray(speed, np.float64) for speed, _ in drives]
        slopes: list[Floats] = []
        for index, (speed, (_, grade)) in enumerate(zip(speeds, drives, strict=True)):
            where = f"trace {index}"
            if speed.ndim != 1 or not len(speed):
                raise InvalidValue(
                    f"{where}: speeds of the shape {speed.shape}; (steps,) is needed"
                )
            slope = np.asarray(grade, np.float64)
            if slope.shape not in ((), speed.shape):
                raise InvalidValue(
                    f"{where}: grades of the shape {slope.shape}; {speed.shape} or a number is "
                    "needed"
                )
            slope = np.broadcast_to(slope, speed.shape)
            _check(f"{where}: speed", speed, 0.0, FASTEST_MPS, "m/s")
            _check(f"{where}: grade", slope, -STEEPEST, STEEPEST, "")
            if speed[-1] != 0.0:
                raise InvalidValue(f"{where} ends at {speed[-1]:g} m/s; a drive ends at rest")
            slopes.append(slope)
        self.speeds_mps = np.concatenate([*speeds, np.zeros(0)])
        self.grades = np.concatenate([*slopes, np.zeros(0)])
        self.first = np.cumsum([0, *map(len, speeds)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.first) - 1

    @property
    def seconds(self) -> Counts:
        """How long each lasts."""
        return np.diff(self.first)

    def of(self, index: int) -> tuple[Floats, Floats]:
        """Speeds and grades of one."""
        part = slice(int(self.first[index]), int(self.first[index + 1]))
        return self.speeds_mps[part], self.grades[part]


class Stretch(NamedTuple):
    """A part of one car's life.

    Fields:
        seconds: how long, a whole number.
        trace: which of the traces it drives; STANDS where it stands.
    """

    seconds: int
    setting: Setting
    trace: int = STANDS


class Schedule:
    """What each car of a fleet does from second 0 on.

    Args:
        first: of each car, its first span, and one more: (cars + 1,).
        end_s: of each span, car by car, when it ends: (spans,).
        trace: the trace it drives, or STANDS; setting: which of `settings` holds: (spans,).
        ambient_degc: a number, (times,) for all, or (times, places).
        weather_s: for how long each of the times holds; the last holds on.
        place: of each car, its column of the weather: (cars,).

    Raises:
        InvalidValue: something is not as it has to be.
    """

    def __init__(
        self,
        *,
        first: ArrayLike,
        end_s: ArrayLike,
        trace: ArrayLike,
        setting: ArrayLike,
        settings: Sequence[Setting],
        traces: Traces,
        ambient_degc: ArrayLike = 20.0,
        weather_s: int = 3600,
        place: ArrayLike = 0,
    ) -> None:
        self.first = np.asarray(first, np.int64)
        self.end_s: Indices = _whole("end_s", end_s)
        self.trace: Indices = _whole("trace", trace)
        self.setting: Indices = _whole("setting", setting)
        self.settings = tuple(settings)
        self.traces = traces
        ambient = np.atleast_1d(np.asarray(ambient_degc, np.float64))
        self.ambient_degc = ambient[:, None] if ambient.ndim == 1 else ambient
        self.weather_s = weather_s
        self.place = np.broadcast_to(np.asarray(place, np.int64), self.cars)
        self._check()

    @classmethod
    def of(
        cls,
        lives: Sequence[Sequence[Stretch]],
        *,
        traces: Traces,
        ambient_degc: ArrayLike = 20.0,
        weather_s: int = 3600,
        place: ArrayLike = 0,
    ) -> "Schedule":
        """Of lists of stretches, one for each car."""
        settings: dict[Setting, int] = {}
        which = [
            settings.setdefault(stretch.setting, len(settings))
            for life in lives
            for stretch in life
        ]
        ends = [np.cumsum([stretch.seconds for stretch in life]) for life in lives]
        return cls(
            first=np.cumsum([0, *map(len, lives)]),
            end_s=np.concatenate([*ends, np.zeros(0, np.int64)]),
            trace=[stretch.trace for life in lives for stretch in life],
            setting=which,
            settings=list(settings),
            traces=traces,
            ambient_degc=ambient_degc,
            weather_s=weather_s,
            place=place,
        )

    @property
    def cars(self) -> int:
        """How many."""
        return len(self.first) - 1

    @cached_property
    def begin_s(self) -> Indices:
        """When each span begins, (spans,)."""
        begins = np.concatenate([np.zeros(1, np.int32), self.end_s[:-1]])
        begins[self.first[:-1][self.first[:-1] < len(begins)]] = 0
        return begins

    @property
    def seconds(self) -> int:
        """How long the longest life is."""
        return int(self.end_s.max(initial=0))

    def _check(self) -> None:
        spans = len(self.end_s)
        if self.first[0] != 0 or self.first[-1] != spans or (np.diff(self.first) < 0).any():
            raise InvalidValue(
                f"first goes from {self.first[0]} to {self.first[-1]}; it ascends "
                f"from 0 to {spans}, the number of spans"
            )
        for name, values, low, high in (
            ("trace", self.trace, STANDS, len(self.traces) - 1),
            ("setting", self.setting, 0, len(self.settings) - 1),
        ):
            if len(values) != spans:
                raise InvalidValue(f"{name} has {len(values)} spans, end_s {spans}")
            _check(name, values, low, high, "")
        _check("place", self.place, 0, self.ambient_degc.shape[1] - 1, "")
        _check("ambient_degc", self.ambient_degc, COLDEST_DEGC, WARMEST_DEGC, "°C")
        if self.weather_s < 1:
            raise InvalidValue(f"weather_s is {self.weather_s}; it is 1 or more")
        lasts = self.end_s - self.begin_s
        if (lasts < 1).any():
            span = int((lasts < 1).argmax())
            raise InvalidValue(f"span {span} lasts {lasts[span]} s; at least 1 s is needed")
        drives = self.trace != STANDS
        needed = self.traces.seconds[self.trace[drives]]
        wrong = np.flatnonzero(needed != lasts[drives])
        if len(wrong):
            span = int(np.flatnonzero(drives)[wrong[0]])
            raise InvalidValue(f"span {span} lasts {lasts[span]} s, its trace {needed[wrong[0]]} s")


def _whole(name: str, given: ArrayLike) -> Indices:
    values = np.asarray(given)
    if values.ndim != 1:
        raise InvalidValue(f"{name} has the shape {values.shape}; (spans,) is needed")
    _check(name, values, STANDS, LONGEST_S, "")
    return values.astype(np.int32)


def _check(name: str, values: NDArray[Any], low: float, high: float, unit: str) -> None:
    wrong = ~((values >= low) & (values <= high))
    if wrong.any():
        at = ", ".join(map(str, np.argwhere(wrong)[0]))
        found = f"{name} is {values[wrong][0]:g} {unit}".rstrip()
        raise InvalidValue(f"{found} at {at}; {low:g} to {high:g} is allowed")
