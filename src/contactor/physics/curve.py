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
        self._values = _at_even_steps(x, y, step)

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


def _at_even_steps(x: Sequence[float], y: Sequence[float], step: float) -> list[float]:
    values, right = [], 1
    for index in range(STEPS + 1):
        at = x[0] + index * step
        while at > x[right] and right < len(x) - 1:
            right += 1
        if at > x[right]:
            values.append(y[right])
            continue
        low, high = x[right - 1], x[right]
        values.append(y[right - 1] + (y[right] - y[right - 1]) * (at - low) / (high - low))
    return values
