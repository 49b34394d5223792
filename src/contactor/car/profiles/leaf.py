"""What the readers of maps and limits ask of the catalogue, with findings instead of errors.

known_signal("Vehicle.Sped", table)     # None, and "unknown signal 'Vehicle.Sped'; nearest: ..."
"""

from collections.abc import Iterable

from contactor.car.profiles.document import Table
from contactor.errors import InvalidValue, UnknownSignal
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.record import Scalar
from contactor.signals.validation import check_value


def known_signal(path: str, table: Table) -> Signal | None:
    """The signal that `table` is about; None, and an error, where there is none."""
    try:
        return catalogue()[path]
    except UnknownSignal as error:
        table.error(str(error))
        return None


def check_word(signal: Signal, table: Table, key: tuple[str, ...], word: object) -> Scalar | None:
    """`word` in the signal's type; None, and an error at `key`, where the catalogue refuses it."""
    if not isinstance(word, bool | int | float | str):
        table.error(f"{signal.path}: {word!r:.60} is no {signal.datatype}", *key)
        return None
    try:
        value = check_value(signal, word)
    except InvalidValue as error:
        table.error(str(error), *key)
        return None
    return None if isinstance(value, tuple) else value


def check_words(
    signal: Signal, table: Table, key: str, words: Iterable[object]
) -> tuple[Scalar, ...]:
    """Those of `words` that the catalogue allows; an error at `key` for each other one."""
    checked = (check_word(signal, table, (key,), word) for word in words)
    return tuple(value for value in checked if value is not None)
