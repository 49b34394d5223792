"""Gathers signals chunk by chunk, and draws them at the end.

plotter = Plotter(title="drive.log", are_chosen=True)
plotter.add(columns, frames)
plotter.write(Path("drive.png"))
"""

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn
from contactor.can.frames import FIRST_DATE_NS, FrameTable
from contactor.can.output.whole import whole_file
from contactor.can.plot.panels import Panel, liveliest, panels_of
from contactor.can.plot.trace import MOST_RUNS, RESTART_NS, Trace
from contactor.errors import ContactorError, MissingPart, UsageError

SUFFIXES = (".png", ".html")
MOST_DRAWN = 60
# Stamps of a log without dates lie below: 15 years.
LONGEST_NS = FIRST_DATE_NS // 2


def check_plot(plot: str) -> None:
    """Refuse what the name alone shows to be wrong, before any work.

    Raises:
        UsageError: the name ends otherwise than in .png or .html, or its folder is missing.
        MissingPart: a PNG is wanted, and matplotlib is not installed.
    """
    path = Path(plot)
    if path.suffix.lower() not in SUFFIXES or path.is_dir():
        raise UsageError(f"--plot {plot}: FILE.png or FILE.html is expected")
    if not path.absolute().parent.is_dir():
        raise UsageError(f"--plot {plot}: there is no folder {path.parent}")
    if path.suffix.lower() == ".png" and importlib.util.find_spec("matplotlib") is None:
        raise MissingPart(
            "a PNG needs matplotlib: pip install 'contactor[plot]'; FILE.html needs nothing more"
        )


class Plotter:
    """Signals over time.

    Args:
        title: what the picture is of.
        are_chosen: whether the signals were named: then all are drawn, else the liveliest.
        is_dated: whether stamps are instants; None: as the first one is.
    """

    def __init__(
        self, *, title: str, are_chosen: bool = False, is_dated: bool | None = None
    ) -> None:
        self._title = title
        self._are_chosen = are_chosen
        self._traces: dict[str, Trace] = {}
        self._is_dated = is_dated
        self._off_clock = 0
        self._last_ts: int | None = None
        self._restarts = 0

    def add(self, columns: Sequence[SignalColumn], frames: FrameTable) -> None:
        """Take the readings of a chunk; what is not available is left out.

        So is what has a stamp of another clock: its place on the axis is not known.
        """
        if not len(frames):
            return
        is_on_clock = self._watch(frames)
        for column in columns:
            trace = self._traces.setdefault(column.name, Trace(column.unit))
            is_there = ~column.is_unavailable & np.isfinite(column.values)
            if is_on_clock is not None:
                is_there &= is_on_clock[column.rows]
            if column.labels:
                _learn(trace, column, is_there)
            if is_there.all():
                trace.add(frames.ts[column.rows], column.values)
            else:
                trace.add(frames.ts[column.rows[is_there]], column.values[is_there])

    def _watch(self, frames: FrameTable) -> NDArray[np.bool_] | None:
        """How often the clock restarts; and which stamps are of it, None where all are."""
        if self._is_dated is None:
            self._is_dated = int(frames.ts[0]) >= FIRST_DATE_NS
        ts, is_on_clock = frames.ts, None
        if self._is_dated and ts.min() < FIRST_DATE_NS:
            is_on_clock = ts >= FIRST_DATE_NS
        elif not self._is_dated and ts.max() > LONGEST_NS:
            is_on_clock = ts <= LONGEST_NS
        if is_on_clock is not None:
            ts = ts[is_on_clock]
            self._off_clock += len(frames) - len(ts)
        if len(ts):
            before = ts[0] if self._last_ts is None else self._last_ts
            self._restarts += int((np.diff(ts, prepend=before) < -RESTART_NS).sum())
            self._last_ts = int(ts[-1])
        return is_on_clock

    @property
    def note(self) -> str:
        """What whoever looks at the picture must know; mostly nothing."""
        notes = []
        if self._restarts:
            times = "once" if self._restarts == 1 else f"{self._restarts} times"
            how = "each run stands at its own stamps, and its line ends where time runs back"
            if any(self._traces[name].has_too_many_runs for name in self.names()):
                how = f"that is more than {MOST_RUNS} runs, drawn in the order of stamps"
            notes.append(f"time runs back {times} in the recording: {how}")
        if self._off_clock:
            clock = "without a date" if self._is_dated else "with a date"
            notes.append(f"{self._off_clock} frames {clock} are not drawn: theirs is another clock")
        return "; ".join(notes)

    def beyond(self) -> tuple[str, ...]:
        """What of the signals lies beyond its axis, a line each."""
        return tuple(line for panel in self._panels() for line in panel.beyond)

    def _panels(self) -> list[Panel]:
        return panels_of({name: self._traces[name] for name in self.names()})

    def names(self) -> list[str]:
        """The signals that will be drawn."""
        filled = {name: trace for name, trace in self._traces.items() if trace.readings}
        return list(filled)[:MOST_DRAWN] if self._are_chosen else liveliest(filled)

    def left_out(self) -> int:
        """How many signals with readings will not be drawn."""
        return sum(trace.readings > 0 for trace in self._traces.values()) - len(self.names())

    def write(self, path: Path) -> tuple[str, ...]:
        """Draw into a file, which appears only when it is whole; the names of what is drawn.

        Raises:
            ContactorError: nothing can be drawn, or the file cannot be written.
            MissingPart: matplotlib is not installed.
        """
        names = self.names()
        if not names:
            raise ContactorError(f"nothing to draw in {path}: no signal has a changing value")
        panels = self._panels()
        if path.suffix.lower() == ".png":
            from contactor.can.plot.png import draw
        else:
            from contactor.can.plot.html import draw
        with whole_file(path) as part:
            is_dated = bool(self._is_dated)
            picture = draw(panels, title=self._title, is_dated=is_dated, note=self.note)
            part.write_bytes(picture)
        return tuple(names)


def _learn(trace: Trace, column: SignalColumn, is_there: np.ndarray) -> None:
    """Remember the texts of the values that were read."""
    if len(trace.texts) >= len(column.labels):
        return
    raws, rows = np.unique(column.raw, return_index=True)
    for raw, row in zip(raws.tolist(), rows.tolist(), strict=True):
        if raw in column.labels and is_there[row]:
            trace.texts[float(column.values[row])] = column.labels[raw]
