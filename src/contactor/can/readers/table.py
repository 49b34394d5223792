"""The log formats that can be read, one row each.

A format is chosen by what the file holds, never by its extension. A new format is a module with a
parser, and a row here.

    reader = reader_of(head)        # None: see foreign.py for what it is
    parser = reader.parser(head)
    parser.parse(cut_lines(block)).frames
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import BinaryIO, Protocol, runtime_checkable

from contactor.can.readers import (
    asc,
    asc_head,
    battery_emulator,
    blf,
    busmaster,
    candump,
    candump_screen,
    canking,
    car_scanner,
    crtd,
    leaf_tab,
    memorator,
    mf4,
    pp2can,
    python_can_csv,
    savvycan,
    text_trace,
    trc,
    trc_columns,
)
from contactor.can.readers.lines import Lines, TextBlock
from contactor.can.readers.parsed import Block, FastParsed, Parsed


class Parser(Protocol):
    """Turns the lines of one log into frames, block after block in file order.

    `is_stamped` says whether frames carry stamps; where they do not, time is assumed.
    """

    is_stamped: bool

    def parse(self, lines: Lines) -> Parsed:
        """Read every line; raises nothing, whatever the bytes."""
        ...


@runtime_checkable
class FastParser(Parser, Protocol):
    """A parser that has a compiled path for the usual lines of its format."""

    def parse_fast(self, block: TextBlock, *, may_learn: bool) -> FastParsed | None:
        """Read the usual lines; None where the block has to be parsed line by line.

        Args:
            may_learn: False where the block is read before its turn, by one thread of several:
                then nothing that the parser knows may change, and None is given where it would.
        """
        ...


class BinaryParser(Protocol):
    """Turns a binary log into frames, some at a time; `is_stamped` as of `Parser`."""

    is_stamped: bool

    def parse(self, file: BinaryIO, size: int) -> Iterator[Block]:
        """Read a file of `size` bytes from its start; the file can be sought.

        Raises:
            LogError: nothing (more) can be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class BinaryReader:
    """One binary log format; fields as of `Reader`."""

    name: str
    form: re.Pattern[bytes]
    parser: Callable[[bytes], BinaryParser]


@dataclass(frozen=True, slots=True)
class Reader:
    """One text log format.

    Fields:
        name: the format's name in messages and in JSON.
        form: what is found in the first bytes of a log of this format and of no other.
        parser: makes the parser of one log from its first bytes.
        states_length: whether a line says how long its payload is, so that a cut one shows.
    """

    name: str
    form: re.Pattern[bytes]
    parser: Callable[[bytes], Parser]
    states_length: bool


BINARY_READERS: tuple[BinaryReader, ...] = (
    BinaryReader("blf", blf.FORM, blf.BlfParser.of),
    BinaryReader("mf4", mf4.FORM, mf4.Mf4Parser.of),
)
READERS = (
    Reader("leaf-tab", leaf_tab.HEADER, leaf_tab.LeafTabParser.of, states_length=True),
    Reader("savvycan", savvycan.FORM, savvycan.SavvyCanParser.of, states_length=True),
    Reader("crtd", crtd.FORM, crtd.CrtdParser.of, states_length=False),
    Reader("text-trc", text_trace.FORM, text_trace.TextTraceParser.of, states_length=True),
    Reader("pp2can", pp2can.FORM, pp2can.Pp2canParser.of, states_length=True),
    Reader(
        "battery-emulator",
        battery_emulator.FORM,
        battery_emulator.BatteryEmulatorParser.of,
        states_length=True,
    ),
    Reader("busmaster", busmaster.FORM, busmaster.BusmasterParser.of, states_length=True),
    Reader("canking", canking.FORM, canking.CanKingParser.of, states_length=True),
    Reader("memorator", memorator.FORM, memorator.MemoratorParser.of, states_length=True),
    Reader("asc", asc_head.FORM, asc.AscParser.of, states_length=True),
    Reader("trc", trc_columns.FORM, trc.TrcParser.of, states_length=True),
    Reader(
        "python-can-csv",
        python_can_csv.FORM,
        python_can_csv.PythonCanCsvParser.of,
        states_length=True,
    ),
    Reader("candump", candump.FORM, candump.CandumpParser.of, states_length=False),
    Reader(
        "candump-screen",
        candump_screen.FORM,
        candump_screen.CandumpScreenParser.of,
        states_length=True,
    ),
    Reader("car-scanner", car_scanner.FORM, car_scanner.CarScannerParser.of, states_length=False),
)


def reader_of(head: bytes) -> Reader | BinaryReader | None:
    """The reader for a log that begins with `head` (64 KiB are plenty), or None.

    Of several forms that are found the first in the text counts: a header, or the first frame.
    """
    known: tuple[Reader | BinaryReader, ...] = (*BINARY_READERS, *READERS)
    text = head if b"\n" in head else head.replace(b"\r", b"\n")
    found = [(match.start(), reader) for reader in known if (match := reader.form.search(text))]
    return min(found, key=itemgetter(0), default=(0, None))[1]
