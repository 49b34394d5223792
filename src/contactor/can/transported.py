"""Messages of a CAN database that lie in reassembled payloads, not in frames.

Some databases (CSS Electronics' among them) describe diagnostic answers as messages longer than a
frame, multiplexed by service and identifier. Byte 0 is the last byte of the protocol's length:

    byte 0    1    2  3      4 ...
         3E   62   01 01     FF F7 E7 FF 64 ...      service 62, identifier 0101
         or, where the service lies in byte 0, the payload begins there

Rules: such a message is told by its root multiplexer, 8 bits wide at byte 0 or 1, whose values are
positive answers (0x41 to 0x7E), and by a signal past byte 8. Its frames must not be decoded as if
each held the message: the caller leaves `transported_places` out.

    transfers = reassemble(frames, ids=transported_ids(plan))
    columns = decode_transfers_with_plan(transfers, plan)

Source: CSS Electronics, "UDS DBC" of its API examples; multiplexing as in a DBC.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import SignalColumn, merged
from contactor.can.decode import decode_group
from contactor.can.frames import CLASSIC_BYTES, FrameTable
from contactor.can.isotp import Transfers
from contactor.can.plan import NO_PARENT, DecodePlan, MessagePlan, SignalPlan

SERVICE_BITS = 8
POSITIVE_ANSWERS = range(0x41, 0x7F)


def transported_places(plan: DecodePlan) -> frozenset[int]:
    """Where in `plan.messages` the messages are that lie in reassembled payloads."""
    return frozenset(
        place for place, message in enumerate(plan.messages) if _service_byte(message) is not None
    )


def transported_ids(plan: DecodePlan) -> frozenset[int]:
    """The ids of those messages, as `reassemble` takes them."""
    return frozenset(plan.messages[place].can_id for place in transported_places(plan))


def decode_transfers_with_plan(transfers: Transfers, plan: DecodePlan) -> list[SignalColumn]:
    """Decode what a plan says of reassembled payloads.

    Args:
        transfers: what `reassemble` gave, of all ids or of `transported_ids`.
        plan: what to decode.

    Returns:
        A column for each signal with a reading; `rows` are those of the frame with which each
        payload ended.
    """
    return merged(
        column
        for place in sorted(transported_places(plan))
        for column in _decoded(transfers, plan.messages[place])
    )


def _service_byte(message: MessagePlan) -> int | None:
    """The byte of the service, None where the message lies in single frames."""
    if all(signal.bytes_needed <= CLASSIC_BYTES for signal in message.signals):
        return None
    for row, signal in enumerate(message.signals):
        if _is_service(signal) and any(
            below.parent == row and any(value in POSITIVE_ANSWERS for value in below.parent_ids)
            for below in message.signals
        ):
            return signal.first_bit // 8
    return None


def _is_service(signal: SignalPlan) -> bool:
    return (
        signal.parent == NO_PARENT
        and signal.length == SERVICE_BITS
        and signal.first_bit in (0, SERVICE_BITS)
    )


def _decoded(transfers: Transfers, message: MessagePlan) -> Iterator[SignalColumn]:
    is_mine = (transfers.can_id == message.can_id) & (transfers.is_extended == message.is_extended)
    if message.bus is not None:
        is_mine &= transfers.bus == message.bus
    mine = np.flatnonzero(is_mine)
    if not len(mine):
        return
    if not message.is_shared_name:
        yield from _of_label(message.name, transfers, mine, message)
        return
    for bus in np.unique(transfers.bus[mine]).tolist():
        own = mine[transfers.bus[mine] == bus]
        yield from _of_label(f"{bus}:{message.name}", transfers, own, message)


def _of_label(
    label: str, transfers: Transfers, numbers: NDArray[np.int64], message: MessagePlan
) -> Iterator[SignalColumn]:
    payloads = _as_frames(transfers, numbers, message)
    for _, column in decode_group(payloads, label, message, np.arange(len(numbers))):
        yield SignalColumn(
            message=column.message,
            signal=column.signal,
            unit=column.unit,
            rows=transfers.row[numbers[column.rows]],
            raw=column.raw,
            values=column.values,
            is_unavailable=column.is_unavailable,
            labels=column.labels,
        )


def _as_frames(
    transfers: Transfers, numbers: NDArray[np.int64], message: MessagePlan
) -> FrameTable:
    """Payloads as long frames: what the message says lies in them."""
    before = _service_byte(message) or 0
    sizes = transfers.sizes[numbers] + before
    needed = max(signal.bytes_needed for signal in message.signals)
    width = max(CLASSIC_BYTES, min(needed, int(sizes.max())))
    data = np.zeros((len(numbers), width), np.uint8)
    data[:, before:] = transfers.matrix(numbers, 0, width - before)
    if before:
        data[:, 0] = transfers.length[numbers] & 0xFF
    none = np.zeros(len(numbers), np.bool_)
    # A payload may be longer than the 255 that a frame's length can hold; it is compared alone.
    length = cast("NDArray[np.uint8]", np.minimum(sizes, width))
    return FrameTable(
        ts=transfers.ts[numbers],
        bus=transfers.bus[numbers],
        can_id=transfers.can_id[numbers],
        is_extended=transfers.is_extended[numbers],
        is_fd=none,
        is_remote=none,
        is_error=none,
        length=length,
        data=data,
    )
