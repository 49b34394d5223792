"""Campaigns as people write them: read strictly, every error with its place."""

from pathlib import Path

import pytest

from contactor.clock import from_iso
from contactor.cloud.campaigns.request import MAX_BYTES, decode_request, read_request
from contactor.errors import UsageError
from contactor.signals.campaign import Campaign, Claim, Upload

LOWEST = "Vehicle.Powertrain.TractionBattery.CellVoltage.Min"
CELLS = "Vehicle.Powertrain.TractionBattery.CellVoltage.CellVoltages"
NOW = from_iso("2026-11-26T12:00:00Z")
TOML = f"""
version = 1
name = "cells under 3 V"
vehicles = ["demo"]
signals = ["{CELLS}"]
rate_hz = 10
before_s = 30
after_s = 10
until = 2027-01-01T00:00:00Z
[[when]]
signal = "{LOWEST}"
below = 3.0
rearm = 3.1
"""
JSON = f"""{{"version": 1, "name": "cells under 3 V", "vehicles": ["demo"], "signals": ["{CELLS}"],
"rate_hz": 10, "before_s": 30, "after_s": 10, "until": "2027-01-01T00:00:00Z",
"when": [{{"signal": "{LOWEST}", "below": 3.0, "rearm": 3.1}}]}}"""


def read(tmp_path: Path, text: str, name: str = "asked.toml") -> Campaign:
    (tmp_path / name).write_text(text)
    return read_request(tmp_path / name).campaign("c", NOW)


def test_toml_and_json_mean_the_same(tmp_path: Path) -> None:
    expected = Campaign(
        id="c",
        name="cells under 3 V",
        signals=(CELLS,),
        rate_hz=10.0,
        until=from_iso("2027-01-01T00:00:00Z"),
        when=(Claim(LOWEST, below=3.0, rearm=3.1),),
        before_s=30.0,
        after_s=10.0,
        upload=Upload.AT_ONCE,
    )
    assert read(tmp_path, TOML) == read(tmp_path, JSON, "asked.json") == expected


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("version = 1", "version = 2", "Invalid enum value 2 - at `$.version`"),
        ("version = 1", "", "missing required field `version`"),
        ("rate_hz = 10", "rate_hz = 1000", "`float` <= 50.0 - at `$.rate_hz`"),
        ("rate_hz = 10", 'rate_hz = "fast"', "at `$.rate_hz`"),
        ("rate_hz", "rate", "unknown field `rate`"),
        ("below = 3.0", "belov = 3.0", "unknown field `belov` - at `$.when[0]`"),
        ("below = 3.0", "", "when[0]: nothing given"),
        ("2027-01-01", "2025-01-01", "until 2025-01-01T00:00:00Z is over"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "at `$.until`"),
        ('vehicles = ["demo"]', "", "either vehicles or where"),
        ('vehicles = ["demo"]', 'vehicles = ["a b"]', "at `$.vehicles[0]`"),
        ("version = 1", 'where = "x"\nversion = 1', "either vehicles or where, and not both"),
        (CELLS, "Vehicle.Warp", "unknown signal 'Vehicle.Warp'"),
        ("[[when]]", "[[when", "line"),
    ],
)
def test_error_names_its_place_and_what_is_allowed(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(UsageError) as refused:
        read(tmp_path, TOML.replace(old, new))
    assert words in str(refused.value)


def test_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.toml: No such file"):
        read_request(tmp_path / "none.toml")
    (tmp_path / "bad.json").write_bytes(b"\xff")
    with pytest.raises(UsageError, match=r"bad\.json: campaign: "):
        read_request(tmp_path / "bad.json")


def test_document_over_the_limit_is_refused_unread() -> None:
    with pytest.raises(UsageError, match="the limit is"):
        decode_request(b" " * (MAX_BYTES + 1))
