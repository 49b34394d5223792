"""Standard cycles against their official lengths and other people's copies; cycles out of CSV."""

import csv
from pathlib import Path

import numpy as np
import pytest

from contactor.errors import TableError, UsageError
from contactor.physics.cycles import Cycle, cycle_names, read_cycle, standard_cycle

# Length in km, duration in s, greatest speed in km/h, as their rules and EPA's summaries say.
OFFICIAL = {
    "WLTC3b": (23.266, 1800, 131.3),
    "UDDS": (11.99, 1369, 91.25),
    "HWFET": (16.51, 765, 96.4),
    "US06": (12.89, 600, 129.2),
    "CLTC-P": (14.48, 1800, 114.0),
    "NEDC": (11.007, 1180, 120.0),
}


def test_each_standard_cycle_has_its_official_figures_here():
    assert sorted(OFFICIAL) == sorted(cycle_names())


@pytest.mark.parametrize("name", OFFICIAL)
def test_standard_cycle_is_as_long_and_as_fast_as_its_rule_says(name: str):
    distance_km, duration_s, speed_max_kmh = OFFICIAL[name]
    cycle = standard_cycle(name)
    assert cycle.distance_m / 1000 == pytest.approx(distance_km, rel=0.005)
    assert cycle.duration_s == duration_s
    assert cycle.speed_mps.max() * 3.6 == pytest.approx(speed_max_kmh, abs=0.06)
    assert (cycle.speed_mps[0], cycle.speed_mps[-1]) == (0, 0)
    assert (np.diff(cycle.time_s) == 1).all()
    # No car of these rules accelerates by more: a digit would be wrong.
    assert np.abs(np.diff(cycle.speed_mps)).max() < 4.0


# Lengths of the four parts of WLTC class 3b: UN GTR 15, Annex 1.
def test_parts_of_wltc_are_as_long_as_its_rule_says():
    distances_m = standard_cycle("WLTC3b").distances_m()
    ends_m = distances_m[[0, 589, 1022, 1477, 1800]]
    assert np.diff(ends_m) == pytest.approx([3095, 4756, 7162, 8254], abs=5)


@pytest.mark.parametrize(
    ("name", "known"), [("wltc-3b", "WLTC3b"), ("WLTP", "WLTC3b"), ("cltc", "CLTC-P")]
)
def test_cycle_is_found_however_its_name_is_written(name: str, known: str):
    assert standard_cycle(name).name == known


def test_unknown_cycle_is_refused_with_those_known():
    with pytest.raises(UsageError, match="unknown cycle 'moon'; known: WLTC3b, UDDS"):
        standard_cycle("moon")


@pytest.mark.parametrize(
    ("name", "file", "tolerance_kmh"),
    [
        ("WLTC3b", "from_motives_dyno/WLTC_01_WLTC_01.csv", 0.1),
        ("UDDS", "from_motives_dyno/UDDS_08_UDDS_1.csv", 0.1),
        ("HWFET", "from_motives_dyno/UDDS_07_HWYFET_1.csv", 0.1),
        ("US06", "from_motives_dyno/UDDS_06_US06_1.csv", 0.2),
        ("CLTC-P", "from_motives_dyno/CLTC_07_CLTC_1.csv", 0.1),
        ("UDDS", "udds.csv", 0.01),
        ("HWFET", "hwfet.csv", 0.01),
        ("US06", "us06.csv", 0.01),
    ],
)
def test_each_second_agrees_with_the_copies_of_others(
    shared_data: Path, name: str, file: str, tolerance_kmh: float
):
    with (shared_data / "cycles" / file).open(encoding="utf-8-sig") as lines:
        rows = list(csv.DictReader(lines))
    theirs = [float(row.get("speed_kmh") or float(row.get("cycMps") or 0) * 3.6) for row in rows]
    ours = standard_cycle(name).speed_mps * 3.6
    assert len(ours) == len(theirs)
    assert np.abs(ours - theirs).max() < tolerance_kmh


# ── out of CSV ───────────────────────────────────────────────────────────────────────────────────


def test_cycle_out_of_csv_begins_at_second_0():
    text = "\ufeffspeed_kmh,time_s,ambient_degc\r\n0,100,5\r\n36,110,6\r\n\r\n36,120.5,6\r\n"
    cycle = read_cycle(text, name="own.csv")
    assert cycle.time_s.tolist() == [0, 10, 20.5]
    assert cycle.speed_mps.tolist() == [0, 10, 10]
    assert cycle.ambient_degc is not None
    assert cycle.ambient_degc.tolist() == [5, 6, 6]
    assert cycle.elevation_m is None
    assert cycle.distance_m == 155


def test_grades_add_up_to_the_rise():
    time_s = np.arange(200.0)
    cycle = Cycle(
        name="hill",
        time_s=time_s,
        speed_mps=np.full(200, 10.0),
        elevation_m=400 + 20 * np.sin(time_s / 40),
    )
    grades = cycle.grades()
    rise_m = float(grades.sum()) * cycle.distance_m / len(grades)
    assert cycle.elevation_m is not None
    assert rise_m == pytest.approx(cycle.elevation_m[-1] - cycle.elevation_m[0])
    assert np.abs(grades).max() == pytest.approx(20 / 400, rel=0.01)


def test_standing_while_the_elevation_wanders_is_no_grade():
    cycle = read_cycle(
        "time_s,speed_kmh,elevation_m\n0,0,10\n5,0,14\n6,36,14\n56,36,14\n57,0,14\n99,0,12\n",
        name="own.csv",
    )
    assert np.abs(cycle.grades()).max() < 0.17
    still = read_cycle("time_s,speed_kmh,elevation_m\n0,0,10\n5,0,14\n", name="still.csv")
    assert still.grades().tolist() == [0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "own.csv, line 1: expected is time_s,speed_kmh"),
        ("time_s;speed_kmh\n0;0\n", "line 1: expected is time_s,speed_kmh"),
        ("time_s,speed\n0,0\n", "not 'time_s,speed'"),
        ("time_s,time_s\n0,0\n", "line 1: time_s stands twice"),
        ("time_s,elevation_m\n0,0\n", "line 1: speed_kmh is missing"),
        ("time_s,speed_kmh\n", "own.csv: 0 points; a cycle has at least 2"),
        ("time_s,speed_kmh\n0,0\n", "own.csv: 1 points"),
        ("time_s,speed_kmh\n0,0\n1,2,3\n", "line 3: 3 cells; 2 are expected: '1,2,3'"),
        ("time_s,speed_kmh\n0,0\n1,fast\n", "line 3: speed_kmh is 'fast', which is no number"),
        ("time_s,speed_kmh\n0,0\n1,\n", "line 3: speed_kmh is '', which is no number"),
        ("time_s,speed_kmh\n0,0\n1,nan\n", "line 3: speed_kmh is 'nan'; allowed are 0 to 300"),
        ("time_s,speed_kmh\n0,0\n1,-1\n", "line 3: speed_kmh is '-1'; allowed are 0 to 300"),
        ("time_s,speed_kmh\n0,0\n1,301\n", "line 3: speed_kmh is '301'"),
        ("time_s,speed_kmh\n0,0\ninf,1\n", "line 3: time_s is 'inf'"),
        ("time_s,speed_kmh\n0,0\n\n2,1\n2,1\n", "line 5: time_s is 2 after 2; it must ascend"),
        ("time_s,speed_kmh\n0,0\n0.5,1\n", "takes 0.5 s; allowed are 1 to 604800 s"),
        ("time_s,speed_kmh\n0,0\n1e9,1\n", "takes 1e+09 s"),
        (
            "time_s,speed_kmh,ambient_degc\n0,0,20\n1,0,99\n",
            "line 3: ambient_degc is '99'; allowed are -60 to 60",
        ),
        (
            "time_s,speed_kmh,elevation_m\n0,36,400\n60,36,400\n61,36,0\n90,36,0\n",
            "near line 4: elevation_m makes a grade of -16",
        ),
    ],
)
def test_wrong_csv_is_refused_with_its_line(text: str, words: str):
    with pytest.raises(TableError) as caught:
        read_cycle(text, name="own.csv")
    assert words in str(caught.value)


def test_endless_csv_is_refused_before_it_is_read():
    with pytest.raises(TableError, match="1000003 lines; at most 1000001"):
        read_cycle("time_s,speed_kmh\n" + "\n" * 1_000_002, name="own.csv")
