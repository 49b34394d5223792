"""What a third party is told: of each answer that which its consent names, and nothing beside it.

    now_for(scope, now)                 # VehicleNow without what is not named
    check_paths(scope, paths)           # 403 where one is not named

Whether a vehicle is heard, its profile, how many signals and rows are stored and what it was asked
are not named by any consent, so they are null. Documents of history are put together of the fields
listed here: one that is added there is told to nobody until it stands here.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec
from litestar.exceptions import PermissionDeniedException

from contactor.cloud.access.consent_scope import ConsentScope, HistoryKind
from contactor.cloud.twin.events import Change, Event, Stale
from contactor.cloud.twin.query import named_in, parse
from contactor.faces.web.fleet import Vehicle, VehicleNow

_SPAN: Final = ("id", "vehicle_id", "start", "end", "duration_s")
_ENERGY: Final = ("soc_start_pct", "soc_end_pct", "battery_mean_degc", "energy_source")
TOLD: Final[Mapping[HistoryKind, frozenset[str]]] = MappingProxyType(
    {
        HistoryKind.TRIPS: frozenset(
            {
                *_SPAN,
                *_ENERGY,
                "moving_s",
                "distance_km",
                "energy_kwh",
                "energy_out_kwh",
                "energy_in_kwh",
                "consumption_wh_per_km",
                "speed_max_kmh",
                "ambient_mean_degc",
                "elevation_gain_m",
                "auxiliary_kwh",
                "heating_kwh",
                "energy_check_source",
                "energy_check_kwh",
            }
        ),
        HistoryKind.CHARGES: frozenset(
            {
                *_SPAN,
                *_ENERGY,
                "kind",
                "energy_battery_kwh",
                "energy_wall_kwh",
                "power_max_kw",
                "power_mean_kw",
                "plugged_start",
                "plugged_end",
            }
        ),
    }
)
"""Kind → the fields of its documents; what people said, places' names and costs are none."""
WHERE: Final[Mapping[HistoryKind, frozenset[str]]] = MappingProxyType(
    {
        HistoryKind.TRIPS: frozenset({"start_location", "end_location"}),
        HistoryKind.CHARGES: frozenset({"location"}),
    }
)
"""Those besides that tell where it was."""


def check_paths(scope: ConsentScope, paths: Iterable[str]) -> None:
    """Refuse what is not named.

    Raises:
        PermissionDeniedException: a path is not.
    """
    for path in paths:
        if not scope.allows(path):
            raise PermissionDeniedException(f"consent {scope.consent_id} does not name {path}")


def check_question(scope: ConsentScope, where: str) -> None:
    """Refuse a question to the fleet that asks for what is not named.

    Raises:
        PermissionDeniedException: it does.
        MalformedQuery: it cannot be read.
    """
    paths, has_connectivity = named_in(parse(where))
    check_paths(scope, sorted(paths))
    if has_connectivity:
        raise PermissionDeniedException(f"consent {scope.consent_id} does not name connectivity")


def now_for(scope: ConsentScope, now: VehicleNow) -> VehicleNow:
    """A vehicle's last values, of what is named."""
    signals = {
        path: msgspec.structs.replace(signal, desired=None)
        for path, signal in now.signals.items()
        if scope.allows(path)
    }
    return msgspec.structs.replace(now, profile=None, connectivity=None, signals=signals)


def vehicle_for(scope: ConsentScope, now: VehicleNow) -> Vehicle:
    """A vehicle in the list, by the last values of what is named."""
    told = now_for(scope, now)
    stamps = [signal.ts for signal in told.signals.values() if signal.ts is not None]
    return Vehicle(
        vehicle_id=told.vehicle_id,
        name=told.name,
        profile=None,
        connectivity=None,
        last_seen=max(stamps, default=None),
        signals=len(told.signals),
        rows=None,
    )


def document_for(
    scope: ConsentScope, kind: HistoryKind, document: Mapping[str, object]
) -> Mapping[str, object]:
    """A trip or a charge, without where it was, unless that is named."""
    fields = TOLD[kind] | (WHERE[kind] if scope.has_where else frozenset())
    return {name: value for name, value in document.items() if name in fields}


def is_for(event: Event) -> bool:
    """Whether an event of the live stream, which is of named paths alone, is for a third party."""
    return isinstance(event, Change | Stale)
