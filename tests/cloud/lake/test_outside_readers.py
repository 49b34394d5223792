"""The lake is plain Delta and Parquet: others read it without a line of ours."""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pyarrow.dataset as ds
import pytest
from deltalake import DeltaTable, QueryBuilder

from contactor.cloud.lake.local import LocalStore
from contactor.cloud.lake.local_reader import table_folder
from contactor.cloud.lake.upkeep.upkeep import Upkeep
from contactor.signals.groups import Group
from tests.cloud.lake.samples import CELLS, DAY, GEAR, NA, POWER, SPEED, T0, VIN, S, store_drive

DOORS = "Vehicle.Cabin.DoorCount"
COUNTS = f"""
    select day, count("{SPEED}") as known, max("{SPEED}") as top, sum("{DOORS}") as doors
    from lake where "group" = 'drive' group by day order by day
"""
EXPECTED = [(date(2024, 5, 1), 2, 3.5, 255), (date(2024, 5, 2), 1, 4.5, None)]


@pytest.fixture(params=["as it came", "packed", "packed, with late rows"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    store = LocalStore(tmp_path, checkpoint_every=2)
    upkeep = Upkeep(store, kept_s=0)
    store_drive(store, {SPEED: [1.5, NA, 3.5], DOORS: [255, None, 0]})
    store_drive(store, {POWER: [1.0]}, group=Group.FAST)
    if request.param == "packed, with late rows":
        upkeep.run(now_ns=T0 + 9 * DAY, is_thorough=True)
    store_drive(store, {SPEED: [4.5], GEAR: [1]}, ts=[T0 + DAY])
    store_drive(store, {CELLS: [(3.5, 3.75)]}, group=Group.CELLS)
    store_drive(store, {VIN: ["x"]}, group=Group.EVENTS)
    if request.param == "packed":
        upkeep.run(now_ns=T0 + 9 * DAY, is_thorough=True)
    return table_folder(tmp_path)


def is_packed(root: Path) -> bool:
    """Whether there are tiers."""
    return any(root.glob("group=hour/*/*.parquet"))


def test_polars_reads_it(root: Path) -> None:
    lake = pl.scan_delta(str(root))
    drive = lake.filter((pl.col("group") == "drive") & (pl.col("vehicle_id") == "leaf")).sort("ts")
    assert drive.select("day", "ts", SPEED, DOORS, "unavailable").collect().rows() == [
        (date(2024, 5, 1), T0, 1.5, 255, None),
        (date(2024, 5, 1), T0 + S, None, None, [SPEED]),
        (date(2024, 5, 1), T0 + 2 * S, 3.5, 0, None),
        (date(2024, 5, 2), T0 + DAY, 4.5, None, None),
    ]
    assert lake.filter(pl.col(SPEED) > 2.0).select(SPEED).collect().height == 2
    events = lake.filter(pl.col("group") == "events").select("path", "text").collect()
    assert events.rows() == [(VIN, "x")]
    streams = lake.filter(pl.col("group") == "streams").select("watermark").collect()
    assert streams["watermark"].max() == 5


def test_duckdb_reads_its_files(root: Path) -> None:
    files = [path for path in DeltaTable(str(root)).file_uris() if "/group=drive/" in path]
    with duckdb.connect() as connection:
        lake = connection.read_parquet(files, union_by_name=True, hive_partitioning=True)
        assert lake.query("lake", COUNTS).fetchall() == EXPECTED


def test_duckdb_reads_it_through_arrow(root: Path) -> None:
    lake = DeltaTable(str(root)).to_pyarrow_dataset()
    with duckdb.connect() as connection:
        connection.register("lake", lake)
        assert connection.execute(COUNTS).fetchall() == EXPECTED
        filtered = f'select "{SPEED}" from lake where "{SPEED}" > 2.0 order by 1'
        assert connection.execute(filtered).fetchall() == [(3.5,), (4.5,)]


def test_arrow_filters_on_signals_and_on_the_partition(root: Path) -> None:
    lake = DeltaTable(str(root)).to_pyarrow_dataset()
    fast = lake.to_table(columns=["ts", SPEED], filter=ds.field(SPEED) > 2.0)
    assert sorted(fast.column(SPEED).to_pylist()) == [3.5, 4.5]
    cells = lake.to_table(columns=[CELLS], filter=ds.field("group") == "cells")
    assert cells.column(CELLS).to_pylist() == [[3.5, 3.75]]


def test_deltalake_queries_it(root: Path) -> None:
    query = QueryBuilder().register("lake", DeltaTable(str(root)))
    assert pl.DataFrame(query.execute(COUNTS).read_all()).rows() == EXPECTED


def test_everybody_reads_the_sums_of_an_hour(root: Path) -> None:
    if not is_packed(root):
        assert not [one for one in DeltaTable(str(root)).file_uris() if "/group=hour/" in one]
        return
    wanted = f"""
        select day, ts, row_count, "min", "max", mean, number from lake
        where "group" = 'hour' and path = '{SPEED}' order by ts
    """
    begin = T0 // (3600 * S) * 3600 * S
    expected = (date(2024, 5, 1), begin, 2, 1.5, 3.5, 2.5, 3.5)
    query = QueryBuilder().register("lake", DeltaTable(str(root)))
    assert pl.DataFrame(query.execute(wanted).read_all()).rows()[0] == expected
    with duckdb.connect() as connection:
        connection.register("lake", DeltaTable(str(root)).to_pyarrow_dataset())
        assert connection.execute(wanted).fetchall()[0] == expected
    hours = pl.scan_delta(str(root)).filter(pl.col("group") == "hour", pl.col("path") == SPEED)
    columns = ("day", "ts", "row_count", "min", "max", "mean", "number")
    assert hours.sort("ts").select(columns).collect().rows()[0] == expected


def test_arrow_prunes_by_vehicle(root: Path) -> None:
    lake = DeltaTable(str(root)).to_pyarrow_dataset()
    assert lake.count_rows(filter=ds.field("vehicle_id") == "nobody") == 0
    wanted = (ds.field("vehicle_id") == "leaf") & (ds.field("group") == "drive")
    assert lake.count_rows(filter=wanted) == 4
