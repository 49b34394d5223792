"""Where a mapped value comes from: the names in `from`, and their "not available" raw values.

sources = read_sources(table)                           # ("BatteryState.PackVoltage",)
known = known_formats(sources, "from", table, formats)  # the DBC's signal for each, or None
read_unavailable(table, sources, known)                 # ((0x3FF,),)
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from contactor.can.database import Database, SignalFormat
from contactor.car.profiles.document import Table, nearest


class Combine(StrEnum):
    """How several DBC signals make one value."""

    PRODUCT = "product"
    """Of one message, multiplied row by row."""
    LIST = "list"
    """The elements of an array, in order; they may come in different frames."""


def formats_of(database: Database | None) -> Mapping[str, SignalFormat] | None:
    """The signals of the DBC by "Message.Signal"; None where there is no DBC to look into."""
    if database is None:
        return None
    return {
        f"{message.name}.{signal.name}": signal
        for message in database.messages
        for signal in message.signals
    }


def read_sources(table: Table) -> tuple[str, ...]:
    """The DBC signals that `from` names; several say `combine`, a product's are of one message."""
    sources = table.texts("from")
    combine = table.text("combine")
    if not table.has("from"):
        table.error('from is missing; such as from = "BatteryState.PackVoltage"')
    elif combine is not None and combine not in set(Combine):
        table.error(f"combine is {combine!r}; {nearest(combine, Combine, 'allowed')}", "combine")
    elif len(sources) > 1 and combine is None:
        table.error(f'from names {len(sources)} signals: say combine = "product"', "from")
    elif len(sources) == 1 and combine == Combine.PRODUCT:
        table.error("combine needs two signals or more in from", "combine")
    if combine == Combine.LIST:
        for source in sorted({source for source in sources if sources.count(source) > 1}):
            table.error(f"from names {source} twice", "from")
    elif len({source.partition(".")[0] for source in sources}) > 1:
        table.error(f"from {', '.join(sources)}: they are not of one message", "from")
    return sources


def known_formats(
    names: tuple[str, ...], key: str, table: Table, formats: Mapping[str, SignalFormat] | None
) -> tuple[SignalFormat | None, ...]:
    """The DBC's signal for each name; an error for each that it does not have."""
    if formats is None:
        return (None,) * len(names)
    for name in names:
        if name not in formats:
            table.error(f"car.dbc has no signal {name!r}; {nearest(name, formats, 'it has')}", key)
    return tuple(formats.get(name) for name in names)


def read_unavailable(
    table: Table, sources: tuple[str, ...], known: Sequence[SignalFormat | None]
) -> tuple[tuple[int, ...], ...]:
    """For each source its raw values that mean "not available"."""
    value = table.get("unavailable")
    if isinstance(value, dict):
        for name in value:
            if name not in sources:
                hint = nearest(name, sources, "from names")
                table.error(f"unavailable names {name!r}; {hint}", "unavailable", name)
        lists = [value.get(name, []) for name in sources]
    elif value is None:
        lists = [[] for _ in sources]
    elif table.get("combine") == Combine.LIST and _is_integers(value):
        lists = [value for _ in sources]  # the elements are alike
    elif isinstance(table.get("from"), list):
        lists = value if isinstance(value, list) else [value]
    else:
        lists = [value]
    if len(lists) != len(sources) or not all(_is_integers(one) for one in lists):
        if sources:
            form = "[0x3FF]" if len(sources) == 1 else "[[0x3FF], [0x3FF]]"
            table.error(f"unavailable is {value!r:.60}; such as {form}", "unavailable")
        return tuple(() for _ in sources)
    for name, raws, signal in zip(sources, lists, known, strict=True):
        for raw in raws:
            if signal is not None and not has_raw(signal, raw):
                table.error(
                    f"unavailable {raw} does not fit {name}: {raw_range(signal)}", "unavailable"
                )
    return tuple(tuple(raws) for raws in lists)


def _is_integers(value: object) -> bool:
    return isinstance(value, list) and all(type(one) is int for one in value)


def has_raw(signal: SignalFormat, raw: int) -> bool:
    """Whether `raw`, a number or a bit pattern, fits the signal's bits."""
    return -(1 << signal.length >> 1) * signal.is_signed <= raw < 1 << signal.length


def raw_range(signal: SignalFormat) -> str:
    """What the bits of a signal hold, in words."""
    signed = "signed " if signal.is_signed else ""
    low = -(1 << signal.length >> 1) * signal.is_signed
    return f"{signal.length} {signed}bits hold {low}..{(1 << signal.length) - 1}"
