"""The data types of VSS, and the NumPy column that holds each.

    Datatype("uint8[]").is_array, Datatype("uint8[]").dtype     # (True, dtype('uint8'))

Source: COVESA VSS rule set, "Data types".
"""

from enum import StrEnum

import numpy as np


class Datatype(StrEnum):
    """A VSS data type; `T[]` is an array of T."""

    BOOLEAN = "boolean"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    BOOLEAN_ARRAY = "boolean[]"
    INT8_ARRAY = "int8[]"
    INT16_ARRAY = "int16[]"
    INT32_ARRAY = "int32[]"
    INT64_ARRAY = "int64[]"
    UINT8_ARRAY = "uint8[]"
    UINT16_ARRAY = "uint16[]"
    UINT32_ARRAY = "uint32[]"
    UINT64_ARRAY = "uint64[]"
    FLOAT_ARRAY = "float[]"
    DOUBLE_ARRAY = "double[]"
    STRING_ARRAY = "string[]"

    @property
    def is_array(self) -> bool:
        return _ELEMENTS[self] is not self

    @property
    def element(self) -> "Datatype":
        """The type of one element; of a scalar, the type itself."""
        return _ELEMENTS[self]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The NumPy type of one element; object for strings."""
        return _DTYPES[_ELEMENTS[self]]

    @property
    def is_text(self) -> bool:
        return _ELEMENTS[self] is Datatype.STRING

    @property
    def is_float(self) -> bool:
        return self.element in (Datatype.FLOAT, Datatype.DOUBLE)

    @property
    def is_integer(self) -> bool:
        return self.dtype.kind in "iu"

    @property
    def integer_limits(self) -> tuple[int, int]:
        """The least and greatest value of an integer type."""
        bits = 8 * self.dtype.itemsize
        return (
            (0, 2**bits - 1)
            if self.dtype.kind == "u"
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )


_DTYPES: dict[Datatype, np.dtype[np.generic]] = {
    Datatype.BOOLEAN: np.dtype(np.bool_),
    Datatype.INT8: np.dtype(np.int8),
    Datatype.INT16: np.dtype(np.int16),
    Datatype.INT32: np.dtype(np.int32),
    Datatype.INT64: np.dtype(np.int64),
    Datatype.UINT8: np.dtype(np.uint8),
    Datatype.UINT16: np.dtype(np.uint16),
    Datatype.UINT32: np.dtype(np.uint32),
    Datatype.UINT64: np.dtype(np.uint64),
    Datatype.FLOAT: np.dtype(np.float32),
    Datatype.DOUBLE: np.dtype(np.float64),
    Datatype.STRING: np.dtype(np.object_),
}
_ELEMENTS = {datatype: Datatype(datatype.value.removesuffix("[]")) for datatype in Datatype}
