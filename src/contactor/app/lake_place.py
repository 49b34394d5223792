"""Where the lake of a data folder is: in the folder, or at a url of an object storage.

    DIR/lake/       the lake itself, or
    DIR/lake.json   {"url": "s3://fleet/lake"}

    settle_lake(folder, args.lake)      # `serve`, `run` and `ingest`, who may say so
    store = open_store(folder)          # everybody who writes
    lake = open_lake(lake_at(folder))   # everybody who reads

Said once, it holds for the folder: whoever opens it later finds the same lake.
"""

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contactor.app.folder import DataFolder
from contactor.app.place_file import remember_url, remembered_url
from contactor.app.settings import add_option
from contactor.errors import FolderError, UsageError

if TYPE_CHECKING:
    from contactor.cloud.lake.keeper import LakeKeeper
    from contactor.cloud.lake.ports import LakeReader

NAME: Final = "lake.json"


def add_lake_option(parser: argparse.ArgumentParser) -> None:
    """--lake URL."""
    add_option(
        parser,
        "--lake",
        metavar="URL",
        help="where the lake is: s3://BUCKET/PREFIX, said once for a new folder; default: in DIR",
    )


def settle_lake(folder: DataFolder, url: str | None) -> None:
    """Let the lake of the folder be at `url` from now on; None for where it is.

    Raises:
        UsageError: that is no url, or the folder has another lake already.
        FolderError: the folder cannot be written.
    """
    known = lake_url(folder)
    if url is None or url.rstrip("/") == known:
        return
    from contactor.cloud.lake.object_url import check_url

    checked = check_url(url)
    if known is not None or folder.has_lake:
        raise UsageError(
            f"--lake {url}: the lake of {folder.root} is at {known or folder.root / 'lake'};"
            " allowed for a folder without one"
        )
    try:
        remember_url(folder.root / NAME, checked)
    except OSError as error:
        raise FolderError(f"data folder {folder.root}: {error.strerror or error}") from error


def lake_url(folder: DataFolder) -> str | None:
    """Where the lake is, if it is not in the folder.

    Raises:
        FolderError: the folder says so in a way that cannot be read.
    """
    return remembered_url(folder.root / NAME)


def has_lake(folder: DataFolder) -> bool:
    """Whether there is one, here or elsewhere."""
    return folder.has_lake or lake_url(folder) is not None


def lake_at(folder: DataFolder) -> str | Path:
    """What `open_lake` takes."""
    return lake_url(folder) or folder.root


def open_reader(folder: DataFolder) -> "LakeReader":
    """The lake of the folder, to read."""
    from contactor.cloud.lake.local_reader import LocalReader
    from contactor.cloud.lake.object_reader import ObjectReader

    url = lake_url(folder)
    return LocalReader(folder.root) if url is None else ObjectReader(url)


def open_store(folder: DataFolder, *, parts: Collection[int] | None = None) -> "LakeKeeper":
    """The lake of the folder, to write.

    Args:
        parts: of the vehicles, that this writer is for; None for the only one.
    """
    from contactor.cloud.lake.local import LocalStore
    from contactor.cloud.lake.object_store import ObjectStore

    url = lake_url(folder)
    if url is None:
        return LocalStore(folder.root, parts=parts)
    return ObjectStore(url, parts=parts)
