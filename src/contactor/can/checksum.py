"""Counter and checksum of protected frames: AUTOSAR end-to-end protection, Profile 1.

    checksum = CRC with x^8 + x^4 + x^3 + x^2 + 1 (SAE J1850's polynomial), begun with 0, not turned
               over: [id, low byte] [id, high byte] [every payload byte but its own, first to last]
    counter  = 0, 1, ... 14, 0: 15 is never sent

    Checksum(0x110, length=8, at_byte=0).of(payloads)       # uint8 (n,)

Source: AUTOSAR, "Specification of SW-C End-to-End Communication Protection Library", Profile 1:
polynomial and start value SWS_E2E_00083, both bytes of the data id SWS_E2E_00163, the counter
SWS_E2E_00075. Our data id is the CAN id.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x1D
"""SAE J1850, x^8 left out."""
COUNTS = 15
"""How many values the counter takes: 0..14."""


class Checksum:
    """The checksum of one message's payloads.

    A CRC that begins with 0 is linear over its bytes, so that each byte's share can be looked up by
    its place, and the shares be added (exclusive or).

    Args:
        can_id: the data id; its low 16 bits count.
        length: of the payloads, in bytes.
        at_byte: where the checksum stands.
    """

    def __init__(self, can_id: int, *, length: int, at_byte: int) -> None:
        after = [length - 1 - byte - (byte < at_byte) for byte in range(length)]
        shares = np.stack([_share(count) for count in after])
        shares[at_byte] = 0
        self.at_byte = at_byte
        self._places = np.arange(length)
        self._shares = shares
        low, high = can_id & 0xFF, can_id >> 8 & 0xFF
        self._of_id = int(_share(length)[low] ^ _share(length - 1)[high])

    def of(self, payloads: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The checksum of each payload (n, length), whatever stands in its place: uint8 (n,)."""
        shares = self._shares[self._places, payloads]
        sums: NDArray[np.uint8] = np.bitwise_xor.reduce(shares, axis=1) ^ np.uint8(self._of_id)
        return sums


@cache
def _share(bytes_after: int) -> NDArray[np.uint8]:
    """What each value of a byte adds to a CRC of `bytes_after` more bytes: uint8 (256,)."""
    table = np.array([_divided(value) for value in range(256)], np.uint8)
    share = table
    for _ in range(bytes_after):
        share = table[share]
    return share


def _divided(value: int) -> int:
    for _ in range(8):
        value = (value << 1) ^ (POLYNOMIAL if value & 0x80 else 0)
    return value & 0xFF
