"""The database library's errors as ours.

with our_errors("contactor.sqlite3"):
    ...
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from contactor.errors import FolderError, FolderFull


@contextmanager
def our_errors(name: str) -> Iterator[None]:
    """What a database refuses, in one line that names it.

    Raises:
        FolderFull: no space left; what was kept before is intact.
        FolderError: anything else.
    """
    try:
        yield
    except DBAPIError as error:
        raise _ours(name, error.orig) from error
    except sqlite3.Error as error:
        raise _ours(name, error) from error
    except SQLAlchemyError as error:
        raise FolderError(f"{name}: {_one_line(error)}") from error
    except OSError as error:
        raise FolderError(f"{name}: {error.strerror or error}") from error


def _ours(name: str, cause: BaseException | None) -> FolderError:
    is_full = (
        getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        or getattr(cause, "sqlstate", None) == "53100"  # PostgreSQL: disk_full
    )
    kind = FolderFull if is_full else FolderError
    return kind(f"{name}: {_one_line(cause)}")


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split()) or type(error).__name__
