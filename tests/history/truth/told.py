"""What a virtual car tells of its life: some signals, at some pace, by sensors that err.

    rows = tell(life, KITS["agent"], np.random.default_rng(1))
    rows.columns()                      # as history takes them

Rows keep the second in which they truly were, beside their stamp, so that what is lost or dated
wrongly later on is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from contactor.history.columns import Columns
from tests.history.truth.lives import Flags, Floats, Life

S = 10**9
START_NS = 1_767_225_600 * S  # 2026-01-01
J_PER_KWH = 3.6e6
PARK, DRIVE = 126.0, 1.0
M_PER_DEG = 111_195.0
WIDE = ("latitude_deg", "longitude_deg", "odometer_m", "consumed_kwh", "charged_kwh")
FLOW = ("speed_kmh", "voltage_v", "current_a", "power_w")
WHERE = ("latitude_deg", "longitude_deg")
COUNTS = ("consumed_kwh", "charged_kwh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """Which signals a car gives, how finely, and how often it tells them.

    Fields:
        drive_s, charge_s, awake_s, asleep_s: between two rows; None for silence.
        is_of_means: speed, current and power are means since the row before, as an agent makes
            them; else instants.
        level_pct, count_kwh, odometer_m: the steps of the state of charge and of the counters.
    """

    signals: tuple[str, ...]
    drive_s: int = 1
    charge_s: int = 10
    awake_s: int = 60
    asleep_s: int | None = None
    is_of_means: bool = True
    level_pct: float = 0.1
    count_kwh: float = 0.01
    odometer_m: float = 100.0

    def gives(self, *names: str) -> bool:
        """Whether it gives any of these."""
        return any(name in self.signals for name in names)


STATES = ("is_plugged", "is_charging", "state_of_charge_pct", "ambient_degc", "battery_degc")
KITS: Mapping[str, Kit] = {
    "agent": Kit(signals=(*FLOW, *WHERE, *COUNTS, *STATES, "odometer_m", "is_on", "gear")),
    "gear": Kit(
        signals=("speed_kmh", "voltage_v", "current_a", *STATES, *WHERE, "odometer_m", "gear"),
        drive_s=5,
        charge_s=60,
        level_pct=0.5,
        odometer_m=1000.0,
    ),
    "adapter": Kit(
        signals=("speed_kmh", "voltage_v", "current_a", "state_of_charge_pct", "ambient_degc"),
        charge_s=30,
        is_of_means=False,
        level_pct=0.5,
    ),
    "power": Kit(
        signals=("speed_kmh", "power_w", "state_of_charge_pct", "ambient_degc", "is_on", *COUNTS),
        drive_s=10,
        charge_s=30,
        asleep_s=900,
        level_pct=1.0,
    ),
    "receiver": Kit(
        signals=(*WHERE, "voltage_v", "current_a", "is_plugged", "state_of_charge_pct"),
        drive_s=2,
        asleep_s=60,
    ),
    "slow": Kit(
        signals=(*WHERE, *COUNTS, *STATES, "odometer_m", "gear", "power_w"),
        drive_s=60,
        charge_s=60,
        is_of_means=False,
        level_pct=1.0,
        count_kwh=0.1,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensors:
    """How a car's sensors err, the same all its life: gains, and an offset in A."""

    current_gain: float = 1.0
    voltage_gain: float = 1.0
    current_offset_a: float = 0.0

    @classmethod
    def of(cls, life: Life, random: np.random.Generator) -> "Sensors":
        """As cars have them: half a percent of gain, and of the usual current, under 1 A."""
        flowing = np.abs(life.current_a[np.abs(life.current_a) > 1])
        usual_a = float(flowing.mean()) if len(flowing) else 0.0
        return cls(
            current_gain=1 + random.normal(0, 0.005),
            voltage_gain=1 + random.normal(0, 0.002),
            current_offset_a=float(np.clip(random.normal(0, 0.005) * usual_a, -0.9, 0.9)),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Rows as they are told, in any order.

    Fields:
        second: when each truly was; ts: what its stamp says, ns.
        values: of each signal, (n,), NaN where unknown.
        late: rows that come when all others have been read.
    """

    second: Floats
    ts: NDArray[np.int64]
    values: Mapping[str, Floats]
    late: Flags = field(default_factory=lambda: np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.ts)

    def where(self, kept: NDArray[np.generic]) -> "Rows":
        """Some of them, by a mask or by places."""
        late = self.late[kept] if len(self.late) else self.late
        values = {name: column[kept] for name, column in self.values.items()}
        return replace(self, second=self.second[kept], ts=self.ts[kept], values=values, late=late)

    def with_values(self, **columns: Floats) -> "Rows":
        """With other values of some signals."""
        return replace(self, values={**self.values, **columns})

    def in_order(self) -> "Rows":
        """By stamp, each once."""
        _, first = np.unique(self.ts, return_index=True)
        return self.where(first)

    def columns(self, kept: Flags | None = None) -> Columns:
        """As history takes them."""
        rows = self if kept is None else self.where(kept)
        return Columns(
            ts=rows.ts,
            **{
                name: column.astype(np.float64 if name in WIDE else np.float32)
                for name, column in rows.values.items()
            },
        )


def tell(life: Life, kit: Kit, random: np.random.Generator, sensors: Sensors) -> Rows:
    """All that a car tells while nothing goes wrong."""
    at, since_s = _rows(life, kit)
    second = life.seconds[at].astype(np.float64)
    values = _measured(life, kit, random, sensors, at, since_s)
    values |= _levels(life, kit, random, sensors, at)
    latitude, longitude = _way(life, random)
    noise_deg = random.normal(0, 3.0 / M_PER_DEG, (2, len(at)))
    values["latitude_deg"] = latitude[at] + noise_deg[0]
    values["longitude_deg"] = longitude[at] + noise_deg[1]
    return Rows(
        second=second,
        ts=START_NS + second.astype(np.int64) * S,
        values={name: values[name].astype(np.float64) for name in kit.signals},
    )


def sensed_j(life: Life, sensors: Sensors) -> Floats:
    """What went out of the battery up to each step, net, as its sensors have it without a gap."""
    lasts_s = np.diff(life.seconds, prepend=0)
    amperes = life.current_a * sensors.current_gain + sensors.current_offset_a
    summed: Floats = np.cumsum(-life.voltage_v * sensors.voltage_gain * amperes * lasts_s)
    return summed


def _rows(life: Life, kit: Kit) -> tuple[NDArray[np.int64], Floats]:
    """At the end of which steps a row is written, and what it speaks for, s."""
    every_s = np.full(len(life.seconds), kit.asleep_s or 0)
    every_s[life.is_awake] = kit.awake_s
    every_s[life.is_charging] = kit.charge_s
    every_s[life.is_on] = kit.drive_s
    told = np.stack([life.is_on, life.is_plugged, life.is_charging])
    has_changed = np.append(False, (told[:, 1:] != told[:, :-1]).any(axis=0))
    is_quick = kit.drive_s < 60
    rows, since, last_s = [], [], -(10**9)
    for step, (now_s, period_s) in enumerate(
        zip(life.seconds.tolist(), every_s.tolist(), strict=True)
    ):
        if period_s and (now_s - last_s >= period_s or (is_quick and has_changed[step])):
            rows.append(step)
            since.append(min(now_s - last_s, period_s))
            last_s = now_s
    return np.array(rows, np.int64), np.array(since, np.float64)


def _measured(
    life: Life,
    kit: Kit,
    random: np.random.Generator,
    sensors: Sensors,
    at: NDArray[np.int64],
    since_s: Floats,
) -> dict[str, Floats]:
    """Speed, voltage, current and power."""
    count = len(at)
    voltage = life.voltage_v[at] * sensors.voltage_gain + random.normal(0, 0.2, count)
    if kit.is_of_means:
        seconds = life.seconds.astype(np.float64)
        end_s = seconds[at]

        def mean(summed: Floats) -> Floats:
            before = np.interp(end_s - since_s, seconds, summed)
            return (summed[at] - before) / since_s

        speed = mean(life.distance_m) * 3.6
        current = mean(life.charge_as) * sensors.current_gain + sensors.current_offset_a
        power = -mean(sensed_j(life, sensors))
    else:
        speed = life.speed_kmh[at]
        current = life.current_a[at] * sensors.current_gain + sensors.current_offset_a
        power = life.voltage_v[at] * sensors.voltage_gain * current
    current = current + random.normal(0, 0.3, count)
    power = power + random.normal(0, 100.0, count)
    speed = np.where(life.is_on[at] | (speed > 0), speed, 0.0)
    return {"speed_kmh": speed, "voltage_v": voltage, "current_a": current, "power_w": power}


def _levels(
    life: Life, kit: Kit, random: np.random.Generator, sensors: Sensors, at: NDArray[np.int64]
) -> dict[str, Floats]:
    """States, levels and counters."""
    charge = life.state_of_charge_pct[at]
    # The car's own estimate of its charge lies beside the truth, here above it, there below.
    bent = random.normal(0, 0.15) * np.sin(2 * np.pi * (charge / 100 + random.uniform()))
    flows_j = np.diff(sensed_j(life, sensors), prepend=0.0)
    out_kwh = np.cumsum(np.maximum(flows_j, 0.0))[at] / J_PER_KWH
    in_kwh = np.cumsum(np.maximum(-flows_j, 0.0))[at] / J_PER_KWH
    begins_kwh = random.uniform(100, 20_000, 2)
    return {
        "is_on": life.is_on[at],
        "gear": np.where(life.in_gear[at], DRIVE, PARK),
        "is_plugged": life.is_plugged[at],
        "is_charging": life.is_charging[at],
        "state_of_charge_pct": _stepped(np.clip(charge + bent, 0, 100), kit.level_pct),
        "odometer_m": _stepped(life.distance_m[at] + random.uniform(0, 2e8), kit.odometer_m),
        "consumed_kwh": _stepped(out_kwh + begins_kwh[0], kit.count_kwh),
        "charged_kwh": _stepped(in_kwh + begins_kwh[1], kit.count_kwh),
        "ambient_degc": np.round(life.ambient_degc[at] * 2) / 2,
        "battery_degc": np.round(life.battery_degc[at]),
    }


def _stepped(values: Floats, step: float) -> Floats:
    stepped: Floats = np.floor(values / step) * step
    return stepped


def _way(life: Life, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Where the car was at the end of each step: a way that winds."""
    steps_m = np.diff(life.distance_m, prepend=0.0)
    heading = np.cumsum(random.normal(0, 0.02, len(steps_m)) * np.sqrt(steps_m))
    latitude = 47.0 + np.cumsum(steps_m * np.cos(heading)) / M_PER_DEG
    scale = M_PER_DEG * np.cos(np.radians(47.0))
    return latitude, 9.5 + np.cumsum(steps_m * np.sin(heading)) / scale
