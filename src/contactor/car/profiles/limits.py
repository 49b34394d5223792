"""What may be asked of a car: the guard's last word, from `limits.toml`.

    format = 1
    [limits."Vehicle.Powertrain.TractionBattery.Charging.ChargeLimit"]
    minimum = 50                # maximum, allowed; in the catalogue's unit
    not_while_moving = true     # refused at any speed but 0
    rate_limit_s = 5            # at least this long between two

An actuator without an entry may not be asked for anything. A file without entries is a car that is
only read.
"""

from collections.abc import Collection
from dataclasses import dataclass

from contactor.car.profiles.document import Table
from contactor.car.profiles.finding import Level
from contactor.car.profiles.leaf import check_words, known_signal
from contactor.signals.catalogue import Kind, Signal
from contactor.signals.record import Scalar
from contactor.signals.validation import allowed_text


@dataclass(frozen=True, slots=True)
class Limit:
    """What one actuator may be asked.

    Fields:
        minimum, maximum: in the catalogue's unit; None where the catalogue's own range holds.
        allowed: the values that may be asked for; empty where all that the catalogue allows may.
        not_while_moving: refused unless the car stands.
        rate_limit_s: the least time between two requests; 0 for none.
    """

    path: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[Scalar, ...] = ()
    not_while_moving: bool = False
    rate_limit_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of every actuator that may be asked for something."""

    entries: tuple[Limit, ...] = ()

    def of(self, path: str) -> Limit | None:
        """The limit of `path`; None where nothing may be asked."""
        return next((limit for limit in self.entries if limit.path == path), None)


def read_limits(root: Table) -> Limits:
    """The limits of a `limits.toml`; entries that are wrong are left out, with findings."""
    root.only("format", "limits")
    root.check_format()
    found = (_limit(path, table) for path, table in root.tables("limits"))
    return Limits(tuple(limit for limit in found if limit is not None))


def _limit(path: str, table: Table) -> Limit | None:
    table.only("minimum", "maximum", "allowed", "not_while_moving", "rate_limit_s")
    signal = known_signal(path, table)
    if signal is None:
        return None
    if signal.kind is not Kind.ACTUATOR:
        table.error(f"{path} is a {signal.kind}: only an actuator can be asked for something")
        return None
    minimum, maximum = (_bound(signal, table, key) for key in ("minimum", "maximum"))
    if minimum is not None and maximum is not None and minimum > maximum:
        table.error(f"minimum {minimum:g} is above maximum {maximum:g}", "minimum")
    rate_limit_s = table.number("rate_limit_s") or 0.0
    if rate_limit_s < 0:
        table.error(f"rate_limit_s is {rate_limit_s:g}; 0 or more is allowed", "rate_limit_s")
    return Limit(
        path=path,
        minimum=minimum,
        maximum=maximum,
        allowed=_allowed(signal, table),
        not_while_moving=bool(table.flag("not_while_moving")),
        rate_limit_s=rate_limit_s,
    )


def _bound(signal: Signal, table: Table, key: str) -> float | None:
    """The number at `key`, which must lie in the catalogue's range."""
    bound = table.number(key)
    if bound is None:
        return None
    element = signal.datatype.element
    if not (element.is_float or element.is_integer):
        table.error(f"{signal.path} is {signal.datatype}: it has no {key}", key)
        return None
    is_below = signal.minimum is not None and bound < signal.minimum
    is_above = signal.maximum is not None and bound > signal.maximum
    if is_below or is_above:
        table.error(f"{key} {bound:g} is outside the catalogue: {allowed_text(signal)}", key)
    return bound


def _allowed(signal: Signal, table: Table) -> tuple[Scalar, ...]:
    value = table.get("allowed")
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        table.error(f"allowed is {value!r:.60}, not a list of values", "allowed")
        return ()
    return check_words(signal, table, "allowed", value)


def check_limits(limits: Limits, actuators: Collection[str], root: Table) -> None:
    """Warnings where map and limits do not know of each other."""
    for limit in limits.entries:
        if limit.path not in actuators:
            root.add(
                Level.WARNING, "no [actuators] entry in map.toml sends it", "limits", limit.path
            )
