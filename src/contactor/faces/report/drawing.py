"""Charts as shapes, which a page of HTML and one of PDF draw alike.

    shapes = draw(chart, width=640.0, height=220.0)     # y grows downwards, as on a screen

A shape has a role, not a colour: the page says how a band or a bar looks, in the light, in the
dark, on paper.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from contactor.history.battery.certificate import Bars, Curve

Role: TypeAlias = Literal[
    "axis", "grid", "band", "line", "ahead", "level", "dot", "bar", "marked", "text", "muted"
]
Anchor: TypeAlias = Literal["start", "middle", "end"]
Point: TypeAlias = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 44.0, 14.0, 10.0, 24.0
TICKS, TICK_STEPS = 4, (1.0, 2.0, 2.5, 5.0, 10.0)
# Below this width of a bar its label stands only at every so many.
LABEL_WIDTH = 26.0
DAY_NS = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Line:
    """Points joined."""

    role: Role
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Area:
    """Points joined and filled."""

    role: Role
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    """A point."""

    role: Role
    at: Point


@dataclass(frozen=True, slots=True)
class Text:
    """Words whose foot is at a point."""

    role: Role
    at: Point
    text: str
    anchor: Anchor = "middle"


Shape: TypeAlias = Line | Area | Dot | Text


def draw(chart: Curve | Bars, *, width: float, height: float) -> list[Shape]:
    """The shapes of a chart, the last on top."""
    frame = _Frame(width, height)
    if isinstance(chart, Curve):
        return _curve(chart, frame)
    return _bars(chart, frame)


class _Frame:
    """Where the values of a chart lie."""

    def __init__(self, width: float, height: float) -> None:
        self.left, self.right = LEFT, width - RIGHT
        self.top, self.bottom = TOP, height - BOTTOM

    def x(self, part: float) -> float:
        """Of a part of the width, 0 to 1."""
        return self.left + part * (self.right - self.left)

    def y(self, value: float, ticks: Sequence[float]) -> float:
        """Of a value between the first and the last tick."""
        part = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return self.bottom - part * (self.bottom - self.top)

    def scale(self, ticks: Sequence[float]) -> list[Shape]:
        """Lines across with their values."""
        shapes: list[Shape] = []
        digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9))
        for tick in ticks:
            y = self.y(tick, ticks)
            shapes.append(Line("grid", ((self.left, y), (self.right, y))))
            shapes.append(Text("muted", (self.left - 6, y + 3.5), f"{tick:.{digits}f}", "end"))
        return shapes


def _curve(chart: Curve, frame: _Frame) -> list[Shape]:
    reach = [*chart.values, *chart.low, *chart.high]
    if chart.level is not None:
        reach.append(chart.level)
    ticks = _ticks(min(reach), max(reach))
    first_ns, last_ns = chart.ts_ns[0], max(chart.ts_ns[-1], chart.ts_ns[0] + DAY_NS)
    across = [frame.x((ts - first_ns) / (last_ns - first_ns)) for ts in chart.ts_ns]
    shapes = frame.scale(ticks)
    shapes += _dates(first_ns, last_ns, frame)
    if chart.low and chart.high:
        upper = [(x, frame.y(value, ticks)) for x, value in zip(across, chart.high, strict=True)]
        lower = [(x, frame.y(value, ticks)) for x, value in zip(across, chart.low, strict=True)]
        shapes.append(Area("band", (*upper, *lower[::-1])))
    if chart.level is not None:
        y = frame.y(chart.level, ticks)
        shapes.append(Line("level", ((frame.left, y), (frame.right, y))))
        shapes.append(Text("muted", (frame.right, y - 4), chart.level_label, "end"))
    points = tuple(
        (x, frame.y(value, ticks)) for x, value in zip(across, chart.values, strict=True)
    )
    if chart.is_scattered:
        return [*shapes, *(Dot("dot", point) for point in points)]
    known = len(points) - chart.ahead
    if chart.ahead:
        shapes.append(Line("ahead", points[known - 1 :]))
    return [*shapes, Line("line", points[:known])]


def _dates(first_ns: int, last_ns: int, frame: _Frame) -> list[Shape]:
    """The first day, the last, and the middle one, below."""
    shapes: list[Shape] = []
    anchors: tuple[Anchor, ...] = ("start", "middle", "end")
    for part, anchor in zip((0.0, 0.5, 1.0), anchors, strict=True):
        instant = dt.datetime.fromtimestamp((first_ns + part * (last_ns - first_ns)) / 1e9, dt.UTC)
        at = frame.x(part), frame.bottom + 16
        shapes.append(Text("muted", at, instant.date().isoformat(), anchor))
    return shapes


def _bars(chart: Bars, frame: _Frame) -> list[Shape]:
    ticks = _ticks(min(*chart.values, 0.0), max(*chart.values, 0.0))
    count = len(chart.values)
    step = (frame.right - frame.left) / count
    every = _every(count, step)
    shapes = frame.scale(ticks)
    zero_y = frame.y(0.0, ticks)
    for index, (label, value) in enumerate(zip(chart.labels, chart.values, strict=True)):
        begin = frame.left + index * step + step * 0.15
        end, y = begin + step * 0.7, frame.y(value, ticks)
        role: Role = "marked" if index in chart.marked else "bar"
        shapes.append(Area(role, ((begin, zero_y), (begin, y), (end, y), (end, zero_y))))
        if index == 0 or (index + 1) % every == 0:
            shapes.append(Text("muted", ((begin + end) / 2, frame.bottom + 16), label))
        if every == 1:
            shapes.append(Text("text", ((begin + end) / 2, y - 4), f"{value:.0f}"))
    return [*shapes, Line("axis", ((frame.left, zero_y), (frame.right, zero_y)))]


def _every(count: int, step: float) -> int:
    """Only every so many bars have room for a label."""
    return (
        1
        if step >= LABEL_WIDTH
        else next(n for n in (4, 8, 12, 24, 48, 1000) if n * step >= LABEL_WIDTH)
    )


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that hold all values between them."""
    width = max(high - low, 1e-3 * max(abs(high), abs(low)), 1e-9) / TICKS
    power = 10.0 ** math.floor(math.log10(width))
    step = next(one * power for one in TICK_STEPS if one * power >= width * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    last = max(math.ceil(high / step - 1e-9), first + 1)
    return [number * step for number in range(first, last + 1)]
