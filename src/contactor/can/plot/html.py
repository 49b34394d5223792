"""Panels as one HTML file that opens without a network: page.html with the data inside.

    draw(panels, title="drive.log", is_dated=False)       # b"<!doctype html>..."

Times are whole microseconds, each counted from the one before; values have seven digits.
"""

import html
import json
from collections.abc import Sequence
from importlib import resources
from math import isfinite

import numpy as np

from contactor.can.plot.panels import Panel
from contactor.can.plot.trace import Values
from contactor.clock import NS_PER_MS

NS_PER_US = 1000
TITLE_MARK, DATA_MARK = "{{title}}", "{{data}}"


def draw(panels: Sequence[Panel], *, title: str, is_dated: bool) -> bytes:
    """The page."""
    start = min(int(trace.ts[0]) for panel in panels for _, trace in panel.traces)
    data = {
        "isDated": is_dated,
        "start": start / NS_PER_MS,
        "panels": [_panel(panel, start) for panel in panels],
    }
    # `<` within a script could end it.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = resources.files(__package__).joinpath("page.html").read_text("utf-8")
    return page.replace(TITLE_MARK, html.escape(title)).replace(DATA_MARK, text).encode()


def _panel(panel: Panel, start: int) -> dict[str, object]:
    lines = []
    for name, trace in panel.traces:
        ts, values = panel.line(trace)
        times = (ts - start) // NS_PER_US
        lines.append(
            {
                "name": name,
                "readings": trace.readings,
                "t": np.diff(times, prepend=0).tolist(),
                "v": _numbers(values),
            }
        )
    return {"unit": panel.unit, "words": panel.words, "lines": lines}


def _numbers(values: Values) -> list[float | int | None]:
    return [_number(value) if isfinite(value) else None for value in values.tolist()]


def _number(value: float) -> float | int:
    short = float(f"{value:.7g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short
