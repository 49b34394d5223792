import gzip
import io
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from contactor.can.log import open_log, open_logs
from contactor.can.readers.foreign import what_it_is
from contactor.errors import LogError

FORMATS = "candump, asc"
LINE = b"(1700000000.000000) can0 1DB#0011\n"
PCAP = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 227)
PCAPNG = struct.pack("<4sIIHHq", b"\n\r\r\n", 28, 0x1A2B3C4D, 1, 0, -1)


def tar(content: bytes) -> bytes:
    """An archive of one log."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("drive.log")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "meaning"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git-LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
        (b"<html><pre>\nBO_ 475 HVBAT: 8 VCM\n", "an HTML page"),
        (
            b'"SECONDS";"PID";"VALUE";"UNITS"\n"1";"Speed";"5";"km/h"\n',
            "a Car Scanner table of val",
        ),
        (b"SECONDS;PID;VALUE;UNITS;LATITUDE;LONGTITUDE\n", "a Car Scanner table of values"),
        (3 * b"FFA50000000852FCFFF77F0000C1B5\n", "raw records of an adapter in hexadecimal"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b'VERSION ""\n\nBO_ 475 HVBAT: 8 VCM\n', "a CAN database, not a log: give it with --dbc"),
        (b"FormatVersion=6.0 // Do not edit\n", "a CAN database, not a log: give it with --dbc"),
        (b'<?xml version="1.0"?>\n<AUTOSAR xmlns="x">', "a CAN database, not a log: give it with"),
        (b'<?xml version="1.0"?>\n<other>', "XML, not a log"),
        (b'{ "commands": [\n{ "hdr": "7E0"', "a signal set (JSON), not a log: give it with --dbc"),
        (b'[{"ts": 1, "id": 475}]', "JSON, which is not read: export"),
        (b'{"ts": 1}\n{"ts": 2}\n', "JSON, which is not read: export"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a picture (PNG)"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture (JPEG)"),
        (b"SQLite format 3\0\x10\0", "an SQLite database"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "a 7z archive, which is not read: unpack it first"),
        (b"Rar!\x1a\x07\1\0", "a RAR archive, which is not read: unpack it first"),
        (tar(LINE), "a tar archive, which is not read: unpack it first"),
        (PCAP, "a capture of packets (pcap), which is not read: open it with SavvyCAN"),
        (PCAPNG, "a capture of packets (pcapng), which is not read: save it as pcap"),
        (b"MZ\x90\0\3\0\0\0\4\0", "a Windows program"),
        (b"\x7fELF\2\1\1\0", "a program (ELF)"),
        (b"PAR1\x15\0", "a Parquet table"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "a sound (WAV)"),
        (b"\0\0\0\x20ftypisom\0\0", "a video or sound (MP4)"),
    ],
)
def test_foreign_file_is_named_as_what_it_is_and_no_formats_are_listed(
    head: bytes, meaning: str
) -> None:
    found = what_it_is(head, FORMATS)
    assert found.startswith(meaning)
    assert FORMATS not in found


@pytest.mark.parametrize(
    ("head", "meaning"),
    [
        (b"\0\1\2\3", "binary and of no kind that is known"),
        (64 * b"\1\0", "binary and of no kind that is known"),
        (b"Dear diary,\n", "text without a line that is a CAN frame in a known format"),
        (b"MZ is a town\n", "text without a line that is a CAN frame in a known format"),
    ],
)
def test_file_of_no_known_kind_is_told_the_formats(head: bytes, meaning: str) -> None:
    assert what_it_is(head, FORMATS) == f"{meaning}; formats read: {FORMATS}"


@pytest.mark.parametrize("content", [tar(LINE), gzip.compress(tar(LINE))], ids=["tar", "gzip"])
def test_tar_of_logs_is_no_log_with_a_damaged_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "drives.tar.gz"
    path.write_bytes(content)
    with pytest.raises(LogError, match=r"drives\.tar\.gz is a tar archive") as raised:
        open_log(path)
    assert "formats read" not in str(raised.value)


def test_workbook_is_named_and_not_file_by_file(tmp_path: Path) -> None:
    path = tmp_path / "drive.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            archive.writestr(name, '<?xml version="1.0"?>')
    with pytest.raises(LogError, match=r"drive\.xlsx is an Excel workbook \(XLSX\)"):
        open_log(path)


def test_log_beside_a_workbook_in_an_archive_is_read(tmp_path: Path) -> None:
    sheet = io.BytesIO()
    with zipfile.ZipFile(sheet, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?>')
    path = tmp_path / "drives.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.xlsx", sheet.getvalue())
        archive.writestr("drive.log", LINE)
    assert [log.label for log in open_logs([path])] == [f"{path}: drive.log"]
