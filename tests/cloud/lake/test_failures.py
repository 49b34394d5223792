import errno

import pytest
from polars.exceptions import ComputeError, PanicException

from contactor.cloud.lake.failures import is_full, is_panic, one_line


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError("Generic LocalFileSystem error ↳ No space left on device (os error 28)"),
        ComputeError("parquet: underlying IO error: File too large (os error 27)"),
        PanicException("called `Result::unwrap()` on an `Err` value: (os error 28)"),
    ],
)
def test_a_full_disk_is_known_however_it_is_wrapped(error: BaseException) -> None:
    assert is_full(error)


def test_other_errors_are_no_full_disk() -> None:
    assert not is_full(OSError(errno.EIO, "Input/output error"))
    assert not is_full(ComputeError("(os error 2)"))


def test_a_panic_is_known_though_it_is_no_exception() -> None:
    assert is_panic(PanicException("boom"))
    assert not is_panic(ValueError("boom"))


def test_one_line_has_no_colours_and_no_back_trace() -> None:
    error = OSError("Generic error\n\x1b[31m↳\x1b[0m Truncated record\n   0: <unknown>\n   1: main")
    assert one_line(error) == "Generic error : Truncated record"
    assert one_line(OSError(errno.EIO, "Input/output error")) == "Input/output error"
