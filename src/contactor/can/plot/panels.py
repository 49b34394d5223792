"""Which signals share a panel, which are drawn when nobody says, and how a line runs.

Signals of one unit share a panel unless one of them would be a flat line there; one without a unit
has its own, and so has one whose values have texts: those are drawn in steps, texts at the axis.

    panels = panels_of(traces)
    ts, values = line_of(trace)
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from contactor.can.plot.span import Span, span_of
from contactor.can.plot.trace import Stamps, Trace, Values

MOST_CHOSEN = 12
MOST_IN_PANEL = 6
# What protects a frame is lively and tells nobody anything.
PROTECTION = re.compile(
    r"crc|check_?sum|csum|chks|counter|(^|[._])cntr?([._\d]|$)|alive|prun|rolling|mux",
    re.IGNORECASE,
)
# What tells how good another signal is: of use, yet seldom what is looked for.
QUALITY = re.compile(
    r"accuracy|precision|uncertain|confidence|quality|deviation|variance|std_?dev|dop([._\d]|$)",
    re.IGNORECASE,
)
QUALITY_PART = 0.2
# A line that takes less of its panel's height shows nothing.
LEAST_HEIGHT = 0.05
# So many of the values seen must have a text.
LEAST_TEXTS = 0.5
MOST_TEXTS = 40
# A longer silence than so many usual steps breaks the line, if it can be seen.
GAP_STEPS, GAP_PART = 10, 0.01
MANY_VALUES = 64


@dataclass(frozen=True, slots=True)
class Panel:
    """Signals over one axis.

    Fields:
        words: where the axis has words, one for each value seen, in the order of values; a value
            without a text is its number. The line then runs through their places, 0, 1, 2 ...
        span: what the axis shows, where it has numbers.
    """

    unit: str
    traces: tuple[tuple[str, Trace], ...]
    words: tuple[str, ...] = ()
    span: Span | None = None

    @property
    def beyond(self) -> tuple[str, ...]:
        """What lies beyond the axis, a line for each signal that has such readings."""
        if self.span is None:
            return ()
        told = (self.span.told(name, trace) for name, trace in self.traces)
        return tuple(line for line in told if line)

    def line(self, trace: Trace) -> tuple[Stamps, Values]:
        """The points that a trace's line runs through; NaN where it breaks."""
        ts, values = line_of(trace)
        if not self.words:
            return ts, values
        places = np.searchsorted(_seen(trace), values).astype(np.float64)
        return ts, np.where(np.isnan(values), np.nan, places)


def panels_of(traces: Mapping[str, Trace]) -> list[Panel]:
    """The panels of signals, in the order of their first signals."""
    groups: list[list[tuple[str, Trace]]] = []
    shared: dict[str, list[_Room]] = {}
    for name, trace in traces.items():
        if not trace.unit or is_worded(trace):
            groups.append([(name, trace)])
            continue
        span = span_of(trace)
        rooms = shared.setdefault(trace.unit, [])
        room = next((room for room in rooms if room.has_place_for(span.low, span.high)), None)
        if room is None:
            room = _Room()
            rooms.append(room)
            groups.append(room.traces)
        room.add(name, trace, span.low, span.high)
    return [_panel(group) for group in groups]


def _panel(group: Sequence[tuple[str, Trace]]) -> Panel:
    _, first = group[0]
    if is_worded(first):
        return Panel(first.unit, tuple(group), words=_words(first))
    spans = [span_of(trace) for _, trace in group]
    whole = Span(min(span.low for span in spans), max(span.high for span in spans))
    return Panel(first.unit, tuple(group), span=whole)


class _Room:
    """A panel that fills with signals of one unit."""

    def __init__(self) -> None:
        self.traces: list[tuple[str, Trace]] = []
        self._least, self._greatest = inf, -inf
        self._least_span = inf

    def has_place_for(self, least: float, greatest: float) -> bool:
        """Whether one more line leaves every line that moves high enough to be seen moving."""
        if len(self.traces) >= MOST_IN_PANEL:
            return False
        height = max(greatest, self._greatest) - min(least, self._least)
        return min(self._least_span, _span(least, greatest)) >= LEAST_HEIGHT * height

    def add(self, name: str, trace: Trace, least: float, greatest: float) -> None:
        self.traces.append((name, trace))
        self._least, self._greatest = min(least, self._least), max(greatest, self._greatest)
        self._least_span = min(self._least_span, _span(least, greatest))


def _span(least: float, greatest: float) -> float:
    """The height of a line; a constant is flat in any panel, and so takes every one."""
    return greatest - least or inf


def liveliest(traces: Mapping[str, Trace]) -> list[str]:
    """The signals worth a look, at most twelve, in the order given.

    Those that take many values and glide come first; noise, constants and what protects frames last
    or never.
    """
    scores = {name: _liveliness(name, trace) for name, trace in traces.items()}
    ranked = sorted((name for name in traces if scores[name] > 0), key=lambda name: -scores[name])
    chosen = set(ranked[:MOST_CHOSEN])
    return [name for name in traces if name in chosen]


def _liveliness(name: str, trace: Trace) -> float:
    if not trace.readings or PROTECTION.search(name.partition(".")[2]):
        return 0.0
    span = span_of(trace)
    spread = span.high - span.low
    if spread <= 0:
        return 0.0
    last = np.clip(trace.last, span.low, span.high)
    travel = float(np.abs(np.diff(last)).mean()) / spread if len(last) > 1 else 0.0
    values = min(len(np.unique(last)), MANY_VALUES) / MANY_VALUES
    rank = QUALITY_PART if QUALITY.search(name.partition(".")[2]) else 1.0
    return rank * values * max(1 - 4 * travel, 0.05) * (2 if trace.unit else 1)


def is_worded(trace: Trace) -> bool:
    """Whether the values seen are words rather than numbers."""
    if not trace.texts:
        return False
    seen = _seen(trace)
    if len(seen) > MOST_TEXTS:
        return False
    return sum(value in trace.texts for value in seen.tolist()) >= LEAST_TEXTS * len(seen)


def _seen(trace: Trace) -> Values:
    """The values at hand, ascending."""
    return np.unique(np.concatenate([trace.first, trace.last, trace.least, trace.greatest]))


def _words(trace: Trace) -> tuple[str, ...]:
    return tuple(trace.texts.get(value, f"{value:.15g}") for value in _seen(trace).tolist())


def line_of(trace: Trace) -> tuple[Stamps, Values]:
    """The points that a line runs through; NaN where it breaks.

    A point that stands for several readings is a stroke: first, least, greatest, last.
    """
    ts, first, least, greatest, last = (
        trace.ts,
        trace.first,
        trace.least,
        trace.greatest,
        trace.last,
    )
    is_stroke = (least != greatest) | (first != last)
    counts = np.where(is_stroke, 4, 1) + _breaks(ts, trace.run)
    ends = np.cumsum(counts)
    stamps = np.repeat(ts, counts)
    values = np.full(len(stamps), np.nan)
    starts = ends - counts
    values[starts] = first
    strokes = starts[is_stroke]
    values[strokes + 1] = least[is_stroke]
    values[strokes + 2] = greatest[is_stroke]
    values[strokes + 3] = last[is_stroke]
    return stamps, values


def _breaks(ts: Stamps, run: Stamps) -> np.ndarray:
    """1 where a point is followed by a long silence, or by a restart of the clock."""
    if len(ts) < 2:
        return np.zeros(len(ts), np.int64)
    ends_run = np.diff(run) > 0
    steps = np.diff(ts)
    within = steps[~ends_run]
    if len(within) > 1:
        usual, part = GAP_STEPS * float(np.median(within)), GAP_PART * float(ts.max() - ts.min())
        ends_run |= steps > max(usual, part)
    return np.append(ends_run, False).astype(np.int64)
