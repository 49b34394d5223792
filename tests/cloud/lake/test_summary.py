"""The JSON of signals and of series, over every driver."""

import json
from collections.abc import Callable

import pytest

from contactor.cloud.lake.lake import Lake
from contactor.cloud.lake.ports import LakeStore
from contactor.cloud.lake.reading import MAX_CELLS
from contactor.cloud.lake.summary import summarise
from contactor.errors import LakeError, UnknownSignal, UsageError
from contactor.signals.groups import Group
from tests.cloud.lake.samples import CELLS, CODES, GEAR, NA, POWER, SPEED, T0, VIN, S, store_drive

LOCKED = "Vehicle.Cabin.Door.Row1.DriverSide.IsLocked"
MS = 1_000_000


Look = Callable[[LakeStore], Lake]


@pytest.fixture(params=[MAX_CELLS, 1], ids=["one-piece", "piece-per-part"])
def look(request: pytest.FixtureRequest) -> Look:
    """Opens a lake that reads much, or little, at a time: the results may not depend on it."""
    return lambda store: Lake(store, max_cells=request.param)


def test_summary_of_a_number(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [2.0, NA, 5.0, None]}, ts=[T0 + n * S for n in range(4)])
    store_drive(store, {SPEED: [1.0, 0.0]}, ts=[T0 - S, T0 + 3 * S])
    found = summarise(look(store), "leaf", [SPEED], "2024-05-01", None)
    assert found == {
        "vehicle_id": "leaf",
        "since": "2024-05-01T00:00:00Z",
        "until": None,
        "signals": {
            SPEED: {
                "unit": "km/h",
                "datatype": "float",
                "count": 4,
                "unavailable": 1,
                "first": 1.0,
                "last": 0.0,
                "min": 0.0,
                "max": 5.0,
                "mean": 2.0,
                "first_ts": "2024-05-01T07:59:59Z",
                "last_ts": "2024-05-01T08:00:03Z",
            }
        },
    }
    assert json.loads(json.dumps(found)) == found


def test_summary_of_every_signal_is_the_default(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0]})
    store_drive(store, {VIN: ["x"]}, group=Group.EVENTS)
    assert list(summarise(look(store), "leaf", None, None, None)["signals"]) == [SPEED, VIN]


def test_summary_of_booleans_text_and_arrays(store: LakeStore, look: Look) -> None:
    store_drive(store, {LOCKED: [True, False], CELLS: [(3.5, 3.6), ()]})
    store_drive(store, {VIN: ["x", NA], CODES: [("a",), ("b", "c")]}, group=Group.EVENTS)
    signals = summarise(look(store), "leaf", None, None, None)["signals"]
    told = {
        path: tuple(s[key] for key in ("count", "first", "last", "min", "max", "mean"))
        for path, s in signals.items()
    }
    assert told == {
        LOCKED: (2, True, False, False, True, None),
        CELLS: (2, pytest.approx([3.5, 3.6]), [], None, None, None),
        VIN: (1, "x", "x", None, None, None),
        CODES: (2, ["a"], ["b", "c"], None, None, None),
    }
    assert signals[VIN]["unavailable"] == 1
    json.dumps(signals)


def test_summary_keeps_to_the_interval(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0, 2.0, 3.0]})
    found = summarise(look(store), "leaf", [SPEED], T0 + S, T0 + 2 * S)
    assert (found["since"], found["until"]) == ("2024-05-01T08:00:01Z", "2024-05-01T08:00:02Z")
    assert found["signals"][SPEED]["max"] == 2.0


def test_summary_of_a_signal_never_stored_is_null_not_zero(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0]})
    found = summarise(look(store), "leaf", [GEAR], None, None)["signals"][GEAR]
    assert found["count"] == 0
    assert found["unavailable"] == 0
    assert {found[key] for key in ("first", "last", "min", "max", "mean", "first_ts")} == {None}


def test_summary_of_equal_instants_takes_first_and_last_as_stored(
    store: LakeStore, look: Look
) -> None:
    store_drive(store, {SPEED: [1.0, 2.0]}, ts=[T0, T0])
    store_drive(store, {SPEED: [3.0]}, ts=[T0])
    found = summarise(look(store), "leaf", [SPEED], None, None)["signals"][SPEED]
    assert (found["first"], found["last"]) == (1.0, 3.0)


def test_summary_refuses_unknown_vehicles_and_paths(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0]})
    with pytest.raises(LakeError, match="unknown vehicle"):
        summarise(look(store), "leef", None, None, None)
    with pytest.raises(UnknownSignal):
        summarise(look(store), "leaf", ["Vehicle.Nope"], None, None)


def test_series_that_fits_is_raw(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0, None, NA, 2.0]})
    assert look(store).series("leaf", SPEED, None, None, 10) == {
        "path": SPEED,
        "unit": "km/h",
        "tier": "raw",
        "ts": [T0 // MS, T0 // MS + 3000],
        "value": [1.0, 2.0],
        "min": [1.0, 2.0],
        "max": [1.0, 2.0],
    }


def test_series_is_reduced_without_hiding_extremes(store: LakeStore, look: Look) -> None:
    values = [float(n % 10) for n in range(1000)]
    values[511], values[711] = 200.0, -50.0  # each in a span over two parts
    for part in range(10):
        chosen = slice(part * 100, part * 100 + 100)
        stamps = [T0 + n * S for n in range(1000)][chosen]
        store_drive(store, {POWER: values[chosen]}, ts=stamps)
    found = look(store).series("leaf", POWER, None, None, 15)
    assert found["tier"] == "reduced"
    assert len(found["ts"]) == len(found["value"]) == 15
    assert max(found["max"]) == 200.0  # type: ignore[type-var]
    assert min(found["min"]) == -50.0  # type: ignore[type-var]
    assert found["ts"][:2] == [T0 // MS, T0 // MS + 67_000]
    assert found["value"][0] == pytest.approx(291 / 67)
    assert found["ts"] == sorted(found["ts"])


def test_series_of_late_rows_is_in_order(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [5.0, 6.0, 7.0]}, ts=[T0 + n * S for n in (4, 5, 6)])
    store_drive(store, {SPEED: [1.0, 2.0, 3.0, 4.0]}, ts=[T0 + n * S for n in range(4)])
    found = look(store).series("leaf", SPEED, None, None, 4)
    assert found["value"] == [1.5, 3.5, 5.0, 6.5]
    assert found["min"] == [1.0, 3.0, 5.0, 6.0]


def test_series_of_booleans_and_text_take_the_last_of_a_span(store: LakeStore, look: Look) -> None:
    store_drive(store, {LOCKED: [True, False, False, True]})
    store_drive(store, {VIN: ["a", "b", "c", "d"]}, group=Group.EVENTS)
    lake = look(store)
    locked = lake.series("leaf", LOCKED, None, None, 2)
    assert (locked["value"], locked["min"], locked["max"]) == (
        [False, True],
        [False, False],
        [True, True],
    )
    text = lake.series("leaf", VIN, None, None, 2)
    assert (text["value"], text["min"], text["max"]) == (["b", "d"], [None, None], [None, None])


def test_series_of_one_instant_is_one_point(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0, 2.0, 3.0]}, ts=[T0, T0, T0])
    found = look(store).series("leaf", SPEED, None, None, 2)
    assert (found["value"], found["min"], found["max"]) == ([2.0], [1.0], [3.0])


def test_series_of_nothing_is_empty(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0]})
    found = look(store).series("leaf", GEAR, None, None, 2)
    assert (found["tier"], found["ts"], found["value"]) == ("raw", [], [])


def test_series_refuses_no_points(store: LakeStore, look: Look) -> None:
    store_drive(store, {SPEED: [1.0]})
    with pytest.raises(UsageError, match="max_points"):
        look(store).series("leaf", SPEED, None, None, 0)
