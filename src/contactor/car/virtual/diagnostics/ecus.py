"""The control units of the car on its diagnostic socket: who hears a request, who answers.

    7E0 ─► 7E8  vehicle control     UDS, OBD-II
    7E2 ─► 7EA  body                UDS
    7E4 ─► 7EC  battery management  UDS, OBD-II
    7DF ─► all

Rules: each unit has its own session, lock and trouble codes. OBD-II is asked of all or of one;
units that do not know it, or have nothing to say, are silent where all were asked.

    units = ControlUnits(seed=1)
    units.answers(0x7DF, b"\\x01\\x0d", facts)       # [(0x7E8, b"\\x41\\x0d\\x00")]
    units.set_active("P0AA6", True, now_ns=now_ns, distance_m=0.0)

Source: the ids, ISO 15765-4:2016, 10.5.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from contactor.car.virtual.diagnostics import obd
from contactor.car.virtual.diagnostics.codes import BATTERY_CODES, BODY_CODES, VEHICLE_CODES
from contactor.car.virtual.diagnostics.dtc import DtcMemory, KeptMemory, Status
from contactor.car.virtual.diagnostics.facts import CarFacts
from contactor.car.virtual.diagnostics.identifiers import (
    BATTERY_READERS,
    BODY_READERS,
    VEHICLE_READERS,
    identity_readers,
)
from contactor.car.virtual.diagnostics.security import KeyOf, Session, default_key
from contactor.car.virtual.diagnostics.uds import Uds
from contactor.errors import UsageError

FUNCTIONAL_ID = 0x7DF
VEHICLE_ID, BODY_ID, BATTERY_ID = 0x7E0, 0x7E2, 0x7E4
ANSWER_AFTER = 8
"""An answer's id is its request's and 8."""
REQUEST_IDS = (FUNCTIONAL_ID, VEHICLE_ID, BODY_ID, BATTERY_ID)
VERSION = "01.00.00"


@dataclass(frozen=True, slots=True)
class _Unit:
    memory: DtcMemory
    uds: Uds
    obd: obd.Obd | None

    def answer(self, request: bytes, facts: CarFacts, *, is_functional: bool) -> bytes | None:
        if self.obd is not None and request[0] in obd.SERVICES:
            return self.obd.answer(request, facts)
        return self.uds.answer(request, facts, is_functional=is_functional)


class ControlUnits:
    """Owns the sessions and trouble codes of all control units.

    Args:
        seed: of the seeds of security access.
        key_of: which key opens a seed.
    """

    def __init__(self, *, seed: int = 1, key_of: KeyOf = default_key) -> None:
        seeds = random.Random(seed)
        self._units = {
            VEHICLE_ID: _unit("VehicleControl", "VCU", VEHICLE_ID, Session(seeds, key_of)),
            BODY_ID: _unit("BodyControl", "BCM", BODY_ID, Session(seeds, key_of)),
            BATTERY_ID: _unit("BatteryControl", "BMS", BATTERY_ID, Session(seeds, key_of)),
        }

    def answers(self, can_id: int, request: bytes, facts: CarFacts) -> list[tuple[int, bytes]]:
        """Who answers what, as id and payload; empty where nobody is meant or has an answer.

        Args:
            can_id: of the request; one of `REQUEST_IDS` is heard.
            request: its payload, without transport bytes.
        """
        if not request:
            return []
        is_functional = can_id == FUNCTIONAL_ID
        found: list[tuple[int, bytes]] = []
        for own_id, unit in self._units.items():
            if not is_functional and can_id != own_id:
                continue
            answer = unit.answer(request, facts, is_functional=is_functional)
            if answer is not None:
                found.append((own_id + ANSWER_AFTER, answer))
        return found

    def set_active(
        self,
        code: str,
        is_active: bool,
        *,
        now_ns: int,
        distance_m: float,
        snapshot: bytes = b"",
    ) -> None:
        """Say whether a fault is there, to every control unit that can find it.

        Args:
            code: as "P0AA6".
            snapshot: what is true now, as service 19 04 tells it.

        Raises:
            UsageError: no control unit has such a code.
        """
        memories = [one.memory for one in self._units.values() if code in one.memory.codes]
        if not memories:
            raise UsageError(f"trouble code {code!r}; allowed: {', '.join(self.codes())}")
        for memory in memories:
            memory.set_active(
                code, is_active, now_ns=now_ns, distance_m=distance_m, snapshot=snapshot
            )

    def codes(self) -> dict[str, str]:
        """Every code that can be found, and its name."""
        return {
            code: name for one in self._units.values() for code, name in one.memory.codes.items()
        }

    def codes_with(self, mask: Status, *, now_ns: int) -> list[str]:
        """The codes of all units whose status has a bit of `mask`."""
        return [
            code
            for one in self._units.values()
            for code in one.memory.codes_with(mask, now_ns=now_ns)
        ]

    def keep(self) -> dict[str, KeptMemory]:
        """What the next start needs to know, by the unit's request id in hexadecimal."""
        return {f"{own_id:X}": one.memory.keep() for own_id, one in self._units.items()}

    def restore(self, kept: Mapping[str, KeptMemory]) -> None:
        """Take over what was kept."""
        for own_id, unit in self._units.items():
            if f"{own_id:X}" in kept:
                unit.memory.restore(kept[f"{own_id:X}"])

    def begin_cycle(self, *, now_ns: int) -> None:
        """The car was started."""
        for unit in self._units.values():
            unit.memory.begin_cycle(now_ns=now_ns)


_CODES = {VEHICLE_ID: VEHICLE_CODES, BODY_ID: BODY_CODES, BATTERY_ID: BATTERY_CODES}
_READERS = {VEHICLE_ID: VEHICLE_READERS, BODY_ID: BODY_READERS, BATTERY_ID: BATTERY_READERS}
_PIDS = {VEHICLE_ID: obd.VEHICLE_PIDS, BATTERY_ID: obd.BATTERY_PIDS}


def _unit(name: str, short: str, own_id: int, session: Session) -> _Unit:
    memory, software = DtcMemory(_CODES[own_id]), f"CEV-{short}-01"
    readers = {
        **identity_readers(name, software=software, version=VERSION),
        **_READERS[own_id],
    }
    pids = _PIDS.get(own_id)
    return _Unit(
        memory=memory,
        uds=Uds(memory=memory, readers=readers, session=session),
        obd=None
        if pids is None
        else obd.Obd(
            memory=memory,
            pids=pids,
            calibration=software,
            name=f"{short}-{name}",
            tells_vin=own_id == VEHICLE_ID,
        ),
    )
