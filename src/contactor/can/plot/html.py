"""Panels as one HTML file that opens without a network: page.html with the data inside.

    draw(panels, title="drive.log", is_dated=False)       # b"<!doctype html>..."

Times are whole microseconds, each counted from the one before: below 0 where the clock restarts.
Values have as many digits as tell a millionth of their line's span.
"""

import html
import json
from collections.abc import Sequence
from importlib import resources
from math import isfinite, log10

import numpy as np

from contactor.can.plot.panels import Panel
from contactor.can.plot.trace import Trace, Values
from contactor.clock import NS_PER_MS, NS_PER_US

TITLE_MARK, NOTE_MARK, DATA_MARK = "{{title}}", "{{note}}", "{{data}}"
LEAST_DIGITS = 7
# By that part of a span, written values may be off.
ROUNDING = 1e-6
# No float64 needs more.
MOST_DIGITS = 17
# Those that every decimal number keeps in a float64.
SURE_DIGITS = 15


def draw(panels: Sequence[Panel], *, title: str, is_dated: bool, note: str = "") -> bytes:
    """The page; the note stands beside the title."""
    start = min(int(trace.ts.min()) for panel in panels for _, trace in panel.traces)
    data = {
        "isDated": is_dated,
        "start": start / NS_PER_MS,
        "panels": [_panel(panel, start) for panel in panels],
    }
    # `<` within a script could end it.
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    page = resources.files(__package__).joinpath("page.html").read_text("utf-8")
    for mark, shown in ((TITLE_MARK, html.escape(title)), (NOTE_MARK, html.escape(note))):
        page = page.replace(mark, shown)
    return page.replace(DATA_MARK, text).encode()


def _panel(panel: Panel, start: int) -> dict[str, object]:
    shown: dict[str, object] = {
        "unit": panel.unit,
        "words": panel.words,
        "lines": [_line(panel, name, trace, start) for name, trace in panel.traces],
    }
    if panel.span is not None and panel.beyond:
        shown["beyond"] = panel.beyond
        slack = panel.span.height * ROUNDING
        shown["span"] = [panel.span.low - slack, panel.span.high + slack]
    return shown


def _line(panel: Panel, name: str, trace: Trace, start: int) -> dict[str, object]:
    ts, values = panel.line(trace)
    times = (ts - start) // NS_PER_US
    span = panel.span
    digits = _digits(values if span is None else np.clip(values, span.low, span.high))
    return {
        "name": name,
        "readings": trace.readings,
        "t": np.diff(times, prepend=0).tolist(),
        "v": _numbers(values, digits),
        "digits": digits,
    }


def _digits(values: Values) -> int:
    """How many digits a line needs: a counter of seconds since 1970 more than a speed."""
    there = values[np.isfinite(values)]
    if not len(there):
        return LEAST_DIGITS
    least, greatest = float(there.min()), float(there.max())
    if least == greatest:
        return SURE_DIGITS
    most = max(abs(least), abs(greatest))
    return min(LEAST_DIGITS + int(log10(max(most / (greatest - least), 1.0))), MOST_DIGITS)


def _numbers(values: Values, digits: int) -> list[float | int | None]:
    return [_number(value, digits) if isfinite(value) else None for value in values.tolist()]


def _number(value: float, digits: int) -> float | int:
    short = value if digits > SURE_DIGITS else float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 2**53 else short
