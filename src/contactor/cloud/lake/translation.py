"""Around what is done on a lake: the libraries' and the system's errors become ours.

with writing(data):
    ...             # FolderFull, LakeError or FolderError, in one line that names the folder
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polars.exceptions import PolarsError

from contactor.cloud.lake.delta import FAILURES
from contactor.cloud.lake.failures import is_full, is_panic, one_line
from contactor.errors import ContactorError, FolderError, FolderFull, LakeError


@contextmanager
def reading(data: Path | str) -> Iterator[None]:
    """Around what opens or reads a lake."""
    with _ours(f"the lake in '{data}' cannot be opened", data, FolderError):
        yield


@contextmanager
def writing(data: Path | str) -> Iterator[None]:
    """Around what changes a lake."""
    with _ours(f"the lake in '{data}' cannot be written", data, LakeError):
        yield


@contextmanager
def _ours(what: str, data: Path | str, of_the_system: type[ContactorError]) -> Iterator[None]:
    """Turn the libraries' and the system's errors into ours."""
    try:
        yield
    except ContactorError:
        raise
    except (*FAILURES, PolarsError) as error:
        raise _translated(error, what, data, of_the_system) from error
    except BaseException as error:
        if is_panic(error):
            raise _translated(error, what, data, of_the_system) from error
        raise


def _translated(
    error: BaseException, what: str, data: Path | str, of_the_system: type[ContactorError]
) -> ContactorError:
    if is_full(error):
        return FolderFull(f"no space left in '{data}'; what was stored before is intact")
    kind = of_the_system if isinstance(error, OSError) and error.errno else LakeError
    return kind(f"{what}: {one_line(error)}")
