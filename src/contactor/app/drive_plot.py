"""A simulated drive or life as a picture: speed, power, state of charge, temperatures.

draw_drive(drive, Path("drive.png"), title="contactor_ev, WLTC3b")
draw_life(life, Path("year.png"), title="contactor_ev, year")      # a longer one by the day
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contactor.can.output.whole import whole_file
from contactor.can.plot.panels import panels_of
from contactor.can.plot.trace import Trace
from contactor.clock import NS_PER_S
from contactor.physics.calendar import EPOCH, NS_PER_DAY, start_of
from contactor.physics.constants import J_PER_KWH
from contactor.physics.cycles.cycle import Values
from contactor.physics.follow import CycleDrive
from contactor.physics.scenarios.life import Day, Life

LINES = (
    ("speed_target_kmh", "speed of the cycle", "km/h"),
    ("speed_kmh", "speed", "km/h"),
    ("battery_power_kw", "battery power, + charges", "kW"),
    ("soc_pct", "state of charge", "%"),
    ("battery_temperature_degc", "battery", "°C"),
    ("motor_temperature_degc", "motor", "°C"),
    ("ambient_degc", "air", "°C"),
)
"""Column of the series, its name in the picture, its unit."""
LIFE_LINES = (
    ("speed_kmh", "speed", "km/h"),
    ("battery_power_kw", "battery power, + charges", "kW"),
    ("soc_pct", "state of charge", "%"),
    ("battery_temperature_degc", "battery", "°C"),
    ("cabin_temperature_degc", "cabin", "°C"),
    ("ambient_degc", "air", "°C"),
)
# A longer life is drawn by the day.
SHORT_DAYS = 14


def draw_drive(drive: CycleDrive, path: Path, *, title: str) -> None:
    """Draw into a .png or .html, which appears only when it is whole.

    Raises:
        ContactorError: the file cannot be written.
    """
    _draw(
        np.round(drive.series["time_s"] * NS_PER_S).astype(np.int64),
        {name: (unit, drive.series[column]) for column, name, unit in LINES},
        path,
        title=title,
        is_dated=False,
    )


def draw_life(life: Life, path: Path, *, title: str) -> None:
    """Draw a life: as it was, or by the day where it has more than SHORT_DAYS.

    Raises:
        ContactorError: the file cannot be written.
    """
    start_ns = start_of((life.days[0].date - EPOCH).days)
    if len(life.days) <= SHORT_DAYS:
        ts = start_ns + np.round(life.series["time_s"] * NS_PER_S).astype(np.int64)
        lines = {name: (unit, life.series[column]) for column, name, unit in LIFE_LINES}
    else:
        ts = start_ns + np.arange(len(life.days), dtype=np.int64) * NS_PER_DAY
        lines = _by_day(life)
    _draw(ts, lines, path, title=title, is_dated=True)


def _by_day(life: Life) -> dict[str, tuple[str, Values]]:
    def column(read: Callable[[Day], float]) -> Values:
        return np.array([read(day) for day in life.days], np.float64)

    return {
        "distance": ("km", column(lambda day: day.distance_m / 1000)),
        "consumption": (
            "Wh/km",
            column(
                lambda day: day.driving_j / 3.6 / day.distance_m if day.distance_m else float("nan")
            ),
        ),
        "from the wall": ("kWh", column(lambda day: day.wall_j / J_PER_KWH)),
        "highest state of charge": ("%", column(lambda day: day.state_of_charge_max * 100)),
        "lowest state of charge": ("%", column(lambda day: day.state_of_charge_min * 100)),
        "air": ("°C", column(lambda day: day.ambient_degc)),
    }


def _draw(
    ts: NDArray[np.int64],
    lines: dict[str, tuple[str, Values]],
    path: Path,
    *,
    title: str,
    is_dated: bool,
) -> None:
    traces: dict[str, Trace] = {}
    for name, (unit, values) in lines.items():
        is_known = np.isfinite(values)
        traces[name] = Trace(unit)
        traces[name].add(ts[is_known], values[is_known])
    if path.suffix.lower() == ".png":
        from contactor.can.plot.png import draw
    else:
        from contactor.can.plot.html import draw
    with whole_file(path) as part:
        part.write_bytes(draw(panels_of(traces), title=title, is_dated=is_dated))
