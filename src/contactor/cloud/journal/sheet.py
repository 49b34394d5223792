"""A month of the journal as a table, whatever it is written as (CSV, XLSX, PDF).

sheet = month_sheet("leaf", entries, month="2024-05", zone=ZoneInfo("Europe/Vaduz"))
sheet.head, sheet.rows, sheet.sums
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from contactor.clock import NS_PER_S, from_iso
from contactor.cloud.journal.entries import Entry, Spot
from contactor.errors import UsageError
from contactor.history.journal import Purpose, Subject

HEAD = (
    "date",
    "start",
    "end",
    "what",
    "from",
    "to",
    "km",
    "kWh",
    "cost",
    "purpose",
    "driver",
    "tags",
    "note",
)
NUMBERS = frozenset({"km", "kWh", "cost"})
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")

Cell: TypeAlias = str | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table with a title, and sums below it.

    Fields:
        rows: as long as `head`; None is unknown.
        sums: what is summed, and its sum with its unit.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sums: tuple[tuple[str, str], ...]


def month_span(month: str, zone: ZoneInfo) -> tuple[int, int]:
    """Start and end of a month on the wall, ns UTC, half open.

    Raises:
        UsageError: it is none, as 2024-05.
    """
    found = _MONTH.fullmatch(month)
    if found is None or not 1678 <= int(found[1]) <= 2261:
        raise UsageError(f"month {month[:20]!r}; as 2024-05")
    year, number = int(found[1]), int(found[2])
    start = datetime(year, number, 1, tzinfo=zone)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return int(start.timestamp()) * NS_PER_S, int(end.timestamp()) * NS_PER_S


def month_sheet(vehicle_id: str, entries: Sequence[Entry], *, month: str, zone: ZoneInfo) -> Sheet:
    """The entries that start in a month, by time."""
    start_ns, end_ns = month_span(month, zone)
    mine = [one for one in entries if start_ns <= from_iso(one.start) < end_ns]
    mine.sort(key=lambda one: from_iso(one.start))
    return Sheet(
        title=f"Journal of {vehicle_id}, {month} ({zone.key})",
        head=HEAD,
        rows=tuple(_row(one, zone) for one in mine),
        sums=tuple(_sums(mine)),
    )


def _row(entry: Entry, zone: ZoneInfo) -> tuple[Cell, ...]:
    start, end = _wall(entry.start, zone), _wall(entry.end, zone)
    ends_later = end.date() != start.date()
    is_trip = entry.subject is Subject.TRIP
    purpose = entry.purpose.value if entry.purpose is not None else None
    return (
        f"{start:%Y-%m-%d}",
        f"{start:%H:%M}",
        f"{end:%Y-%m-%d %H:%M}" if ends_later else f"{end:%H:%M}",
        entry.subject.value,
        _named(entry.start_spot) if is_trip else None,
        _named(entry.end_spot if is_trip else entry.start_spot),
        None if entry.distance_km is None else round(entry.distance_km, 1),
        None if entry.energy_kwh is None else round(entry.energy_kwh, 2),
        entry.cost,
        "disputed" if entry.disputed and purpose is None else purpose,
        entry.driver,
        ", ".join(entry.tags) or None,
        entry.note,
    )


def _sums(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    trips = [one for one in entries if one.subject is Subject.TRIP]
    charges = [one for one in entries if one.subject is Subject.CHARGE]
    sums = [("trips", str(len(trips))), ("distance", _km(trips))]
    sums += [
        (purpose.value, _km([one for one in trips if one.purpose is purpose]))
        for purpose in Purpose
    ]
    sums.append(("without purpose", _km([one for one in trips if one.purpose is None])))
    charged = sum(one.energy_kwh or 0.0 for one in charges)
    sums += [("charges", str(len(charges))), ("charged", f"{charged:.2f} kWh")]
    for currency in sorted({one.currency for one in charges if one.currency is not None}):
        paid = sum(one.cost or 0.0 for one in charges if one.currency == currency)
        sums.append(("cost", f"{paid:.2f} {currency}"))
    unpriced = sum(one.cost is None for one in charges)
    if unpriced:
        sums.append(("charges without cost", str(unpriced)))
    return sums


def _km(trips: Sequence[Entry]) -> str:
    return f"{sum(one.distance_km or 0.0 for one in trips):.1f} km"


def _named(spot: Spot | None) -> str | None:
    if spot is None:
        return None
    return spot.name or f"{spot.latitude_deg:.4f}, {spot.longitude_deg:.4f}"


def _wall(instant: str, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(from_iso(instant) // NS_PER_S, zone)
