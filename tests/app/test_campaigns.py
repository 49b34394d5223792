"""A campaign from its file to the lake, with real processes: a weak cell of a car that charges."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from contactor.clock import NS_PER_S, from_iso
from tests.app.command_line import Ended, command
from tests.app.processes import RunningInstance, running, wait_for
from tests.app.test_faults import FAULT, signals_of
from tests.app.test_faults import command as ask

pytestmark = pytest.mark.processes

BATTERY = "Vehicle.Powertrain.TractionBattery.CellVoltage"
CELLS, LOWEST = f"{BATTERY}.CellVoltages", f"{BATTERY}.Min"
TOML = f"""
version = 1
name = "weak cell"
vehicles = ["demo"]
signals = ["{CELLS}", "{LOWEST}"]
rate_hz = 10
before_s = 30
after_s = 10
until = 2099-01-01T00:00:00Z
[[when]]
signal = "{LOWEST}"
below = 3.85
rearm = 3.9
"""
CAR = ("--car", "virtual:contactor_ev?vehicle=demo&plan=parked")


def campaign(desk: Path, words: str) -> Ended:
    return command(f"campaign {words} --data data", cwd=desk)


def shown(desk: Path, campaign_id: str) -> dict[str, object]:
    document = campaign(desk, f"show {campaign_id} --json").document()
    assert isinstance(document, dict)
    return document["progress"][0]


def lowest_ts(instance: RunningInstance) -> int | None:
    """When it was last measured; None while the cloud does not know it: speed comes first."""
    lowest = signals_of(instance, "demo").get(LOWEST)
    return from_iso(str(lowest["ts"])) if lowest else None


def wait_until(
    desk: Path, campaign_id: str, is_so: Callable[[dict[str, object]], bool], why: str
) -> dict[str, object]:
    def look() -> dict[str, object] | None:
        now = shown(desk, campaign_id)
        return now if is_so(now) else None

    return wait_for(look, timeout_s=60, why=why)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "weak.toml").write_text(TOML)
    return tmp_path


def test_weak_cell_is_recorded_from_half_a_minute_before(desk: Path) -> None:
    with running(desk / "data", *CAR, "--speed", "10", "--history-days", "1") as instance:
        started = campaign(desk, "start weak.toml --json").document()
        campaign_id = started["id"]
        wait_until(desk, campaign_id, lambda now: now["state"] == "accepted", "accepted")
        known_ns = wait_for(lambda: lowest_ts(instance), timeout_s=60, why="its lowest cell")
        wait_for(
            lambda: (lowest_ts(instance) or 0) > known_ns + 45 * NS_PER_S,
            timeout_s=60,
            why="45 s of its own time",
        )
        ask(instance, "demo", f"{FAULT}.CellImbalance", True)
        wait_until(desk, campaign_id, lambda now: now["triggered"] == 1, "triggered")
        done = wait_until(
            desk, campaign_id, lambda now: now["state"] == "accepted" and now["rows"], "over"
        )
        stopped = campaign(desk, f"stop {campaign_id} --json").document()
        assert stopped["state"] == "stopped"
        wait_until(desk, campaign_id, lambda now: now["state"] == "stopped", "it knows")
    rows = (
        pl.from_arrow(DeltaTable(desk / "data" / "lake" / "telemetry").to_pyarrow_table())
        .filter(pl.col("group") == "fast", pl.col(CELLS).is_not_null())
        .sort("ts")
    )
    ts, trigger = rows["ts"].to_list(), from_iso(str(done["last_trigger"]))
    assert ts[0] == pytest.approx(trigger - 30 * NS_PER_S, abs=NS_PER_S // 10)
    assert ts[-1] == pytest.approx(trigger + 10 * NS_PER_S, abs=NS_PER_S // 10)
    assert {later - earlier for earlier, later in pairwise(ts)} == {NS_PER_S // 10}
    assert rows.height == done["rows"]
    lowest = rows[LOWEST].to_list()
    assert min(low for low, at in zip(lowest, ts, strict=True) if at < trigger) >= 3.85
    assert next(low for low, at in zip(lowest, ts, strict=True) if at >= trigger) < 3.85
    assert {len(cells) for cells in rows[CELLS].to_list()} == {96}


def test_campaign_started_in_a_folder_at_rest_waits_for_its_car(desk: Path) -> None:
    with running(desk / "data", *CAR, "--history-days", "0") as instance:
        assert instance.document()
    campaign_id = json.loads(campaign(desk, "start weak.toml --json").out)["id"]
    assert shown(desk, campaign_id)["state"] == "waiting"
    with running(desk / "data", *CAR):
        wait_until(desk, campaign_id, lambda now: now["state"] == "accepted", "accepted")
    listed = campaign(desk, "list --json").document()
    assert [(one["id"], one["state"]) for one in listed] == [(campaign_id, "running")]
    assert "weak cell" in campaign(desk, "list").out


def test_what_cannot_be_is_refused_in_one_line(desk: Path) -> None:
    with running(desk / "data", *CAR, "--history-days", "0"):
        (desk / "other.toml").write_text(TOML.replace("demo", "zoe"))
        campaign(desk, "start other.toml").check_refused(1, "no vehicle 'zoe'")
        campaign(desk, "show none").check_refused(1, "no campaign 'none'")
    campaign(desk, "start other.toml").check_refused(1, "no vehicle 'zoe'")
    campaign(desk, "stop none").check_refused(1, "no campaign 'none'")
    (desk / "bad.toml").write_text(TOML.replace("below", "belov"))
    campaign(desk, "start bad.toml").check_refused(2, "bad.toml: campaign: ")
