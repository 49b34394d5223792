"""A file that appears under its name only when it is whole.

with whole_file(Path("out.parquet")) as part:
    table.write_parquet(part)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from contactor.errors import ContactorError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """The path to write to; on leaving the file gets its name, or is gone where writing failed.

    Raises:
        ContactorError: the file cannot be written.
    """
    from polars.exceptions import PolarsError

    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except (OSError, PolarsError) as error:
        raise ContactorError(f"cannot write {path}: {' '.join(str(error).split())}") from error
    finally:
        part.unlink(missing_ok=True)
