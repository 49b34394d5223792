"""Where something of a data folder is kept that is not in it: a file that holds a url.

    DIR/lake.json       {"url": "s3://fleet/lake"}

    remember_url(folder.root / "lake.json", "s3://fleet/lake")
    remembered_url(folder.root / "lake.json")       # None where there is no such file

The file is its owner's alone, for a url may hold a password; no message repeats what is in it.
"""

from pathlib import Path

import msgspec

from contactor.errors import FolderError
from contactor.whole_files import write_whole


class _Place(msgspec.Struct, frozen=True):
    url: str


def remember_url(path: Path, url: str) -> None:
    """Write the file.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(path, msgspec.json.encode(_Place(url)).decode())


def remembered_url(path: Path) -> str | None:
    """The url in the file.

    Raises:
        FolderError: it cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Place).url
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error
    except (msgspec.MsgspecError, UnicodeError):
        raise FolderError(f"{path} cannot be read; allowed: a url") from None
