"""Loops over stretches of rows: compiled and plain say the same, in blocks as row by row."""

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from contactor.can.kernels import is_installed
from contactor.history.loops import PLAIN, Loops
from contactor.history.rules import FRESH_NS, GAP_NS, HOLD_NS

S = 10**9


def rows(source: np.random.Generator, count: int) -> dict[str, NDArray[Any]]:
    """Columns of a car at no even pace, some of it unknown, with a spike here and there."""
    part = source.choice([0.0, 0.02, 0.5])

    def told(values: NDArray[Any], kind: type = np.float32) -> NDArray[Any]:
        values = values.astype(kind)
        values[source.random(count) < part] = np.nan
        if source.random() < 0.3:
            values[int(source.integers(count))] *= 1e3
        return values

    paces = [1] if source.random() < 0.5 else [1, 5, 12, 60, 200]
    return {
        "ts": np.cumsum(source.choice(paces, count)) * S,
        "volts": told(source.normal(360, 5, count)),
        "amperes": told(source.normal(0, 50, count)),
        "kmh": told(np.abs(np.cumsum(source.normal(0, 3, count)))),
        "metres": told(np.cumsum(np.abs(source.normal(15, 9, count))), np.float64),
        "lat": told(47 + np.cumsum(source.normal(0, 1e-4, count)), np.float64),
        "lon": told(9 + np.cumsum(source.normal(0, 1e-4, count)), np.float64),
        "height_m": told(np.cumsum(source.normal(0, 2, count)), np.float64),
        "flag": told(source.random(count) < 0.7),
        "spans": np.sort(source.integers(0, count, (6, 2)), axis=1),
    }


def said(loops: Loops, row: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """What each loop says but for `scan`."""
    ts, spans = row["ts"], row["spans"]
    around = np.column_stack((np.zeros_like(spans[:, 0]), np.full_like(spans[:, 1], len(ts) - 1)))
    return {
        "flow": loops.flow(ts, row["amperes"], spans),
        "product_flow": loops.product_flow(ts, row["volts"], row["amperes"], spans),
        "gated_flow": loops.gated_flow(ts, row["amperes"], row["flag"], spans),
        "counted": loops.counted(ts, row["metres"], spans, 75.0, 1000.0),
        "means": loops.means(row["amperes"], spans, -50.0, 60.0),
        "drive": loops.drive(ts, row["kmh"], spans),
        "position_way": loops.position_way(ts, row["lat"], row["lon"], spans),
        "climb": loops.climb(ts, row["height_m"], spans),
        "known_ends": loops.known_ends(row["amperes"], spans),
        "greatest": loops.greatest(row["volts"], row["amperes"], spans),
        "places": loops.places(ts, row["lat"], row["lon"], spans, -1),
        "cable_in": loops.cable_in(row["flag"], spans, around),
    }


@pytest.mark.skipif(not is_installed(), reason="Numba is not installed")
def test_compiled_loops_say_the_same_to_the_last_bit() -> None:
    from contactor.history.kernels import COMPILED

    source = np.random.default_rng(7)
    names = {field.name for field in fields(Loops)} - {"scan"}
    for _ in range(40):
        row = rows(source, int(source.integers(2, 700)))
        plain, compiled = said(PLAIN, row), said(COMPILED, row)
        assert set(plain) == names
        for name, figures in plain.items():
            np.testing.assert_array_equal(compiled[name], figures, name)


def test_a_flow_is_the_sum_of_what_each_row_says() -> None:
    source = np.random.default_rng(8)
    for _ in range(20):
        row = rows(source, int(source.integers(2, 700)))
        ts, volts, amperes = row["ts"], row["volts"], row["amperes"]
        found = PLAIN.product_flow(ts, volts, amperes, row["spans"])
        for (first, last), figures in zip(row["spans"], found, strict=True):
            into = out = known_s = widest_s = volt = before = 0.0
            volt_ns = before_ns = -math.inf
            for i in range(first, last + 1):
                if not np.isnan(volts[i]):
                    volt, volt_ns = float(volts[i]), ts[i]
                if np.isnan(amperes[i]) or ts[i] - volt_ns > FRESH_NS:
                    continue
                watts, apart = volt * float(amperes[i]), ts[i] - before_ns
                if apart <= GAP_NS:
                    work = (watts if apart <= HOLD_NS else (watts + before) / 2) * apart / S
                    into, out = into + max(work, 0.0), out + max(-work, 0.0)
                    known_s += apart / S
                    widest_s = max(widest_s, apart / S)
                before, before_ns = watts, ts[i]
            assert figures == pytest.approx([into, out, known_s, widest_s], rel=1e-9, abs=1e-6)


def test_a_way_is_driven_and_counted_alike() -> None:
    ts = np.arange(3_000) * S
    kmh = np.full(3_000, 72.0, np.float32)
    metres = np.arange(3_000) * 20.0
    kmh[[700, 1500]] = 400.0, np.nan
    metres[[900, 1500]] = np.nan, 0.0
    spans = np.array([[0, 2_999], [100, 199], [5, 5]])
    way_m, moving_s, greatest_kmh, known_s = PLAIN.drive(ts, kmh, spans).T
    assert way_m == pytest.approx([2_999 * 20, 99 * 20, 0])
    assert moving_s == pytest.approx([2_999, 99, 0])
    assert known_s == pytest.approx([2_999, 99, 0])
    assert greatest_kmh.tolist() == [72.0, 72.0, 72.0]
    told_m, finest_m, told_s = PLAIN.counted(ts, metres, spans, 75.0, 1000.0).T
    assert told_m == pytest.approx([2_999 * 20 - 40, 99 * 20, 0])
    assert finest_m.tolist() == [20.0, 20.0, math.inf]
    assert told_s == pytest.approx([2_999, 99, 0])
