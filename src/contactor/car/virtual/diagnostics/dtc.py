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

Source of codes and names: SAE J2012-DA (also ISO 15031-6).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntFlag

from contactor.clock import NS_PER_S
from contactor.errors import UsageError

TEST_TAKES_NS = NS_PER_S
"""How long after a clear every fault has been looked for again; made up."""
CLEAR_ALL = 0xFFFFFF
"""The group of all codes. Source: ISO 14229-1:2020, annex D.1."""

VEHICLE_CODES = {
    "P0500": "Vehicle Speed Sensor A",
    "P0562": "System Voltage Low",
    "P0A05": "Motor Electronics Coolant Pump A Control Circuit/Open",
    "P0A2A": "Drive Motor A Temperature Sensor Circuit",
    "P0A3C": "Drive Motor A Inverter Over Temperature",
    "P0A3F": "Drive Motor A Position Sensor Circuit",
    "P0A78": "Drive Motor A Inverter Performance",
    "P0A93": "Inverter A Cooling System Performance",
    "P2122": "Throttle/Pedal Position Sensor/Switch D Circuit Low",
    "P2560": "Engine Coolant Level Low",
    "U0111": "Lost Communication With Battery Energy Control Module A",
    "U0140": "Lost Communication With Body Control Module",
}
BATTERY_CODES = {
    "P0A7E": "Hybrid/EV Battery Pack Over Temperature",
    "P0A7F": "Hybrid/EV Battery Pack Deterioration",
    "P0A9B": "Hybrid/EV Battery Temperature Sensor A Circuit",
    "P0A9C": "Hybrid/EV Battery Temperature Sensor A Circuit Range/Performance",
    "P0AA1": "Hybrid/EV Battery Positive Contactor Circuit Stuck Closed",
    "P0AA4": "Hybrid/EV Battery Negative Contactor Circuit Stuck Closed",
    "P0AA6": "Hybrid/EV Battery Voltage System Isolation",
    "P0ABC": "Hybrid/EV Battery Pack Voltage Sense A Circuit Range/Performance",
    "P0AC0": "Hybrid/EV Battery Pack Current Sensor A Circuit Range/Performance",
    "P0BBD": "Hybrid/EV Battery Pack Voltage Variation Exceeded Limit",
    "U0100": "Lost Communication With ECM/PCM A",
}
BODY_CODES = {
    "U0155": "Lost Communication With Instrument Panel Cluster Control Module",
    "U0164": "Lost Communication With HVAC Control Module",
}

_CODE = re.compile(r"[PCBU][0-3][0-9A-F]{3}")


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


def number_of(code: str) -> int:
    """A code as its two bytes: P0AA6 is 0x0AA6, U0100 is 0xC100.

    Source: ISO 15031-6: the letter is the upper two bits, the first digit the next two.
    """
    if not _CODE.fullmatch(code):
        raise UsageError(f"trouble code {code!r}; allowed: P, C, B or U, then 0 to 3, then 3 hex")
    return "PCBU".index(code[0]) << 14 | int(code[1:], 16)


def code_of(number: int) -> str:
    """Two bytes as a code: 0x0AA6 is P0AA6."""
    return f"{'PCBU'[number >> 14 & 3]}{number & 0x3FFF:04X}"


@dataclass(slots=True)
class _Fault:
    is_active: bool = False
    is_permanent: bool = False
    status: Status = _FINE
    tested_at_ns: int | None = None


@dataclass(slots=True)
class Since:
    """When, and at what distance, something began.

    Fields:
        cycles: how often the car was started since.
    """

    at_ns: int
    distance_m: float
    cycles: int = 0


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

    def set_active(self, code: str, is_active: bool, *, now_ns: int, distance_m: float) -> None:
        """Say whether a fault is there; what is no longer there stays in memory.

        Raises:
            UsageError: this control unit has no such code.
        """
        if code not in self._faults:
            raise UsageError(f"trouble code {code!r}; allowed: {', '.join(self._faults)}")
        self._test(now_ns)
        fault = self._faults[code]
        fault.is_active = is_active
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
