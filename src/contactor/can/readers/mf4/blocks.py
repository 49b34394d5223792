"""The blocks of an MDF 4 file, each checked before it is believed.

    | id "##xx" | 0 u4 | length u8 | links u8 | link i8 ... | data ... |

A link is the place of a block in the file, 0 for none. Every link has to lead into the file, to a
block of an expected kind whose stated size is within the file; chains must not come back. A link or
a block that leads behind the end shows that the file is cut off: that is told apart from all else
that is wrong, for what lies before can still be read.

    blocks = Blocks(file, size)
    for group in blocks.chain(blocks.block(64, b"##HD").links[0], b"##DG"):
        ...

Source: ASAM MDF 4.1, chapter 4 (general block structure).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from contactor.errors import LogError

HEAD = struct.Struct("<4s4xQQ")
FIRST_PLACE = 64
LIST = b"##DL"
# More than any block holds that is read whole: names and descriptions, lists of links.
MAX_BLOCK_BYTES = 16 * 1024 * 1024
MAX_BLOCKS = 1_000_000
# How often data may be listed: groups can share them, but not without end.
MAX_CLAIMS = 4
MAX_TEXT_BYTES = 4096


class CutOffError(LogError):
    """What a link leads to is behind the end of the file, or not whole before it.

    Attributes:
        links: those of a list that is cut, as far as they are there.
    """

    def __init__(self, message: str, links: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.links = links


@dataclass(frozen=True, slots=True)
class Block:
    """A block read whole.

    Fields:
        id: its kind, b"##xx".
        place: where it begins in the file.
        links: the places it leads to.
        data: what follows the links.
    """

    id: bytes
    place: int
    links: tuple[int, ...]
    data: bytes

    def unpack(self, form: struct.Struct) -> tuple[Any, ...]:
        """Numbers from the data; raises LogError where it is too short."""
        if form.size > len(self.data):
            raise LogError(
                f"MF4 block {named(self.id)} at byte {self.place} has {len(self.data)} bytes of "
                f"data, it needs {form.size}"
            )
        return form.unpack_from(self.data)

    def link(self, number: int) -> int:
        """The link of that number; 0 where there are fewer."""
        return self.links[number] if number < len(self.links) else 0


class Blocks:
    """The blocks of one file.

    What can be visited is bounded by the file's size: more shows blocks that lie in each other.

    Attributes:
        size: bytes of the file.
        read_bytes: what was read of data.
        cut: where the file is cut off, and what showed it first; "" for a whole one.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.size = size
        self.read_bytes = 0
        self.cut = ""
        self._file = file
        self._steps = min(size // HEAD.size + 1, MAX_BLOCKS)
        self._claims = MAX_CLAIMS * size

    def head(self, place: int, *kinds: bytes) -> tuple[bytes, int, int]:
        """The kind, the stated length and the number of links of the block at a place."""
        if place < FIRST_PLACE:
            raise LogError(f"MF4 link to byte {place}: the first block is at byte {FIRST_PLACE}")
        if place > self.size - HEAD.size:
            raise self.cut_off(f"MF4 link to byte {place} leads out of it")
        kind, length, links = HEAD.unpack(self.read(place, HEAD.size))
        if kind not in kinds:
            expected = " or ".join(map(named, kinds))
            raise LogError(
                f"MF4 block at byte {place} is {named(kind)}, where {expected} is expected"
            )
        if length < HEAD.size + 8 * links:
            raise LogError(
                f"MF4 block {named(kind)} at byte {place} states {length} bytes and {links} links"
            )
        return kind, length, links

    def block(self, place: int, *kinds: bytes) -> Block:
        """The whole block at a place, which has to be one of `kinds`."""
        kind, length, links = self.head(place, *kinds)
        if length > MAX_BLOCK_BYTES:
            raise LogError(
                f"MF4 block {named(kind)} at byte {place} states {length} bytes; at most "
                f"{MAX_BLOCK_BYTES} are possible"
            )
        body = self.read(place + HEAD.size, length - HEAD.size)
        if len(body) < length - HEAD.size:
            there = min(len(body) // 8, links) if kind == LIST else 0
            found = struct.unpack_from(f"<{there}Q", body)
            raise self.cut_off(f"MF4 block {named(kind)} at byte {place} is not whole", found)
        return Block(kind, place, struct.unpack_from(f"<{links}Q", body), body[8 * links :])

    def chain(self, place: int, *kinds: bytes) -> Iterator[Block]:
        """Blocks whose first links lead from one to the next."""
        seen: set[int] = set()
        while place:
            self._steps -= 1
            if place in seen:
                raise LogError(f"MF4 blocks at byte {place} are chained in a circle")
            if self._steps < 0:
                raise LogError(
                    f"MF4 links lead to more blocks than a file of {self.size} bytes has"
                )
            seen.add(place)
            block = self.block(place, *kinds)
            yield block
            place = block.link(0)

    def cut_off(self, what: str, links: tuple[int, ...] = ()) -> CutOffError:
        """The error for what shows that the file is cut off; it is noted as `cut`."""
        error = CutOffError(f"the file is cut off at byte {self.size}: {what}", links)
        self.cut = self.cut or str(error)
        return error

    def claim(self, place: int, size: int) -> None:
        """Count the bytes of a block of data at a place as such."""
        self._claims -= size
        if self._claims < 0:
            raise LogError(
                f"MF4 data at byte {place}: blocks of data state more than {MAX_CLAIMS} times the "
                f"{self.size} bytes of the file"
            )

    def text(self, place: int) -> str:
        """The text of a TX or MD block, "" without one; a broken one is no reason to stop.

        Raises:
            CutOffError: it is not whole, so that nobody knows what it names.
        """
        if not place:
            return ""
        try:
            _, length, links = self.head(place, b"##TX", b"##MD")
        except CutOffError:
            raise
        except LogError:
            return ""
        if length > self.size - place:
            raise self.cut_off(f"MF4 text at byte {place} is not whole")
        at = HEAD.size + 8 * links
        raw = self.read(place + at, min(length - at, MAX_TEXT_BYTES))
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace").strip()

    def read(self, place: int, size: int) -> bytes:
        """Bytes of the file, fewer at its end."""
        self._file.seek(place)
        return self._file.read(max(min(size, self.size - place), 0))


def named(kind: bytes) -> str:
    """A block's kind as messages show it."""
    name = kind.decode("latin-1")
    is_name = name.startswith("##") and name.isascii() and name.isprintable()
    return name.removeprefix("##") if is_name else repr(kind)
