"""What becomes of a mapped number: words, units, scale, range; and how it is stored.

Each reader takes what its key says, or None, and leaves a finding where that cannot be.

    read_unit(signal, table, known)         # "Wh", where the DBC says so and the catalogue says kWh
"""

from collections.abc import Mapping, Sequence

from contactor.can.database import SignalFormat
from contactor.car.profiles.document import Table, nearest
from contactor.car.profiles.entry import Scaling
from contactor.car.profiles.finding import Level
from contactor.car.profiles.leaf import check_word
from contactor.car.profiles.map_source import Combine, has_raw, raw_range
from contactor.errors import InvalidValue
from contactor.signals.catalogue import Signal
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Scalar
from contactor.signals.validation import allowed_text
from contactor.units import conversion, find_unit

SCALING_KEYS = ("scale", "offset", "invert")


def check_type(signal: Signal, table: Table) -> None:
    """Errors for what the signal's type does not allow."""
    if signal.datatype.is_array:
        _check_array(signal, table)
        return
    if table.get("combine") == Combine.LIST:
        table.error(f"{signal.path} is {signal.datatype}: only an array takes a list", "combine")
    needless: tuple[str, ...] = ()
    reason = f"{signal.path} is {signal.datatype}"
    if table.has("values"):
        needless, reason = ("unit", *SCALING_KEYS, "valid"), "values says it all"
    elif signal.datatype.is_text:
        table.error(f'{reason}: it needs values, such as values = {{1 = "ON"}}')
    elif signal.datatype is Datatype.BOOLEAN:
        needless = ("unit", "scale", "offset", "valid")
    elif signal.unit is None:
        needless, reason = ("unit",), f"{signal.path} has no unit"
    for key in needless:
        if table.has(key):
            table.error(f"{key} has no meaning here: {reason}", key)
    if table.has("otherwise") and not table.has("values"):
        table.error("otherwise needs values", "otherwise")


def _check_array(signal: Signal, table: Table) -> None:
    element = signal.datatype.element
    if not (element.is_float or element.is_integer):
        table.error(f"{signal.path} is {signal.datatype}: only arrays of numbers can be mapped")
    elif table.get("combine") != Combine.LIST:
        table.error(f'{signal.path} is {signal.datatype}: say combine = "list"')
    for key in ("values", "otherwise", "mean", *(("unit",) if signal.unit is None else ())):
        if table.has(key):
            table.error(f"{key} has no meaning here: {signal.path} is {signal.datatype}", key)


def check_source(signal: Signal, table: Table, known: Sequence[SignalFormat | None]) -> None:
    """Errors and warnings where the DBC's signal does not suit the type."""
    is_words = table.has("values") or signal.datatype is Datatype.BOOLEAN
    if is_words and len(known) > 1:
        table.error(f"{signal.path} takes one signal: words cannot be multiplied", "from")
    for source in known:
        if source is None:
            continue
        if table.has("values") and source.is_float:
            table.error(f"values needs whole raw values; {source.name} is a float", "values")
        elif is_words and not table.has("values") and source.length > 1:
            table.add(
                Level.WARNING,
                f"{source.name} has {source.length} bits: every raw value but 0 is true; "
                "say values = {0 = false, ...}",
                "from",
            )


def read_values(
    signal: Signal, table: Table, known: Sequence[SignalFormat | None]
) -> Mapping[int, Scalar] | None:
    """Raw value to value, from `values`; None where the key is not there."""
    if not table.has("values") or signal.datatype.is_array:
        return None
    words: dict[int, Scalar] = {}
    inner = table.table("values")
    if not inner.values:
        table.error('values is empty; such as values = {1 = "ON"}', "values")
    for key, word in inner.values.items():
        raw = _raw_key(key)
        if raw is None:
            inner.error(f"values: {key!r} is no raw value; a whole number is", key)
            continue
        source = known[0] if known else None
        if source is not None and not has_raw(source, raw):
            inner.error(f"values: {raw} never comes: {raw_range(source)}", key)
        if raw in words:
            inner.error(f"values: raw value {raw} is there twice", key)
        value = check_word(signal, inner, (key,), word)
        if value is not None:
            words[raw] = value
    return words


def _raw_key(key: str) -> int | None:
    try:
        return int(key, 0)
    except ValueError:
        return None


def read_otherwise(signal: Signal, table: Table) -> Scalar | None:
    """The value of raw values that `values` does not list."""
    if not table.has("otherwise") or signal.datatype.is_array:
        return None
    return check_word(signal, table, ("otherwise",), table.get("otherwise"))


def read_unit(signal: Signal, table: Table, known: Sequence[SignalFormat | None]) -> str | None:
    """The unit to convert from; None where the number is in the catalogue's."""
    if signal.unit is None or find_unit(signal.unit) is None:
        return None
    name, key = table.text("unit"), "unit"
    if name is None:
        key = "from" if table.has("from") else "frame"
        source = known[0] if len(known) == 1 else None
        if source is None:
            return None
        if find_unit(source.unit) is None:
            given = f"its unit {source.unit!r} is not known" if source.unit else "it has no unit"
            level = Level.WARNING if source.unit else Level.NOTE
            table.add(level, f"{source.name}: {given}; taken as {signal.unit}", key)
            return None
        name = source.unit
    try:
        conversion(name, signal.unit)
    except InvalidValue as error:
        table.error(f"{error}; {signal.path} is in {signal.unit}", key)
        return None
    return None if find_unit(name) is find_unit(signal.unit) else name


def read_scaling(table: Table) -> Scaling:
    """What `scale`, `offset` and `invert` do to the physical value."""
    scale, offset = table.number("scale"), table.number("offset")
    if scale == 0:
        table.error("scale is 0: every value would be the same", "scale")
    return Scaling(
        scale=1.0 if scale is None else scale,
        offset=0.0 if offset is None else offset,
        is_inverted=bool(table.flag("invert")),
    )


def read_valid(signal: Signal, table: Table) -> tuple[float, float] | None:
    """The possible values, from `valid`; a warning where the catalogue allows fewer."""
    valid = table.interval("valid")
    if valid is None:
        return None
    low, high = valid
    is_below = signal.minimum is not None and low < signal.minimum
    is_above = signal.maximum is not None and high > signal.maximum
    if is_below or is_above:
        table.add(
            Level.WARNING,
            f"valid [{low:g}, {high:g}] is wider than the catalogue's {allowed_text(signal)}",
            "valid",
        )
    return valid


def read_group(table: Table) -> Group | None:
    """The clock from `group`; None where the catalogue's holds."""
    name = table.text("group")
    if name is None:
        return None
    if name not in set(Group):
        table.error(f"group is {name!r}; {nearest(name, Group, 'allowed')}", "group")
        return None
    return Group(name)


def read_mean(signal: Signal, table: Table) -> bool:
    """Whether the signal is stored as a mean, from `mean` or the catalogue."""
    mean = table.flag("mean")
    if mean and not signal.datatype.is_float:
        table.error(f"mean: {signal.path} is {signal.datatype}, which has no mean", "mean")
    return signal.mean if mean is None else mean
