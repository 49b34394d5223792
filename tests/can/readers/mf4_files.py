"""Small MF4 files made by hand, block by block.

file = Mf4File()
file.first = file.data_group([file.group(channels, number=1, size=24)], data, id_bytes=1)
file.bytes(start_ns=0)
"""

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

UNSIGNED, UNSIGNED_BIG, SIGNED, SIGNED_BIG, FLOAT, FLOAT_BIG, BYTES = 0, 1, 2, 3, 4, 5, 10
FIXED, VARIABLE, MASTER, VIRTUAL_MASTER = 0, 1, 2, 3


@dataclass
class Mf4File:
    """A file that grows; each method adds blocks and gives the place of the first."""

    version: int = 411
    mark: bytes = b"MDF     "
    raw: bytearray = field(default_factory=lambda: bytearray(64 + 104))
    first: int = 0

    def block(self, kind: bytes, links: list[int], data: bytes = b"", *, size: int = -1) -> int:
        self.raw += bytes(-len(self.raw) % 8)
        place = len(self.raw)
        length = 24 + 8 * len(links) + len(data) if size < 0 else size
        self.raw += struct.pack("<4s4xQQ", b"##" + kind, length, len(links))
        self.raw += struct.pack(f"<{len(links)}Q", *links) + data
        return place

    def text(self, text: str) -> int:
        return self.block(b"TX", [], text.encode() + b"\0")

    def linear(self, factor: float, offset: float = 0.0, *, kind: int = 1) -> int:
        body = struct.pack("<BBHHHdddd", kind, 0, 0, 0, 2, 0, 0, offset, factor)
        return self.block(b"CC", [0, 0, 0, 0], body)

    def channel(
        self,
        name: str,
        place: int,
        bits: int,
        *,
        bit: int = 0,
        form: int = UNSIGNED,
        kind: int = FIXED,
        after: int = 0,
        inner: int = 0,
        conversion: int = 0,
        data: int = 0,
    ) -> int:
        """A channel before the one at `after`."""
        sync = 1 if kind in {MASTER, VIRTUAL_MASTER} else 0
        links = [after, inner, self.text(name), 0, conversion, data, 0, 0]
        body = struct.pack("<BBBBIIII32x", kind, sync, form, bit, place, bits, 0, 0)
        return self.block(b"CN", links, body)

    def group(
        self,
        channels: int,
        *,
        number: int,
        size: int,
        cycles: int = 0,
        flags: int = 0,
        after: int = 0,
        name: str = "",
        invalid: int = 0,
    ) -> int:
        links = [after, channels, self.text(name) if name else 0, 0, 0, 0]
        body = struct.pack("<QQHHIII", number, cycles, flags, 0, 0, size, invalid)
        return self.block(b"CG", links, body)

    def data_group(self, groups: int, data: int, *, id_bytes: int = 0, after: int = 0) -> int:
        return self.block(b"DG", [after, groups, data, 0], struct.pack("<B7x", id_bytes))

    def stored(self, data: bytes, form: str, *, kind: bytes = b"DT", width: int = 24) -> int:
        """Data as a block, in a list, or packed in a list."""
        if form == "block":
            return self.block(kind, [], data)
        half = len(data) // 2
        parts = [data[:half], data[half:]]
        if form == "list":
            links = [self.block(kind, [], part) for part in parts]
        else:
            links = [
                self.packed(part, kind, width if form == "transposed" else 0) for part in parts
            ]
        second = self.block(b"DL", [0, links[1]], struct.pack("<B3xIQ", 0, 1, half))
        first = self.block(b"DL", [second, links[0]], struct.pack("<B3xIQ", 0, 1, 0))
        if form == "list":
            return first
        return self.block(b"HL", [first], struct.pack("<HB5x", 0, 1 if width else 0))

    def packed(self, data: bytes, kind: bytes = b"DT", width: int = 0) -> int:
        size, plain = len(data), data
        if width:
            rows = len(data) // width
            table = np.frombuffer(data, np.uint8, rows * width).reshape(rows, width)
            plain = table.T.tobytes() + data[rows * width :]
        body = zlib.compress(plain)
        head = struct.pack("<2sBxIQQ", kind, 1 if width else 0, width, size, len(body))
        return self.block(b"DZ", [], head + body)

    def bytes(self, start_ns: int = 0, *, unfinished: int = 0, flags: int = 0) -> bytes:
        """The whole file."""
        head = struct.pack(
            "<8s8s8s4xH30xHH", self.mark, b"4.11", b"tests", self.version, unfinished, 0
        )
        body = struct.pack("<QhhBBBB16x", start_ns, 0, 0, flags, 0, 0, 0)
        root = struct.pack("<4s4xQQ6Q", b"##HD", 104, 6, self.first, 0, 0, 0, 0, 0) + body
        return head + root + bytes(self.raw[64 + 104 :])


def frame_channels(
    file: Mf4File,
    *,
    kind: str = "Data",
    payload_bits: int = 512,
    signal: int = 0,
    clock: int = UNSIGNED,
    without: str = "",
) -> int:
    """Channels of `record`: time 8 bytes, bus, id 29 bits and IDE, flags, DLC, length, payload."""
    parts = [
        ("DataBytes", 16, payload_bits, 0, BYTES),
        ("EDL", 13, 1, 1, UNSIGNED),
        ("DataLength", 15, 7, 0, UNSIGNED),
        ("DLC", 14, 4, 3, UNSIGNED),
        ("IDE", 13, 1, 0, UNSIGNED),
        ("ID", 9, 29, 3, UNSIGNED),
        ("BusChannel", 8, 8, 0, UNSIGNED),
    ]
    inner = 0
    for name, place, bits, bit, form in parts:
        if name == without:
            continue
        is_signal = name == "DataBytes" and signal != 0
        inner = file.channel(
            f"CAN_{kind}Frame.{name}",
            place,
            64 if is_signal else bits,
            bit=bit,
            form=form,
            kind=VARIABLE if is_signal else FIXED,
            data=signal,
            after=inner,
        )
    outer = file.channel(f"CAN_{kind}Frame", 8, 8 * 8, form=BYTES, inner=inner)
    conversion = file.linear(1e-9) if clock == UNSIGNED else 0
    return file.channel("t", 0, 64, form=clock, kind=MASTER, after=outer, conversion=conversion)


def record(
    ts: float,
    can_id: int,
    data: bytes | int,
    *,
    bus: int = 1,
    is_extended: bool = False,
    is_fd: bool = False,
    dlc: int = 0,
    length: int = 0,
    width: int = 64,
) -> bytes:
    """A record of `frame_channels`; `data` is a payload, or where one begins."""
    clock = struct.pack("<d", ts) if isinstance(ts, float) else struct.pack("<Q", ts)
    flags = is_extended | is_fd << 1
    head = clock + struct.pack("<BIBBB", bus, can_id << 3, flags, dlc << 3, length)
    return head + (struct.pack("<Q", data) if isinstance(data, int) else data.ljust(width, b"\0"))
