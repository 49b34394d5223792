"""Tariffs as people write them: a TOML file, beside it tables of prices.

    tariffs = read_tariffs(Path("tariffs.toml"))

A table of prices is CSV or Parquet: the first column when a price begins to hold (a date-time; UTC
where it has no zone, or seconds since 1970), the second the price. In the file:

    [tariffs.prices]
    file = "day-ahead.csv"
    unit = "EUR/MWh"          # per MWh, else per kWh
    step_s = 3600
    factor = 1.21
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contactor.errors import UsageError
from contactor.history.tariff import Tariffs

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 1_048_576


def read_tariffs(path: Path) -> Tariffs:
    """The tariffs of a file.

    Raises:
        UsageError: there is no such file, or it holds none; says where.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: over {MAX_BYTES} bytes")
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: {error}") from error
    tariffs = document.get("tariffs")
    for tariff in tariffs if isinstance(tariffs, list) else []:
        if isinstance(tariff, dict) and isinstance(tariff.get("prices"), dict):
            tariff["prices"] = _with_table(tariff["prices"], path.parent)
    try:
        return msgspec.convert(document, Tariffs)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}") from error


def _with_table(prices: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Prices with those of their file in place of its name."""
    if "file" not in prices:
        return dict(prices)
    left = {key: value for key, value in prices.items() if key not in ("file", "unit")}
    unit = str(prices.get("unit", "EUR/kWh")).partition("/")[2]
    if unit not in ("MWh", "kWh"):
        raise UsageError(f"prices in {prices['unit']!r}; allowed: as EUR/MWh or EUR/kWh")
    starts_s, values = _read_table(folder / str(prices["file"]))
    scale = 1000 if unit == "MWh" else 1
    return {**left, "starts_s": starts_s, "per_kwh": [value / scale for value in values]}


def _read_table(path: Path) -> tuple[list[int], list[float]]:
    import polars as pl

    try:
        is_parquet = path.suffix == ".parquet"
        table = pl.read_parquet(path) if is_parquet else pl.read_csv(path, try_parse_dates=True)
        if table.width < 2:
            raise UsageError(f"{path}: a table of prices has two columns, time and price")
        starts, prices = table.get_column(table.columns[0]), table.get_column(table.columns[1])
        rows = pl.DataFrame({"start": _seconds(starts), "price": prices.cast(pl.Float64)})
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except pl.exceptions.PolarsError as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from error
    rows = rows.drop_nulls().unique("start", keep="last").sort("start")
    return rows["start"].to_list(), rows["price"].to_list()


def _seconds(starts: "pl.Series") -> "pl.Series":
    import polars as pl

    if starts.dtype.is_integer():
        return starts.cast(pl.Int64)
    if starts.dtype == pl.String:
        starts = starts.str.to_datetime(time_zone="UTC")
    return starts.cast(pl.Datetime("us")).dt.epoch("s")
