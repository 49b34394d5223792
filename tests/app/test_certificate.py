"""The battery certificate as a file."""

from pathlib import Path

import pytest

from contactor.app.certificate import check_ending, write_certificate
from contactor.errors import UsageError
from contactor.history.battery import BatteryReport, as_json
from tests.history.battery.test_certificate import made_report


@pytest.mark.parametrize(("ending", "begin"), [(".html", b"<!doctype html>"), (".PDF", b"%PDF-")])
def test_the_ending_says_what_is_written(tmp_path: Path, ending: str, begin: bytes) -> None:
    path = tmp_path / f"battery{ending}"
    write_certificate(path, as_json("demo", made_report()))
    assert path.read_bytes().startswith(begin)


def test_another_ending_is_refused() -> None:
    with pytest.raises(UsageError, match=r"battery\.txt"):
        check_ending(Path("battery.txt"))


def test_a_battery_of_which_nothing_is_known_has_one_too(tmp_path: Path) -> None:
    path = tmp_path / "battery.html"
    write_certificate(path, as_json("demo", BatteryReport()))
    assert "could not be measured" in path.read_text()
