"""Peers in the history benchmark: trips and charges of a fleet by DuckDB, Polars and pandas.

    python history_facts.py duckdb|polars|pandas FOLDER CORES

Each finds the same: rows that drive are one trip until ten minutes without; rows that charge one
charge; of each when, how far, and the V·I sum over rows at most 30 s apart. That is less than ours:
no gaps, no spikes, no kind, no stands, no states, no energy out and in, no check by another source.
"""

import json
import os
import sys
import time
from pathlib import Path

KIND, FOLDER, CORES = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.environ["POLARS_MAX_THREADS"] = str(CORES)
FILES = sorted(map(str, Path(FOLDER).glob("lake/telemetry/group=drive/*/*.parquet")))
BATTERY = "Vehicle.Powertrain.TractionBattery"
NAMES = {
    "vehicle_id": "car",
    "ts": "ts",
    "Vehicle.Speed": "speed",
    "Vehicle.TraveledDistance": "odometer",
    "Vehicle.CurrentLocation.Latitude": "latitude",
    "Vehicle.CurrentLocation.Longitude": "longitude",
    f"{BATTERY}.CurrentVoltage": "volts",
    f"{BATTERY}.CurrentCurrent": "amps",
    f"{BATTERY}.StateOfCharge.Displayed": "soc",
    f"{BATTERY}.Charging.IsCharging": "charging",
}
GAP_NS, HELD_NS = 600 * 10**9, 30 * 10**9


def duckdb_facts() -> tuple[int, int, int]:
    import duckdb

    link = duckdb.connect()
    link.execute(f"set threads = {CORES}")
    columns = ", ".join(f'"{path}" as {name}' for path, name in NAMES.items())
    rows = f"(select {columns} from read_parquet({FILES!r}, hive_partitioning = false))"
    one = """
        with stepped as (
            select *, ts - lag(ts) over (partition by car order by ts) as step from {rows}
        ), chosen as (
            select *, ts - lag(ts) over (partition by car order by ts) as gap
            from stepped where {what}
        ), numbered as (
            select *, sum(case when gap is null or gap > {gap} then 1 else 0 end)
                over (partition by car order by ts rows unbounded preceding) as number
            from chosen
        )
        select car, number, min(ts), max(ts), max(odometer) - min(odometer),
            sum(case when step <= {held} then volts * amps * step else 0 end) / 3.6e15,
            first(soc order by ts), last(soc order by ts), max(speed),
            first(latitude order by ts), last(latitude order by ts)
        from numbered group by car, number
    """
    trips = link.execute(one.format(rows=rows, what="speed > 0", gap=GAP_NS, held=HELD_NS))
    trip_rows = trips.fetchall()
    charges = link.execute(one.format(rows=rows, what="charging", gap=GAP_NS, held=HELD_NS))
    charge_rows = charges.fetchall()
    counted = link.execute(f"select count(*) from {rows}").fetchone()[0]
    return counted, len(trip_rows), len(charge_rows)


def polars_facts() -> tuple[int, int, int]:
    import polars as pl

    rows = pl.scan_parquet(FILES, hive_partitioning=False, missing_columns="insert").select(
        [pl.col(path).alias(name) for path, name in NAMES.items()]
    )
    stepped = rows.sort("car", "ts").with_columns(pl.col("ts").diff().over("car").alias("step"))
    watts = pl.col("volts") * pl.col("amps") * pl.col("step")

    def one(what: "pl.Expr") -> "pl.LazyFrame":
        return (
            stepped.filter(what)
            .with_columns(
                (pl.col("ts").diff().over("car").fill_null(GAP_NS + 1) > GAP_NS).alias("new")
            )
            .with_columns(pl.col("new").cum_sum().over("car").alias("number"))
            .group_by("car", "number")
            .agg(
                pl.col("ts").min().alias("start"),
                pl.col("ts").max().alias("end"),
                (pl.col("odometer").max() - pl.col("odometer").min()).alias("way"),
                (watts.filter(pl.col("step") <= HELD_NS).sum() / 3.6e15).alias("kwh"),
                pl.col("soc").first().alias("soc_start"),
                pl.col("soc").last().alias("soc_end"),
                pl.col("speed").max().alias("speed_max"),
                pl.col("latitude").first().alias("from"),
                pl.col("latitude").last().alias("to"),
            )
        )

    lazies = [one(pl.col("speed") > 0), one(pl.col("charging")), rows.select(pl.len())]
    trips, charges, counted = pl.collect_all(lazies, engine="streaming")
    return counted.item(), len(trips), len(charges)


def pandas_facts() -> tuple[int, int, int]:
    import pandas as pd

    rows = pd.concat([pd.read_parquet(file, columns=list(NAMES)) for file in FILES])
    rows = rows.rename(columns=NAMES).sort_values(["car", "ts"], ignore_index=True)
    rows["step"] = rows.groupby("car", sort=False)["ts"].diff()

    def one(chosen: "pd.DataFrame") -> "pd.DataFrame":
        chosen = chosen.copy()
        gap = chosen.groupby("car", sort=False)["ts"].diff().fillna(GAP_NS + 1)
        chosen["number"] = (gap > GAP_NS).cumsum()
        held = chosen["step"] <= HELD_NS
        chosen["kwh"] = (chosen["volts"] * chosen["amps"] * chosen["step"]).where(held, 0) / 3.6e15
        return chosen.groupby(["car", "number"], sort=False).agg(
            start=("ts", "min"),
            end=("ts", "max"),
            first_m=("odometer", "min"),
            last_m=("odometer", "max"),
            kwh=("kwh", "sum"),
            soc_start=("soc", "first"),
            soc_end=("soc", "last"),
            speed_max=("speed", "max"),
            begins=("latitude", "first"),
            ends=("latitude", "last"),
        )

    trips = one(rows[rows["speed"] > 0])
    charges = one(rows[rows["charging"].fillna(value=False).astype(bool)])
    return len(rows), len(trips), len(charges)


def main() -> None:
    find = {"duckdb": duckdb_facts, "polars": polars_facts, "pandas": pandas_facts}[KIND]
    __import__(KIND)  # on no clock
    began_s = time.perf_counter()
    rows, trips, charges = find()
    took_s = time.perf_counter() - began_s
    print(json.dumps({"rows_per_s": rows / took_s, "trips": trips, "charges": charges}))


if __name__ == "__main__":
    main()
