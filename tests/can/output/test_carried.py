"""Messages in containers and over several frames: a folder has what Python has."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from contactor.can import reading
from contactor.can.columns import SignalColumn
from contactor.can.database import Database, MessageFormat, SignalFormat
from contactor.can.job import Job, open_job
from contactor.can.kernels import SWITCH
from contactor.can.log import open_log
from contactor.can.output.messages import MessageFolder
from contactor.can.plan import DecodePlan, compile_plan
from contactor.can.recording import recorded
from contactor.can.summary import SummaryBuilder
from tests.can.isotp_sender import segmented
from tests.can.plain_signal import PLAIN

LEVEL = replace(PLAIN, name="Level")
OTHER = replace(LEVEL, name="Other", start=8)


def message(name: str, can_id: int, *signals: SignalFormat, header_id: int = 0) -> MessageFormat:
    return MessageFormat(name, can_id, False, 64, None, signals, "", header_id=header_id)


BOX = replace(
    message("Box", 0x66),
    contained=(message("One", 1, LEVEL, OTHER, header_id=1), message("Two", 1, LEVEL, header_id=2)),
)
UDS = """VERSION ""
BS_:
BU_:
BO_ 2028 Battery: 63 ECU
 SG_ Charge m257 : 64|8@1+ (0.5,0) [0|0] "%" ECU
 SG_ Identifier m98M : 23|16@0+ (1,0) [0|0] "" ECU
 SG_ Service M : 15|8@0+ (1,0) [0|0] "" ECU
BO_ 257 Short: 8 ECU
 SG_ One : 16|8@1+ (1,0) [0|0] "" ECU
SG_MUL_VAL_ 2028 Charge Identifier 257-257;
SG_MUL_VAL_ 2028 Identifier Service 98-98;
"""


@pytest.fixture(params=["0", "1"])
def blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small blocks, so that what is carried crosses their borders; on both paths."""
    monkeypatch.setenv(SWITCH, request.param)
    monkeypatch.setattr(reading, "BLOCK_BYTES", 400)
    monkeypatch.setattr(reading, "FAST_BLOCK_BYTES", 400)


def log_of(folder: Path, frames: list[tuple[int, bytes]]) -> Path:
    path = folder / "drive.log"
    path.write_text(
        "".join(
            f"({number}.0) can0 {can_id:03X}{'##0' if len(data) > 8 else '#'}{data.hex()}\n"
            for number, (can_id, data) in enumerate(frames)
        )
    )
    return path


def job_of(folder: Path, frames: list[tuple[int, bytes]], plan: DecodePlan) -> Job:
    return Job((open_log(log_of(folder, frames)),), plan, None, (), ())


def folder_of(job: Job, folder: Path) -> tuple[dict[str, pl.DataFrame], list[SignalColumn]]:
    """The tables of the folder, and all readings that were shown."""
    assert job.plan is not None
    shown: list[SignalColumn] = []
    with MessageFolder(folder, job.plan) as output:
        for chunk in job.chunks():
            shown += output.add(chunk)
        paths = output.finish(shown.extend)
    return {path.stem: pl.read_parquet(path) for path in paths}, shown


def assert_same(found: dict[str, pl.DataFrame], expected: dict[str, pl.DataFrame]) -> None:
    assert set(found) == set(expected)
    for label, table in expected.items():
        assert set(found[label].columns) == set(table.columns), label
        assert found[label].select(table.columns).equals(table), label


@pytest.mark.usefixtures("blocks")
def test_folder_has_what_containers_carry(tmp_path: Path) -> None:
    one, two = bytes([0, 0, 1, 2, 7, 9]), bytes([0, 0, 2, 1, 8])
    cut = bytes([0, 0, 1, 2, 5])
    frames = [(0x66, one + two + bytes(9)), (0x66, cut), (0x77, b"\x21\x22"), (0x66, two)] * 30
    plan = compile_plan(Database((BOX, message("One", 0x77, LEVEL))))
    found, shown = folder_of(job_of(tmp_path, frames, plan), tmp_path / "signals")
    whole = recorded(job_of(tmp_path, frames, plan))
    assert_same(found, whole.messages)
    assert whole.messages["One"]["Level"].to_list()[:3] == [7, 5, 0x21]
    assert whole.messages["One"]["Other"].to_list()[:3] == [9, None, None]
    assert len(whole.messages["Two"]) == 60
    builder = SummaryBuilder(plan)
    builder.add_columns(shown)
    facts = builder.summary([], [])["signals"]
    assert {name: fact["count"] for name, fact in facts.items()} == {
        "One.Level": 90,
        "One.Other": 30,
        "Two.Level": 60,
    }


@pytest.mark.usefixtures("blocks")
def test_folder_has_what_several_frames_carry(tmp_path: Path) -> None:
    payload = bytes.fromhex("620101fff7e7ff64") + bytes(20)
    frames = []
    for number in range(40):
        shares = segmented(payload)
        frames += [(0x7EC, share) for share in shares[:3]]
        frames += [(0x101, bytes([0, 0, number]))]
        frames += [(0x7EC, share) for share in shares[3:]]
    dbc = tmp_path / "uds.dbc"
    dbc.write_text(UDS)
    log = log_of(tmp_path, frames)
    found, _ = folder_of(open_job(log, dbc), tmp_path / "signals")
    whole = recorded(open_job(log, dbc))
    assert_same(found, whole.messages)
    assert whole.messages["Battery"]["Charge"].drop_nulls().to_list() == [50.0] * 40
    assert len(whole.messages["Battery"]) == len(frames) - 40
    summary = whole.summary()
    assert summary["messages"] == {"Battery": len(frames) - 40, "Short": 40}
    assert summary["signals"]["Battery.Charge"]["count"] == 40


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize(
    ("chosen", "expected"), [("Battery.Charge", "Battery"), ("Short.One", "Short")]
)
def test_folder_of_chosen_signals_has_what_python_has(
    tmp_path: Path, chosen: str, expected: str
) -> None:
    payload = bytes.fromhex("620101fff7e7ff64") + bytes(20)
    frames = [(0x7EC, share) for share in segmented(payload)] + [(0x101, bytes(3))]
    dbc = tmp_path / "uds.dbc"
    dbc.write_text(UDS)
    log = log_of(tmp_path, frames * 30)
    found, _ = folder_of(open_job(log, dbc, [chosen]), tmp_path / "signals")
    assert list(found) == [expected]
    assert found[expected][chosen.partition(".")[2]].count() == 30
    assert_same(found, recorded(open_job(log, dbc, [chosen])).messages)


def test_messages_of_names_that_no_file_can_have_are_kept_apart(tmp_path: Path) -> None:
    plan = compile_plan(
        Database((message("A/B", 1, LEVEL), message("A:B", 2, LEVEL), message("a:b", 3, LEVEL)))
    )
    job = job_of(tmp_path, [(1, b"\1"), (2, b"\2"), (3, b"\3")], plan)
    found, _ = folder_of(job, tmp_path / "signals")
    assert {name: table["Level"].to_list() for name, table in found.items()} == {
        "A_B": [1],
        "A_B_2": [2],
        "a_b_3": [3],
    }


def test_answers_are_claimed_frame_by_frame(tmp_path: Path) -> None:
    (tmp_path / "one.dbc").write_text(UDS.replace("2028 Battery", "2024 Battery"))
    frames = [(0x7E8, b"\x04\x41\x0d\x55\0\0\0\0")] * 5 + [(0x123, b"")] * 2
    log = log_of(tmp_path, frames)
    summary = recorded(open_job(log, ["obd2", tmp_path / "one.dbc"])).summary()
    assert (summary["frames_decoded"], summary["frames_unknown"]) == (5, 2)
    summary = recorded(open_job(log, "obd2")).summary()
    assert (summary["frames_decoded"], summary["frames_unknown"]) == (5, 2)
    assert summary["signals"]["7E8.010D.VEHICLE_SPEED"]["last"] == 0x55
