"""What an axis shows of a signal: all but the few readings that would make the rest a flat line.

    span = span_of(trace)
    span.low, span.high               # of the axis, without the slack around it
    span.below(trace)                 # (n,), the trace's points below it; mostly none
    span.told("M.Speed", trace)       # "1 point of M.Speed lies beyond the axis: 1e+09"

A reading is beyond if it lies outside of what 99.8 % of the readings take, and of what three in a
row ever reach, by ten times the height of that. So a step that holds is always shown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.plot.trace import Trace, Values

# On either side, so much of the readings may be beyond.
BEYOND_PART = 0.001
FEWEST_READINGS = 50
# At that distance the rest of the line takes less than a twentieth of the height.
FAR = 10


@dataclass(frozen=True, slots=True)
class Span:
    """From where to where an axis goes."""

    low: float
    high: float

    @property
    def height(self) -> float:
        return self.high - self.low

    def below(self, trace: Trace) -> NDArray[np.bool_]:
        """The points that go below, (n,)."""
        return np.asarray(trace.least < self.low, np.bool_)

    def above(self, trace: Trace) -> NDArray[np.bool_]:
        """The points that go above, (n,)."""
        return np.asarray(trace.greatest > self.high, np.bool_)

    def told(self, name: str, trace: Trace) -> str:
        """For people, what is beyond; "" where nothing is."""
        below, above = self.below(trace), self.above(trace)
        points = int((below | above).sum())
        if not points:
            return ""
        ends = [f"{trace.least.min():.6g}"] if below.any() else []
        ends += [f"{trace.greatest.max():.6g}"] if above.any() else []
        what = f"1 point of {name} lies" if points == 1 else f"{points} points of {name} lie"
        reach = "" if points == len(ends) else "up to "
        return f"{what} beyond the axis: {reach}{' and '.join(ends)}"


def span_of(trace: Trace) -> Span:
    """What to show of a trace that has readings."""
    first, last, least, greatest = trace.first, trace.last, trace.least, trace.greatest
    whole = Span(float(least.min()), float(greatest.max()))
    if trace.readings < FEWEST_READINGS:
        return whole
    low, high = _core(last)
    low = min(low, float(trace.held_least.min()))
    high = max(high, float(trace.held_greatest.max()))
    reach = FAR * (high - low)
    if not 0 < reach < np.inf:
        return whole
    seen = np.concatenate([first, last, least, greatest])
    near = seen[(seen >= low - reach) & (seen <= high + reach)]
    return Span(float(near.min()), float(near.max()))


def _core(values: Values) -> tuple[float, float]:
    """Between which values all lie but `BEYOND_PART` on either side, one at least."""
    spare = max(1, int(BEYOND_PART * len(values)))
    ordered = np.sort(values)
    return float(ordered[spare]), float(ordered[-1 - spare])
