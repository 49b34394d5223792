from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from contactor.app.tariff_file import read_tariffs
from contactor.errors import UsageError
from contactor.history.facts import ChargeKind
from contactor.history.tariff import HourPrices

HEAD = """
version = 1
currency = "EUR"
time_zone = "Europe/Vaduz"
"""
FIRST = datetime(2024, 5, 1, tzinfo=UTC)


def written(folder: Path, text: str) -> Path:
    path = folder / "tariffs.toml"
    path.write_text(text)
    return path


def test_tariffs_are_read_from_toml(tmp_path: Path) -> None:
    text = f"""{HEAD}
[[tariffs]]
name = "home"
place = "Home"
kind = "ac"
from = 2024-01-01
per_kwh = 0.3
[[tariffs.bands]]
from = "22:00"
until = "06:00"
days = ["sat"]
per_kwh = 0.1
"""
    (one,) = read_tariffs(written(tmp_path, text)).tariffs
    assert (one.since, one.kind, one.bands[0].days) == (date(2024, 1, 1), ChargeKind.AC, ("sat",))


TABLE = f"""{HEAD}
[[tariffs]]
name = "hours"
per_kwh = 0.1
[tariffs.prices]
file = "FILE"
unit = "EUR/MWh"
factor = 1.21
"""


@pytest.mark.parametrize("name", ["hours.csv", "hours.parquet", "seconds.csv", "zones.csv"])
def test_prices_come_out_of_a_table(tmp_path: Path, name: str) -> None:
    at = int(FIRST.timestamp())
    table = pl.DataFrame({"utc": [FIRST.replace(tzinfo=None)] * 2, "eur_mwh": [50.0, -10.0]})
    table = table.with_columns(utc=pl.col("utc") + pl.duration(hours=pl.int_range(2)))
    if name.startswith("seconds"):
        table = table.with_columns(pl.col("utc").dt.epoch("s"))
    if name.startswith("zones"):
        table = table.with_columns(pl.col("utc").dt.to_string("%Y-%m-%dT%H:%M:%S") + "Z")
    if name.endswith("csv"):
        table.write_csv(tmp_path / name)
    else:
        table.write_parquet(tmp_path / name)
    read = read_tariffs(written(tmp_path, TABLE.replace("FILE", name)))
    assert read.tariffs[0].prices == HourPrices((at, at + 3600), (0.05, -0.01), factor=1.21)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("version = ", "tariffs.toml"),
        ("version = 2", "`$.version`"),
        (f"{HEAD}\ntariffs = 1", "`$.tariffs`"),
        (f"{HEAD}\n[[tariffs]]\nname = 't'\nper_kw = 1", "unknown field `per_kw`"),
        (TABLE.replace("FILE", "none.csv"), "none.csv: No such file"),
        (TABLE.replace("EUR/MWh", "EUR/GJ"), "prices in 'EUR/GJ'"),
        (TABLE.replace("FILE", "one.csv"), "two columns"),
        (TABLE.replace("FILE", "words.csv"), "words.csv"),
    ],
)
def test_a_file_that_holds_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "one.csv").write_text("a\n1\n")
    (tmp_path / "words.csv").write_text("a,b\nmonday,cheap\n")
    with pytest.raises(UsageError) as refused:
        read_tariffs(written(tmp_path, text))
    assert words in str(refused.value)


def test_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_tariffs(tmp_path / "none.toml")
