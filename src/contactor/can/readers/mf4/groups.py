"""Where an MF4 file keeps CAN frames: its groups, and the place of every part of a frame.

    HD ── DG ── DG ...            a data group: one run of records
           └── CG ── CG ...       a channel group: records of one form, told apart by their id
                └── CN ── CN ...  a channel: some bits of the record; CAN_DataFrame.ID and others

Bus logging names channels CAN_DataFrame, CAN_RemoteFrame, CAN_ErrorFrame (and CAN_OverloadFrame,
which is no frame and passed over), each with its parts: .ID, .IDE, .BusChannel, .DLC, .DataLength,
.DataBytes, .EDL. Parts are found by name, wherever they lie.

    for group in data_groups(Blocks(file, size)):
        group.frames[0].parts["ID"].bits

Groups that a file is cut off before are passed over, and so is one of which any part is behind the
end: frames of unknown form are none. `Blocks.cut` tells of it.

Source: ASAM MDF 4.1, chapters on DG, CG, CN and CC blocks; ASAM MDF bus logging 1.0 for the names.
"""

import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from contactor.can.readers.mf4.blocks import Block, Blocks, CutOffError
from contactor.errors import LogError

NAME = re.compile(r"CAN_(Data|Remote|Error|Overload)Frame(?:_\d+)?(?:\.(\w+))?$")
# Record id (as splitting.py reads it), records, flags, bytes and invalidation bytes of one.
GROUP = struct.Struct("<qQH6xII")
CHANNEL = struct.Struct("<BBBBII")
LINEAR_VALUES = struct.Struct("<24x2d")
ID_BYTES = struct.Struct("<B")
VLSD_FLAG = 1
FIXED, VARIABLE, MASTER, VIRTUAL_MASTER, MLSD = 0, 1, 2, 3, 5
TIME = 1
UNSIGNED, UNSIGNED_BIG, SIGNED, SIGNED_BIG, FLOAT, FLOAT_BIG = range(6)
ONE_TO_ONE, LINEAR = 0, 1
MAX_RECORD_BYTES = 16 * 1024 * 1024
MAX_FRAME_RECORD_BYTES = 64 * 1024
SHOWN_GROUPS = 5


class Kind(StrEnum):
    """What the records of a group are."""

    DATA = "Data"
    REMOTE = "Remote"
    ERROR = "Error"
    OVERLOAD = "Overload"


@dataclass(frozen=True, slots=True)
class Part:
    """Some bits of a record.

    Fields:
        place: the first byte.
        bit: the lowest bit within the bytes, taken as one number.
        bits: how many.
        form: the kind of number, `UNSIGNED` to `FLOAT_BIG`.
    """

    place: int
    bit: int
    bits: int
    form: int

    @property
    def size(self) -> int:
        """The bytes it touches."""
        return (self.bit + self.bits + 7) // 8

    @property
    def is_big(self) -> bool:
        """Whether the first byte is the highest."""
        return self.form in {UNSIGNED_BIG, SIGNED_BIG, FLOAT_BIG}


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since the start: raw · factor + offset; `part` is None where raw counts records."""

    part: Part | None
    factor: float
    offset: float


@dataclass(frozen=True, slots=True)
class Payload:
    """Where payloads lie.

    Fields:
        part: the bytes themselves, or where in a signal's data they begin.
        signal: the link to a signal's data or to the group that holds them; 0 for none.
    """

    part: Part
    signal: int


@dataclass(frozen=True, slots=True)
class FrameGroup:
    """Records that are CAN frames.

    Fields:
        kind: what frames.
        number: the record id.
        cycles: how many records are stated; 0 in an unfinished file.
        data_bytes, invalid_bytes: of a record, without its id.
        clock: when.
        parts: by name, "ID", "DLC" and so on, numbers only.
        payload: None where records carry none.
    """

    kind: Kind
    number: int
    cycles: int
    data_bytes: int
    invalid_bytes: int
    clock: Clock
    parts: dict[str, Part]
    payload: Payload | None


@dataclass(slots=True)
class DataGroup:
    """One run of records.

    Fields:
        data: the link to the bytes.
        id_bytes: of the record id before each record; 0 where all records are of one group.
        frames: the groups of frames among them.
        sizes: bytes of a record by its id, -1 where records state it (u4) before their bytes.
        signals: record ids of groups that hold payloads, by link.
        names: what other groups are called.
    """

    data: int
    id_bytes: int
    frames: list[FrameGroup] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    signals: dict[int, int] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)


def data_groups(blocks: Blocks, first: int) -> Iterator[DataGroup]:
    """All data groups of a file.

    Args:
        first: the link to the first.

    Raises:
        LogError: a block is not what it has to be.
    """
    with suppress(CutOffError):
        for block in blocks.chain(first, b"##DG"):
            yield _data_group(blocks, block)


def _data_group(blocks: Blocks, block: Block) -> DataGroup:
    group = DataGroup(block.link(2), block.unpack(ID_BYTES)[0])
    if group.id_bytes not in {0, 1, 2, 4, 8}:
        raise LogError(
            f"MF4 block DG at byte {block.place} has record ids of {group.id_bytes} bytes; "
            "allowed are 0, 1, 2, 4 and 8"
        )
    with suppress(CutOffError):
        for channels in blocks.chain(block.link(1), b"##CG"):
            with suppress(CutOffError):
                _add_group(blocks, group, channels)
    return group


def _add_group(blocks: Blocks, group: DataGroup, block: Block) -> None:
    number, cycles, flags, data_bytes, invalid_bytes = block.unpack(GROUP)
    if number in group.sizes:
        raise LogError(f"MF4 block CG at byte {block.place} has the record id {number} once more")
    if flags & VLSD_FLAG:
        group.sizes[number] = -1
        group.signals[block.place] = number
        return
    if data_bytes + invalid_bytes > MAX_RECORD_BYTES:
        raise LogError(
            f"MF4 block CG at byte {block.place} states records of {data_bytes + invalid_bytes} "
            f"bytes; at most {MAX_RECORD_BYTES} are read"
        )
    group.sizes[number] = data_bytes + invalid_bytes
    frames = _Channels(blocks, block)
    if frames.kind is None:
        name = blocks.text(block.link(2)) or frames.name
        group.names.append(f"{name or 'a group without a name'} ({cycles} records)")
        return
    if frames.kind is Kind.OVERLOAD:
        group.names.append("overload frames")
        return
    if not frames.clock:
        raise LogError(f"MF4 block CG at byte {block.place} holds CAN frames without a time")
    if data_bytes > MAX_FRAME_RECORD_BYTES:
        raise LogError(
            f"MF4 block CG at byte {block.place} states records of {data_bytes} bytes for CAN "
            f"frames; at most {MAX_FRAME_RECORD_BYTES} are read"
        )
    if frames.kind is not Kind.ERROR and "ID" not in frames.parts:
        raise LogError(f"MF4 block CG at byte {block.place} holds CAN frames without an ID")
    group.frames.append(
        FrameGroup(
            kind=frames.kind,
            number=number,
            cycles=cycles,
            data_bytes=data_bytes,
            invalid_bytes=invalid_bytes,
            clock=frames.clock,
            parts=frames.parts,
            payload=frames.payload,
        )
    )


class _Channels:
    """The channels of one group, by what they are for.

    Attributes:
        kind: what frames these are, None for others.
        name: the first channel that is no clock.
        clock, parts, payload: as of `FrameGroup`.
    """

    def __init__(self, blocks: Blocks, group: Block) -> None:
        self.kind: Kind | None = None
        self.name = ""
        self.clock: Clock | None = None
        self.parts: dict[str, Part] = {}
        self.payload: Payload | None = None
        self._blocks = blocks
        self._record_bytes = group.unpack(GROUP)[3]
        waiting = [(group.link(1), "")]
        seen: set[int] = set()
        while waiting:
            first, prefix = waiting.pop()
            for channel in blocks.chain(first, b"##CN"):
                if channel.place in seen:
                    raise LogError(f"MF4 block CN at byte {channel.place} lies within itself")
                seen.add(channel.place)
                inner = self._add(channel, prefix)
                if channel.link(1) and inner:
                    waiting.append((channel.link(1), inner))

    def _add(self, block: Block, prefix: str) -> str:
        """Take in a channel; gives what the names of those within it begin with, "" for no CAN."""
        kind, sync, form, bit, place, bits = block.unpack(CHANNEL)
        name = self._blocks.text(block.link(2))
        if kind in {MASTER, VIRTUAL_MASTER} and not prefix:
            if sync == TIME:
                part = None
                if kind == MASTER:
                    part = self._part(block, Part(place, bit, bits, form))
                self.clock = Clock(part, *self._linear(block))
            return ""
        self.name = self.name or name
        found = NAME.search(name) or NAME.search(f"{prefix}.{name}")
        if not found:
            return ""
        self.kind = self.kind or Kind(found[1])
        if found[2] is None:
            return f"CAN_{found[1]}Frame"
        if found[2] == "DataBytes":
            is_variable = kind == VARIABLE
            size = bits if is_variable else bits - bits % 8
            part = Part(place, bit, size, UNSIGNED)
            if is_variable:
                self._part(block, part)
            elif bit or place + bits // 8 > self._record_bytes:
                raise self._wrong(block, part)
            signal = block.link(5) if is_variable else 0
            if is_variable and not signal:
                raise LogError(f"MF4 block CN at byte {block.place} leads to no payloads")
            self.payload = Payload(part, signal)
        elif form <= SIGNED_BIG and kind == FIXED:
            self.parts[found[2]] = self._part(block, Part(place, bit, bits, form))
        return ""

    def _part(self, block: Block, part: Part) -> Part:
        """A part that is checked to be a number within the record."""
        is_float = part.form in {FLOAT, FLOAT_BIG}
        is_number = 1 <= part.bits <= 64 and part.bit <= 7 and part.form <= FLOAT_BIG
        if is_float:
            is_number = part.bits in {32, 64} and part.bit == 0
        if not is_number or part.place + part.size > self._record_bytes:
            raise self._wrong(block, part)
        return part

    def _wrong(self, block: Block, part: Part) -> LogError:
        return LogError(
            f"MF4 block CN at byte {block.place} states {part.bits} bits from bit {part.bit} of "
            f"byte {part.place} on, in a record of {self._record_bytes} bytes"
        )

    def _linear(self, block: Block) -> tuple[float, float]:
        """Factor and offset of a clock."""
        link = block.link(4)
        if not link:
            return 1.0, 0.0
        conversion = self._blocks.block(link, b"##CC")
        kind = conversion.data[0] if conversion.data else ONE_TO_ONE
        if kind == ONE_TO_ONE:
            return 1.0, 0.0
        if kind != LINEAR:
            raise LogError(
                f"MF4 block CC at byte {link} converts time by method {kind}; read are 0 and 1"
            )
        values = conversion.unpack(LINEAR_VALUES)
        return values[1], values[0]
