"""A line through points, read fast: the points are laid on even steps once.

Curve([0.0, 1.0], [3.3, 4.2]).at(0.5)       # 3.75; the ends hold beyond the ends
"""

from collections.abc import Sequence
from itertools import pairwise

STEPS = 200


class Curve:
    """Straight lines between points; points at multiples of a 200th of the span are met exactly."""

    __slots__ = ("_first", "_last", "_scale", "_values")

    def __init__(self, x: Sequence[float], y: Sequence[float]) -> None:
        """`x` (n,) ascending, `y` (n,), n at least 2."""
        step = (x[-1] - x[0]) / STEPS
        self._first = x[0]
        self._scale = 1 / step
        self._last = STEPS
        self._values = [_between(x, y, x[0] + index * step) for index in range(STEPS + 1)]

    def at(self, x: float) -> float:
        """The value at `x`."""
        place = (x - self._first) * self._scale
        if place <= 0:
            return self._values[0]
        index = int(place)
        if index >= self._last:
            return self._values[-1]
        low = self._values[index]
        return low + (self._values[index + 1] - low) * (place - index)

    def integral(self) -> "Curve":
        """The curve of the area below this one, from its first point on."""
        width = 1 / self._scale
        areas = [0.0]
        for low, high in pairwise(self._values):
            areas.append(areas[-1] + (low + high) / 2 * width)
        curve = Curve([self._first, self._first + STEPS * width], [0.0, 0.0])
        curve._values = areas
        return curve


def _between(x: Sequence[float], y: Sequence[float], at: float) -> float:
    for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True)):
        if at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return y[-1]
