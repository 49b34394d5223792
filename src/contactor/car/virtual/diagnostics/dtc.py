"""Trouble codes of a control unit: which it knows, and the status of each.

    set_active ─► failed ─► confirmed ─► lamp          clear ─► untested ─ 1 s ─► failed again,
                                                                                  if still so

The bits of a status (ISO 14229-1:2020, annex D.2):

    80 lamp asked for      20 failed since cleared     08 confirmed    02 failed this cycle
    40 untested this cycle 10 untested since cleared   04 pending      01 fails now

A fault is confirmed as soon as it is seen: each is of those that need no second cycle. A permanent
code (service 0A) outlives a clear until its test has passed.

    memory = DtcMemory(BATTERY_CODES)
    memory.set_active("P0AA6", True, now_ns=now_ns, distance_m=0.0)
    memory.matching(0x08, now_ns=now_ns)            # [(0x0AA600, 0xAF)]
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag

import msgspec

from contactor.car.virtual.diagnostics.codes import number_of
from contactor.clock import NS_PER_S
from contactor.errors import UsageError

TEST_TAKES_NS = NS_PER_S
"""How long after a clear every fault has been looked for again; made up."""
CLEAR_ALL = 0xFFFFFF
"""The group of all codes. Source: ISO 14229-1:2020, annex D.1."""


class Status(IntFlag):
    """The bits of a code's status (ISO 14229-1:2020, annex D.2)."""

    FAILED = 0x01
    FAILED_THIS_CYCLE = 0x02
    PENDING = 0x04
    CONFIRMED = 0x08
    UNTESTED_SINCE_CLEAR = 0x10
    FAILED_SINCE_CLEAR = 0x20
    UNTESTED_THIS_CYCLE = 0x40
    WARNING_LAMP = 0x80


_FAILS = (
    Status.FAILED
    | Status.FAILED_THIS_CYCLE
    | Status.PENDING
    | Status.CONFIRMED
    | Status.FAILED_SINCE_CLEAR
    | Status.WARNING_LAMP
)
_FINE = Status(0)
_UNTESTED = Status.UNTESTED_SINCE_CLEAR | Status.UNTESTED_THIS_CYCLE


@dataclass(slots=True)
class _Fault:
    is_active: bool = False
    is_permanent: bool = False
    status: Status = _FINE
    tested_at_ns: int | None = None
    snapshot: bytes = b""


@dataclass(slots=True)
class Since:
    """When, and at what distance, something began.

    Fields:
        cycles: how often the car was started since.
    """

    at_ns: int
    distance_m: float
    cycles: int = 0


class KeptCode(msgspec.Struct, frozen=True):
    """What outlives a restart of one code."""

    code: str
    status: int
    is_permanent: bool
    snapshot: bytes


class KeptMemory(msgspec.Struct, frozen=True):
    """What outlives a restart of one control unit's memory."""

    codes: tuple[KeptCode, ...] = ()
    cleared: Since | None = None
    lamp: Since | None = None


@dataclass(slots=True)
class DtcMemory:
    """Owns the faults of one control unit.

    Args:
        codes: what it can find, with their names.

    Fields:
        cleared: since when there is nothing from before; None until the first clear.
        lamp: since when the warning lamp is on; None while it is off.
    """

    codes: Mapping[str, str]
    cleared: Since | None = None
    lamp: Since | None = None
    _faults: dict[str, _Fault] = field(init=False)

    def __post_init__(self) -> None:
        self._faults = {code: _Fault() for code in self.codes}

    def set_active(
        self,
        code: str,
        is_active: bool,
        *,
        now_ns: int,
        distance_m: float,
        snapshot: bytes = b"",
    ) -> None:
        """Say whether a fault is there; what is no longer there stays in memory.

        Args:
            snapshot: what was true when it was first found; a later one does not replace it.

        Raises:
            UsageError: this control unit has no such code.
        """
        if code not in self._faults:
            raise UsageError(f"trouble code {code!r}; allowed: {', '.join(self._faults)}")
        self._test(now_ns)
        fault = self._faults[code]
        fault.is_active = is_active
        if is_active:
            fault.snapshot = fault.snapshot or snapshot
        if fault.tested_at_ns is None:
            self._judge(fault)
        if self.lamp is None and fault.status & Status.WARNING_LAMP:
            self.lamp = Since(now_ns, distance_m)

    def begin_cycle(self, *, now_ns: int) -> None:
        """The car was started: what did not fail in the cycle before is no longer pending."""
        self._test(now_ns)
        for since in (self.cleared, self.lamp):
            if since is not None:
                since.cycles += 1
        for fault in self._faults.values():
            if not fault.status & Status.FAILED_THIS_CYCLE:
                fault.status &= ~Status.PENDING
            fault.status &= ~Status.FAILED_THIS_CYCLE
            if fault.is_active and fault.tested_at_ns is None:
                self._judge(fault)

    def clear(self, number: int, *, now_ns: int, distance_m: float) -> bool:
        """Forget a code (three bytes) or `CLEAR_ALL`; False where there is no such code."""
        known = {self._number(code): fault for code, fault in self._faults.items()}
        if number != CLEAR_ALL and number not in known:
            return False
        for fault in known.values() if number == CLEAR_ALL else (known[number],):
            fault.status = _UNTESTED
            fault.snapshot = b""
            fault.tested_at_ns = now_ns + TEST_TAKES_NS
        if number == CLEAR_ALL:
            self.cleared = Since(now_ns, distance_m)
        if not any(one.status & Status.WARNING_LAMP for one in known.values()):
            self.lamp = None
        return True

    def matching(self, mask: int, *, now_ns: int) -> list[tuple[int, int]]:
        """Codes (three bytes, the last of them 0) whose status has a bit of `mask`, and it."""
        self._test(now_ns)
        return [
            (self._number(code), int(fault.status))
            for code, fault in self._faults.items()
            if fault.status & mask
        ]

    def codes_with(self, mask: Status, *, now_ns: int) -> list[str]:
        """The codes whose status has a bit of `mask`."""
        self._test(now_ns)
        return [code for code, fault in self._faults.items() if fault.status & mask]

    def snapshot(self, number: int) -> tuple[int, bytes] | None:
        """The status of a code (three bytes) and what was true when it was found; None: no code."""
        for code, fault in self._faults.items():
            if self._number(code) == number:
                return int(fault.status), fault.snapshot
        return None

    def keep(self) -> KeptMemory:
        """What the next start needs to know."""
        codes = tuple(
            KeptCode(code, int(fault.status), fault.is_permanent, fault.snapshot)
            for code, fault in self._faults.items()
            if fault.status or fault.is_permanent
        )
        return KeptMemory(codes, self.cleared, self.lamp)

    def restore(self, kept: KeptMemory) -> None:
        """Take over what was kept; whether a fault is still there, its test has to find out."""
        self.cleared, self.lamp = kept.cleared, kept.lamp
        for one in kept.codes:
            fault = self._faults.get(one.code)
            if fault is not None:
                fault.status = Status(one.status) & ~Status.FAILED
                fault.is_permanent, fault.snapshot = one.is_permanent, one.snapshot
                # A test that a clear had asked for is run at once.
                fault.tested_at_ns = 0 if fault.status & _UNTESTED else None

    def all(self, *, now_ns: int) -> list[tuple[int, int]]:
        """Every code that can be found, with its status."""
        self._test(now_ns)
        return [(self._number(code), int(fault.status)) for code, fault in self._faults.items()]

    def permanent(self, *, now_ns: int) -> list[int]:
        """The permanent codes, in three bytes."""
        self._test(now_ns)
        return [self._number(code) for code, fault in self._faults.items() if fault.is_permanent]

    def _test(self, now_ns: int) -> None:
        """Look for what is due after a clear."""
        for fault in self._faults.values():
            if fault.tested_at_ns is not None and now_ns >= fault.tested_at_ns:
                at_ns, fault.tested_at_ns = fault.tested_at_ns, None
                self._judge(fault)
                if fault.is_active and self.lamp is None:
                    distance_m = 0.0 if self.cleared is None else self.cleared.distance_m
                    self.lamp = Since(at_ns, distance_m)

    @staticmethod
    def _judge(fault: _Fault) -> None:
        """A test ran: it failed or passed."""
        was_cleared = bool(fault.status & Status.UNTESTED_SINCE_CLEAR)
        fault.status &= ~_UNTESTED
        if fault.is_active:
            fault.status |= _FAILS
            fault.is_permanent = True
            return
        fault.status &= ~Status.FAILED
        # A fault that passes after a clear has nothing left that is permanent.
        if was_cleared or not fault.status & Status.CONFIRMED:
            fault.is_permanent = False

    @staticmethod
    def _number(code: str) -> int:
        return number_of(code) << 8
