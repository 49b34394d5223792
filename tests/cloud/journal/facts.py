"""Facts of a made-up history, for tests of what is told over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from contactor.errors import UnknownVehicle
from contactor.history.facts import Charge, ChargeKind, Energy, EnergySource, Location, Trip
from contactor.history.tariff_prices import EnergyCurve

HOME, WORK = Location(47.14, 9.52), Location(47.20, 9.50)
HOUR_NS = 3_600_000_000_000


def a_trip(
    start_ns: int, hours: float, start: Location = HOME, end: Location = WORK, km: float = 10.0
) -> Trip:
    return Trip(
        start_ns=start_ns,
        end_ns=start_ns + int(hours * HOUR_NS),
        distance_km=km,
        moving_s=3600 * hours,
        energy=Energy(out_kwh=0.2 * km, in_kwh=0.02 * km, source=EnergySource.POWER, known_s=1.0),
        soc_start_pct=None,
        soc_end_pct=None,
        speed_max_kmh=None,
        ambient_mean_degc=None,
        battery_mean_degc=None,
        elevation_gain_m=None,
        start_location=start,
        end_location=end,
    )


def a_charge(start_ns: int, hours: float, kwh: float, location: Location = HOME) -> Charge:
    return Charge(
        start_ns=start_ns,
        end_ns=start_ns + int(hours * HOUR_NS),
        kind=ChargeKind.AC,
        energy=Energy(out_kwh=0.0, in_kwh=kwh, source=EnergySource.POWER, known_s=1.0),
        wall_kwh=kwh / 0.9,
        soc_start_pct=None,
        soc_end_pct=None,
        power_max_kw=None,
        battery_mean_degc=None,
        location=location,
    )


@dataclass
class GivenFacts:
    """A history that is given; ids are made of the start, as those of a real one."""

    kept: dict[str, tuple[list[Trip], list[Charge]]] = field(default_factory=dict)
    grown: dict[int, EnergyCurve] = field(default_factory=dict)

    def vehicles(self) -> Sequence[str]:
        return sorted(self.kept)

    def trips(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Sequence[tuple[str, Trip]]:
        return [(f"t{trip.start_ns}", trip) for trip in self._of(vehicle_id)[0]]

    def charges(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Sequence[tuple[str, Charge]]:
        return [(f"c{charge.start_ns}", charge) for charge in self._of(vehicle_id)[1]]

    def curves(
        self, vehicle_id: str, since_ns: int | None, until_ns: int | None
    ) -> Mapping[int, EnergyCurve]:
        return self.grown

    def _of(self, vehicle_id: str) -> tuple[list[Trip], list[Charge]]:
        if vehicle_id not in self.kept:
            raise UnknownVehicle(f"no vehicle {vehicle_id!r}")
        return self.kept[vehicle_id]
