"""Signals over time as a picture: PNG for a report, HTML to zoom in.

plotter = Plotter(title="drive.log")
for chunk in stream:
    plotter.add(chunk.columns(), chunk.frames)
plotter.write(Path("drive.html"))       # ("BatteryState.PackVoltage", ...)

trace.py      one signal in bounded memory; no peak is lost
span.py       what its axis shows: not the one reading that would make all else a flat line
panels.py     which signals share a panel, and how their line runs
png.py        by matplotlib, the size contactor[plot]
html.py       page.html with the data inside; it asks nobody for anything
"""

from contactor.can.plot.plotter import Plotter, check_plot

__all__ = ["Plotter", "check_plot"]
