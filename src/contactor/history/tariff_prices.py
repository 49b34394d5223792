"""The mean price of a charge's energy, each part at the price that held when it flowed.

    Pricing(tariff, zone).mean_price(start_ns, end_ns, curve)      # per kWh

Between two edges, instants at which a price may change, all prices are constant. The clock on
the wall counts: a day on which it is put back has the hour after two twice. Without a curve the
power is taken as even.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from contactor.history.tariff import Band, Day, HourPrices, Tariff

SECOND_NS = 1_000_000_000
_GRID_NS = 15 * 60 * SECOND_NS  # every clock on a wall is changed at a quarter of an hour UTC
_UNPRICED_SHARE = 1e-6
_DAY = timedelta(days=1)
_DAYS = tuple(Day)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyCurve:
    """How the energy of a charge grew.

    Fields:
        ts: int64 ns UTC, rising, (n,).
        kwh: since the first, never falling, (n,); only its shape counts.
    """

    ts: NDArray[np.int64]
    kwh: NDArray[np.float64]


class Pricing:
    """The prices of one tariff over time, made ready to be asked often."""

    def __init__(self, tariff: Tariff, zone: ZoneInfo) -> None:
        self._tariff = tariff
        self._zone = zone
        self._walls = {wall for band in tariff.bands for wall in (band.start, band.until)}
        prices = tariff.prices or HourPrices((), ())
        self._starts = np.array(prices.starts_s, np.int64) * SECOND_NS
        self._ends = self._starts + prices.step_s * SECOND_NS
        self._per_kwh = np.array(prices.per_kwh, np.float64) * prices.factor

    def mean_price(
        self, start_ns: int, end_ns: int, curve: EnergyCurve | None = None
    ) -> float | None:
        """The price of a kWh of a charge; None where some of its energy has none that is known."""
        edges = self._edges(start_ns, max(end_ns, start_ns + 1))
        shares = np.diff(_shares_at(curve, edges))
        middles = edges[:-1] + np.diff(edges) // 2
        hourly = self._hour_prices(middles)
        is_unknown = np.isnan(hourly)
        if float(shares[is_unknown].sum()) > _UNPRICED_SHARE:
            return None
        prices = self._table_prices(middles) + np.where(is_unknown, 0.0, hourly)
        return float((shares * prices).sum())

    def _edges(self, start: int, end: int) -> NDArray[np.int64]:
        """Start, end, and every instant between at which a price may change, ns UTC."""
        inner = [np.arange(start // _GRID_NS + 1, -(-end // _GRID_NS), dtype=np.int64) * _GRID_NS]
        inner += [each[(each > start) & (each < end)] for each in (self._starts, self._ends)]
        inner.append(_instants_of(self._walls, start, end, self._zone))
        found = np.unique(np.concatenate(inner))
        found = found[(found > start) & (found < end)]
        return np.concatenate([[start], found, [end]]).astype(np.int64)

    def _table_prices(self, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the table says at some instants."""
        if not self._tariff.bands:
            return np.full(len(at_ns), self._tariff.per_kwh)
        shown = [datetime.fromtimestamp(int(at) / SECOND_NS, self._zone) for at in at_ns]
        return np.array([_table_price(self._tariff, wall) for wall in shown])

    def _hour_prices(self, at_ns: NDArray[np.int64]) -> NDArray[np.float64]:
        """The price of the hour at some instants; NaN where none is known."""
        if self._tariff.prices is None:
            return np.zeros(len(at_ns))
        if not len(self._starts):
            return np.full(len(at_ns), np.nan)
        place = np.searchsorted(self._starts, at_ns, "right") - 1
        is_known = (place >= 0) & (at_ns < self._ends[place])
        return np.where(is_known, self._per_kwh[place], np.nan)


def _instants_of(walls: set[str], start_ns: int, end_ns: int, zone: ZoneInfo) -> NDArray[np.int64]:
    """When the clock on the wall shows some times about a span, twice where it does so twice."""
    day = datetime.fromtimestamp(start_ns / SECOND_NS, zone).date() - _DAY
    last = datetime.fromtimestamp(end_ns / SECOND_NS, zone).date() + _DAY
    found = []
    while day <= last:
        for wall in walls:
            shown = datetime.combine(day, time()) + timedelta(minutes=_minutes_of(wall))
            found += [
                int(shown.replace(tzinfo=zone, fold=fold).timestamp()) * SECOND_NS
                for fold in (0, 1)
            ]
        day += _DAY
    return np.array(found, np.int64)


def _shares_at(curve: EnergyCurve | None, edges: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of the energy that had flowed by some instants, from 0 to 1."""
    if curve is not None and len(curve.ts) >= 2 and curve.kwh[-1] > curve.kwh[0]:
        grown = np.interp(edges - edges[0], curve.ts - edges[0], curve.kwh)
        if grown[-1] > grown[0]:
            return np.asarray((grown - grown[0]) / (grown[-1] - grown[0]), np.float64)
    return np.asarray((edges - edges[0]) / (edges[-1] - edges[0]), np.float64)


def _table_price(tariff: Tariff, wall: datetime) -> float:
    day, minutes = wall.weekday(), wall.hour * 60 + wall.minute
    for band in tariff.bands:
        if _band_holds(band, day, minutes):
            return band.per_kwh
    return tariff.per_kwh


def _band_holds(band: Band, day: int, minutes: int) -> bool:
    start, until = _minutes_of(band.start), _minutes_of(band.until)
    if start < until:
        return _DAYS[day] in band.days and start <= minutes < until
    if minutes >= start:
        return _DAYS[day] in band.days
    return minutes < until and _DAYS[day - 1] in band.days


def _minutes_of(wall: str) -> int:
    return int(wall[:2]) * 60 + int(wall[3:])
