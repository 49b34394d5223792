"""The objects below a url of an object storage, by the client that deltalake brings along.

    objects = Objects("s3://fleet/lake")
    objects.put("group=drive/day=2024-05-01/part-....parquet", path)
    for found in objects.list():
        found.name, found.bytes, found.written_s

An object is there whole or not at all, and survives when `put` returns: the storage sees to that.
deltalake keeps this client among its internals, for it to be wrapped for pyarrow; a client of our
own would be one more package that speaks S3.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deltalake._internal import DeltaFileSystemHandler

from contactor.clock import NS_PER_S
from contactor.cloud.lake.object_url import options_of

_PIECE_BYTES: Final = 8 * 2**20


@dataclass(frozen=True, slots=True)
class Found:
    """An object: its name below the url, its size, and when it was written (s since 1970)."""

    name: str
    bytes: int
    written_s: float


class Objects:
    """What lies below `url`; any thread may ask at any time.

    Every method may raise OSError.
    """

    def __init__(self, url: str) -> None:
        self._client: Any = DeltaFileSystemHandler(url, options_of(url), None)

    def put(self, name: str, path: Path) -> None:
        """Make the content of a file the object of that name."""
        stream = self._client.open_output_stream(name)
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                stream.write(piece)
        stream.close()

    def read(self, name: str) -> bytes:
        """The content of an object.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        file = self._client.open_input_file(name)
        content: bytes = file.read(file.size())
        return content

    def bytes(self, name: str) -> int:
        """The size of an object.

        Raises:
            FileNotFoundError: there is none of that name.
        """
        (about,) = self._client.get_file_info([name])
        if about.size is None:
            raise FileNotFoundError(name)
        return int(about.size)

    def list(self) -> Iterator[Found]:
        """Every object there is now."""
        for about in self._client.get_file_info_selector("", True, True):
            if about.size is not None:
                yield Found(about.path, int(about.size), about.mtime_ns / NS_PER_S)

    def delete(self, name: str) -> None:
        """Delete an object, if it is there."""
        self._client.delete_file(name)
