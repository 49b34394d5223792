import pytest

from contactor.can.readers.foreign import what_it_is


@pytest.mark.parametrize(
    ("head", "meaning"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a Git-LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html>", "an HTML page"),
        (
            b'"SECONDS";"PID";"VALUE";"UNITS"\n"1";"Speed";"5";"km/h"\n',
            "a Car Scanner table of val",
        ),
        (b"SECONDS;PID;VALUE;UNITS;LATITUDE;LONGTITUDE\n", "a Car Scanner table of values"),
        (3 * b"FFA50000000852FCFFF77F0000C1B5\n", "raw records of an adapter in hexadecimal"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b'VERSION ""\n\nBO_ 475 HVBAT: 8 VCM\n', "a CAN database, not a log: give it with --dbc"),
        (b"\0\1\2\3", "binary and of no kind that is known"),
        (b"Dear diary,\n", "text without a line that is a CAN frame"),
    ],
)
def test_foreign_file_is_named_as_what_it_is(head: bytes, meaning: str) -> None:
    assert what_it_is(head).startswith(meaning)
