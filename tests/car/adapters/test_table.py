import gzip
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.car.adapters.table import TableSource
from contactor.car.adapters.table_map import load_table_map
from contactor.errors import TableError, UsageError
from contactor.signals.groups import Group
from contactor.signals.validation import check_rows

SPEED = "Vehicle.Speed"
START = 1_714_550_400_000_000_000  # 2024-05-01T08:00:00Z
NOW = START + 10 * 86_400 * 10**9
S = 10**9

SECONDS = 'unit = "s"\norigin = "2024-05-01T08:00:00Z"'
SPEED_MAP = '[signals."Vehicle.Speed"]\ncolumn = "speed"\n'


@pytest.fixture
def source(tmp_path):
    """Makes a source of one table per text or frame."""

    def make(*tables, time=SECONDS, signals=SPEED_MAP, start_ns=None, now_ns=NOW):
        map_path = tmp_path / "map.toml"
        map_path.write_text(f'[time]\ncolumn = "t"\n{time}\n{signals}')
        paths = []
        for number, table in enumerate(tables):
            path = tmp_path / f"table{number}"
            if isinstance(table, pl.DataFrame):
                table.write_parquet(path)
            else:
                path.write_text(table)
            paths.append(path)
        table_map = load_table_map(map_path)
        return TableSource(paths, table_map=table_map, start_ns=start_ns, now_ns=now_ns)

    return make


def read(source, chunk_rows=20_000):
    """(group, ts, values...) of every row, in the order given."""
    rows = []
    for chunk in source.read(chunk_rows=chunk_rows):
        assert chunk
        for group in chunk:
            check_rows(group)
            assert np.all(np.diff(group.ts) >= 0)
            cells = [column.to_list() for column in group.columns]
            rows += [(group.group, *row) for row in zip(group.ts.tolist(), *cells, strict=True)]
    return rows


def instants(rows):
    return [row[1] for row in rows]


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


def test_table_gives_every_row_in_the_type_of_the_signal(source):
    table = source("t,speed\n0.05,10\n0.1,11.5\n0.15,\n0.2,12\n")
    assert read(table) == [
        (Group.DRIVE, START + 50_000_000, 10.0),
        (Group.DRIVE, START + 100_000_000, 11.5),
        (Group.DRIVE, START + 200_000_000, 12.0),
    ]
    counts = table.counts
    assert (counts.rows_read, counts.rows_refused, counts.rows_empty) == (4, 0, 1)
    assert (counts.first_ts, counts.last_ts) == (START + 50_000_000, START + 200_000_000)
    assert counts.refused == {}


def test_table_gives_the_same_from_parquet_text_and_gzip(source, tmp_path):
    frame = pl.DataFrame(
        {"t": [k * 0.05 for k in range(500)], "speed": [k / 7 for k in range(500)]}
    )
    expected = read(source(frame))
    assert read(source(frame.write_csv())) == expected
    assert read(source(frame.write_csv(separator="\t"))) == expected
    table = source("")
    (tmp_path / "table0").write_bytes(gzip.compress(frame.write_csv().encode()))
    assert read(table) == expected


def test_table_parts_signals_into_their_groups(source):
    signals = SPEED_MAP + (
        '[signals."Vehicle.Powertrain.TractionBattery.StateOfHealth"]\ncolumn = "soh"\n'
        '[signals."Vehicle.Exterior.AirTemperature"]\ncolumn = "air"\ngroup = "slow"\n'
    )
    table = source("t,speed,soh,air\n0,10,,\n1,,99,\n2,12,,21\n3,,,\n", signals=signals)
    assert read(table) == [
        (Group.DRIVE, START, 10.0),
        (Group.DRIVE, START + 2 * S, 12.0),
        (Group.SLOW, START + S, 99.0, None),
        (Group.SLOW, START + 2 * S, None, 21.0),
    ]
    assert table.counts.rows_empty == 1


@given(
    ticks=st.lists(st.integers(0, 6), min_size=1, max_size=40),
    chunk_rows=st.integers(1, 50),
    kind=st.sampled_from(["parquet", "text"]),
)
def test_table_keeps_every_instant_in_time_order(tmp_path_factory, ticks, chunk_rows, kind):
    path = tmp_path_factory.mktemp("table") / "table"
    frame = pl.DataFrame({"t": [k * 0.05 for k in ticks], "speed": range(len(ticks))})
    _ = frame.write_parquet(path) if kind == "parquet" else frame.write_csv(path)
    map_path = path.with_name("map.toml")
    map_path.write_text(f'[time]\ncolumn = "t"\n{SECONDS}\n{SPEED_MAP}')
    source = TableSource([path], table_map=load_table_map(map_path), now_ns=NOW)
    # Stable: rows of one instant stay in the order of the table.
    expected = sorted(
        ((k * 50_000_000, float(row)) for row, k in enumerate(ticks)), key=lambda x: x[0]
    )
    rows = read(source, chunk_rows)
    assert [(ts - START, value) for _, ts, value in rows] == expected
    latest = np.maximum.accumulate(ticks)
    assert source.counts.rows_reordered == int(np.count_nonzero(np.array(ticks) < latest))
    assert source.counts.rows_read == len(ticks)


def test_table_reads_the_same_again(source):
    table = source("t,speed\n2,10\n1,x\n0,12\n")
    first = read(table), table.counts
    assert (read(table), table.counts) == first


def test_table_chunks_depend_on_the_table_alone(source):
    table = source("t,speed\n" + "".join(f"{row},1\n" for row in range(10)))
    assert [len(chunk[0]) for chunk in table.read(chunk_rows=4)] == [4, 4, 2]


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_table_counts_what_it_refuses(source):
    table = source(
        "t,speed\n0,10\n,11\nnoon,12\n1,300\n2,fast\n-1e9,13\n-9e9,13\n999999999,14\n3,15,16\n4,17\n",
        signals=SPEED_MAP + "valid = [0, 250]\n",
        now_ns=START + 3 * S,
    )
    assert [row[2] for row in read(table)] == [13.0, 10.0, 17.0]
    assert table.counts.rows_read == 10
    assert table.counts.rows_refused == 5
    assert table.counts.rows_empty == 2
    assert table.counts.refused == {
        "time: no value": 1,
        "time: not a number ('noon')": 1,
        "row: too many cells": 1,
        "time: outside 1970..2262": 1,
        "time: lies in the future": 1,
        "Vehicle.Speed: not a number ('fast')": 1,
        "Vehicle.Speed outside 0..250": 1,
    }


def test_table_takes_up_to_a_day_after_now(source):
    table = source("t,speed\n86400,1\n86400.000000001,2\n", now_ns=START)
    assert instants(read(table)) == [START + 86_400 * S]


def test_table_of_refused_rows_only_gives_nothing(source):
    table = source("t,speed\nx,1\ny,2\n")
    assert read(table) == []
    assert (table.counts.first_ts, table.counts.last_ts) == (None, None)
    assert table.counts.rows_refused == 2


def test_table_without_rows_gives_nothing(source):
    for empty in ("t,speed\n", pl.DataFrame(schema={"t": pl.Float64, "speed": pl.Float64})):
        table = source(empty)
        assert read(table) == []
        assert table.counts.rows_read == 0


def test_table_rows_that_are_refused_do_not_count_as_out_of_order(source):
    table = source("t,speed\n0,1\n1e12,2\n1,3\n")
    assert instants(read(table)) == [START, START + S]
    assert table.counts.rows_reordered == 0


# ── the clock ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("unit", "cell"), [("s", "1.5"), ("ms", "1500"), ("us", "1500000"), ("ns", "1500000000")]
)
def test_table_start_takes_the_place_of_the_origin(source, unit, cell):
    for origin in ("", 'origin = "2001-01-01T00:00:00Z"'):
        time = f'unit = "{unit}"\n{origin}'
        table = source(f"t,speed\n{cell},1\n", time=time, start_ns=START)
        assert instants(read(table)) == [START + 3 * S // 2]


def test_table_start_moves_the_first_instant_of_dates(source):
    first = "t,speed\n2020-01-01T00:00:10Z,1\n2020-01-01T00:00:05Z,2\n"
    second = "t,speed\n2020-01-02T00:00:05Z,3\n"
    table = source(second, first, time='unit = "iso8601"', start_ns=START)
    assert instants(read(table)) == [START + 86_400 * S, START, START + 5 * S]
    assert table.counts.first_ts == START


def test_table_start_of_dates_that_cannot_be_read_is_no_error(source):
    assert read(source("t,speed\nsoon,1\n", time='unit = "iso8601"', start_ns=START)) == []


def test_table_joins_the_columns_of_date_and_time(source):
    table = source(
        "d,t,speed\n5/1/2024,08:00:01,3\n",
        time='unit = "timestamp"\nformat = "%m/%d/%Y %H:%M:%S"',
    )
    map_path = table._map.path
    map_path.write_text(map_path.read_text().replace('"t"', '["d", "t"]'))
    again = TableSource(table._paths, table_map=load_table_map(map_path), now_ns=NOW)
    assert instants(read(again)) == [START + S]


@pytest.mark.parametrize(
    ("cells", "unit", "told"),
    [
        (
            pl.Series(["2024-05-01"]).str.to_datetime(),
            "s",
            'unit = "s" needs numbers: unit = "timest',
        ),
        (pl.Series([True]), "ms", 'holds Boolean; unit = "ms" needs numbers'),
        (
            pl.Series([1.5]),
            "iso8601",
            'unit = "iso8601" needs texts or date-times; numbers are read',
        ),
        (pl.Series([[1]]), "timestamp", "holds List(Int64)"),
    ],
)
def test_table_whose_clock_has_another_type_is_told(source, cells, unit, told):
    table = source(pl.DataFrame({"t": cells, "speed": [1.0]}), time=f'unit = "{unit}"')
    with pytest.raises(TableError) as caught:
        read(table)
    assert told in str(caught.value)


# ── several tables, identity, misuse ─────────────────────────────────────────────────────────────


def test_tables_are_read_one_after_another_and_overlaps_counted(source):
    table = source("t,speed\n10,1\n12,2\n", "t,speed\n0,3\n9,4\n", "t,speed\n11,5\n")
    assert [row[2] for row in read(table)] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert table.counts.tables_overlapping == 1
    assert (table.counts.first_ts, table.counts.last_ts) == (START, START + 12 * S)


def test_table_hash_tells_tables_maps_and_starts_apart(source):
    one, other = "t,speed\n0,1\n", "t,speed\n0,2\n"
    hashes = [
        source(one).source_hash,
        source(other).source_hash,
        source(one, other).source_hash,
        source(other, one).source_hash,
        source(one, start_ns=START).source_hash,
        source(one, start_ns=0).source_hash,
        source(one, signals=SPEED_MAP + "scale = 1.0\n").source_hash,
    ]
    assert len(set(hashes)) == len(hashes)
    assert source(one, now_ns=NOW + 1).source_hash == hashes[0]


def test_table_of_another_type_than_the_signal_is_told(source):
    for cells in (pl.Series([[1.0]]), pl.Series([b"1"]), pl.Series([{"a": 1}])):
        with pytest.raises(TableError, match=r"column 'speed' holds .*; Vehicle.Speed is float"):
            read(source(pl.DataFrame({"t": [0.0], "speed": cells})))


def test_table_paths_are_checked_at_once(tmp_path, source):
    table_map = source("t,speed\n")._map
    there = tmp_path / "table0"
    for paths, told in [
        ([], "no table given"),
        ([tmp_path / "none.csv"], "no such file"),
        ([tmp_path], "is a directory, not a table"),
        ([there, tmp_path / "." / "table0"], "is given twice"),
    ]:
        with pytest.raises(UsageError, match=told):
            TableSource(paths, table_map=table_map, now_ns=NOW)


def test_table_module_loads_without_polars():
    code = "import sys; import contactor.car.adapters.table; assert 'polars' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_table_without_polars_names_what_to_install(source, monkeypatch):
    for name in [name for name in sys.modules if ".adapters.table_" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "polars", None)
    from contactor.errors import MissingPart

    with pytest.raises(MissingPart, match=r"import needs polars: pip install 'contactor\[cloud\]'"):
        read(source("t,speed\n0,1\n"))


# ── real recordings ──────────────────────────────────────────────────────────────────────────────

EXAMPLES = Path(__file__).parents[3] / "examples" / "import"


def columns_of(source):
    """Every column as one array by path, with the instants."""
    chunks = [rows for chunk in source.read() for rows in chunk]
    assert {rows.group for rows in chunks} == {Group.DRIVE}
    columns = {
        column.path: np.concatenate([rows.columns[place].values for rows in chunks])
        for place, column in enumerate(chunks[0].columns)
    }
    return np.concatenate([rows.ts for rows in chunks]), columns


@pytest.mark.parametrize("trip", ["real_001", "real_017", "real_037"])
def test_table_of_a_real_trip_comes_back_equal(shared_data, trip):
    path = shared_data / "motives" / f"{trip}.parquet"
    table_map = load_table_map(EXAMPLES / "motives.toml")
    source = TableSource([path], table_map=table_map, start_ns=START, now_ns=NOW)
    ts, columns = columns_of(source)
    frame = pl.read_parquet(path)
    assert ts.tolist() == [START + 50_000_000 * k for k in range(frame.height)]
    for one in table_map.signals:
        expected = frame[one.columns[0]].to_numpy().astype(one.signal.datatype.dtype)
        assert np.array_equal(columns[one.path], expected)
    assert source.counts.rows_read == frame.height
    assert source.counts.refused == {}


@pytest.mark.parametrize("run", ["lab_WLTC_01_WLTC_01", "lab_UDDS_03_CS_50_01"])
def test_table_of_a_dynamometer_run_keeps_repeated_instants(shared_data, run):
    path = shared_data / "motives" / f"{run}.parquet"
    table_map = load_table_map(EXAMPLES / "motives_dynamometer.toml")
    source = TableSource([path], table_map=table_map, start_ns=START, now_ns=NOW)
    ts, columns = columns_of(source)
    frame = pl.read_parquet(path)
    expected = frame.sort("PhaseTime", maintain_order=True)
    assert ts.tolist() == [START + round(second * 1e9) for second in expected["PhaseTime"]]
    assert np.array_equal(columns[SPEED], expected["DAActualSpeed"].cast(pl.Float32).to_numpy())
    assert np.any(np.diff(ts) == 0)
    running = frame["PhaseTime"].cum_max()
    assert source.counts.rows_reordered == (frame["PhaseTime"] < running).sum()


def test_table_of_twizy_trips_is_read_in_local_time(shared_data):
    paths = sorted((shared_data / "twizy_t3").glob("T*.csv"))
    table_map = load_table_map(EXAMPLES / "twizy.toml")
    source = TableSource(paths, table_map=table_map, now_ns=NOW)
    ts, columns = columns_of(source)
    assert (
        len(ts)
        == source.counts.rows_read
        == sum(path.read_text().count("\n") - 1 for path in paths)
    )
    # 08:42:50 in Morocco, in Ramadan at UTC.
    assert ts[0] == 1_619_080_970 * S
    assert source.counts.refused == {"Vehicle.CurrentLocation.Longitude outside -180..180": 3}
    assert math.isclose(columns["Vehicle.CurrentLocation.Latitude"][0], 33.986153)
    assert source.counts.tables_overlapping == 0
