"""UDS (ISO 14229-1): one request in, one answer out.

    10 session   11 reset   14 clear   19 codes (01, 02, 04, 0A)   22 read   27 unlock   2E write
    3E tester present

    known ─► in this session ─► long enough ─► subfunction known ─► its own checks ─► done
      11         7F, 7E              13                12

Rules: bit 7 of a subfunction asks for no answer but a refusal. What was sent to all is not refused
where another unit may do it (11, 12, 31, 7E, 7F): silence (table 5).

    uds = Uds(memory=DtcMemory(BATTERY_CODES), readers=BATTERY_READERS, session=session)
    uds.answer(b"\\x22\\xf1\\x90", facts, is_functional=False)      # b"\\x62\\xf1\\x90ZZZ..."

Source: ISO 14229-1:2020, 8.7 and 10 to 12; refusals, annex A.1.
"""

from collections.abc import Mapping
from enum import IntEnum

from contactor.car.virtual.diagnostics.dtc import DtcMemory
from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.car.virtual.diagnostics.identifiers import SESSION, TESTER, TESTER_BYTES, Reader
from contactor.car.virtual.diagnostics.security import DEFAULT, EXTENDED, SEED_BYTES, Session

P2_MS = 50
P2_EXTENDED_MS = 5_000
"""How soon it answers, and how soon after a 78. Source: ISO 14229-2:2013, table 4."""
MAX_IDENTIFIERS = 16
"""Of one request of service 22; made up."""
STATUS_MASK = 0xFF
DTC_FORMAT = 0x00
"""Codes of SAE J2012-DA, format 00: two bytes and the type of failure."""
STANDS_MPS = 0.1
_SUPPRESS = 0x80
_ANSWER = 0x40
_NEGATIVE = 0x7F
_HARD, _SOFT = 0x01, 0x03
_SNAPSHOTS, _ALL_RECORDS = 0x04, 0xFF
SNAPSHOT_RECORD = 0x01


class Nrc(IntEnum):
    """Why a request is refused (ISO 14229-1:2020, annex A.1)."""

    SERVICE_NOT_SUPPORTED = 0x11
    SUBFUNCTION_NOT_SUPPORTED = 0x12
    WRONG_LENGTH = 0x13
    CONDITIONS_NOT_CORRECT = 0x22
    SEQUENCE_ERROR = 0x24
    OUT_OF_RANGE = 0x31
    SECURITY_ACCESS_DENIED = 0x33
    INVALID_KEY = 0x35
    TOO_MANY_ATTEMPTS = 0x36
    DELAY_NOT_EXPIRED = 0x37
    SUBFUNCTION_NOT_IN_SESSION = 0x7E
    SERVICE_NOT_IN_SESSION = 0x7F


_SILENT_TO_ALL = frozenset(
    {
        Nrc.SERVICE_NOT_SUPPORTED,
        Nrc.SUBFUNCTION_NOT_SUPPORTED,
        Nrc.OUT_OF_RANGE,
        Nrc.SUBFUNCTION_NOT_IN_SESSION,
        Nrc.SERVICE_NOT_IN_SESSION,
    }
)
_ONLY_EXTENDED = frozenset({0x27, 0x2E})
_SUBFUNCTIONS: Mapping[int, tuple[int, ...]] = {
    0x10: (DEFAULT, EXTENDED),
    0x11: (_HARD, _SOFT),
    0x19: (0x01, 0x02, 0x04, 0x0A),
    0x27: (0x01, 0x02),
    0x3E: (0x00,),
}
_LEAST_BYTES: Mapping[int, int] = {
    0x10: 2,
    0x11: 2,
    0x14: 4,
    0x19: 2,
    0x22: 3,
    0x27: 2,
    0x2E: 4,
    0x3E: 2,
}
SERVICES = tuple(_LEAST_BYTES)


class _RefusedError(Exception):
    """A request that is answered by 7F."""

    def __init__(self, code: Nrc) -> None:
        super().__init__(code.name)
        self.code = code


class Uds:
    """One control unit's services.

    Args:
        memory: its trouble codes.
        readers: what can be read, by identifier.
    """

    def __init__(
        self, *, memory: DtcMemory, readers: Mapping[int, Reader], session: Session
    ) -> None:
        self._memory = memory
        self._readers = readers
        self._session = session
        self._tester = bytes(TESTER_BYTES)

    def answer(self, request: bytes, facts: CarFacts, *, is_functional: bool) -> bytes | None:
        """The answer to a request of at least one byte; None where there is to be none."""
        self._session.touch(facts.now_ns)
        try:
            return self._answer(request, facts)
        except _RefusedError as refused:
            if is_functional and refused.code in _SILENT_TO_ALL:
                return None
            return bytes([_NEGATIVE, request[0], refused.code])

    def _answer(self, request: bytes, facts: CarFacts) -> bytes | None:
        service = request[0]
        if service not in _LEAST_BYTES:
            raise _RefusedError(Nrc.SERVICE_NOT_SUPPORTED)
        if service in _ONLY_EXTENDED and self._session.kind != EXTENDED:
            raise _RefusedError(Nrc.SERVICE_NOT_IN_SESSION)
        if len(request) < _LEAST_BYTES[service]:
            raise _RefusedError(Nrc.WRONG_LENGTH)
        if service not in _SUBFUNCTIONS:
            return bytes([service + _ANSWER]) + self._plain(service, request[1:], facts)
        kind, is_suppressed = request[1] & ~_SUPPRESS, bool(request[1] & _SUPPRESS)
        if kind not in _SUBFUNCTIONS[service]:
            raise _RefusedError(Nrc.SUBFUNCTION_NOT_SUPPORTED)
        more = self._with_kind(service, kind, request[2:], facts)
        return None if is_suppressed else bytes([service + _ANSWER, kind]) + more

    def _plain(self, service: int, data: bytes, facts: CarFacts) -> bytes:
        if service == 0x14:
            return self._clear(data, facts)
        return self._read(data, facts) if service == 0x22 else self._write(data, facts)

    def _with_kind(self, service: int, kind: int, data: bytes, facts: CarFacts) -> bytes:
        if service == 0x19:
            return self._codes(kind, data, facts)
        if service == 0x27:
            return self._unlock(kind, data, facts)
        _expect(not data, Nrc.WRONG_LENGTH)
        if service == 0x10:
            self._session.enter(kind, facts.now_ns)
            return P2_MS.to_bytes(2, "big") + (P2_EXTENDED_MS // 10).to_bytes(2, "big")
        if service == 0x11:
            is_allowed = kind == _SOFT or self._session.kind == EXTENDED
            _expect(is_allowed, Nrc.SUBFUNCTION_NOT_IN_SESSION)
            _expect(_stands(facts), Nrc.CONDITIONS_NOT_CORRECT)
            self._session.enter(DEFAULT, facts.now_ns)
        return b""

    # ── trouble codes ────────────────────────────────────────────────────────────────────────────

    def _clear(self, data: bytes, facts: CarFacts) -> bytes:
        _expect(len(data) == 3, Nrc.WRONG_LENGTH)
        group = int.from_bytes(data, "big")
        is_known = self._memory.clear(group, now_ns=facts.now_ns, distance_m=facts.state.distance_m)
        _expect(is_known, Nrc.OUT_OF_RANGE)
        return b""

    def _codes(self, kind: int, data: bytes, facts: CarFacts) -> bytes:
        if kind == _SNAPSHOTS:
            return self._snapshots(data)
        _expect(len(data) == (0 if kind == 0x0A else 1), Nrc.WRONG_LENGTH)
        if kind == 0x0A:
            found = self._memory.all(now_ns=facts.now_ns)
        else:
            found = self._memory.matching(data[0] & STATUS_MASK, now_ns=facts.now_ns)
        if kind == 0x01:
            return bytes([STATUS_MASK, DTC_FORMAT]) + len(found).to_bytes(2, "big")
        rows = (code.to_bytes(3, "big") + bytes([status]) for code, status in found)
        return bytes([STATUS_MASK]) + b"".join(rows)

    def _snapshots(self, data: bytes) -> bytes:
        """The one record that a code can have, by its number or all of them."""
        _expect(len(data) == 4, Nrc.WRONG_LENGTH)
        found = self._memory.snapshot(int.from_bytes(data[:3], "big"))
        _expect(found is not None and data[3] in {SNAPSHOT_RECORD, _ALL_RECORDS}, Nrc.OUT_OF_RANGE)
        status, snapshot = found or (0, b"")
        record = bytes([SNAPSHOT_RECORD]) + snapshot if snapshot else b""
        return data[:3] + bytes([status]) + record

    # ── data ─────────────────────────────────────────────────────────────────────────────────────

    def _read(self, data: bytes, facts: CarFacts) -> bytes:
        is_whole = len(data) % 2 == 0 and len(data) // 2 <= MAX_IDENTIFIERS
        _expect(is_whole, Nrc.WRONG_LENGTH)
        found = b""
        for place in range(0, len(data), 2):
            identifier = int.from_bytes(data[place : place + 2], "big")
            value = self._value(identifier, facts)
            if value is not None:
                found += data[place : place + 2] + value
        _expect(bool(found), Nrc.OUT_OF_RANGE)
        return found

    def _value(self, identifier: int, facts: CarFacts) -> bytes | None:
        if identifier == SESSION:
            return bytes([self._session.kind])
        if identifier == TESTER:
            return self._tester
        reader = self._readers.get(identifier)
        return None if reader is None else reader(facts)

    def _write(self, data: bytes, facts: CarFacts) -> bytes:
        _expect(int.from_bytes(data[:2], "big") == TESTER, Nrc.OUT_OF_RANGE)
        _expect(len(data) == 2 + TESTER_BYTES, Nrc.WRONG_LENGTH)
        _expect(self._session.is_unlocked, Nrc.SECURITY_ACCESS_DENIED)
        _expect(_stands(facts), Nrc.CONDITIONS_NOT_CORRECT)
        self._tester = data[2:]
        return data[:2]

    def _unlock(self, kind: int, data: bytes, facts: CarFacts) -> bytes:
        session = self._session
        if kind == 0x01:
            _expect(not data, Nrc.WRONG_LENGTH)
            seed = session.seed(facts.now_ns)
            if seed is None:
                raise _RefusedError(Nrc.DELAY_NOT_EXPIRED)
            return seed
        _expect(len(data) == SEED_BYTES, Nrc.WRONG_LENGTH)
        _expect(session.has_given_seed, Nrc.SEQUENCE_ERROR)
        is_right = session.try_key(data, facts.now_ns)
        _expect(is_right is not None, Nrc.TOO_MANY_ATTEMPTS)
        _expect(bool(is_right), Nrc.INVALID_KEY)
        return b""


def _expect(is_so: bool, code: Nrc) -> None:
    if not is_so:
        raise _RefusedError(code)


def _stands(facts: CarFacts) -> bool:
    return abs(facts.state.speed_mps) < STANDS_MPS
