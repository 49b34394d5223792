"""How columns are coded: chosen by size, and whatever is chosen comes back equal."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.cloud.lake.coding import Coding, coding_of
from contactor.cloud.lake.packing import write_packed

N = 20_000
CHANCE = np.random.default_rng(1)
SMOOTH = np.cumsum(CHANCE.normal(size=N)).astype(np.float32)


@pytest.mark.parametrize(
    ("column", "coding"),
    [
        (pl.Series(SMOOTH), Coding.SPLIT),
        (pl.Series(CHANCE.integers(0, 40, N).astype(np.float32) * 0.1), Coding.DICTIONARY),
        (pl.Series(np.arange(N) * 1_000_000_000), Coding.DELTA),
        (pl.Series(["a", "b"] * 100), Coding.DICTIONARY),
        (pl.Series([True, False]), Coding.DICTIONARY),
        (pl.Series([[1.0], [2.0]]), Coding.DICTIONARY),
    ],
)
def test_the_smallest_coding_is_chosen(column: pl.Series, coding: Coding) -> None:
    assert coding_of(column) is coding


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Float32, pl.Float64])
def test_columns_with_nothing_or_little_in_them_have_one(dtype: type[pl.DataType]) -> None:
    for values in ([], [None], [None, 3], [1]):
        assert coding_of(pl.Series(values, dtype=dtype)) in Coding


def test_packing_makes_smooth_values_a_third_smaller_than_plain_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"ts": np.arange(N) * 1_000_000_000, "x": SMOOTH})
    write_packed(frame, tmp_path / "packed.parquet", drafts=tmp_path)
    frame.write_parquet(tmp_path / "plain.parquet", compression_level=9)
    sizes = [(tmp_path / name).stat().st_size for name in ("packed.parquet", "plain.parquet")]
    assert sizes[0] < sizes[1] * 2 / 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packed.parquet", "plain.parquet"]


def series(dtype: pl.DataType, values: st.SearchStrategy[object]) -> st.SearchStrategy[pl.Series]:
    return st.lists(st.none() | values, min_size=1, max_size=50).map(
        lambda cells: pl.Series(cells, dtype=dtype)
    )


COLUMNS = st.one_of(
    series(pl.Float32(), st.floats(width=32, allow_nan=False)),
    series(pl.Float64(), st.floats(allow_nan=False)),
    series(pl.Int16(), st.integers(-(2**15), 2**15 - 1)),
    series(pl.Int64(), st.integers(-(2**63), 2**63 - 1)),
    series(pl.Boolean(), st.booleans()),
    series(pl.String(), st.text(st.characters(codec="utf-8"))),
    series(pl.List(pl.Float32), st.lists(st.none() | st.floats(width=32, allow_nan=False))),
)


@given(column=COLUMNS)
def test_what_is_packed_comes_back_equal(
    column: pl.Series, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("packed")
    frame = pl.DataFrame({"vehicle_id": ["leaf"] * len(column), "Vehicle.X": column})
    write_packed(frame, folder / "x.parquet", drafts=folder)
    assert pl.read_parquet(folder / "x.parquet").equals(frame)
