"""Facts as they are kept: one JSON document each.

coded(trip)                  # Coded(Kind.TRIP, start_ns, end_ns, body)
decoded(Kind.TRIP, body)     # the trip
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
import numpy as np

from contactor.history.battery import Evidence
from contactor.history.charge_curve import charge_curve
from contactor.history.columns import Columns
from contactor.history.facts import Charge, Facts, Interval, Stand, Trip
from contactor.history.tariff_prices import EnergyCurve

Fact: TypeAlias = Interval | Trip | Charge | Stand


class Kind(StrEnum):
    """What kinds of facts are kept."""

    INTERVAL = "interval"
    TRIP = "trip"
    CHARGE = "charge"
    STAND = "stand"
    CURVE = "curve"
    EVIDENCE = "evidence"


_KINDS: Mapping[type, Kind] = MappingProxyType(
    {Interval: Kind.INTERVAL, Trip: Kind.TRIP, Charge: Kind.CHARGE, Stand: Kind.STAND}
)
_TYPES: Mapping[Kind, type[Fact]] = MappingProxyType(
    {Kind.INTERVAL: Interval, Kind.TRIP: Trip, Kind.CHARGE: Charge, Kind.STAND: Stand}
)


@dataclass(frozen=True, slots=True)
class Coded:
    """A fact, ready to be kept."""

    kind: Kind
    start_ns: int
    end_ns: int
    body: bytes


def coded(fact: Fact) -> Coded:
    """One fact."""
    body = msgspec.json.encode(fact, enc_hook=_encode)
    return Coded(_KINDS[type(fact)], fact.start_ns, fact.end_ns, body)


def coded_evidence(start_ns: int, end_ns: int, evidence: Evidence) -> Coded:
    """What a stretch of history tells about the battery."""
    body = msgspec.json.encode(evidence, enc_hook=_encode)
    return Coded(Kind.EVIDENCE, start_ns, end_ns, body)


def coded_curves(columns: Columns, charges: Iterable[Charge]) -> Iterator[Coded]:
    """How the energy of charges grew, of those whose rows tell it; each kept beside its charge."""
    for charge in charges:
        curve = charge_curve(columns, charge)
        if curve is not None:
            body = msgspec.json.encode([curve.ts.tolist(), curve.kwh.tolist()])
            yield Coded(Kind.CURVE, charge.start_ns, charge.end_ns, body)


def decoded(kind: Kind, body: bytes) -> Fact:
    """The fact of a kind that is no evidence and no curve."""
    return msgspec.json.decode(body, type=_TYPES[kind])


def decoded_curve(body: bytes) -> EnergyCurve:
    """How the energy of a charge grew."""
    ts, kwh = msgspec.json.decode(body, type=tuple[list[int], list[float]])
    return EnergyCurve(ts=np.array(ts, np.int64), kwh=np.array(kwh, np.float64))


def decoded_evidence(body: bytes) -> Evidence:
    """What was kept of the battery."""
    return msgspec.json.decode(body, type=Evidence, dec_hook=_decode)


def facts_of(found: Iterable[Fact]) -> Facts:
    """Single facts, each kind by time, as one."""
    lists: dict[type, list[Any]] = {kind: [] for kind in _KINDS}
    for fact in sorted(found, key=lambda one: one.start_ns):
        lists[type(fact)].append(fact)
    return Facts(
        intervals=tuple(lists[Interval]),
        trips=tuple(lists[Trip]),
        charges=tuple(lists[Charge]),
        stands=tuple(lists[Stand]),
    )


def _encode(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError


def _decode(_: type, value: object) -> object:
    return np.asarray(value, np.float64)
