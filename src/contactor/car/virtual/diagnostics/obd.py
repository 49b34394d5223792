"""OBD-II (SAE J1979): services 01, 03, 04, 07, 09 and 0A of an electric car.

    01 0D 5B      up to six identifiers: those that are known, each with its data, one after another
    03, 07, 0A    confirmed, pending and permanent codes: 43, their number, two bytes each
    04            clear
    09 02         the VIN; 04 calibration, 0A name of the unit

Rules: identifier 00, 20, 40 ... is a mask of the 32 after it; its last bit says that there are
more. What is not known is not answered, and never refused.

    obd = Obd(memory=memory, pids=VEHICLE_PIDS, calibration="C1", name="VCU", tells_vin=True)
    obd.answer(b"\\x01\\x0d", facts)            # b"\\x41\\x0d\\x32"

Source: SAE J1979:2012 (ISO 15031-5), 8 and annexes B, G.
"""

from collections.abc import Callable, Collection, Mapping

from contactor.car.virtual.diagnostics.dtc import CLEAR_ALL, DtcMemory, Status
from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.car.virtual.diagnostics.identifiers import number, text
from contactor.units import convert

SERVICES = (0x01, 0x03, 0x04, 0x07, 0x09, 0x0A)
MAX_PIDS = 6
"""Of one request. Source: ISO 15765-4."""
MASK_EVERY = 0x20
OBD_KIND = 0x06
"""EOBD. Source: annex B, identifier 1C."""
ELECTRIC = 0x08
"""The kind of fuel. Source: annex B, identifier 51."""
SEA_LEVEL_KPA = 101
"""Outside pressure: the physics has no weather of it. Source: ISO 2533."""
MAX_CODES = 255
_ANSWER = 0x40
_KMH = convert(1.0, "m/s", "km/h")
_M_PER_KM = 1_000.0
_MIN_NS = 60 * 10**9

Pid = Callable[[CarFacts, DtcMemory], bytes]


def _monitors(facts: CarFacts, memory: DtcMemory) -> bytes:
    """The lamp, the number of codes; no monitor of a combustion engine is there."""
    count = len(memory.matching(Status.CONFIRMED, now_ns=facts.now_ns))
    is_lit = bool(memory.matching(Status.WARNING_LAMP, now_ns=facts.now_ns))
    return bytes([is_lit << 7 | min(count, 0x7F), 0, 0, 0])


def _lamp_km(facts: CarFacts, memory: DtcMemory) -> bytes:
    since_m = None if memory.lamp is None else memory.lamp.distance_m
    return number(0 if since_m is None else facts.state.distance_m - since_m, 1 / _M_PER_KM, 2)


def _lamp_min(facts: CarFacts, memory: DtcMemory) -> bytes:
    return number(0 if memory.lamp is None else facts.now_ns - memory.lamp.at_ns, 1 / _MIN_NS, 2)


def _cleared_km(facts: CarFacts, memory: DtcMemory) -> bytes:
    since_m = 0.0 if memory.cleared is None else memory.cleared.distance_m
    return number(facts.state.distance_m - since_m, 1 / _M_PER_KM, 2)


def _cleared_min(facts: CarFacts, memory: DtcMemory) -> bytes:
    if memory.cleared is None:
        return b"\xff\xff"
    return number(facts.now_ns - memory.cleared.at_ns, 1 / _MIN_NS, 2)


def _volts(facts: CarFacts, _: DtcMemory) -> bytes:
    return number(facts.state.low_voltage_v, 1_000, 2)


def _charge(facts: CarFacts, _: DtcMemory) -> bytes:
    return number(facts.state.state_of_charge, 255, 1)


VEHICLE_PIDS: Mapping[int, Pid] = {
    0x01: _monitors,
    0x0D: lambda facts, _: number(facts.state.speed_mps * _KMH, 1, 1),
    0x1C: lambda *_: bytes([OBD_KIND]),
    0x1F: lambda facts, _: number(facts.awake_s, 1, 2),
    0x21: _lamp_km,
    0x30: lambda _, memory: number(0 if memory.cleared is None else memory.cleared.cycles, 1, 1),
    0x31: _cleared_km,
    0x33: lambda *_: bytes([SEA_LEVEL_KPA]),
    0x41: lambda *_: bytes(4),
    0x42: _volts,
    0x46: lambda facts, _: number(facts.state.ambient_degc + 40, 1, 1),
    0x49: lambda facts, _: number(facts.state.accelerator_pct, 2.55, 1),
    0x4D: _lamp_min,
    0x4E: _cleared_min,
    0x51: lambda *_: bytes([ELECTRIC]),
    0x5A: lambda facts, _: number(facts.state.accelerator_pct, 2.55, 1),
    0x5B: _charge,
    0xA6: lambda facts, _: number(facts.state.distance_m, 10 / _M_PER_KM, 4),
}
BATTERY_PIDS: Mapping[int, Pid] = {
    0x01: _monitors,
    0x1C: lambda *_: bytes([OBD_KIND]),
    0x1F: lambda facts, _: number(facts.awake_s, 1, 2),
    0x42: _volts,
    0x5B: _charge,
}


class Obd:
    """One control unit's answers to scan tools.

    Args:
        pids: what service 01 reads.
        calibration: the number of its calibration, at most 16 characters.
        name: at most 20 characters.
        tells_vin: one unit of a car does.
    """

    def __init__(
        self,
        *,
        memory: DtcMemory,
        pids: Mapping[int, Pid],
        calibration: str,
        name: str,
        tells_vin: bool,
    ) -> None:
        self._memory = memory
        self._pids = pids
        self._infos: dict[int, Callable[[CarFacts], bytes]] = {
            0x04: lambda _: calibration.encode("ascii")[:16].ljust(16, b"\0"),
            0x0A: lambda _: text(name, 20).replace(b" ", b"\0"),
        }
        if tells_vin:
            self._infos[0x02] = lambda facts: facts.vin.encode("ascii")

    def answer(self, request: bytes, facts: CarFacts) -> bytes | None:
        """The answer to a request of at least one byte; None where there is to be none."""
        service, asked = request[0], request[1:]
        if service in {0x01, 0x09}:
            found = self._current(asked, facts) if service == 0x01 else self._info(asked, facts)
            return bytes([service + _ANSWER]) + found if found else None
        if service not in SERVICES or asked:
            return None
        if service == 0x04:
            distance_m = facts.state.distance_m
            self._memory.clear(CLEAR_ALL, now_ns=facts.now_ns, distance_m=distance_m)
            return bytes([service + _ANSWER])
        codes = [code >> 8 for code in self._codes(service, facts.now_ns)][:MAX_CODES]
        data = b"".join(code.to_bytes(2, "big") for code in codes)
        return bytes([service + _ANSWER, len(codes)]) + data

    def _codes(self, service: int, now_ns: int) -> list[int]:
        if service == 0x0A:
            return self._memory.permanent(now_ns=now_ns)
        mask = Status.CONFIRMED if service == 0x03 else Status.PENDING
        return [code for code, _ in self._memory.matching(mask, now_ns=now_ns)]

    def _current(self, asked: bytes, facts: CarFacts) -> bytes:
        if len(asked) > MAX_PIDS:
            return b""
        found = b""
        for pid in asked:
            if pid % MASK_EVERY == 0:
                found += _masked(pid, self._pids)
            elif pid in self._pids:
                found += bytes([pid]) + self._pids[pid](facts, self._memory)
        return found

    def _info(self, asked: bytes, facts: CarFacts) -> bytes:
        if len(asked) != 1:
            return b""
        if asked[0] % MASK_EVERY == 0:
            return _masked(asked[0], self._infos)
        info = self._infos.get(asked[0])
        return b"" if info is None else bytes([asked[0], 1]) + info(facts)


def _masked(first: int, known: Collection[int]) -> bytes:
    """An identifier that is a mask, and the mask of the 32 after it; nothing beyond the last."""
    if first and not any(one > first for one in known):
        return b""
    mask = 0
    for one in range(first + 1, first + MASK_EVERY + 1):
        is_there = one in known or (
            one == first + MASK_EVERY and any(other > one for other in known)
        )
        mask = mask << 1 | is_there
    return bytes([first]) + mask.to_bytes(4, "big")
