"""One message at a time: size, form, right, meaning; then buffer or quarantine. No I/O.

What can be read is either stored or quarantined with its reason, so that one bad message never
holds up a stream: a record with a value that is not allowed as a whole, of a record with signals
that the catalogue lacks those. What cannot even name its record is quarantined without one.

    intake = Intake(store.streams(), number=1)
    intake.take("leaf", payload, now_ns=clock.now_ns())
    cut = intake.cut()              # what to commit; the next messages go into the next flush
    store.commit(cut.flush())
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from contactor.clock import NS_PER_DAY
from contactor.cloud.ingest.buffer import Buffer
from contactor.cloud.ingest.ledger import Ledger, StreamLedger
from contactor.cloud.ingest.reader import Message, Reader
from contactor.cloud.lake.reading import PendingFrame
from contactor.cloud.lake.schema import (
    Flush,
    Quarantined,
    StoredCodebook,
    StoredGap,
    StreamState,
)
from contactor.errors import InvalidValue, MalformedRecord
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Gap, Record, Rows
from contactor.signals.validation import check_rows

MAX_QUARANTINED_BYTES = 4_096
FUTURE_NS = NS_PER_DAY
KEPT_REASONS = 50
MAX_INTRODUCED = 100_000


@dataclass(frozen=True, slots=True)
class Cut:
    """What one flush will commit; its frames are made when `flush` is called, in any thread."""

    buffer: Buffer
    streams: tuple[StreamState, ...]
    gaps: tuple[StoredGap, ...]
    quarantined: tuple[Quarantined, ...]
    codebooks: tuple[StoredCodebook, ...]

    def flush(self) -> Flush:
        """The flush in lake schema."""
        return Flush(
            number=self.buffer.number,
            tables=self.buffer.tables(),
            streams=self.streams,
            gaps=self.gaps,
            quarantined=self.quarantined,
            codebooks=self.codebooks,
        )


class Intake:
    """Owns the accounts of all streams and what is not yet committed.

    Args:
        states: the streams as last committed.
        number: the number of the first flush.
        on_record: told each record that will be stored as rows, once.
        codebooks: the codebooks as last committed.
    """

    def __init__(
        self,
        states: Iterable[StreamState],
        *,
        number: int,
        on_record: Callable[[Record], None] | None = None,
        codebooks: Iterable[StoredCodebook] = (),
    ) -> None:
        self.ledger = Ledger(states)
        self._reader = Reader(codebooks)
        self.buffered_bytes = 0
        self.records = 0
        self.rows = 0
        self.repeats = 0
        self.out_of_order = 0
        self._on_record = on_record
        self._buffer = Buffer(number=number)
        self._gaps: list[StoredGap] = []
        self._quarantined: list[Quarantined] = []
        self._touched: dict[tuple[str, int], StreamLedger] = {}
        self._introduced: dict[tuple[str, int], tuple[str, str]] = {}

    @property
    def is_empty(self) -> bool:
        return not (self._touched or self._quarantined)

    def introduce(self, vehicle_id: str, stream: int, profile: str, lane: str) -> None:
        """Note what a car says of a stream; an account begins with its first message only."""
        while len(self._introduced) >= MAX_INTRODUCED:
            del self._introduced[next(iter(self._introduced))]
        self._introduced[vehicle_id, stream] = (profile, lane)

    def pending(self) -> Sequence[PendingFrame]:
        """The rows that the next flush will commit."""
        return self._buffer.pending()

    def take(self, vehicle_id: str, payload: bytes, *, now_ns: int) -> None:
        """Take in one message that came on the subject of `vehicle_id`."""
        self.buffered_bytes += len(payload)
        try:
            for message in self._reader.read(vehicle_id, payload, self.ledger, now_ns=now_ns):
                self._keep(message, now_ns)
        except MalformedRecord as error:
            self._refuse(error, vehicle_id, payload, now_ns)
            return
        for waited in self._reader.released(payload):
            self.take(vehicle_id, waited, now_ns=now_ns)

    def asks(self, now_ns: int) -> Sequence[tuple[str, int]]:
        """The vehicles and streams whose codebook is to be asked for now."""
        return self._reader.parked.asks(now_ns)

    def take_stranger(self, subject: str, payload: bytes, *, now_ns: int) -> None:
        """Take in a message on a subject that names no vehicle: it can only be quarantined."""
        self._quarantine((None, None, None), f"subject {subject[:120]!r}", payload, now_ns)

    def cut(self) -> "Cut":
        """Everything taken in since the last cut; a new flush begins."""
        cut = Cut(
            buffer=self._buffer,
            streams=tuple(account.state() for account in self._touched.values()),
            gaps=tuple(self._gaps),
            quarantined=tuple(self._quarantined),
            codebooks=self._reader.codebooks.cut(),
        )
        self._buffer = Buffer(number=self._buffer.number + 1)
        self.buffered_bytes = 0
        self._touched = {}
        self._gaps, self._quarantined = [], []
        return cut

    def _keep(self, message: Message, now_ns: int) -> None:
        content = message.content
        account = self._account(content.identity, now_ns)
        parts = account.news(content.sequence, content.last)
        if parts is None:
            self.out_of_order += 1
        elif not parts:
            self.repeats += 1
        elif isinstance(content, Gap):
            account.take(parts)
            self._keep_gap(content, parts)
        else:
            self._keep_record(account, content, message, now_ns)

    def _account(self, identity: tuple[str, int, int], now_ns: int) -> StreamLedger:
        account = self.ledger.of(identity[0], identity[1])
        introduced = self._introduced.get((identity[0], identity[1]))
        if introduced is not None:
            account.profile, account.lane = introduced
        account.received_at = now_ns
        self._touched[account.vehicle_id, account.stream] = account
        return account

    def _keep_gap(self, gap: Gap, parts: Sequence[tuple[int, int]]) -> None:
        is_whole = parts == [(gap.sequence, gap.last)]
        for first, last in parts:
            self._gaps.append(
                StoredGap(
                    vehicle_id=gap.vehicle_id,
                    stream=gap.stream,
                    first=first,
                    last=last,
                    reason=gap.reason,
                    row_count=gap.row_count if is_whole else 0,
                    first_ts=gap.first_ts,
                    last_ts=gap.last_ts,
                )
            )

    def _keep_record(
        self, account: StreamLedger, record: Record, message: Message, now_ns: int
    ) -> None:
        account.take([(record.sequence, record.sequence)])
        problem = message.problem or _problem(record, now_ns)
        if problem:
            account.refuse(_short(account, problem), max(record.row_count, 1))
            self._quarantine(record.identity, problem, message.evidence, now_ns)
            return
        for reason, count in message.unknown.items():
            account.refuse(_short(account, reason), count)
        if message.unknown:
            reason = next(iter(message.unknown))
            self._quarantine(record.identity, reason, message.unknown_payload, now_ns)
        for rows in record.groups:
            account.paths.update(column.path for column in rows.columns)
            self.buffered_bytes += _text_bytes(rows)
            if len(rows):
                account.span(int(rows.ts[0]), int(rows.ts[-1]))
                self._buffer.add(record.vehicle_id, rows)
        account.rows_stored += record.row_count
        self.records += 1
        self.rows += record.row_count
        if self._on_record:
            self._on_record(record)

    def _refuse(self, error: MalformedRecord, vehicle_id: str, payload: bytes, now_ns: int) -> None:
        """Quarantine what could not be read; if it named its own record, that one is settled."""
        identity = error.identity
        if identity is None or identity[0] != vehicle_id:
            self._quarantine((vehicle_id, None, None), str(error), payload, now_ns)
            return
        account = self._account(identity, now_ns)
        parts = account.news(identity[2], identity[2])
        if parts:
            account.take(parts)
            account.refuse(_short(account, str(error)))
            self._quarantine(identity, str(error), payload, now_ns)

    def _quarantine(
        self,
        identity: tuple[str | None, int | None, int | None],
        reason: str,
        payload: bytes,
        now_ns: int,
    ) -> None:
        vehicle_id, stream, sequence = identity
        kept = payload[:MAX_QUARANTINED_BYTES] if stream is None else payload
        self._quarantined.append(
            Quarantined(
                vehicle_id=vehicle_id,
                stream=stream,
                sequence=sequence,
                reason=reason,
                payload=kept,
                received_at=now_ns,
            )
        )


def _problem(record: Record, now_ns: int) -> str:
    """The first value or instant of a record that is not allowed; "" if all are."""
    for rows in record.groups:
        try:
            check_rows(rows)
        except InvalidValue as error:
            return str(error)
        if len(rows) and (int(rows.ts[0]) < 0 or int(rows.ts[-1]) > now_ns + FUTURE_NS):
            # Without the instant, so that many such records are counted under one reason.
            return f"{rows.group}: ts is not between 1970 and tomorrow"
    return ""


def _text_bytes(rows: Rows) -> int:
    """What texts take in memory, which a message holds once and the lake in each row."""
    texts = [column for column in rows.columns if column.datatype is Datatype.STRING]
    return sum(len(cell) for column in texts for cell in column.values.tolist())


def _short(account: StreamLedger, reason: str) -> str:
    """The reason under which to count, of which a stream has only so many."""
    known = len(account.refused) < KEPT_REASONS or reason in account.refused
    return reason if known else "other reasons"
