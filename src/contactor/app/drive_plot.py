"""A simulated drive as a picture: speed, power, state of charge, temperatures.

draw_drive(drive, Path("drive.png"), title="contactor_ev, WLTC3b")
"""

from pathlib import Path

import numpy as np

from contactor.can.output.whole import whole_file
from contactor.can.plot.panels import panels_of
from contactor.can.plot.trace import Trace
from contactor.clock import NS_PER_S
from contactor.physics.follow import CycleDrive

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


def draw_drive(drive: CycleDrive, path: Path, *, title: str) -> None:
    """Draw into a .png or .html, which appears only when it is whole.

    Raises:
        ContactorError: the file cannot be written.
    """
    ts = np.round(drive.series["time_s"] * NS_PER_S).astype(np.int64)
    traces: dict[str, Trace] = {}
    for column, name, unit in LINES:
        traces[name] = Trace(unit)
        traces[name].add(ts, drive.series[column])
    if path.suffix.lower() == ".png":
        from contactor.can.plot.png import draw
    else:
        from contactor.can.plot.html import draw
    with whole_file(path) as part:
        part.write_bytes(draw(panels_of(traces), title=title, is_dated=False))
