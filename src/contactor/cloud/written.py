"""A document that people write in a file: TOML, or JSON where its name ends in .json.

document = read_written(path, max_bytes=MAX_BYTES, from_json=decode, from_toml=decode_toml)
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from contactor.errors import UsageError

_Document = TypeVar("_Document")


def read_written(
    path: Path,
    *,
    max_bytes: int,
    from_json: Callable[[bytes], _Document],
    from_toml: Callable[[bytes], _Document],
) -> _Document:
    """The document in a file; of one that is longer, a byte more than `max_bytes` is read.

    Raises:
        UsageError: there is no such file, or it holds no such document.
    """
    try:
        with path.open("rb") as file:
            body = file.read(max_bytes + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    try:
        return from_json(body) if path.suffix == ".json" else from_toml(body)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
