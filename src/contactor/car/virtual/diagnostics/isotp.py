"""The transport protocol ISO 15765-2 of the car's side: frames in, payloads; payloads out, frames.

    tester             car
    02 01 0D      ─►                     a request in one frame
    10 14 2E ..   ─►                     or its first frame
                  ◄─   30 00 00          go on, all at once
    21 ..  22 ..  ─►
                  ◄─   10 C3 62 ..       the answer's first frame
    30 BS STmin   ─►                     BS frames, STmin apart; 31: wait; 32: too long
                  ◄─   21 ..  22 ..

Rules: what was sent to all is one frame. A new request ends what was under way with the same unit.
Silence of a second ends a transfer. Whatever is not used is counted in `dropped`, by its cause.

    transport = Transport()
    transport.hear(0x7E0, frame_bytes, now_ns=now_ns)     # a payload that is whole, or None
    transport.answer(0x7E8, payload, now_ns=now_ns)
    transport.due(until_ns)                               # [(ts, id, frame bytes)]

Source: ISO 15765-2:2016, 9.6 (frames), 9.6.5 (flow control), 9.8 (times); ISO 15765-4 (padding).
"""

from collections import Counter, deque
from dataclasses import dataclass, field

from contactor.car.virtual.diagnostics.ecus import ANSWER_AFTER, FUNCTIONAL_ID
from contactor.clock import NS_PER_MS, NS_PER_S

MAX_BYTES = 0xFFF
FRAME_BYTES = 8
PADDING = 0xCC
TIMEOUT_NS = NS_PER_S
"""N_Bs and N_Cr. Source: ISO 15765-2:2016, table 21."""
ANSWER_TAKES_NS = 2 * NS_PER_MS
"""How long a control unit thinks; made up, under its P2 of 50 ms."""
APART_NS = NS_PER_MS // 4
"""Frames that may come at once: a frame of 8 bytes takes that long at 500 kbit/s."""
MAX_WAITS = 16
"""How often a tester may ask for patience (N_WFTmax); made up."""
_GO_ON, _WAIT, _TOO_LONG = 0, 1, 2


@dataclass(slots=True)
class _Coming:
    """A request of which frames are missing."""

    total: int
    until_ns: int
    data: bytearray
    sequence: int = 1


@dataclass(slots=True)
class _Going:
    """An answer of which frames are to be sent: `left` of this block, None for all."""

    data: bytes
    until_ns: int
    sequence: int = 1
    waits: int = 0
    is_waiting: bool = True
    left: int | None = None
    apart_ns: int = APART_NS
    next_ns: int = 0


@dataclass(slots=True)
class Transport:
    """Owns the transfers under way with each control unit.

    Fields:
        dropped: frames and transfers that came to nothing, by cause.
    """

    dropped: Counter[str] = field(default_factory=Counter)
    _coming: dict[int, _Coming] = field(default_factory=dict)
    _going: dict[int, _Going] = field(default_factory=dict)
    _ready: deque[tuple[int, int, bytes]] = field(default_factory=deque)

    @property
    def is_busy(self) -> bool:
        """Whether there is something to send, or waited for."""
        return bool(self._ready or self._going or self._coming)

    def hear(self, can_id: int, frame: bytes, *, now_ns: int) -> bytes | None:
        """Take a frame; the payload that it ends.

        Args:
            can_id: a unit's request id, or that of all.
            frame: its bytes, at most 8.
        """
        if not frame:
            self.dropped["empty"] += 1
            return None
        kind = frame[0] >> 4
        if kind == 0:
            return self._single(can_id, frame)
        if can_id == FUNCTIONAL_ID or kind > 3:
            self.dropped["kind"] += 1
        elif kind == 1:
            self._first(can_id, frame, now_ns)
        elif kind == 2:
            return self._next(can_id, frame, now_ns)
        else:
            self._flow(can_id, frame, now_ns)
        return None

    def answer(self, can_id: int, payload: bytes, *, now_ns: int) -> None:
        """Send a payload of 1 to `MAX_BYTES`."""
        if not 0 < len(payload) <= MAX_BYTES:
            raise ValueError(f"payload of {len(payload)} bytes; allowed: 1 to {MAX_BYTES}")
        at_ns = now_ns + ANSWER_TAKES_NS
        if len(payload) < FRAME_BYTES:
            self._put(at_ns, can_id, bytes([len(payload)]) + payload)
            return
        if self._going.pop(can_id, None) is not None:
            self.dropped["replaced"] += 1
        head = bytes([0x10 | len(payload) >> 8, len(payload) & 0xFF])
        self._put(at_ns, can_id, head + payload[:6])
        self._going[can_id] = _Going(payload[6:], until_ns=at_ns + TIMEOUT_NS)

    def due(self, until_ns: int) -> list[tuple[int, int, bytes]]:
        """What is sent until then, as ts, id and 8 bytes, by time."""
        found = [self._ready.popleft() for _ in range(len(self._ready))]
        self._ready.extend(one for one in found if one[0] > until_ns)
        found = [one for one in found if one[0] <= until_ns]
        for can_id, going in list(self._going.items()):
            found += self._consecutive(can_id, going, until_ns)
            if not going.data or (going.is_waiting and until_ns > going.until_ns):
                self.dropped["timeout"] += bool(going.data)
                del self._going[can_id]
        for can_id, coming in list(self._coming.items()):
            if until_ns > coming.until_ns:
                self.dropped["timeout"] += 1
                del self._coming[can_id]
        return sorted(found)

    def _single(self, can_id: int, frame: bytes) -> bytes | None:
        length = frame[0] & 0x0F
        if not 0 < length < len(frame):
            self.dropped["length"] += 1
            return None
        self._forget(can_id)
        return frame[1 : 1 + length]

    def _first(self, can_id: int, frame: bytes, now_ns: int) -> None:
        total = (frame[0] & 0x0F) << 8 | frame[1] if len(frame) == FRAME_BYTES else 0
        if total == 0 and len(frame) == FRAME_BYTES and frame[1] == 0:
            # A length of four bytes follows: more than is taken.
            self.dropped["too long"] += 1
            self._put(now_ns + APART_NS, can_id + ANSWER_AFTER, b"\x32\x00\x00")
            return
        if total < FRAME_BYTES:
            self.dropped["length"] += 1
            return
        self._forget(can_id)
        self._coming[can_id] = _Coming(total, now_ns + TIMEOUT_NS, bytearray(frame[2:]))
        self._put(now_ns + APART_NS, can_id + ANSWER_AFTER, b"\x30\x00\x00")

    def _next(self, can_id: int, frame: bytes, now_ns: int) -> bytes | None:
        coming = self._coming.get(can_id)
        if coming is None or now_ns > coming.until_ns:
            self.dropped["unexpected" if coming is None else "timeout"] += 1
            self._coming.pop(can_id, None)
            return None
        missing = coming.total - len(coming.data)
        is_short = len(frame) - 1 < min(missing, FRAME_BYTES - 1)
        if frame[0] & 0x0F != coming.sequence or is_short:
            self.dropped["length" if is_short else "sequence"] += 1
            del self._coming[can_id]
            return None
        coming.data += frame[1 : 1 + missing]
        coming.sequence = (coming.sequence + 1) & 0x0F
        coming.until_ns = now_ns + TIMEOUT_NS
        if len(coming.data) < coming.total:
            return None
        del self._coming[can_id]
        return bytes(coming.data)

    def _flow(self, can_id: int, frame: bytes, now_ns: int) -> None:
        going = self._going.get(can_id + ANSWER_AFTER)
        if going is None or not going.is_waiting or len(frame) < 3:
            self.dropped["unexpected"] += 1
            return
        state = frame[0] & 0x0F
        if state == _WAIT and going.waits < MAX_WAITS:
            going.waits += 1
            going.until_ns = now_ns + TIMEOUT_NS
            return
        if state != _GO_ON:
            self.dropped["too long" if state == _TOO_LONG else "flow"] += 1
            del self._going[can_id + ANSWER_AFTER]
            return
        going.is_waiting, going.waits = False, 0
        going.left = frame[1] or None
        going.apart_ns = max(_apart_ns(frame[2]), APART_NS)
        going.next_ns = now_ns + APART_NS

    def _consecutive(
        self, can_id: int, going: _Going, until_ns: int
    ) -> list[tuple[int, int, bytes]]:
        found: list[tuple[int, int, bytes]] = []
        while going.data and not going.is_waiting and going.next_ns <= until_ns:
            frame = bytes([0x20 | going.sequence]) + going.data[: FRAME_BYTES - 1]
            found.append((going.next_ns, can_id, _padded(frame)))
            going.data = going.data[FRAME_BYTES - 1 :]
            going.sequence = (going.sequence + 1) & 0x0F
            if going.left is not None:
                going.left -= 1
                if going.left == 0:
                    going.is_waiting, going.until_ns = True, going.next_ns + TIMEOUT_NS
            going.next_ns += going.apart_ns
        return found

    def _forget(self, can_id: int) -> None:
        """A new request: whatever was under way with the unit is given up."""
        if self._coming.pop(can_id, None) is not None:
            self.dropped["replaced"] += 1
        if self._going.pop(can_id + ANSWER_AFTER, None) is not None:
            self.dropped["replaced"] += 1

    def _put(self, at_ns: int, can_id: int, frame: bytes) -> None:
        self._ready.append((at_ns, can_id, _padded(frame)))


def frames_of(payload: bytes) -> list[bytes]:
    """All frames of a payload of 1 to `MAX_BYTES`, as they go out when nothing holds them up."""
    if len(payload) < FRAME_BYTES:
        return [_padded(bytes([len(payload)]) + payload)]
    size, step = len(payload), FRAME_BYTES - 1
    frames = [bytes([0x10 | size >> 8, size & 0xFF]) + payload[:6]]
    for sequence, place in enumerate(range(6, size, step), 1):
        frames.append(_padded(bytes([0x20 | sequence & 0x0F]) + payload[place : place + step]))
    return frames


def _padded(frame: bytes) -> bytes:
    return frame.ljust(FRAME_BYTES, bytes([PADDING]))


def _apart_ns(code: int) -> int:
    """STmin: 00 to 7F are milliseconds, F1 to F9 steps of 100 us, others 127 ms (9.6.5.5)."""
    if 0xF1 <= code <= 0xF9:
        return (code - 0xF0) * NS_PER_MS // 10
    return min(code, 0x7F) * NS_PER_MS
