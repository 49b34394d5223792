"""What may be asked of a car: the guard's last word, from `limits.toml`.

    format = 1
    [limits."Vehicle.Cabin.Door.Row1.DriverSide.Window.Position"]
    minimum = 0                 # maximum, allowed; in the catalogue's unit
    not_while_moving = true     # refused unless the car stands
    rate_limit_s = 5            # at least this long between two
    gears = [126]               # only while the lever stands there: SelectedGear, 126 is park
    not_while = { "Vehicle.Cabin.IsWindowChildLockEngaged" = true }
    only_while = { "Vehicle.LowVoltageSystemState" = "ON" }
    excludes = ["Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"]        # not both at a time

An actuator without an entry may not be asked for anything. A file without entries is a car that is
only read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contactor.car.profiles.document import Table
from contactor.car.profiles.finding import Level
from contactor.car.profiles.leaf import check_word, check_words, known_signal
from contactor.car.profiles.mapping import SignalMap
from contactor.signals.catalogue import Kind, Signal, catalogue
from contactor.signals.record import Scalar
from contactor.signals.validation import allowed_text

GEAR: Final = "Vehicle.Powertrain.Transmission.SelectedGear"
KEYS: Final = (
    *("minimum", "maximum", "allowed", "not_while_moving", "rate_limit_s"),
    *("gears", "not_while", "only_while", "excludes"),
)


@dataclass(frozen=True, slots=True)
class CarState:
    """A signal that has one of some values."""

    path: str
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """What one actuator may be asked.

    Fields:
        minimum, maximum: in the catalogue's unit; None where the catalogue's own range holds.
        allowed: the values that may be asked for; empty where all that the catalogue allows may.
        not_while_moving: refused unless the car stands.
        rate_limit_s: the least time between two requests; 0 for none.
        not_while, only_while: refused while one of the first is so, or one of the second is not.
        excludes: the actuators that are not asked for something at the same time.
    """

    path: str
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[Scalar, ...] = ()
    not_while_moving: bool = False
    rate_limit_s: float = 0.0
    not_while: tuple[CarState, ...] = ()
    only_while: tuple[CarState, ...] = ()
    excludes: tuple[str, ...] = ()


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
    table.only(*KEYS)
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
        not_while=tuple(_states(table, "not_while")),
        only_while=(*_gears(table), *_states(table, "only_while")),
        excludes=tuple(_excluded(path, table)),
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


def _gears(table: Table) -> Iterator[CarState]:
    """Where the lever must stand, as a state."""
    value = table.get("gears")
    if value is None:
        return
    if not isinstance(value, list) or not value:
        table.error(f"gears is {value!r:.60}, not a list such as [126]", "gears")
        return
    yield CarState(GEAR, check_words(catalogue()[GEAR], table, "gears", value))


def _states(table: Table, key: str) -> Iterator[CarState]:
    """Each signal of the table at `key`, with its value."""
    states = table.table(key)
    for path, word in states.values.items():
        signal = known_signal(path, states)
        if signal is None:
            continue
        if signal.datatype.element.is_float:
            states.error(f"{path} is {signal.datatype}: a state is no such number", path)
            continue
        value = check_word(signal, states, (path,), word)
        if value is not None:
            yield CarState(path, (value,))


def _excluded(own: str, table: Table) -> Iterator[str]:
    for path in table.texts("excludes"):
        signal = known_signal(path, table)
        if signal is None:
            continue
        if signal.kind is not Kind.ACTUATOR or path == own:
            what = "itself" if path == own else f"a {signal.kind}"
            table.error(f"excludes {path}, {what}; allowed: another actuator", "excludes")
            continue
        yield path


def check_limits(limits: Limits, car: SignalMap, root: Table) -> None:
    """Warnings where map and limits do not know of each other."""
    actuators = {actuator.path for actuator in car.actuators}
    for limit in limits.entries:
        if limit.path not in actuators:
            root.add(
                Level.WARNING, "no [actuators] entry in map.toml sends it", "limits", limit.path
            )
        for path in limit.excludes:
            if limits.of(path) is None:
                message = f"excludes {path}, which may not be asked for anything"
                root.add(Level.WARNING, message, "limits", limit.path, "excludes")
        for key, state in _named(limit):
            unsaid = _unsaid(state, car)
            if unsaid is not None:
                root.add(Level.WARNING, unsaid, "limits", limit.path, key)


def _named(limit: Limit) -> Iterator[tuple[str, CarState]]:
    """The states of a limit, with the key that names each."""
    yield from (("not_while", state) for state in limit.not_while)
    for state in limit.only_while:
        yield ("gears" if state.path == GEAR else "only_while"), state


def _unsaid(state: CarState, car: SignalMap) -> str | None:
    """Why the car never says so; None where it may."""
    entry = next((one for one in car.entries if one.path == state.path), None)
    if entry is None:
        return f"map.toml reads no {state.path}: the guard will refuse every request"
    if entry.values is None:
        return None
    said = {*entry.values.values(), *([] if entry.otherwise is None else [entry.otherwise])}
    unsaid = [str(value) for value in state.values if value not in said]
    if not unsaid:
        return None
    return f"{state.path} is never {', '.join(unsaid)}; map.toml has {', '.join(map(str, said))}"
