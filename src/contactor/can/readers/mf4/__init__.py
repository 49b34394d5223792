"""Reader of ASAM MDF 4 bus logging ("MF4"): just what CAN frames need, nothing else of the format.

    blocks.py      a block, checked before it is believed
    groups.py      where frames are kept, and each part of a frame
    data.py        the bytes of a group, however divided and packed
    splitting.py   records of several groups in one run
    rows.py        records as columns
    runs.py        the frames of one data group, with payloads kept elsewhere
    merging.py     the frames of all of them, in the order of time

Finished and unfinished files are read. Stamps count from the start in the head, which is UTC; where
it says that it is local time without a zone, it is taken as UTC. Buses are numbered as the file
does. An id above 0x7FF is extended whatever its flag says.

Of a file that is cut off, as a power cut leaves it, all is read that is whole before the end:
groups whose every part is there, and of their data the whole records.

    for block in Mf4Parser().parse(file, size):
        block.frames, block.faults

Source: ASAM MDF 4.1 and its associated standard for bus logging; asammdf 8 as second opinion.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Self

from contactor.can.frames import FrameTable
from contactor.can.kernels import are_wanted
from contactor.can.readers.mf4.blocks import FIRST_PLACE, Blocks
from contactor.can.readers.mf4.groups import SHOWN_GROUPS, DataGroup, data_groups
from contactor.can.readers.mf4.merging import merged
from contactor.can.readers.mf4.runs import SortedRun, UnsortedRun
from contactor.can.readers.numbers import MAX_TS_NS
from contactor.can.readers.parsed import Block, Cause, Fault
from contactor.errors import LogError

FORM = re.compile(rb"\A(?:MDF {5}|UnFinMF )")
IDENTIFICATION = struct.Struct("<8s8s12xH30xHH")
UNFINISHED = b"UnFinMF "
START = struct.Struct("<Q")
LEAST_VERSION, LEAST_UNREAD_VERSION = 400, 500
# Data of all runs at hand at a time.
CHUNK_BYTES = 2 * 1024 * 1024
LEAST_CHUNK_BYTES = 64 * 1024
MAX_RUNS = 4096
# The shortest records that occur much, for how many frames a file may hold.
RECORD_BYTES = 24


@dataclass(slots=True)
class Mf4Parser:
    """Parses one log; `is_compiled` says by which path, None chooses by its size."""

    is_compiled: bool | None = None
    is_stamped: bool = True

    @classmethod
    def of(cls, head: bytes) -> Self:
        """The parser for a log."""
        return cls()

    def parse(self, file: BinaryIO, size: int) -> Iterator[Block]:
        """All frames in the order of time.

        Raises:
            LogError: it is no MDF 4, its structure is broken, it holds no CAN frames, or it is cut
                off before the first of them.
        """
        blocks = Blocks(file, size)
        is_unfinished = _check_identification(blocks)
        head = blocks.block(FIRST_PLACE, b"##HD")
        start_ns, fault = head.unpack(START)[0], None
        if start_ns > MAX_TS_NS:
            fault = Fault(Cause.TIME, 1, 1, f"start of the log: {start_ns} ns")
            start_ns = 0
        is_compiled = self.is_compiled
        if is_compiled is None:
            is_compiled = are_wanted(size // RECORD_BYTES)
        groups = list(data_groups(blocks, head.link(0)))
        runs = [
            self._run(blocks, group, start_ns, is_unfinished, is_compiled)
            for group in groups
            if group.frames and group.data
        ]
        if len(runs) > MAX_RUNS:
            raise LogError(
                f"an MF4 file with {len(runs)} groups of CAN frames; read are {MAX_RUNS}"
            )
        if not runs and blocks.cut:
            raise LogError(blocks.cut)
        if not runs:
            raise LogError(f"an MF4 file without CAN frames: {_what_it_holds(groups)}")
        chunk_bytes = max(CHUNK_BYTES // len(runs), LEAST_CHUNK_BYTES)
        early = (fault,) if fault else ()
        given, is_cut_told = 0, False
        for frames, faults in merged([run.tables(chunk_bytes) for run in runs]):
            given += len(frames)
            is_cut_told |= any(fault.cause is Cause.CUT_RECORD for fault in faults)
            told = tuple(_of_cut(fault, blocks.cut) for fault in faults)
            yield Block(frames, (*early, *told), min(blocks.read_bytes, size))
            early = ()
        if not blocks.cut:
            return
        if not given:
            raise LogError(blocks.cut)
        if not is_cut_told:
            cut = Fault(Cause.CUT_RECORD, 1, given + 1, blocks.cut)
            yield Block(FrameTable.empty(), (cut,), size)

    def _run(
        self,
        blocks: Blocks,
        group: DataGroup,
        start_ns: int,
        is_unfinished: bool,
        is_compiled: bool,
    ) -> SortedRun | UnsortedRun:
        if group.id_bytes:
            return UnsortedRun(
                blocks,
                group,
                start_ns=start_ns,
                is_unfinished=is_unfinished,
                is_compiled=is_compiled,
            )
        if len(group.sizes) > 1:
            raise LogError(
                f"MF4 data at byte {group.data} belongs to {len(group.sizes)} groups, but its "
                "records have no ids"
            )
        return SortedRun(blocks, group, start_ns=start_ns, is_unfinished=is_unfinished)


def _check_identification(blocks: Blocks) -> bool:
    """Whether the file is unfinished; raises LogError where it is no MDF 4."""
    raw = blocks.read(0, FIRST_PLACE)
    if len(raw) < FIRST_PLACE:
        raise LogError(
            f"an MDF file that ends within its identification: it has {blocks.size} bytes, "
            f"{FIRST_PLACE} are needed"
        )
    mark, written, version, _, _ = IDENTIFICATION.unpack(raw)
    if not LEAST_VERSION <= version < LEAST_UNREAD_VERSION:
        name = written.rstrip(b" \0").decode("ascii", "replace")
        shown = name if name.isprintable() and name else str(version)
        raise LogError(f"an ASAM MDF file of version {shown}; read is version 4")
    return bool(mark == UNFINISHED)


def _of_cut(fault: Fault, cut: str) -> Fault:
    """A fault that says where the file is cut off, if it is and that is what the fault is about."""
    return replace(fault, text=cut) if cut and fault.cause is Cause.CUT_RECORD else fault


def _what_it_holds(groups: list[DataGroup]) -> str:
    """The other groups of a file, for a message."""
    if any(group.frames for group in groups):
        return "its groups of CAN frames are empty"
    names = [name for group in groups for name in group.names]
    if not names:
        return "it has no groups of records"
    more = f" and {len(names) - SHOWN_GROUPS} more" if len(names) > SHOWN_GROUPS else ""
    return f"it holds {', '.join(names[:SHOWN_GROUPS])}{more}"
