"""What a charge costs by its tariff.

cost = Costs(tariffs).of(session_of(charge, place=home))
cost.amount, cost.currency, cost.tariff        # 3.42, "EUR", "home"
"""

from dataclasses import dataclass
from datetime import date, datetime

from contactor.history.facts import Charge, ChargeKind
from contactor.history.places import Place
from contactor.history.tariff import Tariff, Tariffs
from contactor.history.tariff_prices import SECOND_NS, EnergyCurve, Pricing

MINUTE_NS = 60 * SECOND_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A charge as its cost sees it."""

    start_ns: int
    end_ns: int
    battery_kwh: float | None
    wall_kwh: float | None = None
    kind: ChargeKind | None = None
    place: Place | None = None
    plugged_ns: int | None = None
    curve: EnergyCurve | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a charge costs.

    Fields:
        tariff: the name of the one that fits.
        amount: None where the price of some of its energy, or its energy, is not known.
        energy, time, session: its parts.
        billed_kwh: the energy that is paid for.
        is_estimated: whether that was computed from the battery's.
    """

    tariff: str
    currency: str
    amount: float | None
    energy: float | None
    time: float
    session: float
    billed_kwh: float | None
    is_estimated: bool


def session_of(charge: Charge, *, place: Place | None, curve: EnergyCurve | None = None) -> Session:
    """A charge of the history as its cost sees it."""
    plugged = charge.plugged_start_ns, charge.plugged_end_ns
    return Session(
        start_ns=charge.start_ns,
        end_ns=charge.end_ns,
        battery_kwh=None if charge.energy is None else charge.energy.in_kwh,
        wall_kwh=charge.wall_kwh,
        kind=charge.kind,
        place=place,
        plugged_ns=None if None in plugged else plugged[1] - plugged[0],  # type: ignore[operator]
        curve=curve,
    )


class Costs:
    """What charges cost by some tariffs, made ready to be asked often."""

    def __init__(self, tariffs: Tariffs) -> None:
        self._tariffs = tariffs
        self._zone = tariffs.zone
        self._pricings = [Pricing(tariff, self._zone) for tariff in tariffs.tariffs]

    def of(self, session: Session) -> Cost | None:
        """What a charge costs by the first tariff that fits; None where none does."""
        begun = datetime.fromtimestamp(session.start_ns / SECOND_NS, self._zone).date()
        for tariff, pricing in zip(self._tariffs.tariffs, self._pricings, strict=True):
            if _fits(tariff, session, begun):
                return _cost(self._tariffs, tariff, session, pricing)
        return None


def _fits(tariff: Tariff, session: Session, begun: date) -> bool:
    place = session.place
    is_there = tariff.place is None or (
        place is not None and tariff.place in (place.id, place.name)
    )
    return (
        is_there
        and (tariff.kind is None or tariff.kind is session.kind)
        and (tariff.since is None or tariff.since <= begun)
        and (tariff.until is None or begun < tariff.until)
    )


def _cost(tariffs: Tariffs, tariff: Tariff, session: Session, pricing: Pricing) -> Cost:
    billed_kwh, is_estimated = _billed(tariffs, tariff, session)
    energy = _energy_cost(tariff, session, billed_kwh, pricing)
    counts_plug = tariff.minutes == "plugged" and session.plugged_ns is not None
    lasted_ns = session.plugged_ns if counts_plug else session.end_ns - session.start_ns
    minutes = max(0.0, (lasted_ns or 0) / MINUTE_NS - tariff.free_minutes)
    timed = tariff.per_minute * minutes
    return Cost(
        tariff=tariff.name,
        currency=tariffs.currency,
        amount=None if energy is None else energy + timed + tariff.session,
        energy=energy,
        time=timed,
        session=tariff.session,
        billed_kwh=billed_kwh,
        is_estimated=is_estimated,
    )


def _billed(tariffs: Tariffs, tariff: Tariff, session: Session) -> tuple[float | None, bool]:
    """The energy that is paid for, kWh, and whether it had to be computed."""
    if tariff.metered == "battery":
        return session.battery_kwh, False
    if session.wall_kwh is not None:
        return session.wall_kwh, False
    if session.battery_kwh is None:
        return None, False
    is_dc = session.kind is ChargeKind.DC  # a DC station counts what it gives to the car
    return session.battery_kwh / (1.0 if is_dc else tariffs.charger_efficiency), True


def _energy_cost(
    tariff: Tariff, session: Session, billed_kwh: float | None, pricing: Pricing
) -> float | None:
    """The energy at its prices; None where some of it has none."""
    is_even = not tariff.bands and tariff.prices is None
    if is_even and tariff.per_kwh == 0:
        return 0.0
    if billed_kwh is None:
        return None
    if is_even:
        return billed_kwh * tariff.per_kwh
    price = pricing.mean_price(session.start_ns, session.end_ns, session.curve)
    return None if price is None else billed_kwh * price
