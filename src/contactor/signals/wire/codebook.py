"""The signal table of one stream: a code for each path and data type. It only grows.

codebook = Codebook()
codebook.code("Vehicle.Speed", Datatype.FLOAT)      # 0, from now on
Codebook.read(codebook.body).id == codebook.id

body    u32 id       CRC-32 of all that follows
        u16 count
        count x { u8 data type, u8 length, path }
"""

import zlib
from collections.abc import Iterable
from typing import Final

from contactor.signals.datatypes import Datatype
from contactor.signals.wire.limits import MAX_PATH_BYTES, MAX_SIGNALS

ARRAY: Final = 16
"""Added to the number of a data type for an array of it."""
_SCALARS: Final = tuple(one for one in Datatype if not one.is_array)
_NUMBERS: Final = {
    one: _SCALARS.index(one.element) + (ARRAY if one.is_array else 0) for one in Datatype
}
_DATATYPES: Final = {number: one for one, number in _NUMBERS.items()}

Entry = tuple[str, Datatype]


class Codebook:
    """Paths and data types by code: 0, 1, 2, ..."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._codes: dict[Entry, int] = {}
        self._body: bytes | None = None
        for path, datatype in entries:
            self.code(path, datatype)

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The path and data type of each code."""
        return tuple(self._codes)

    def code(self, path: str, datatype: Datatype) -> int:
        """The code of a signal, made where it is new.

        Raises:
            ValueError: the path is too long, or there are too many.
        """
        entry = (path, datatype)
        code = self._codes.get(entry)
        if code is None:
            if not 1 <= len(path.encode()) <= MAX_PATH_BYTES:
                raise ValueError(f"path {path[:80]!r}; allowed: 1 to {MAX_PATH_BYTES} bytes")
            if len(self._codes) >= MAX_SIGNALS:
                raise ValueError(f"more than {MAX_SIGNALS} signals in one stream")
            code = self._codes[entry] = len(self._codes)
            self._body = None
        return code

    @property
    def id(self) -> int:
        """What records name it by; another one once it has grown."""
        return int.from_bytes(self.body[:4], "little")

    @property
    def body(self) -> bytes:
        """Its bytes in a message."""
        if self._body is None:
            rows = [len(self._codes).to_bytes(2, "little")]
            for path, datatype in self._codes:
                name = path.encode()
                rows.append(bytes((_NUMBERS[datatype], len(name))) + name)
            listed = b"".join(rows)
            self._body = zlib.crc32(listed).to_bytes(4, "little") + listed
        return self._body

    @classmethod
    def read(cls, body: bytes) -> "Codebook":
        """The codebook of a body.

        Raises:
            ValueError: it is cut off, inconsistent, or its id is not that of its content.
        """
        if len(body) < 6:
            raise ValueError(f"codebook of {len(body)} bytes; it begins with 6")
        if zlib.crc32(body[4:]) != int.from_bytes(body[:4], "little"):
            raise ValueError("codebook: its id is not the CRC-32 of its content")
        count, at = int.from_bytes(body[4:6], "little"), 6
        if not 1 <= count <= MAX_SIGNALS:
            raise ValueError(f"codebook of {count} signals; allowed: 1 to {MAX_SIGNALS}")
        made = cls()
        for code in range(count):
            if at + 2 > len(body):
                raise ValueError(f"codebook ends before signal {code} of {count}")
            datatype, end = _DATATYPES.get(body[at]), at + 2 + body[at + 1]
            if datatype is None:
                raise ValueError(f"codebook: data type {body[at]} of signal {code} is none")
            if end > len(body):
                raise ValueError(f"codebook ends within signal {code} of {count}")
            if made.code(body[at + 2 : end].decode(), datatype) != code:
                raise ValueError(f"codebook: signal {code} stands in it twice")
            at = end
        if at != len(body):
            raise ValueError(f"codebook: {len(body) - at} bytes after its last signal")
        return made
