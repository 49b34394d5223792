"""Answers of control units to signals: OBD-II (SAE J1979) and UDS (ISO 14229-1).

An answer says itself what was asked, so that the request need not be in the log:

    22 01 01                 asked: service 22, identifier 0101
    62 01 01 FF F7 E7 ...    answered: service + 40, the same identifier, the data
    7F 22 78                 refused: the service, and why; 78 only asks for patience

Rules: values are worked out as the signal set says, held to its minimum and maximum; where it says
that the car has no value, the reading is marked so. Of an answer that lost its end, the signals
before the break are read. A signal that does not lie wholly inside has no reading.

    answers = DiagnosticDecoder(load_signal_set(path)).feed(frames, is_last=True)
    answers.columns[0].name, answers.columns[0].values     # "7E4.7EC.220101.SOC"
    answers.refused                                        # (Refused(can_id=0x7EC, ...),)
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.columns import Raw, SignalColumn, merged
from contactor.can.frames import FrameTable
from contactor.can.isotp import Addressing, IsoTpReassembler, Transfers
from contactor.can.negative_answers import PENDING, name_of
from contactor.can.pid_sizes import OBD_ANSWER, OBD_SERVICE, pieces_of
from contactor.can.plan import WORD_BITS
from contactor.can.signal_set import AnswerSignal, Command, SignalSet

ANSWER = 0x40
NEGATIVE = 0x7F
HEAD_BYTES = 8
# The bits of a signal and the bits before it in its first byte.
WINDOW_BYTES = 9


@dataclass(frozen=True, slots=True)
class Refused:
    """Negative answers of one kind.

    Fields:
        service, code: what was asked, and why it was refused; `reason` is the standard's name.
    """

    can_id: int
    service: int
    code: int
    reason: str
    count: int

    @property
    def is_pending(self) -> bool:
        """Whether it only says that the answer takes longer."""
        return self.code == PENDING


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What control units answered.

    Fields:
        columns: readings; `rows` are those of the frame with which each answer ended.
        decoded: positive answers of which the signal set knows the request.
        unknown: positive answers of which it does not.
        refused: negative answers.
        transfers: what they were read from.
    """

    columns: list[SignalColumn]
    decoded: int
    unknown: int
    refused: tuple[Refused, ...]
    transfers: tuple[Transfers, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Data of answers, n of them: one answer may have the data of several identifiers.

    Fields:
        numbers: int64, which transfer.
        begin: int64, where the identifier begins.
        end: int64, where the data end.
    """

    numbers: NDArray[np.int64]
    begin: NDArray[np.int64]
    end: NDArray[np.int64]


class DiagnosticDecoder:
    """Decodes a log that comes in chunks; answers that a chunk cuts wait for the next.

    Rows are those of the frames fed last; an answer belongs to the chunk in which it ends.
    """

    def __init__(self, signal_set: SignalSet) -> None:
        """Take the answers that the set knows the ids of."""
        self._set = signal_set
        self._reassemblers = [
            IsoTpReassembler(addressing=addressing, ids=ids)
            for addressing in Addressing
            if (ids := signal_set.answer_ids(addressing))
        ]

    def feed(self, frames: FrameTable, *, is_last: bool = False) -> Answers:
        """The answers that end in these frames.

        Args:
            frames: what was recorded next.
            is_last: nothing follows.
        """
        return self._joined(each.feed(frames, is_last=is_last) for each in self._reassemblers)

    def finish(self) -> Answers:
        """What is left of answers that never ended."""
        return self._joined(each.finish() for each in self._reassemblers)

    def _joined(self, transfers: Iterable[Transfers]) -> Answers:
        parts = [decode_answers(given.inside(), self._set) for given in transfers]
        return Answers(
            columns=merged(column for part in parts for column in part.columns),
            decoded=sum(part.decoded for part in parts),
            unknown=sum(part.unknown for part in parts),
            refused=tuple(refused for part in parts for refused in part.refused),
            transfers=tuple(given for part in parts for given in part.transfers),
        )


def decode_answers(transfers: Transfers, signal_set: SignalSet) -> Answers:
    """Decode the answers among some transfers.

    Args:
        transfers: what `reassemble` gave.
        signal_set: what to know answers by.
    """
    heads = transfers.matrix(np.arange(len(transfers)), 0, HEAD_BYTES)
    ids = {can_id for command in signal_set.commands for can_id in command.answer_ids}
    is_ours = np.isin(transfers.can_id, np.array(sorted(ids), np.uint32))
    is_negative = is_ours & (heads[:, 0] == NEGATIVE) & (transfers.sizes >= 3)
    is_positive = is_ours & (heads[:, 0] > ANSWER) & (heads[:, 0] < NEGATIVE)
    is_known = np.zeros(len(transfers), np.bool_)
    pieces = _pieces(transfers, heads, np.flatnonzero(is_positive))
    columns = []
    for command in signal_set.commands:
        if command.route.addressing is not transfers.addressing:
            continue
        for label, mine in _answering(command, transfers, heads, pieces):
            is_known[mine.numbers] = True
            begin = mine.begin + len(command.identifier)
            data = Pieces(mine.numbers, begin, mine.end)
            columns += [
                column
                for signal in command.signals
                if (column := _column(label, signal, transfers, data)) is not None
            ]
    return Answers(
        columns=merged(columns),
        decoded=int(is_known.sum()),
        unknown=int((is_positive & ~is_known).sum()),
        refused=tuple(_refused(transfers, heads, np.flatnonzero(is_negative))),
        transfers=(transfers,),
    )


def _pieces(
    transfers: Transfers, heads: NDArray[np.uint8], positive: NDArray[np.int64]
) -> dict[int, Pieces]:
    """The data in positive answers, by service."""
    found = {}
    for service in np.unique(heads[positive, 0]).tolist():
        numbers = positive[heads[positive, 0] == service]
        begin, end = np.ones(len(numbers), np.int64), transfers.sizes[numbers]
        if service == OBD_ANSWER:
            numbers, begin, end = pieces_of(transfers, numbers)
        found[service - ANSWER] = Pieces(numbers, begin, end)
    return found


def _answering(
    command: Command, transfers: Transfers, heads: NDArray[np.uint8], pieces: dict[int, Pieces]
) -> Iterator[tuple[str, Pieces]]:
    """The pieces that answer a command, and what to call their message."""
    given = pieces.get(command.service)
    if given is None:
        return
    size = len(command.identifier)
    route = command.route
    if command.service == OBD_SERVICE:
        identifiers = transfers.matrix(given.numbers, given.begin, size)
    else:
        identifiers = heads[given.numbers, 1 : 1 + size]
    is_mine = (identifiers == np.frombuffer(command.identifier, np.uint8)).all(axis=1)
    is_mine &= given.begin + size <= given.end
    is_mine &= np.isin(transfers.can_id[given.numbers], np.array(route.answer_ids, np.uint32))
    if route.addresses:
        is_mine &= np.isin(transfers.address[given.numbers], np.array(route.addresses, np.uint8))
    mine = np.flatnonzero(is_mine)
    if not len(mine):
        return
    found = Pieces(given.numbers[mine], given.begin[mine], given.end[mine])
    if len(route.answer_ids) == 1:
        yield command.label, found
        return
    can_ids = transfers.can_id[found.numbers]
    for can_id in np.unique(can_ids).tolist():
        own = can_ids == can_id
        yield (
            f"{can_id:03X}.{command.request}",
            Pieces(found.numbers[own], found.begin[own], found.end[own]),
        )


def _column(
    label: str, signal: AnswerSignal, transfers: Transfers, data: Pieces
) -> SignalColumn | None:
    """The readings of a signal, None where no answer is long enough."""
    end_bit = signal.first_bit + signal.length
    inside = np.flatnonzero(8 * (data.end - data.begin) >= end_bit)
    if not len(inside):
        return None
    numbers = data.numbers[inside]
    first_byte, skipped = divmod(signal.first_bit, 8)
    window = transfers.matrix(numbers, data.begin[inside] + first_byte, WINDOW_BYTES)
    if signal.is_reversed:
        own = -(-signal.length // 8)
        window[:, :own] = window[:, :own][:, ::-1].copy()
    raw = _raw(window, skipped, signal)
    with np.errstate(over="ignore", invalid="ignore"):
        values = raw.astype(np.float64) * signal.mul / signal.div + signal.add
    is_null = None
    if signal.null_minimum is not None or signal.null_maximum is not None:
        low = -np.inf if signal.null_minimum is None else signal.null_minimum
        high = np.inf if signal.null_maximum is None else signal.null_maximum
        is_null = (values <= low) | (values >= high)
    if signal.minimum is not None:
        values = np.clip(values, signal.minimum, signal.maximum)
    return SignalColumn(
        message=label,
        signal=signal.name,
        unit=signal.unit,
        rows=transfers.row[numbers],
        raw=raw,
        values=values,
        is_unavailable=is_null,
        labels=_texts(raw, signal.length) if signal.is_text else signal.labels,
    )


def _raw(window: NDArray[np.uint8], skipped: int, signal: AnswerSignal) -> Raw:
    """The bits of a signal as numbers.

    Args:
        window: (n, 9), the bytes from its first on.
        skipped: bits before it in the first byte.
    """
    words = np.ascontiguousarray(window[:, :8]).view(">u8")[:, 0].astype(np.uint64)
    over = skipped + signal.length - WORD_BITS
    if over <= 0:
        words >>= np.uint64(-over)
    else:
        words = words << np.uint64(over) | window[:, 8].astype(np.uint64) >> np.uint64(8 - over)
    spare = np.uint64(WORD_BITS - signal.length)
    if signal.is_signed:
        return (words << spare).view(np.int64) >> spare.astype(np.int64)
    words &= np.uint64((1 << signal.length) - 1)
    return words if signal.length == WORD_BITS else words.view(np.int64)


def _texts(raw: Raw, length: int) -> dict[int, str]:
    """What the characters say, for each number that occurs."""
    return {
        number: number.to_bytes(length // 8, "big").decode("latin-1").strip("\0 ")
        for number in map(int, np.unique(raw))
    }


def _refused(
    transfers: Transfers, heads: NDArray[np.uint8], numbers: NDArray[np.int64]
) -> Iterator[Refused]:
    kinds = (
        transfers.can_id[numbers].astype(np.int64) << 16
        | heads[numbers, 1].astype(np.int64) << 8
        | heads[numbers, 2]
    )
    found, counts = np.unique(kinds, return_counts=True)
    for kind, count in zip(found.tolist(), counts.tolist(), strict=True):
        code = kind & 0xFF
        yield Refused(kind >> 16, kind >> 8 & 0xFF, code, name_of(code), count)
