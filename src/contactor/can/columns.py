"""Columns of decoded readings: what the engine gives.

    column = columns[0]
    column.name, column.values.max()         # ("BatteryState.PackVoltage", 393.5)
    frames.ts[column.rows]                   # when

What few ask for (raw numbers, rows, what is unavailable) may be worked out when it is asked for.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Raw: TypeAlias = NDArray[np.int64] | NDArray[np.uint64] | NDArray[np.float64]
Rows: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]
Values: TypeAlias = NDArray[np.float64]
LabelCodes: TypeAlias = tuple[NDArray[np.int32], list[str]]
Thing = TypeVar("Thing")

INT64, UINT64 = (-(2**63), 2**63 - 1), (0, 2**64 - 1)


class Later(Generic[Thing]):
    """A value that is made when it is first asked for, by whoever of several shares it."""

    __slots__ = ("_make", "_value")

    def __init__(self, make: Callable[[], Thing]) -> None:
        self._make: Callable[[], Thing] | None = make
        self._value: Thing | None = None

    def get(self) -> Thing:
        """The value."""
        make = self._make
        if make is not None:
            self._value = make()
            self._make = None
        return self._value  # type: ignore[return-value]


class SignalColumn:
    """All readings of one signal.

    Attributes:
        message, signal: names; of a name in two databases the message is prefixed `bus:`.
        unit: as in the database.
        values: float64 (k,), physical.
        labels: raw value to text; of a signal of two databases what both say.
    """

    __slots__ = (
        "_codes",
        "_is_unavailable",
        "_raw",
        "_rows",
        "labels",
        "message",
        "signal",
        "unit",
        "values",
    )

    def __init__(
        self,
        *,
        message: str,
        signal: str,
        unit: str,
        rows: Rows | Later[Rows],
        raw: Raw | Later[Raw],
        values: Values,
        is_unavailable: Mask | None,
        labels: Mapping[int, str],
        codes: "Later[LabelCodes] | None" = None,
    ) -> None:
        self.message = message
        self.signal = signal
        self.unit = unit
        self.values = values
        self.labels = labels
        self._rows = rows
        self._raw = raw
        self._is_unavailable = is_unavailable
        self._codes = codes

    @property
    def name(self) -> str:
        """`Message.Signal`."""
        return f"{self.message}.{self.signal}"

    @property
    def rows(self) -> Rows:
        """int64 (k,), the rows of the frame table, ascending."""
        return self._rows.get() if isinstance(self._rows, Later) else self._rows

    @property
    def raw(self) -> Raw:
        """int64, uint64 or float64 (k,), as it lies in the payload."""
        return self._raw.get() if isinstance(self._raw, Later) else self._raw

    @property
    def is_unavailable(self) -> Mask:
        """bool (k,), the car itself marked the value "not available".

        So is a float that is no finite number.
        """
        if self._is_unavailable is None:
            return np.broadcast_to(np.False_, self.values.shape)
        return self._is_unavailable

    @property
    def marks(self) -> Mask | None:
        """What is unavailable; None where it is known that nothing is."""
        return self._is_unavailable

    @property
    def available(self) -> Values:
        """The values without those that are not available."""
        return self.values if self._is_unavailable is None else self.values[~self._is_unavailable]

    @property
    def unavailable_count(self) -> int:
        """How many values are not available."""
        return 0 if self._is_unavailable is None else int(self._is_unavailable.sum())

    @property
    def has_texts(self) -> bool:
        """Whether a reading may have a text."""
        return bool(self.labels) or self._codes is not None

    @property
    def label_codes(self) -> "LabelCodes":
        """For each reading the number of its text, and the texts from number 1 on; 0 is none."""
        if self._codes is None:
            self._codes = Later(lambda: _label_codes(self.raw, self.labels))
        return self._codes.get()

    def moved(self, rows: int) -> "SignalColumn":
        """The same readings of a table in which `rows` other frames come first."""
        return SignalColumn(
            message=self.message,
            signal=self.signal,
            unit=self.unit,
            rows=Later(lambda: self.rows + rows),
            raw=self._raw,
            values=self.values,
            is_unavailable=self._is_unavailable,
            labels=self.labels,
            codes=self._codes,
        )


def merged(columns: Iterable[SignalColumn]) -> list[SignalColumn]:
    """One column per name: a name defined twice in a message, or two messages of one name."""
    by_name: dict[str, list[SignalColumn]] = {}
    for column in columns:
        by_name.setdefault(column.name, []).append(column)
    return [same[0] if len(same) == 1 else _joined(same) for same in by_name.values()]


def _joined(columns: list[SignalColumn]) -> SignalColumn:
    """The readings of several columns of one name in the order of rows."""
    rows = np.concatenate([column.rows for column in columns])
    order = np.argsort(rows, kind="stable")
    return SignalColumn(
        message=columns[0].message,
        signal=columns[0].signal,
        unit=columns[0].unit,
        rows=rows[order],
        raw=Later(lambda: np.concatenate([column.raw for column in columns])[order]),
        values=np.concatenate([column.values for column in columns])[order],
        is_unavailable=np.concatenate([column.is_unavailable for column in columns])[order],
        labels=_agreed_labels(columns),
        codes=Later(lambda: _in_order(joined_codes(columns), order)),
    )


def joined_codes(columns: Iterable[SignalColumn]) -> LabelCodes:
    """The `label_codes` of several columns one after another."""
    codes: list[NDArray[np.int32]] = []
    texts: list[str] = []
    for column in columns:
        if not column.has_texts:
            codes.append(np.zeros(len(column.values), np.int32))
            continue
        own, own_texts = column.label_codes
        codes.append(np.where(own > 0, own + len(texts), 0).astype(np.int32))
        texts += own_texts
    return np.concatenate(codes), texts


def _in_order(codes: LabelCodes, order: Rows) -> LabelCodes:
    return codes[0][order], codes[1]


def _agreed_labels(columns: Sequence[SignalColumn]) -> dict[int, str]:
    """The texts that all say: columns of one name may come from two databases."""
    texts: dict[int, set[str | None]] = {}
    for raw in {raw for column in columns for raw in column.labels}:
        texts[raw] = {column.labels.get(raw) for column in columns}
    return {raw: text for raw, (text, *others) in texts.items() if text is not None and not others}


def _label_codes(raw: Raw, labels: Mapping[int, str]) -> LabelCodes:
    known: list[int] = []
    if labels:
        least, most = UINT64 if raw.dtype == np.uint64 else INT64
        known = sorted(number for number in labels if least <= number <= most)
    if not known:
        return np.zeros(len(raw), np.int32), []
    keys = np.array(known).astype(raw.dtype)
    places = np.minimum(np.searchsorted(keys, raw), len(keys) - 1)
    codes = np.where(keys[places] == raw, places + 1, 0).astype(np.int32)
    return codes, [labels[number] for number in known]
