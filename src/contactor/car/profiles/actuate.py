"""The frame that asks a car for something: the reverse of reading one.

In a command frame, a field whose bits are all ones asks for nothing; so all but the one are left.

    frames = encode_actuator(profile.database, entry, True, counter=3)      # a table of one frame
"""

import numpy as np

from contactor.can.database import Database
from contactor.can.encode import MessageEncoder
from contactor.can.frames import FrameTable
from contactor.can.plan import NO_PARENT
from contactor.car.profiles.entry import ActuatorEntry
from contactor.errors import InvalidValue
from contactor.signals.record import Scalar
from contactor.units import convert


def encode_actuator(
    database: Database,
    entry: ActuatorEntry,
    value: Scalar,
    *,
    counter: int = 0,
    ts: int = 0,
    bus: int = 0,
) -> FrameTable:
    """The frame that asks for `value`.

    Args:
        database: the profile's.
        entry: the actuator, from the profile's map.
        value: of the signal's type, in the catalogue's unit.
        counter: how many frames of this message were sent before; it must go on from one to the
            next, for a car ignores a frame whose count it has just seen.
        ts: ns UTC.

    Raises:
        InvalidValue: a word without a raw value, or a number that the frame cannot hold.
    """
    message_name, _, signal_name = entry.frame.partition(".")
    encoder = MessageEncoder(database.message(message_name))
    ones = [[(1 << signal.length) - 1 for signal in encoder.signals]]
    patterns = np.array(ones, np.uint64).reshape(1, -1)
    place = encoder.place(signal_name)
    signal = encoder.signals[place]
    raw = _listed(entry, value)
    if raw is None:
        patterns[:, place] = encoder.patterns_of(signal_name, np.array([_physical(entry, value)]))
    else:
        patterns[:, place] = raw & ((1 << signal.length) - 1)
    while signal.parent != NO_PARENT:
        patterns[:, signal.parent] = signal.parent_ids[0]
        signal = encoder.signals[signal.parent]
    payload = encoder.payloads(patterns, first_count=counter)[0].tobytes()
    return FrameTable.of(
        ts=[ts],
        can_id=[encoder.message.can_id],
        data=[payload],
        is_extended=encoder.message.is_extended,
        bus=bus,
    )


def _listed(entry: ActuatorEntry, value: Scalar) -> int | None:
    """The raw value of a word; None where the entry has numbers."""
    if not entry.values:
        return None
    for known, raw in entry.values.items():
        if known == value and isinstance(known, bool) == isinstance(value, bool):
            return raw
    allowed = ", ".join(str(known) for known in entry.values)
    raise InvalidValue(f"{entry.path}: {value!r} cannot be asked for; allowed: {allowed}")


def _physical(entry: ActuatorEntry, value: Scalar) -> float:
    """The number that the frame holds, from the catalogue's."""
    if isinstance(value, str):
        raise InvalidValue(f"{entry.path}: {value!r} is no {entry.signal.datatype}")
    if isinstance(value, bool):
        return float(value != entry.scaling.is_inverted)
    number = float(value)
    if entry.unit is not None and entry.signal.unit is not None:
        number = float(convert(np.array([number]), entry.signal.unit, entry.unit)[0])
    if entry.scaling.is_inverted:
        number = -number
    return (number - entry.scaling.offset) / entry.scaling.scale
