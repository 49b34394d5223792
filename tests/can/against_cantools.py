"""What tests against cantools share: any DBC, payloads that lie on its branches, both readings.

text, length = data.draw(databases())
on_a_branch(message, payload, chance)        # its multiplexers say what some signal depends on
decoded_by_peer(message, payload)            # {"S0": 1.0}, None where cantools refuses
decoded_by_us(plan, CAN_ID, False, [payload])
"""

import math
import random
from pathlib import Path
from tempfile import TemporaryDirectory

import cantools
from cantools.database.can import Message, Signal
from hypothesis import strategies as st

from contactor.can.database import Database, load_database
from contactor.can.decode import decode_columns
from contactor.can.frames import FrameTable
from contactor.can.plan import DecodePlan

CAN_ID = 0x123
MAX_DEPTH = 3
LENGTHS_BYTES = [1, 2, 3, 8, 8, 8, 12, 20, 64]
LENGTHS_BITS = [1, 2, 7, 8, 10, 11, 16, 24, 32, 33, 53, 63, 64]
FLOAT_KINDS = {16: 1, 32: 1, 64: 2}
"""The number in `SIG_VALTYPE_` for an IEEE 754 float of that many bits; 16 is cantools' own."""
NUMBERS = st.one_of(
    st.sampled_from(
        ["1", "0.5", "0.1", "2", "-1", "1.0", "3", "0.00390625", "1E-7", "12345678901"]
    ),
    st.floats(-1e6, 1e6).filter(bool).map(repr),
    st.integers(1, 10**6).map(str),
)
RANGES = st.sampled_from(["0|0", "0|0", "-100|100", "0.5|250.25", "-1E4|1E9"])
OFFSETS = st.one_of(st.sampled_from(["0", "0.0", "-40", "0.3", "-273.15"]), NUMBERS)

Values = dict[str, float]


class _Writer:
    """Collects the lines of one message."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.signals: list[str] = []
        self.others: list[str] = []

    def add(self, layout: str, *, parent: str | None, ids: tuple[int, int], kind: str = "") -> str:
        """A signal; `kind` is "M" for a multiplexer, a number for a float."""
        name = f"S{len(self.signals)}"
        scale, offset = ("1", "0") if kind == "M" else (self.draw(NUMBERS), self.draw(OFFSETS))
        role = (f"m{ids[0]}" if parent else "") + ("M" if kind == "M" else "")
        bounds = self.draw(RANGES)
        self.signals.append(f' SG_ {name} {role} : {layout} ({scale},{offset}) [{bounds}] "" X')
        if parent:
            self.others.append(f"SG_MUL_VAL_ {CAN_ID} {name} {parent} {ids[0]}-{ids[1]};")
        if kind.isdigit():
            self.others.append(f"SIG_VALTYPE_ {CAN_ID} {name} : {kind};")
        elif self.draw(st.booleans()):
            self.others.append(f'VAL_ {CAN_ID} {name} 0 "Off" 1 "On" ;')
        return name

    def fill(
        self, begin: int, end: int, parent: str | None, ids: tuple[int, int], depth: int
    ) -> None:
        """Signals in the bytes from `begin` to `end`, some of them depending on others."""
        size = end - begin
        choice = self.draw(st.sampled_from(["plain", "plain", "branches", "halves"]))
        if choice == "halves" and size >= 4:
            self.fill(begin, begin + size // 2, parent, ids, depth)
            self.fill(begin + size // 2, end, parent, ids, depth)
        elif choice == "branches" and size >= 2 and depth < MAX_DEPTH:
            self.branches(begin, end, parent, ids, depth)
        else:
            self.side_by_side(begin, end, parent, ids)

    def branches(
        self, begin: int, end: int, parent: str | None, ids: tuple[int, int], depth: int
    ) -> None:
        """A multiplexer in the first bytes, and two or three branches behind it."""
        size = self.draw(st.sampled_from([1, 1, 2])) if end - begin > 2 else 1
        length = self.draw(st.integers(2, 8 * size))
        order = self.draw(st.sampled_from("01"))
        name = self.add(
            f"{start_of(8 * begin, order)}|{length}@{order}+", parent=parent, ids=ids, kind="M"
        )
        first = 0
        for _ in range(self.draw(st.integers(1, 3))):
            if first >= 1 << length:
                break
            last = self.draw(st.integers(first, min(first + 3, (1 << length) - 1)))
            self.fill(begin + size, end, name, (first, last), depth + 1)
            first = last + 1 + self.draw(st.integers(0, 2))

    def side_by_side(self, begin: int, end: int, parent: str | None, ids: tuple[int, int]) -> None:
        """Signals of one byte order after each other, some bits between them free."""
        while begin < end:
            size = self.draw(st.integers(1, min(9, end - begin)))
            order = self.draw(st.sampled_from("01"))
            bit, beyond = 8 * begin, 8 * (begin + size)
            while bit < beyond:
                bit += self.draw(st.sampled_from([0, 0, 0, 1, 3]))
                length = min(self.draw(st.sampled_from(LENGTHS_BITS)), beyond - bit)
                if length <= 0:
                    break
                is_float = length in FLOAT_KINDS and self.draw(st.booleans())
                sign = self.draw(st.sampled_from("+-"))
                self.add(
                    f"{start_of(bit, order)}|{length}@{order}{sign}",
                    parent=parent,
                    ids=ids,
                    kind=str(FLOAT_KINDS[length]) if is_float else "",
                )
                bit += length
            begin += size


def start_of(first_bit: int, order: str) -> int:
    """How DBC counts the first bit of a signal."""
    return first_bit if order == "1" else 8 * (first_bit // 8) + 7 - first_bit % 8


@st.composite
def databases(draw: st.DrawFn) -> tuple[str, int]:
    """The text of a DBC with one message, and its length in bytes."""
    length = draw(st.sampled_from(LENGTHS_BYTES))
    writer = _Writer(draw)
    writer.fill(0, length, None, (0, 0), 0)
    others = sorted(writer.others, key=lambda line: line.startswith("SG_MUL_VAL_"))
    body = "\n".join([f"BO_ {CAN_ID} Test: {length} X", *writer.signals, "", *others, ""])
    return f'VERSION ""\n\nBU_: X\n\n{body}', length


def loaded(text: str) -> tuple[Database, Message]:
    """A DBC as we read it, and its message as cantools does."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "test.dbc"
        path.write_text(text, encoding="utf-8")
        database = load_database([path])
    return database, cantools.database.load_string(text, "dbc", strict=False).messages[0]


def on_a_branch(message: Message, data: bytes, chance: random.Random) -> bytes:
    """A payload whose multiplexers say what some signal depends on."""
    by_name = {signal.name: signal for signal in message.signals}
    number = int.from_bytes(data, "big")
    for signal in message.signals:
        if not signal.multiplexer_ids or signal.multiplexer_signal is None:
            continue
        multiplexer = by_name[signal.multiplexer_signal]
        raw = chance.choice(sorted(signal.multiplexer_ids))
        for bit in range(multiplexer.length):
            place = bit_place(multiplexer, bit, len(data))
            number = number & ~(1 << place) | (raw >> bit & 1) << place
    return number.to_bytes(len(data), "big")


def bit_place(signal: Signal, bit: int, length: int) -> int:
    """Where a signal's bit lies in the payload as one big endian number, lowest first."""
    if signal.byte_order == "little_endian":
        byte, inner = divmod(signal.start + bit, 8)
        return 8 * (length - 1 - byte) + inner
    first = 8 * (signal.start // 8) + 7 - signal.start % 8
    return 8 * length - 1 - (first + signal.length - 1 - bit)


def decoded_by_peer(message: Message, data: bytes) -> Values | None:
    """What cantools decodes, None where a multiplexer says what no signal depends on."""
    try:
        decoded = message.decode_simple(data, decode_choices=False, allow_truncated=True)
    except cantools.database.DecodeError:
        return None
    return {name: float(value) for name, value in decoded.items()}


def decoded_by_us(
    plan: DecodePlan, can_id: int, is_extended: bool, data: list[bytes]
) -> list[Values]:
    """What we decode of each payload."""
    frames = FrameTable.of(
        ts=range(len(data)), can_id=[can_id] * len(data), is_extended=is_extended, data=data
    )
    readings: list[Values] = [{} for _ in data]
    for column in decode_columns(frames, plan):
        for row, value in zip(column.rows.tolist(), column.values.tolist(), strict=True):
            readings[row][column.signal] = value
    return readings


def are_same(one: Values, other: Values) -> bool:
    """Whether both have the same signals with exactly the same values; NaN is one value."""
    return one.keys() == other.keys() and all(
        value == other[name] or (math.isnan(value) and math.isnan(other[name]))
        for name, value in one.items()
    )
