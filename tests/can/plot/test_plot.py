import json
import re
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from contactor.can.columns import SignalColumn
from contactor.can.frames import FrameTable
from contactor.can.job import open_job
from contactor.can.plot import Plotter, check_plot
from contactor.can.plot.panels import is_worded, line_of, liveliest, panels_of
from contactor.can.plot.span import Span, span_of
from contactor.can.plot.trace import MOST_POINTS, Trace
from contactor.errors import ContactorError, MissingPart, UsageError

DATE_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def trace_of(values: list[float], *, unit: str = "", step_ns: int = 10 * MS) -> Trace:
    trace = Trace(unit)
    trace.add(np.arange(len(values)) * step_ns, np.array(values, np.float64))
    return trace


def frames_at(ts: list[int]) -> FrameTable:
    return FrameTable.of(ts=ts, can_id=[1] * len(ts), data=[b""] * len(ts))


def column(
    name: str,
    values: list[float],
    *,
    unit: str = "",
    labels: dict[int, str] | None = None,
    unavailable: list[bool] | None = None,
) -> SignalColumn:
    return SignalColumn(
        message="M",
        signal=name,
        unit=unit,
        rows=np.arange(len(values)),
        raw=np.array(values).astype(np.int64),
        values=np.array(values, np.float64),
        is_unavailable=None if unavailable is None else np.array(unavailable),
        labels=labels or {},
    )


def test_short_trace_keeps_every_reading() -> None:
    ts, values = line_of(trace_of([1, 5, 2]))
    assert ts.tolist() == [0, 10 * MS, 20 * MS]
    assert values.tolist() == [1, 5, 2]


@pytest.mark.parametrize("part", [1_000_000, 7_777, 100])
def test_long_trace_is_bounded_and_keeps_every_peak(part: int) -> None:
    rows = 1_000_000 if part > 100 else 50_000
    values = np.sin(np.arange(rows) / 5000)
    peaks = [3, rows // 2, rows - 2]
    values[peaks] = [7.5, -9.25, 8.5]
    trace = Trace()
    for row in range(0, rows, part):
        stop = min(row + part, rows)
        trace.add(np.arange(row, stop) * MS, values[row:stop])
        assert len(trace.ts) <= 2 * MOST_POINTS
    assert trace.readings == rows
    assert (trace.greatest.max(), trace.least.min()) == (8.5, -9.25)
    assert sorted(trace.greatest[trace.greatest > 2].tolist()) == [7.5, 8.5]
    at = trace.ts[trace.least.argmin()]
    assert abs(at / MS - rows // 2) <= rows / MOST_POINTS
    assert trace.first[0] == values[0]
    assert trace.last[-1] == values[-1]


def test_trace_in_which_time_runs_back_is_put_in_order() -> None:
    trace = Trace()
    trace.add(np.array([5, 6, 7]), np.array([5.0, 6.0, 7.0]))
    trace.add(np.array([1, 2]), np.array([1.0, 2.0]))
    assert line_of(trace)[1].tolist() == [1, 2, 5, 6, 7]


def test_line_breaks_where_nothing_came() -> None:
    trace = Trace()
    trace.add(np.array([0, 1, 2, 3, 100, 101]) * MS, np.arange(6.0))
    values = line_of(trace)[1]
    assert np.isnan(values).tolist() == [False] * 4 + [True] + [False] * 2


def test_panels_join_units_and_leave_words_alone() -> None:
    traces = {
        "M.a": trace_of([1, 2], unit="V"),
        "M.b": trace_of([1, 2]),
        "M.c": trace_of([3, 4], unit="V"),
        "M.d": trace_of([0, 1]),
    }
    traces["M.d"].texts = {0: "Off", 1: "On"}
    panels = panels_of(traces)
    assert [[name for name, _ in panel.traces] for panel in panels] == [
        ["M.a", "M.c"],
        ["M.b"],
        ["M.d"],
    ]
    assert panels[2].words == ("Off", "On")


def test_value_without_a_word_is_drawn_as_a_number() -> None:
    trace = trace_of([2, 15, 2, 0])
    trace.texts = {0: "Off", 2: "On"}
    (panel,) = panels_of({"M.state": trace})
    assert panel.words == ("Off", "On", "15")
    assert panel.line(trace)[1].tolist() == [1, 2, 1, 0]


def test_number_with_a_word_for_one_value_stays_a_number() -> None:
    trace = trace_of([1, 2, 3, 4, 255])
    trace.texts = {255: "invalid"}
    assert not is_worded(trace)


def test_liveliest_are_twelve_and_no_checksum() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=500))
    traces = {f"M.s{n}": trace_of((walk * (n + 1)).tolist(), unit="A") for n in range(14)}
    noise = np.random.default_rng(2).integers(0, 256, 500).astype(float).tolist()
    traces |= {"M.Checksum": trace_of(noise), "M.AliveCounter": trace_of(noise)}
    traces |= {"M.constant": trace_of([3.0] * 500)}
    chosen = liveliest(traces)
    assert len(chosen) == 12
    assert all(name.startswith("M.s") for name in chosen)


def test_what_tells_how_good_a_signal_is_comes_after_the_signals() -> None:
    walk = np.cumsum(np.random.default_rng(1).normal(size=500)).tolist()
    steps = np.repeat(np.arange(20.0), 25).tolist()
    traces = {f"M.Accuracy{n}": trace_of(walk, unit="m") for n in range(12)}
    traces |= {f"M.s{n}": trace_of(steps, unit="m") for n in range(12)}
    assert liveliest(traces) == [f"M.s{n}" for n in range(12)]


def test_signal_that_would_be_a_flat_line_has_its_own_panel() -> None:
    traces = {
        "M.Latitude": trace_of([55.87, 56.11], unit="deg"),
        "M.Longitude": trace_of([9.84, 10.2], unit="deg"),
        "M.Heading": trace_of([0, 347], unit="deg"),
        "M.Course": trace_of([10, 300], unit="deg"),
        "M.North": trace_of([0, 0], unit="deg"),
    }
    assert [[name for name, _ in panel.traces] for panel in panels_of(traces)] == [
        ["M.Latitude"],
        ["M.Longitude"],
        ["M.Heading", "M.Course", "M.North"],
    ]


def test_words_of_large_numbers_are_told_apart() -> None:
    trace = trace_of([0, 1, 1_700_000_001, 1_700_000_002])
    trace.texts = {0: "Off", 1: "On"}
    (panel,) = panels_of({"M.state": trace})
    assert panel.words == ("Off", "On", "1700000001", "1700000002")


def plotter(*, first_ts: int = 0) -> Plotter:
    made = Plotter(title="drive <1>.log", are_chosen=True)
    for part in range(3):
        at = [first_ts + (part * 50 + row) * 20 * MS for row in range(50)]
        values = [float(part * 50 + row) for row in range(50)]
        made.add(
            [
                column("speed", values, unit="km/h"),
                column("gear", [float(part)] * 50, labels={0: "P", 1: "R</script>", 2: "D"}),
                column(
                    "current", [511.5, *values[1:]], unit="A", unavailable=[True] + [False] * 49
                ),
            ],
            frames_at(at),
        )
    return made


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_html_is_whole_and_asks_nobody(tmp_path: Path) -> None:
    path = tmp_path / "drive.html"
    assert plotter().write(path) == ("M.speed", "M.gear", "M.current")
    page = path.read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["drive.html"]
    assert "<title>drive &lt;1&gt;.log</title>" in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["']?(https?:|//)|@import|url\(|fetch\(""", page)
    panels = data_of(page)["panels"]
    assert [panel["unit"] for panel in panels] == ["km/h", "", "A"]
    assert panels[1]["words"] == ["P", "R</script>", "D"]
    assert panels[0]["lines"][0]["v"] == list(range(150))
    assert 511.5 not in panels[2]["lines"][0]["v"]
    assert panels[2]["lines"][0]["readings"] == 147


def test_html_times_count_in_microseconds(tmp_path: Path) -> None:
    plotter(first_ts=DATE_NS).write(tmp_path / "drive.html")
    data = data_of((tmp_path / "drive.html").read_text())
    assert (data["isDated"], data["start"]) == (True, DATE_NS / MS)
    assert data["panels"][0]["lines"][0]["t"][:3] == [0, 20_000, 20_000]


@pytest.mark.parametrize(
    ("values", "digits"),
    [
        ([1_627_274_469.0, 1_627_274_470.0, 1_627_276_858.0], 12),
        ([123_456_789.25, 123_456_789.5, 123_456_790.75], 14),
        ([2.0**60, 2.0**60 + 256], 17),
        ([0.1, 12.5, 400.0], 7),
        ([3.25, 3.25], 15),
    ],
)
def test_html_values_have_the_digits_that_their_span_needs(
    tmp_path: Path, values: list[float], digits: int
) -> None:
    made = Plotter(title="drive.log", are_chosen=True)
    made.add([column("counter", values, unit="s")], frames_at(list(range(len(values)))))
    made.write(tmp_path / "drive.html")
    (panel,) = data_of((tmp_path / "drive.html").read_text())["panels"]
    assert (panel["lines"][0]["v"], panel["lines"][0]["digits"]) == (values, digits)


def test_html_values_have_no_more_digits_than_can_be_seen(tmp_path: Path) -> None:
    made = Plotter(title="drive.log", are_chosen=True)
    made.add([column("s", [0.1 + 0.2, 1 / 3, 7.0])], frames_at([0, 1, 2]))
    made.write(tmp_path / "drive.html")
    (panel,) = data_of((tmp_path / "drive.html").read_text())["panels"]
    assert panel["lines"][0]["v"] == [0.3, 0.3333333, 7]


def test_picture_says_where_time_runs_back(tmp_path: Path) -> None:
    made = plotter(first_ts=5_000 * MS)
    made.write(tmp_path / "steady.html")
    assert made.note == ""
    made.add([column("speed", [1.0, 2.0], unit="km/h")], frames_at([0, 20 * MS]))
    made.add([column("speed", [3.0, 4.0], unit="km/h")], frames_at([10 * MS, 30 * MS]))
    assert made.note.startswith("time runs back once in the recording: each run stands at its own")
    made.write(tmp_path / "restart.html")
    assert made.note in (tmp_path / "restart.html").read_text()
    line = data_of((tmp_path / "restart.html").read_text())["panels"][0]["lines"][0]
    assert [step for step in line["t"] if step < 0] == [-7_980_000]
    assert line["v"][-6:] == [149, None, 1, 3, 2, 4]


@pytest.mark.parametrize("part", [100_000, 999])
def test_runs_of_a_clock_that_restarts_are_lines_of_their_own(part: int) -> None:
    ts = np.concatenate([np.arange(rows) * MS for rows in (50_000, 30_000, 20_000)])
    values = np.repeat([1.0, 2.0, 3.0], [50_000, 30_000, 20_000])
    trace = Trace()
    for row in range(0, len(ts), part):
        trace.add(ts[row : row + part], values[row : row + part])
    stamps, line = line_of(trace)
    (breaks,) = np.isnan(line).nonzero()
    assert [np.unique(run[~np.isnan(run)]).tolist() for run in np.split(line, breaks)] == [
        [1],
        [2],
        [3],
    ]
    assert all((np.diff(run) >= 0).all() for run in np.split(stamps, breaks + 1))
    assert len(trace.ts) <= 2 * MOST_POINTS
    assert trace.readings == 100_000


def test_clock_that_restarts_all_the_time_is_one_run_in_bounded_memory() -> None:
    trace = Trace()
    for _ in range(100):
        trace.add(np.tile([0, 5_000 * MS], 500), np.tile([1.0, 2.0], 500))
    assert trace.has_too_many_runs
    assert len(trace.ts) <= 2 * MOST_POINTS
    assert (np.diff(trace.ts) >= 0).all()
    assert np.isnan(line_of(trace)[1]).sum() == 1


@pytest.mark.parametrize("part", [1, 2, 3, 20_000])
def test_trace_knows_what_three_readings_in_a_row_reach(part: int) -> None:
    values = np.tile([1.0, 5.0, 5.0, 5.0, 9.0, 1.0, 1.0, -7.0, 1.0], 20 if part < 20_000 else 2000)
    trace = Trace()
    for row in range(0, len(values), part):
        few = values[row : row + part]
        trace.add((row + np.arange(len(few))) * MS, few)
    assert (trace.held_least.min(), trace.held_greatest.max()) == (1, 5)


@pytest.mark.parametrize("rows", [100, 1_000_000])
@pytest.mark.parametrize("spikes", [[1e9], [-1e9], [1e9, 1e9], [1e300, -1e300]])
def test_reading_far_outside_leaves_the_axis_to_the_rest(rows: int, spikes: list[float]) -> None:
    values = 50 + 10 * np.sin(np.arange(rows) / 20)
    for place, spike in enumerate(spikes if rows > 100 else spikes[:1]):
        values[rows // 3 + place * rows // 5] = spike
    trace = trace_of(values.tolist(), unit="V")
    span = span_of(trace)
    assert (round(span.low), round(span.high)) == (40, 60)
    points = span.above(trace) | span.below(trace)
    assert points.sum() == len(spikes if rows > 100 else spikes[:1])


@pytest.mark.parametrize("rows", [100, 5_000, 1_000_000])
@pytest.mark.parametrize("held", [3, 20, 500])
def test_step_that_holds_is_shown_and_a_reading_beyond_it_is_not(rows: int, held: int) -> None:
    values = np.sin(np.arange(rows) / 20)
    values[rows // 2 : rows // 2 + held] = 1000.0
    span = span_of(trace_of(values.tolist()))
    assert span.high == values.max()
    values[7] = 1e9
    assert span_of(trace_of(values.tolist())) == span


def test_peak_that_leaves_the_rest_visible_is_shown() -> None:
    values = np.sin(np.arange(100_000) / 500) * 50
    values[1234] = -482.5
    assert span_of(trace_of(values.tolist())).low == -482.5


@pytest.mark.parametrize(
    "values", [[0.0] * 999 + [1.0], [5.0] * 40 + [1e9], [0.0] * 500 + [1.0, 255.0] * 250]
)
def test_nothing_is_beyond_where_the_rest_is_flat_or_few_or_often(values: list[float]) -> None:
    span = span_of(trace_of(values))
    assert (span.low, span.high) == (min(values), max(values))


def test_what_lies_beyond_is_told_with_count_and_extreme(tmp_path: Path) -> None:
    values = (50 + 10 * np.sin(np.arange(1000.0))).round(2)
    values[[10, 500]] = [1e9, -5e6]
    made = Plotter(title="drive.log", are_chosen=True)
    made.add([column("volts", values.tolist(), unit="V")], frames_at([n * MS for n in range(1000)]))
    assert made.beyond() == ("2 points of M.volts lie beyond the axis: -5e+06 and 1e+09",)
    made.write(tmp_path / "drive.html")
    (panel,) = data_of((tmp_path / "drive.html").read_text())["panels"]
    assert panel["beyond"] == list(made.beyond())
    assert np.round(panel["span"], 3).tolist() == [40, 60]
    assert max(filter(None, panel["lines"][0]["v"])) == 1e9


def test_lines_share_a_panel_by_what_the_axis_shows() -> None:
    spike = (np.sin(np.arange(1000.0)) * 5).tolist()
    spike[400] = 1e9
    traces = {
        "M.a": trace_of(np.cos(np.arange(1000.0)).tolist(), unit="V"),
        "M.b": trace_of(spike, unit="V"),
    }
    (panel,) = panels_of(traces)
    assert panel.beyond == ("1 point of M.b lies beyond the axis: 1e+09",)


def test_what_has_a_stamp_of_another_clock_is_counted_and_not_drawn() -> None:
    made = Plotter(title="drive.log", are_chosen=True, is_dated=True)
    speeds = column("speed", [1.0, 2.0, 3.0], unit="km/h")
    made.add([speeds], frames_at([0, DATE_NS, DATE_NS + MS]))
    assert made.note == "1 frames without a date are not drawn: theirs is another clock"
    assert made.names() == ["M.speed"]
    assert made._traces["M.speed"].ts.tolist() == [DATE_NS, DATE_NS + MS]


def test_clock_that_restarts_does_not_change_what_stamps_are(tmp_path: Path) -> None:
    made = plotter(first_ts=DATE_NS)
    made.add([column("speed", [1.0, 2.0], unit="km/h")], frames_at([0, 20 * MS]))
    made.write(tmp_path / "drive.html")
    assert data_of((tmp_path / "drive.html").read_text())["isDated"] is True


@pytest.mark.parametrize(
    ("ticks", "shown"),
    [
        ([1_627_274_500.0, 1_627_275_000.0], ["1627274500", "1627275000"]),
        ([123_456_789.6, 123_456_789.8], ["123456789.6", "123456789.8"]),
        ([1.7e18, 1.70000002e18], ["1.7e+18", "1.70000002e+18"]),
        ([2e-11, 4e-11], ["2e-11", "4e-11"]),
    ],
)
def test_png_numbers_at_the_axis_need_no_offset(ticks: list[float], shown: list[str]) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    from contactor.can.plot.png import EachWhole

    axes = Figure().add_subplot()
    axes.set_ylim(ticks[0], ticks[-1])
    axes.yaxis.set_major_formatter(EachWhole())
    assert axes.yaxis.get_major_formatter().format_ticks(ticks) == shown
    assert axes.yaxis.get_major_formatter().get_offset() == ""


@pytest.mark.parametrize("first_ts", [0, DATE_NS])
def test_png_is_a_picture(tmp_path: Path, first_ts: int) -> None:
    pytest.importorskip("matplotlib")
    made = plotter(first_ts=first_ts)
    spike = [1.0, 2.0] * 50 + [1e18]
    at = [first_ts + row * 20 * MS for row in range(101)]
    made.add([column("spike", spike, unit="W")], frames_at(at))
    assert len(made.beyond()) == 1
    made.write(tmp_path / "drive.png")
    picture = (tmp_path / "drive.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    assert width == 1560
    assert height > 500


def test_nothing_that_changes_is_nothing_to_draw(tmp_path: Path) -> None:
    made = Plotter(title="drive.log")
    made.add([column("constant", [1.0, 1.0])], frames_at([0, 1]))
    with pytest.raises(ContactorError, match="no signal has a changing value"):
        made.write(tmp_path / "drive.html")
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_drawn_is_counted() -> None:
    made = Plotter(title="drive.log")
    columns = [column(f"s{n}", [0.0, 1.0, 2.0], unit="V") for n in range(15)]
    made.add(columns, frames_at([0, 1, 2]))
    assert (len(made.names()), made.left_out()) == (12, 3)


@pytest.mark.parametrize("name", ["drive.pdf", "drive", "."])
def test_plot_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"FILE.png or FILE.html is expected"):
        check_plot(name)


def test_plot_into_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        check_plot(str(tmp_path / "none" / "drive.html"))


def test_png_without_matplotlib_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    check_plot("drive.html")
    with pytest.raises(MissingPart, match=r"pip install 'contactor\[plot\]'"):
        check_plot("drive.png")


def test_recorded_wrong_reading_leaves_the_axis_to_the_rest(shared_data: Path) -> None:
    """The first current of a Leaf that wakes up is 511.5 A, which means that there is none."""
    folder = shared_data / "can" / "leaf"
    made = plotter_of(folder / "ZE0w24kWhstock.log", folder / "EV-can_AZE0.dbc", "LB_Current")
    assert made.beyond() == ("1 point of x1DB.LB_Current lies beyond the axis: 511.5",)
    assert span_of(made._traces["x1DB.LB_Current"]) == Span(-3.0, 2.0)


def test_recorded_clock_that_restarts_is_two_runs(shared_data: Path) -> None:
    folder = shared_data / "can" / "kona"
    made = plotter_of(
        folder / "250105-1-2020-comp-can-heating.csv",
        folder / "comp_can.dbc",
        "HeaterStatus.HeaterPower",
    )
    trace = made._traces["HeaterStatus.HeaterPower"]
    assert np.unique(trace.run).tolist() == [0, 1]
    assert trace.greatest[trace.run == 0].max() == 0
    assert made.note.startswith("time runs back once in the recording")


def plotter_of(log: Path, database: Path, signal: str) -> Plotter:
    job = open_job(log, database, [signal])
    made = Plotter(title=log.name, are_chosen=True, is_dated=job.logs[0].has_date)
    for chunk in job.chunks():
        made.add(chunk.columns(), chunk.frames)
    return made
