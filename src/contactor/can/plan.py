"""Decode plans: a database as flat rows that a kernel can walk without knowing databases.

Each message has its signals in one row of tuples, a multiplexer always before what depends on it,
so that decoding is one pass. What cannot be decoded is left out by name, with its reason.

    plan = compile_plan(load_database([path]), signals=["BatteryState.PackCurrent"],
                        unavailable={"BatteryState.PackCurrent": [0x3FF]})
    plan.messages[0].signals[0].first_bit
"""

import difflib
import math
import re
import sys
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from contactor.can.database import (
    ByteOrder,
    Database,
    MessageFormat,
    Number,
    SignalFormat,
    SignalRole,
)
from contactor.errors import InvalidValue, UsageError

if TYPE_CHECKING:
    from contactor.can.columns import Rows

NO_PARENT = -1
WORD_BITS = 64
MULTIPLEXER_LIMIT = 2 ** (WORD_BITS - 1)
FLOAT_BITS = (16, 32, 64)
# An integer up to here is exact in a float64 (IEEE 754, 53 bits of precision).
MAX_EXACT = 2**53
LEAST_LIKENESS = 0.4
COUNTER_ROLES = (SignalRole.COUNTER, SignalRole.COUNTER_FULL)
# How value tables say that there is no value; "invalid" and "error" are states, not silence.
NOT_AVAILABLE = re.compile(
    r"((signal|data|value) )?(not avail(able)?|unavail(able)?)|sna", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SignalPlan:
    """How to take one signal out of payload bytes.

    Fields:
        is_little: byte order.
        first_bit: of a little endian signal, its lowest bit counted from the payload's lowest;
            of a big endian one, its highest bit counted from the payload's first, highest bit.
        length: bits, 1..64.
        bytes_needed: the payload length from which the signal lies wholly inside.
        is_exact: whether raw · scale + offset must be computed in integers to be exact.
        parent: the row of the multiplexer it depends on, `NO_PARENT` where none.
        parent_ids: raw values of the parent with which it is there.
        unavailable: bit patterns that mean "not available".
        is_wanted: False for a multiplexer that is decoded only for what depends on it.
    """

    name: str
    unit: str
    is_little: bool
    first_bit: int
    length: int
    bytes_needed: int
    is_signed: bool
    is_float: bool
    scale: Number
    offset: Number
    is_exact: bool
    parent: int
    parent_ids: tuple[int, ...]
    unavailable: tuple[int, ...]
    labels: Mapping[int, str]
    is_wanted: bool


@dataclass(frozen=True, slots=True)
class Protection:
    """The counter and the checksum of a message's frames, wanted or not.

    Fields:
        counter, checksum: where they lie, None where there is none.
        counter_role, checksum_role: of what kind they are (see checksum.py).
        length: of the message, in bytes.
        data_ids: what the checksum knows the message by; none for its id.
        is_multiplexed: whether one of them is there in some frames alone; then it is not checked.
    """

    counter: SignalPlan | None
    counter_role: SignalRole | None
    checksum: SignalPlan | None
    checksum_role: SignalRole | None
    length: int
    data_ids: tuple[int, ...]
    is_multiplexed: bool


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """One message.

    Fields:
        is_shared_name: another database has a message of that name.
        bus: the bus that it is on alone, None for any.
        is_j1939: whether any id with the same parameter group number carries it (see j1939.py).
        contained: the messages that it carries as a container, each with its `header_id`.
        header_order: the byte order of the header ids.
        protection: its counter and checksum, None where it has neither.
    """

    name: str
    can_id: int
    is_extended: bool
    is_shared_name: bool
    signals: tuple[SignalPlan, ...]
    bus: int | None = None
    is_j1939: bool = False
    contained: tuple["MessagePlan", ...] = ()
    header_id: int | None = None
    header_order: ByteOrder = "big_endian"
    protection: Protection | None = None


def name_in(label: str, names: Container[str]) -> str:
    """The name in a label, which begins with a bus where several databases have that name."""
    return label if label in names else label.partition(":")[2]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A signal that is not decoded, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class DecodePlan:
    """What to decode: the messages, and what was left out; whether signals were chosen."""

    messages: tuple[MessagePlan, ...]
    left_out: tuple[LeftOut, ...]
    is_chosen: bool = False

    def shown(self, rows_of: "Mapping[str, Rows]") -> "Mapping[str, Rows]":
        """The frames by message, without those that carry nothing of what was chosen."""
        if not self.is_chosen:
            return rows_of
        names = {
            message.name
            for message in self.messages
            if any(signal.is_wanted for signal in message.signals)
        }
        return {label: rows for label, rows in rows_of.items() if name_in(label, names) in names}


def compile_plan(
    database: Database,
    *,
    signals: Collection[str] | None = None,
    unavailable: Mapping[str, Collection[int]] | None = None,
    others: Collection[str] = (),
) -> DecodePlan:
    """Compile a database.

    Args:
        database: the messages.
        signals: what to decode, as "Message.Signal", "Message" or "Signal"; None for all. Messages
            stay in the plan without signals, so that their frames are known.
        unavailable: for "Message.Signal" the raw values that mean "not available", as numbers or as
            bit patterns (-1 and 0x3FF are the same of 10 bits). Values that the database itself
            labels so are known without.
        others: names in `signals` that something else knows, if not the database.

    Raises:
        UsageError: a name that the database does not have; the message offers the nearest.
        InvalidValue: a raw value that does not fit its signal.
    """
    declared = unavailable or {}
    wanted = _resolve(database, signals, declared, others)
    left_out: list[LeftOut] = []

    def planned(message: MessageFormat, *, is_shared_name: bool) -> MessagePlan:
        return MessagePlan(
            name=message.name,
            can_id=message.can_id,
            is_extended=message.is_extended,
            is_shared_name=is_shared_name,
            signals=_signal_plans(message, wanted, declared, left_out),
            bus=message.bus,
            is_j1939=message.is_j1939,
            contained=tuple(
                planned(inner, is_shared_name=is_shared_name) for inner in message.contained
            ),
            header_id=message.header_id,
            header_order=message.header_order,
            protection=_protection(message),
        )

    messages = tuple(
        planned(message, is_shared_name=message.name in database.shared_names)
        for message in database.messages
    )
    return DecodePlan(messages, tuple(left_out), is_chosen=signals is not None)


def _resolve(
    database: Database,
    signals: Collection[str] | None,
    declared: Collection[str],
    others: Collection[str],
) -> frozenset[str] | None:
    """The full names of the signals asked for, None for all."""
    names: dict[str, set[str]] = {}
    for message in database.messages:
        for carried in (message, *message.contained):
            for signal in carried.signals:
                full = f"{carried.name}.{signal.name}"
                for name in (full, message.name, carried.name, signal.name):
                    names.setdefault(name, set()).add(full)
    for name in (*(signals or ()), *declared):
        if name not in names and name not in others:
            near = _nearest(name, {*names, *others})
            hint = f"; near: {', '.join(near)}" if near else ""
            raise UsageError(f"the database has no signal {name!r}{hint}")
    if signals is None:
        return None
    return frozenset().union(*(names.get(name, ()) for name in signals))


def _nearest(name: str, names: Collection[str]) -> list[str]:
    by_lower = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=LEAST_LIKENESS)
    return [by_lower[lower] for lower in near]


def _signal_plans(
    message: MessageFormat,
    wanted: frozenset[str] | None,
    declared: Mapping[str, Collection[int]],
    left_out: list[LeftOut],
) -> tuple[SignalPlan, ...]:
    """The wanted signals of one message and the multiplexers above them, parents first."""
    ordered = _parents_first(message, left_out)
    needed = {
        above
        for signal in ordered
        if wanted is None or f"{message.name}.{signal.name}" in wanted
        for above in _with_parents(signal, ordered)
    }
    rows: dict[str, int] = {}
    plans: list[SignalPlan] = []
    for signal in ordered:
        if signal.name not in needed:
            continue
        name = f"{message.name}.{signal.name}"
        rows.setdefault(signal.name, len(plans))
        plans.append(
            _signal_plan(
                signal,
                parent=NO_PARENT if signal.multiplexer is None else rows[signal.multiplexer],
                unavailable=_unavailable(
                    name, signal, declared.get(name, ()), is_j1939=message.is_j1939
                ),
                is_wanted=wanted is None or name in wanted,
            )
        )
    return tuple(plans)


def _parents_first(message: MessageFormat, left_out: list[LeftOut]) -> list[SignalFormat]:
    """The signals that can be decoded, each after its multiplexer."""
    ordered: list[SignalFormat] = []
    known: set[str | None] = {None}
    waiting = list(message.signals)
    while ready := [signal for signal in waiting if signal.multiplexer in known]:
        waiting = [signal for signal in waiting if signal.multiplexer not in known]
        for signal in ready:
            if reason := _obstacle(signal):
                left_out.append(LeftOut(f"{message.name}.{signal.name}", reason))
            else:
                ordered.append(signal)
                known.add(signal.name)
    left_out += [
        LeftOut(
            f"{message.name}.{signal.name}", f"its multiplexer {signal.multiplexer} is not there"
        )
        for signal in waiting
    ]
    return ordered


def _obstacle(signal: SignalFormat) -> str | None:
    """Why a signal cannot be decoded, or None."""
    if signal.start < 0 or signal.length < 1:
        return f"{signal.length} bits from bit {signal.start} on lie in no payload"
    if signal.length > WORD_BITS:
        return f"{signal.length} bits do not fit a number of {WORD_BITS}"
    if signal.is_float and signal.length not in FLOAT_BITS:
        return f"no IEEE 754 number has {signal.length} bits"
    if not signal.is_float and _largest(signal) > sys.float_info.max:
        return "its values are beyond the largest float64"
    return None


def _with_parents(signal: SignalFormat, ordered: Sequence[SignalFormat]) -> Iterator[str]:
    """A signal's name and those of the multiplexers it depends on."""
    # Of two with one name the first is the multiplexer, which so stands before all that it carries.
    by_name = {known.name: known for known in reversed(ordered)}
    name: str | None = signal.name
    while name is not None:
        yield name
        name = by_name[name].multiplexer


def _signal_plan(
    signal: SignalFormat, *, parent: int, unavailable: tuple[int, ...], is_wanted: bool
) -> SignalPlan:
    is_little = signal.byte_order == "little_endian"
    first_bit = signal.start if is_little else 8 * (signal.start // 8) + 7 - signal.start % 8
    return SignalPlan(
        name=signal.name,
        unit=signal.unit,
        is_little=is_little,
        first_bit=first_bit,
        length=signal.length,
        bytes_needed=-(-(first_bit + signal.length) // 8),
        is_signed=signal.is_signed,
        is_float=signal.is_float,
        scale=signal.scale,
        offset=signal.offset,
        is_exact=_needs_integers(signal),
        parent=parent,
        # No multiplexer has a value that does not fit: the signal is never there.
        parent_ids=tuple(
            one for one in signal.multiplexer_ids if -MULTIPLEXER_LIMIT <= one < MULTIPLEXER_LIMIT
        ),
        unavailable=unavailable,
        labels=signal.labels,
        is_wanted=is_wanted,
    )


def _protection(message: MessageFormat) -> Protection | None:
    """The counter and the checksum that the database names, the first of each."""
    counter = next((s for s in message.signals if s.role in COUNTER_ROLES), None)
    checksum = next((s for s in message.signals if s.role and s.role not in COUNTER_ROLES), None)
    if counter is None and checksum is None:
        return None

    def planned(signal: SignalFormat | None) -> SignalPlan | None:
        if signal is None or _obstacle(signal) or signal.is_float or signal.multiplexer:
            return None
        unsigned = replace(signal, is_signed=False)
        return _signal_plan(unsigned, parent=NO_PARENT, unavailable=(), is_wanted=False)

    return Protection(
        counter=planned(counter),
        counter_role=counter.role if counter else None,
        checksum=planned(checksum),
        checksum_role=checksum.role if checksum else None,
        length=message.length,
        data_ids=message.data_ids,
        is_multiplexed=any(one and one.multiplexer for one in (counter, checksum)),
    )


def _needs_integers(signal: SignalFormat) -> bool:
    """Whether raw · scale can leave the range in which a float64 holds every integer."""
    if signal.is_float or isinstance(signal.scale, float):
        return False
    is_identity = signal.scale == 1 and signal.offset == 0
    return not is_identity and _largest(signal) > MAX_EXACT


def _largest(signal: SignalFormat) -> Number:
    try:
        return (1 << signal.length) * abs(signal.scale) + abs(signal.offset)
    except OverflowError:  # a whole number that no float64 is near, beside one with a fraction
        return math.inf


def _unavailable(
    name: str, signal: SignalFormat, declared: Collection[int], *, is_j1939: bool
) -> tuple[int, ...]:
    """The bit patterns that mean "not available"."""
    lowest, beyond = -(1 << signal.length >> 1), 1 << signal.length
    for raw in declared:
        if not lowest <= raw < beyond:
            raise InvalidValue(
                f"unavailable raw value {raw} does not fit {signal.length} bits: {name}"
            )
    labelled = (
        raw
        for raw, text in signal.labels.items()
        if NOT_AVAILABLE.fullmatch(text.replace("_", " ").strip()) and lowest <= raw < beyond
    )
    ones = (beyond - 1,) if is_j1939 and _is_all_ones_out_of_range(signal) else ()
    return tuple(sorted({raw & (beyond - 1) for raw in (*declared, *labelled, *ones)}))


def _is_all_ones_out_of_range(signal: SignalFormat) -> bool:
    """Whether a J1939 signal keeps its highest number for "not available", as the database says.

    All bits set means so for a parameter with a range, not for counts, texts or flags (SAE
    J1939-71, 5.1.4): the range that the database states has to end below, and no label to stand
    there.
    """
    highest = (1 << signal.length) - 1
    if signal.is_float or signal.is_signed or signal.length == 1 or highest in signal.labels:
        return False
    if signal.maximum is None or signal.scale <= 0:
        return False
    return highest * signal.scale + signal.offset > signal.maximum
