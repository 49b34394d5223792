"""What charging costs, as data: tables of prices by place, hour and weekday, or prices by the hour.

    tariffs = decode_tariffs(body)
    tariffs.tariffs[0].bands[0].per_kwh

The first tariff that fits a charge counts. A price holds by the clock on the wall of the time zone.

    energy price = what the table says (a band, else per_kwh) + the price of the hour × factor
    cost         = session + per_minute × minutes beyond the free ones + sum of energy × price
"""

import math
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct

from contactor.errors import InvalidValue
from contactor.history.facts import ChargeKind

_NAME = Annotated[str, Meta(min_length=1, max_length=64)]
_WALL_TIME = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z|^24:00\Z")]


class Day(StrEnum):
    """A day of the week, in their order."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


_DAYS = tuple(Day)


class Band(Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """A price for some hours of some days.

    Fields:
        start, until: on the wall, as "22:00"; one that ends before it starts ends the next day.
        days: on which it starts.
    """

    per_kwh: float
    start: _WALL_TIME = "00:00"
    until: _WALL_TIME = "24:00"
    days: tuple[Day, ...] = _DAYS


class HourPrices(Struct, frozen=True, forbid_unknown_fields=True):
    """A price for each hour, or other step, where it is known.

    Fields:
        starts_s: when each begins to hold, s UTC since 1970, rising.
        per_kwh: the price.
        step_s: how long each holds, at most until the next.
        factor: what the price is multiplied by: 1.21 adds a tax of 21 %.
    """

    starts_s: tuple[int, ...]
    per_kwh: tuple[float, ...]
    step_s: Annotated[int, Meta(gt=0)] = 3600
    factor: float = 1.0


class Tariff(
    Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from"}, omit_defaults=True
):
    """What charges cost somewhere, or anywhere.

    Fields:
        place: name or id of the place; None is anywhere.
        kind: "ac" or "dc"; None is both.
        since, until: dates on the wall on which a charge begins, half open.
        per_kwh, bands, prices: see the top of this module; without any, energy is free.
        session: for each charge.
        per_minute, free_minutes, minutes: of the time that it charged, or was plugged in.
        metered: whether energy is counted at the wall, or in the battery.
    """

    name: _NAME
    place: str | None = None
    kind: ChargeKind | None = None
    since: date | None = None
    until: date | None = None
    per_kwh: float = 0.0
    bands: tuple[Band, ...] = ()
    prices: HourPrices | None = None
    session: float = 0.0
    per_minute: float = 0.0
    free_minutes: float = 0.0
    minutes: Literal["charging", "plugged"] = "charging"
    metered: Literal["wall", "battery"] = "wall"


class Tariffs(Struct, frozen=True, forbid_unknown_fields=True):
    """All that charging costs an owner.

    Fields:
        currency: three letters.
        time_zone: whose wall clock counts, as "Europe/Vaduz".
        charger_efficiency: battery over wall energy of an AC charge whose meter is not known.
    """

    version: Literal[1]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
    time_zone: str
    tariffs: tuple[Tariff, ...]
    charger_efficiency: Annotated[float, Meta(gt=0, le=1)] = 0.9

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


_decoder = msgspec.json.Decoder(Tariffs)


def decode_tariffs(body: bytes | str) -> Tariffs:
    """Tariffs in JSON.

    Raises:
        InvalidValue: they are none; says where, as `$.tariffs[0].bands[1].from`.
    """
    try:
        tariffs = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InvalidValue(f"tariffs: {error}") from error
    return checked_tariffs(tariffs)


def checked_tariffs(tariffs: Tariffs) -> Tariffs:
    """Tariffs whose form is right, their meaning checked too.

    Raises:
        InvalidValue: a time zone that there is not, or prices that are no series.
    """
    zone_of(tariffs.time_zone)
    for tariff in tariffs.tariffs:
        if tariff.prices is not None:
            _check_prices(tariff.name, tariff.prices)
    return tariffs


def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        InvalidValue: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue(
            f"unknown time zone {name[:80]!r}; allowed are names as Europe/Vaduz"
        ) from error


def _check_prices(name: str, prices: HourPrices) -> None:
    if len(prices.starts_s) != len(prices.per_kwh):
        raise InvalidValue(
            f"tariff {name!r}: {len(prices.starts_s)} starts, {len(prices.per_kwh)} prices"
        )
    if any(later <= one for one, later in pairwise(prices.starts_s)):
        raise InvalidValue(f"tariff {name!r}: the starts of its prices do not rise")
    if not all(map(math.isfinite, prices.per_kwh)):
        raise InvalidValue(f"tariff {name!r}: a price that is no number")
