"""What `make fuzz` found, so that it is not found again."""

import gzip
import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from contactor.can.database import load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.log import open_log, read_log
from contactor.can.plan import compile_plan
from contactor.can.readers.parsed import FrameColumns, settle
from contactor.can.signal_set import load_signal_set
from contactor.errors import DatabaseError, LogError

SECONDS = 5.0


def test_a_remote_frame_may_ask_for_more_bytes_than_any_frame_has() -> None:
    rows = FrameColumns(
        ts=np.array([10, 20]),
        can_id=np.array([0x123, 0x1DB]),
        length=np.array([64, 2]),
        data=np.array([[0] * 8, [1, 2, 0, 0, 0, 0, 0, 0]], np.uint8),
        is_fd=np.array([True, False]),
        is_remote=np.array([True, False]),
    )
    every, none = np.array([True, True]), np.array([False, False])
    frames = settle(rows, is_frame=every, is_known=none).frames
    assert frames.data.shape == (2, 64)
    assert frames[1].data == b"\1\2"


def test_a_version_of_thousands_of_digits_is_none(tmp_path: Path) -> None:
    path = tmp_path / "drive.trc"
    path.write_text(f";$FILEVERSION=1.1{'0' * 5_000}\n     1)        10.5  Rx     01DB  2  01 02\n")
    assert len(read_log(path).frames) == 1


def test_another_version_of_thousands_of_digits_is_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "drive.trc"
    path.write_text(f"@ TEXT @ {'9' * 5_000} @ 64 @ 0 @ 24 @ 21701 @ 00:00:21.701 @\r")
    with pytest.raises(LogError):
        open_log(path)


def test_a_zip_archive_may_hold_a_file_without_a_name(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("nameless", "(1.0) can0 123#01\n")
    path = tmp_path / "drives.gz"
    content = packed.getvalue().replace(b"nameless", b"\0" + b"ameless")
    path.write_bytes(gzip.compress(content))
    with pytest.raises(LogError):
        open_log(path)


def test_a_zip_archive_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "drives.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("drive.log", "(1.0) can0 123#01\n")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 6] = 255  # the version needed to extract
    path.write_bytes(content)
    with pytest.raises(LogError, match=r"version 25\.5"):
        open_log(path)


def test_a_signal_before_its_payload_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "car.dbc"
    path.write_text(
        'VERSION ""\nBO_ 291 Power: 8 Vector__XXX\n'
        ' SG_ Early : -1|4@1+ (1,0) [0|0] "" Vector__XXX\n'
        ' SG_ Voltage : 8|8@1+ (1,0) [0|0] "V" Vector__XXX\n'
    )
    plan = compile_plan(load_database([path]))
    frames = FrameTable.of(ts=[0], can_id=[291], data=[bytes(range(8))])
    assert [one.name for one in plan.left_out] == ["Power.Early"]
    for kernels in ("0", "1"):
        monkeypatch.setenv("CONTACTOR_KERNELS", kernels)
        (column,) = decode_columns(frames, plan)
        assert np.array_equal(column.values, [1.0])


def test_a_multiplexer_value_beyond_any_number_is_never_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "car.dbc"
    path.write_text(
        'VERSION ""\nBO_ 291 Power: 8 Vector__XXX\n'
        ' SG_ Page M : 0|8@1+ (1,0) [0|0] "" Vector__XXX\n'
        f' SG_ Never m{2**64} : 8|8@1+ (1,0) [0|0] "" Vector__XXX\n'
    )
    plan = compile_plan(load_database([path]))
    frames = FrameTable.of(ts=[0], can_id=[291], data=[bytes(8)])
    for kernels in ("0", "1"):
        monkeypatch.setenv("CONTACTOR_KERNELS", kernels)
        assert [one.signal for one in decode_columns(frames, plan)] == ["Page"]


def test_an_id_below_zero_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "car.sym"
    path.write_text(
        'FormatVersion=6.0 // Do not edit this line!\nTitle="car"\n\n{SENDRECEIVE}\n\n'
        "[Power]\nID=-1h\nLen=8\nVar=Voltage unsigned 0,8\n"
    )
    with pytest.raises(DatabaseError, match=r"line 6: message 'Power' has the id -1"):
        load_database([path])


def test_blank_lines_do_not_hold_up_the_search_for_a_kind(tmp_path: Path) -> None:
    path = tmp_path / "car.dbc"
    path.write_text("\n" * 100_000 + "BO_ 291 Power: 8 Vector__XXX\n")
    began = time.monotonic()
    assert len(load_database([path]).messages) == 1
    assert time.monotonic() - began < SECONDS


def test_a_number_of_thousands_of_digits_does_not_hold_up_a_sym(tmp_path: Path) -> None:
    path = tmp_path / "car.sym"
    path.write_text(
        'FormatVersion=6.0 // Do not edit this line!\nTitle="car"\n\n{ENUMS}\n'
        f'Enum=Gear({"1" * 100_000}="P")\n'
    )
    began = time.monotonic()
    with pytest.raises(DatabaseError, match="line 5: no number is so long"):
        load_database([path])
    assert time.monotonic() - began < SECONDS


def test_a_member_of_thousands_of_letters_is_named_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(json.dumps({"commands": [{"line\nend": 1, "cmd": {"22" * 5_000: "0101"}}]}))
    with pytest.raises(DatabaseError) as refused:
        load_signal_set(path)
    assert len(str(refused.value)) < 1_000
    assert "\n" not in str(refused.value)


def test_a_version_of_an_mdf_file_is_told_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "drive.mf4"
    path.write_bytes(b"MDF     4.1\r\n   ".ljust(4_096, b"\0"))
    with pytest.raises(LogError) as refused:
        open_log(path)
    assert "\n" not in str(refused.value)


def test_a_long_word_does_not_hold_up_the_search_for_an_encoding(tmp_path: Path) -> None:
    path = tmp_path / "car.dbc"
    text = (
        f'VERSION "{"A" * 200_000}"\nBO_ 291 Power: 8 Vector__XXX\n SG_ Heat : 8|8@1+ (1,0) [0|0]'
    )
    path.write_bytes(text.encode() + b' "\xb0C" Vector__XXX\n')
    began = time.monotonic()
    (message,) = load_database([path]).messages
    assert message.signals[0].unit == "°C"
    assert time.monotonic() - began < SECONDS
