"""What values mean: each is checked against its signal in the catalogue.

Pure and vectorised: a column is checked as a whole, not value by value.

    check_value(catalogue()["Vehicle.Speed"], 41.5)     # 41.5
    check_rows(rows)                                    # raises InvalidValue naming path and value
"""

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue, UnknownSignal
from contactor.signals.catalogue import Signal, catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.record import Column, Rows, Scalar, State, Value
from contactor.signals.wire.limits import MAX_TEXT_CHARACTERS

MAX_ARRAY_ELEMENTS = 4_096


def check_value(signal: Signal, value: Value) -> Value:
    """`value` in the signal's own type.

    Raises:
        InvalidValue: it has another type, or lies outside the range or the allowed words.
    """
    if signal.datatype.is_array:
        if isinstance(value, bool | int | float | str):
            raise InvalidValue(f"{signal.path}: {value!r} is no array of {signal.datatype.element}")
        return tuple(_check_scalar(signal, element) for element in value)
    if not isinstance(value, bool | int | float | str):
        raise InvalidValue(f"{signal.path}: {value!r} is no {signal.datatype}")
    return _check_scalar(signal, value)


def _check_scalar(signal: Signal, value: Scalar) -> Scalar:
    element = signal.datatype.element
    if not _has_type(element, value):
        raise InvalidValue(f"{signal.path}: {value!r} is no {element}")
    try:
        with np.errstate(over="ignore"):  # what a float cannot hold is infinite in it, so refused
            cells = np.array([value], element.dtype if element.is_float else np.object_)
    except OverflowError as error:
        raise InvalidValue(f"{signal.path}: {value!r:.60} is not {allowed_text(signal)}") from error
    if element.is_integer:
        low, high = element.integer_limits
        if not low <= int(value) <= high:
            raise InvalidValue(f"{signal.path}: {value} is outside {low}..{high}")
    wrong = refused_elements(signal, cells)
    if wrong[0]:
        raise InvalidValue(f"{signal.path}: {value!r} is not {allowed_text(signal)}")
    return value if not element.is_float else float(value)


def _has_type(element: Datatype, value: Scalar) -> bool:
    if element.is_text:
        return isinstance(value, str)
    if element is Datatype.BOOLEAN:
        return isinstance(value, bool)
    if isinstance(value, bool | str):
        return False
    return element.is_float or isinstance(value, int)


def refused_elements(signal: Signal, elements: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which of `elements` (n,) are not finite, out of range or not allowed words: bool (n,)."""
    if signal.datatype.is_text:
        return _refused_texts(signal, elements)
    numbers = elements.astype(np.float64)
    wrong = ~np.isfinite(numbers)
    if signal.minimum is not None:
        wrong |= numbers < signal.minimum
    if signal.maximum is not None:
        wrong |= numbers > signal.maximum
    return wrong


def _refused_texts(signal: Signal, elements: NDArray[np.generic]) -> NDArray[np.bool_]:
    texts: list[str] = elements.tolist()
    refused = {
        text
        for text in set(texts)
        if len(text) > MAX_TEXT_CHARACTERS or (signal.allowed and text not in signal.allowed)
    }
    return np.array([text in refused for text in texts], np.bool_)


def allowed_text(signal: Signal) -> str:
    """What the signal allows, in words, for an error message."""
    if signal.allowed:
        return f"one of {', '.join(signal.allowed)}"
    low = "-inf" if signal.minimum is None else f"{signal.minimum:g}"
    high = "inf" if signal.maximum is None else f"{signal.maximum:g}"
    return f"a finite {signal.datatype.element} in {low}..{high}"


def check_rows(rows: Rows) -> None:
    """Check every column of `rows` against the catalogue.

    Raises:
        InvalidValue: a path is unknown, has another type, or a value is not allowed.
    """
    for column in rows.columns:
        try:
            signal = catalogue()[column.path]
        except UnknownSignal as error:
            raise InvalidValue(str(error)) from error
        check_column(signal, column)


def check_column(signal: Signal, column: Column) -> None:
    """Check the VALID cells of `column` against `signal`.

    Raises:
        InvalidValue: naming the path, the first wrong value and what is allowed.
    """
    if column.datatype is not signal.datatype:
        raise InvalidValue(f"{signal.path}: sent as {column.datatype}; it is {signal.datatype}")
    cells = column.values[column.state == State.VALID]
    if signal.datatype.is_array:
        longest = max((len(cell) for cell in cells), default=0)
        if longest > MAX_ARRAY_ELEMENTS:
            raise InvalidValue(
                f"{signal.path}: array of {longest}; the limit is {MAX_ARRAY_ELEMENTS}"
            )
        cells = np.array([element for cell in cells for element in cell], signal.datatype.dtype)
    wrong = refused_elements(signal, cells)
    if wrong.any():
        value = cells[wrong][0]
        raise InvalidValue(f"{signal.path}: {value!s:.60} is not {allowed_text(signal)}")
