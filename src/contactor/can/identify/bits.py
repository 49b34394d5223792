"""Fields of bits in payloads, and their names in a DBC.

field = Field(byte=6, shift=0, length=2)
field.of(payloads)                  # int64 (n,)
field.name()                        # "48|2@1+"
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Payloads = NDArray[np.uint8]
Values = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Field:
    """Bits of a payload as a number.

    Fields:
        byte: the one that holds the lowest bit.
        shift: of the lowest bit in it.
        length: bits, 1..32.
        is_little: whether higher bits lie in later bytes, not in earlier ones.
    """

    byte: int
    shift: int
    length: int
    is_little: bool = True
    is_signed: bool = False

    def bytes_of(self) -> range:
        """The bytes it touches, ascending."""
        more = (self.shift + self.length - 1) // 8
        return (
            range(self.byte, self.byte + more + 1)
            if self.is_little
            else range(self.byte - more, self.byte + 1)
        )

    def bits(self) -> set[tuple[int, int]]:
        """Its bits as (byte, bit of the byte)."""
        way = 1 if self.is_little else -1
        places = range(self.shift, self.shift + self.length)
        return {(self.byte + way * (place // 8), place % 8) for place in places}

    def top(self) -> tuple[int, int]:
        """Its highest bit as (byte, bit of the byte)."""
        way = 1 if self.is_little else -1
        place = self.shift + self.length - 1
        return self.byte + way * (place // 8), place % 8

    def of(self, payloads: Payloads) -> Values:
        """The number in each payload (n, w): int64 (n,)."""
        touched = self.bytes_of()
        values = np.zeros(len(payloads), np.int64)
        for byte in reversed(touched) if self.is_little else touched:
            values = values << 8 | payloads[:, byte]
        values = values >> self.shift & ((1 << self.length) - 1)
        if self.is_signed:
            values -= (values >> (self.length - 1)) << self.length
        return values

    def name(self) -> str:
        """As a DBC writes it: `START|LENGTH@ORDER` and the sign."""
        if self.is_little:
            start = self.byte * 8 + self.shift
        else:
            byte, bit = self.top()
            start = byte * 8 + bit
        sign = "-" if self.is_signed else "+"
        return f"{start}|{self.length}@{int(self.is_little)}{sign}"
