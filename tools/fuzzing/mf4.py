"""Small MF4 bus logs in the forms that loggers write, block by block.

    small_mf4(Form.SORTED)        one group, records of one length, payload in the record
    small_mf4(Form.UNSORTED)      two groups in one stream, payloads in a group of their own (VLSD)
    small_mf4(Form.SIGNAL_DATA)   payloads in signal data (SD)
    small_mf4(Form.PACKED)        the records deflated, in a list (HL, DL, DZ)

Source: ASAM MDF 4.1.0, the layout of its blocks.
"""

import random
import struct
import zlib
from enum import StrEnum

START_NS = 1_700_000_000 * 10**9
FRAMES = 24
UINT, FLOAT, BYTES = 0, 4, 10
FIXED, VARIABLE, MASTER = 0, 1, 2
VLSD_GROUP, BUS_EVENT = 0x1, 0x2
BUS, CAN = 2, 2  # kinds of sources, and of buses
# The parts of a frame: name, data type, byte in the record after the time, first bit, bits.
PARTS = (
    ("BusChannel", UINT, 0, 0, 8),
    ("ID", UINT, 1, 0, 29),
    ("IDE", UINT, 4, 7, 1),
    ("DLC", UINT, 5, 0, 4),
    ("DataLength", UINT, 6, 0, 7),
    ("Dir", UINT, 5, 4, 1),
    ("EDL", UINT, 5, 5, 1),
)
PAYLOAD_BYTE, FRAME_BYTES, TIME_BYTES = 7, 15, 8


class Form(StrEnum):
    SORTED = "sorted"
    UNSORTED = "unsorted"
    SIGNAL_DATA = "signal-data"
    PACKED = "packed"


class Blocks:
    """A file that grows by blocks; each knows where those it links to lie."""

    def __init__(self) -> None:
        head = b"MDF     4.10    small   " + bytes(4) + struct.pack("<H", 410) + bytes(34)
        self.data = bytearray(head + bytes(104))

    def add(self, kind: str, links: tuple[int, ...], content: bytes) -> int:
        place = len(self.data)
        self.data += _block(kind, links, content)
        self.data += bytes(-len(self.data) % 8)
        return place

    def text(self, text: str) -> int:
        return self.add("TX", (), text.encode() + b"\0")

    def finish(self, first_group: int) -> bytes:
        times = struct.pack("<QhhBBBxdd", START_NS, 0, 0, 2, 0, 0, 0.0, 0.0)
        self.data[64:168] = _block("HD", (first_group, 0, 0, 0, 0, 0), times)
        return bytes(self.data)


def small_mf4(form: Form) -> bytes:
    """A log of some frames on two buses."""
    rng = random.Random(form)
    blocks = Blocks()
    records, payloads, stream = [], bytearray(), bytearray()
    for number in range(FRAMES):
        data = rng.randbytes(rng.choice((0, 2, 8, 8)))
        can_id = rng.choice((0x1DB, 0x7E8, 0x18FF50E5))
        flags = len(data) | (number % 2) << 4
        head = struct.pack(
            "<dBIBB",
            0.01 * number,
            1 + number % 2,
            can_id | (can_id > 0x7FF) << 31,
            flags,
            len(data),
        )
        part = data.ljust(8, b"\0") if form in (Form.SORTED, Form.PACKED) else None
        records.append(head + (part if part is not None else struct.pack("<Q", len(payloads))))
        piece = struct.pack("<I", len(data)) + data
        payloads += piece
        stream += b"\1" + records[-1] + b"\2" + piece
    if form is Form.SORTED:
        group = _group(blocks, 0, blocks.text("CAN"), 0)
        data = blocks.add("DT", (), b"".join(records))
    elif form is Form.SIGNAL_DATA:
        group = _group(blocks, 0, blocks.text("CAN"), blocks.add("SD", (), bytes(payloads)))
        data = blocks.add("DT", (), b"".join(records))
    elif form is Form.UNSORTED:
        content = struct.pack("<QQHHIII", 2, FRAMES, VLSD_GROUP, 0, 0, len(payloads), 0)
        variable = blocks.add("CG", (0, 0, 0, 0, 0, 0), content)
        group = _group(blocks, 1, blocks.text("CAN"), variable, following=variable)
        data = blocks.add("DT", (), bytes(stream))
    else:
        group = _group(blocks, 0, blocks.text("CAN"), 0)
        halves = [b"".join(records[:11]), b"".join(records[11:])]
        packed = tuple(blocks.add("DZ", (), _deflated(half)) for half in halves)
        content = struct.pack("<BxxxIQQ", 0, len(packed), 0, len(halves[0]))
        data = blocks.add(
            "HL", (blocks.add("DL", (0, *packed), content),), struct.pack("<HB5x", 0, 0)
        )
    return blocks.finish(
        blocks.add("DG", (0, group, data, 0), bytes([form is Form.UNSORTED]) + bytes(7))
    )


def _group(blocks: Blocks, record_id: int, name: int, payload: int, *, following: int = 0) -> int:
    """A group of frames; `payload` is where those of variable length lie, 0 for fixed ones."""
    kind = VARIABLE if payload else FIXED
    variable = (kind, BYTES, PAYLOAD_BYTE, 0, 64)
    parts = _channel(blocks, "CAN_DataFrame.DataBytes", variable, links=(0, 0), data=payload)
    for part, data_type, byte, bit, bits in reversed(PARTS):
        form = (FIXED, data_type, byte, bit, bits)
        parts = _channel(blocks, f"CAN_DataFrame.{part}", form, links=(parts, 0))
    whole = (FIXED, BYTES, 0, 0, 8 * FRAME_BYTES)
    frame = _channel(blocks, "CAN_DataFrame", whole, links=(0, parts))
    time = _channel(blocks, "Timestamp", (MASTER, FLOAT, -TIME_BYTES, 0, 64), links=(frame, 0))
    content = struct.pack(
        "<QQHHIII", record_id, FRAMES, BUS_EVENT, ord("."), 0, TIME_BYTES + FRAME_BYTES, 0
    )
    source = blocks.add("SI", (name, name, 0), bytes([BUS, CAN]) + bytes(6))
    return blocks.add("CG", (following, time, name, source, 0, 0), content)


def _channel(
    blocks: Blocks,
    name: str,
    form: tuple[int, int, int, int, int],
    *,
    links: tuple[int, int],
    data: int = 0,
) -> int:
    kind, data_type, byte, bit, bits = form
    content = struct.pack(
        "<BBBBIIIIBxH6d",
        *(kind, kind == MASTER, data_type, bit, TIME_BYTES + byte, bits),
        *(0, 0, 0, 0),
        *(0.0,) * 6,
    )
    following, composition = links
    return blocks.add("CN", (following, composition, blocks.text(name), 0, 0, data, 0, 0), content)


def _deflated(records: bytes) -> bytes:
    packed = zlib.compress(records)
    return struct.pack("<2sBxIQQ", b"DT", 0, 0, len(records), len(packed)) + packed


def _block(kind: str, links: tuple[int, ...], content: bytes) -> bytes:
    size = 24 + 8 * len(links) + len(content)
    head = struct.pack("<4s4xQQ", b"##" + kind.encode(), size, len(links))
    return head + struct.pack(f"<{len(links)}Q", *links) + content
