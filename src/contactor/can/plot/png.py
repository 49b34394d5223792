"""Panels as a PNG, by matplotlib; the only module that knows it.

draw(panels, title="drive.log", is_dated=False)       # b"\\x89PNG..."
"""

import io
from collections.abc import Sequence
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from contactor.can.plot.panels import Panel
from contactor.can.plot.span import Span
from contactor.can.plot.trace import Stamps
from contactor.clock import NS_PER_DAY, NS_PER_S

WIDTH_IN, PANEL_IN, HEAD_IN, FOOT_IN = 12.0, 1.9, 0.5, 0.55
WORDED_IN, NOTE_IN = 0.28, 0.2
DOTS_PER_INCH = 130
# Told apart by everybody: M. Okabe, K. Ito, "Color universal design", 2008.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
TEXT, FAINT, GRID = "#1c272c", "#5c6b73", "#e3e9ec"
MOST_TICKS, MOST_LETTERS = 10, 26
# Around the lines, and from an edge to the middle of the marks at it; parts of the height.
SLACK, EDGE = 0.08, 0.03
# Numbers outside are written with an exponent; from 1e16 on float64 has no units left.
LEAST_PLAIN, MOST_PLAIN = 1e-5, 1e16


def draw(panels: Sequence[Panel], *, title: str, is_dated: bool, note: str = "") -> bytes:
    """A PNG of panels one below the other, with one time axis; the note stands at the foot."""
    heights = [_height_in(panel) for panel in panels]
    height = sum(heights) + HEAD_IN + FOOT_IN + (NOTE_IN if note else 0)
    with mpl.rc_context(
        {
            "font.size": 8.5,
            "axes.edgecolor": FAINT,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.color": GRID,
            "grid.linewidth": 0.7,
            "xtick.color": FAINT,
            "ytick.color": FAINT,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "path.simplify": True,
            "agg.path.chunksize": 20_000,
        }
    ):
        figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color=TEXT)
        if note:
            figure.supxlabel(note, x=0.01, ha="left", fontsize=8.5, color=TEXT)
        axes = figure.subplots(
            len(panels), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
        )[:, 0]
        for panel, one in zip(panels, axes, strict=True):
            _draw_panel(one, panel, is_dated=is_dated)
        figure.align_ylabels(axes)
        first_ts = min(int(trace.ts.min()) for panel in panels for _, trace in panel.traces)
        _time_axis(axes[-1], first_ts, is_dated=is_dated)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def _height_in(panel: Panel) -> float:
    if not panel.words:
        return PANEL_IN
    return max(0.9, min(PANEL_IN, 0.5 + WORDED_IN * len(panel.words)))


def _draw_panel(axes: Axes, panel: Panel, *, is_dated: bool) -> None:
    span = panel.span if panel.beyond else None
    room = 0.0 if span is None else span.height
    for place, (name, trace) in enumerate(panel.traces):
        ts, values = panel.line(trace)
        axes.plot(
            _times(ts, is_dated=is_dated),
            values if span is None else np.clip(values, span.low - room, span.high + room),
            color=COLOURS[place % len(COLOURS)],
            linewidth=1.1,
            label=name,
            drawstyle="steps-post" if panel.words else "default",
            solid_joinstyle="round",
            marker="." if len(ts) < 3 else None,
        )
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.1, handlelength=1.4
    )
    if panel.words:
        _word_axis(axes, panel)
    else:
        axes.set_ylabel(f"[{panel.unit}]" if panel.unit else "", color=FAINT)
        axes.margins(y=SLACK)
        if span is not None:
            axes.set_ylim(span.low - SLACK * room, span.high + SLACK * room)
            _mark_beyond(axes, panel, span, is_dated=is_dated)
        axes.yaxis.set_major_formatter(EachWhole())
    axes.margins(x=0.005)


def _mark_beyond(axes: Axes, panel: Panel, span: Span, *, is_dated: bool) -> None:
    """A triangle at the edge for each point beyond it, and what they are in words."""
    for place, (_, trace) in enumerate(panel.traces):
        ends = (span.above(trace), "^", 1 - EDGE), (span.below(trace), "v", EDGE)
        for is_there, marker, height in ends:
            axes.plot(
                _times(trace.ts[is_there], is_dated=is_dated),
                np.full(int(is_there.sum()), height),
                linestyle="none",
                marker=marker,
                color=COLOURS[place % len(COLOURS)],
                markersize=4,
                transform=axes.get_xaxis_transform(),
            )
    axes.set_title("\n".join(panel.beyond), loc="right", fontsize=7.5, color=FAINT, pad=4)


class EachWhole(ScalarFormatter):
    """Each number as it is: an offset or power of ten for all would stand where the legend is."""

    def __init__(self) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)

    def format_ticks(self, values: list[float]) -> list[str]:
        if LEAST_PLAIN <= max(map(abs, values), default=1.0) < MOST_PLAIN:
            return list(super().format_ticks(values))
        return [f"{value:.12g}" for value in values]


def _word_axis(axes: Axes, panel: Panel) -> None:
    """The words at the axis; many are evenly thinned."""
    shown = range(0, len(panel.words), -(-len(panel.words) // MOST_TICKS))
    axes.set_yticks(list(shown), [_short(panel.words[place]) for place in shown])
    axes.set_ylim(-0.4, len(panel.words) - 0.6)


def _short(text: str) -> str:
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def _times(ts: Stamps, *, is_dated: bool) -> np.ndarray:
    """Days since 1970, as matplotlib counts them, or seconds."""
    return ts / NS_PER_DAY if is_dated else ts / NS_PER_S


def _time_axis(axes: Axes, first_ts: int, *, is_dated: bool) -> None:
    if not is_dated:
        axes.set_xlabel("time since the start [s]", color=FAINT)
        return
    locator = dates.AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]  # matplotlib has no types there
    axes.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    axes.xaxis.get_offset_text().set_visible(False)
    first = datetime.fromtimestamp(first_ts // NS_PER_S, UTC)
    axes.set_xlabel(f"time, UTC, from {first:%Y-%m-%d %H:%M:%S}", color=FAINT)
