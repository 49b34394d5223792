"""A sender of the transport protocol for tests, written from ISO 15765-2, apart from ours."""

from collections.abc import Iterable, Sequence

from contactor.can.frames import FrameTable

MS = 1_000_000


def segmented(payload: bytes, *, frame_bytes: int = 8, address: bytes = b"") -> list[bytes]:
    """The frames of one payload, padded with 0xAA as most cars do."""
    room = frame_bytes - len(address)
    size = len(payload)
    if size <= (room - 1 if frame_bytes == 8 else room - 2):
        head = bytes([size]) if frame_bytes == 8 or size <= 7 - len(address) else bytes([0, size])
        return [padded(address + head + payload, frame_bytes)]
    if size <= 0xFFF:
        head = bytes([0x10 | size >> 8, size & 0xFF])
    else:
        head = b"\x10\x00" + size.to_bytes(4, "big")
    share = room - len(head)
    frames = [address + head + payload[:share]]
    rest = payload[share:]
    for number, begin in enumerate(range(0, len(rest), room - 1), 1):
        part = rest[begin : begin + room - 1]
        frames.append(padded(address + bytes([0x20 | number % 16]) + part, frame_bytes))
    return frames


def padded(frame: bytes, frame_bytes: int) -> bytes:
    """A frame of a length that CAN FD has; a short one in the 8 bytes of classic CAN."""
    sizes = (8, 12, 16, 20, 24, 32, 48, 64)
    fits = next(size for size in sizes if size >= len(frame))
    return frame.ljust(min(fits, max(frame_bytes, 8)), b"\xaa")


def table(frames: Iterable[tuple[int, bytes]], *, ts: Sequence[int] | None = None) -> FrameTable:
    """Frames as (id, bytes), 1 ms apart."""
    given = list(frames)
    return FrameTable.of(
        ts=ts if ts is not None else [number * MS for number in range(len(given))],
        can_id=[can_id for can_id, _ in given],
        data=[data for _, data in given],
        is_extended=[can_id > 0x7FF for can_id, _ in given],
        is_fd=[len(data) > 8 for _, data in given],
    )
