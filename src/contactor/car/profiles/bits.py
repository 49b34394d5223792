"""Which bits of a payload a signal covers, and a picture of them.

    print(message_picture(profile.database.message("BatteryState")))

    BatteryState  0x1DB  8 bytes  every 10 ms
              7  6  5  4  3  2  1  0
    byte 0    A  A  A  A  A  A  A  A     A  PackCurrent      11 bits, signed, x 0.5 A
    byte 1    A  A  A  .  .  .  .  .     B  PackVoltage      10 bits, x 0.5 V
    byte 2    B  B  B  B  B  B  B  B

Bits are numbered as DBC does: bit 8 is the lowest of byte 1. A `*` is a bit whose meaning depends
on the multiplexer. Source: Vector, "DBC File Format", signal definitions.
"""

from collections.abc import Iterator
from itertools import zip_longest
from string import ascii_letters

from contactor.can.database import MessageFormat, SignalFormat

FREE = "."
SHARED = "*"


def bits_of(signal: SignalFormat) -> tuple[int, ...]:
    """The bits of a signal, `start` first; big endian ones go down: 7..0, then 15..8."""
    if signal.byte_order == "little_endian":
        return tuple(range(signal.start, signal.start + signal.length))
    first = 8 * (signal.start // 8) + 7 - signal.start % 8
    return tuple(8 * (bit // 8) + 7 - bit % 8 for bit in range(first, first + signal.length))


def is_beyond(signal: SignalFormat, message: MessageFormat) -> bool:
    """Whether a signal does not lie wholly in its message."""
    return any(not 0 <= bit < 8 * message.length for bit in bits_of(signal))


def overlaps(message: MessageFormat) -> Iterator[tuple[SignalFormat, SignalFormat]]:
    """Pairs of signals that share a bit and can be in one frame."""
    signals = message.signals
    for place, one in enumerate(signals):
        for other in signals[place + 1 :]:
            if set(bits_of(one)) & set(bits_of(other)) and _may_meet(one, other):
                yield one, other


def _may_meet(one: SignalFormat, other: SignalFormat) -> bool:
    """Whether both can be in one frame: not those of different values of one multiplexer."""
    if one.multiplexer is None or one.multiplexer != other.multiplexer:
        return True
    return bool(set(one.multiplexer_ids) & set(other.multiplexer_ids))


def message_picture(message: MessageFormat) -> str:
    """The bits of a message, drawn, with a line for each of its signals."""
    letters = dict(zip((signal.name for signal in message.signals), _letters(), strict=False))
    cells = [FREE] * (8 * message.length)
    for signal in message.signals:
        for bit in bits_of(signal):
            if 0 <= bit < len(cells):
                cells[bit] = letters[signal.name] if cells[bit] == FREE else SHARED
    rows = [
        f"byte {byte:<2} " + "".join(f"{cells[8 * byte + bit]:>3}" for bit in range(7, -1, -1))
        for byte in range(message.length)
    ]
    width = max((len(signal.name) for signal in message.signals), default=0)
    legend = [
        f"{letters[signal.name]}  {signal.name:<{width}}  {_how(signal)}"
        for signal in message.signals
    ]
    head = " " * 8 + "".join(f"{bit:>3}" for bit in range(7, -1, -1))
    lines = [
        f"{row:<32}   {text}".rstrip() for row, text in zip_longest(rows, legend, fillvalue="")
    ]
    return "\n".join([_title(message), head, *lines])


def _letters() -> Iterator[str]:
    yield from ascii_letters[26:] + ascii_letters[:26] + "0123456789"
    while True:
        yield "#"


def _title(message: MessageFormat) -> str:
    number = f"0x{message.can_id:08X}" if message.is_extended else f"0x{message.can_id:03X}"
    parts = [message.name, number, f"{message.length} bytes"]
    if message.cycle_time_ms:
        parts.append(f"every {message.cycle_time_ms} ms")
    return "  ".join(parts)


def _how(signal: SignalFormat) -> str:
    """`11 bits, signed, x 0.5 A`."""
    parts = ["1 bit" if signal.length == 1 else f"{signal.length} bits"]
    if signal.is_float:
        parts.append("float")
    elif signal.is_signed:
        parts.append("signed")
    if signal.multiplexer is not None:
        ids = ", ".join(str(number) for number in signal.multiplexer_ids)
        parts.append(f"where {signal.multiplexer} is {ids}")
    scale = f"x {signal.scale:g}" if signal.scale != 1 else ""
    offset = f"{signal.offset:+g}" if signal.offset else ""
    amount = " ".join(part for part in (scale, offset, signal.unit) if part)
    return ", ".join([*parts, amount] if amount else parts)
