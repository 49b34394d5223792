"""Counters and checksums of protected frames: how each kind is worked out.

    kind            what is summed, in this order                   with
    crc8_j1850      id low, id high, every payload byte but its own  1D, from 00
    crc8_sae_j1850  every payload byte but its own                   1D, from FF, combined with FF
    crc8_h2f        every payload byte but its own                   2F, from FF, combined with FF
    e2e_p2          the same, and the data id of the count           2F, from FF, combined with FF
    e2e_p5          the same, id low, id high                        1021 (16 bits), from FFFF
    xor8, sum8      every payload byte but its own                   exclusive or; modulo 256

    counter         0, 1, ... 14, 0: 15 is never sent
    counter_full    0 to the most that its bits hold, and again

    Checksum(0x110, length=8, at_byte=0).of(payloads)       # uint8 (n,)

The data id is what the database says, else the CAN id. Source: AUTOSAR, "Specification of SW-C
End-to-End Communication Protection Library", Profile 1 (crc8_j1850: polynomial and start value
SWS_E2E_00083, both bytes of the data id SWS_E2E_00163, the counter SWS_E2E_00075), Profile 2
(CRC in the first byte, counter in the low half of the second) and Profile 5; AUTOSAR,
"Specification of CRC Routines", 7.2: CRC8, CRC8H2F and CRC16 with their check values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contactor.can.database import SignalRole
from contactor.can.kernels import are_wanted
from contactor.can.plan import Protection, SignalPlan
from contactor.errors import InvalidValue

COUNTS = 15
"""How many values the counter takes: 0..14."""
ID_COUNT_P2 = 16
COUNTER_BYTE_P2, COUNTER_MASK_P2 = 1, 0x0F
BYTE_BITS = 8

Payloads: TypeAlias = NDArray[np.uint8]
Sums: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class ChecksumKind:
    """One way to sum.

    Fields:
        bits: of the sum.
        polynomial: its highest term left out; 0 where bytes are just added or combined.
        start, final: what the sum begins with, and what it is combined with at the end.
        ids: where the data id comes in: "before" or "after" all bytes, "counted" (one of 16, by
            the counter, after), or None.
        is_sum: whether bytes are added.
    """

    bits: int
    polynomial: int
    start: int = 0
    final: int = 0
    ids: str | None = None
    is_sum: bool = False


KINDS = {
    SignalRole.CRC8_J1850: ChecksumKind(8, 0x1D, ids="before"),
    SignalRole.CRC8_SAE_J1850: ChecksumKind(8, 0x1D, start=0xFF, final=0xFF),
    SignalRole.CRC8_H2F: ChecksumKind(8, 0x2F, start=0xFF, final=0xFF),
    SignalRole.E2E_P2: ChecksumKind(8, 0x2F, start=0xFF, final=0xFF, ids="counted"),
    SignalRole.E2E_P5: ChecksumKind(16, 0x1021, start=0xFFFF, ids="after"),
    SignalRole.XOR8: ChecksumKind(8, 0),
    SignalRole.SUM8: ChecksumKind(8, 0, is_sum=True),
}


def counts_of(role: SignalRole, bits: int) -> int | None:
    """How many values a counter of some bits takes, None where the role is no counter."""
    if role is SignalRole.COUNTER:
        return min(COUNTS, 1 << bits)
    return 1 << bits if role is SignalRole.COUNTER_FULL else None


def checksum_of(can_id: int, protection: Protection, signal: SignalPlan) -> "Checksum":
    """How a message's checksum is worked out.

    Raises:
        InvalidValue: it does not lie in whole bytes of the message, or lacks its data ids.
    """
    assert protection.checksum_role is not None
    bits = KINDS[protection.checksum_role].bits
    if signal.length != bits or signal.first_bit % BYTE_BITS:
        size = bits // BYTE_BITS
        raise InvalidValue(f"{signal.name}: a checksum is {size} whole byte{'s'[: size - 1]}")
    return Checksum(
        can_id,
        length=protection.length,
        at_byte=signal.first_bit // BYTE_BITS,
        role=protection.checksum_role,
        is_little=signal.is_little,
        data_ids=protection.data_ids,
    )


class Checksum:
    """The checksum of one message's payloads.

    A CRC is linear over its bytes but for a constant, so that each byte's share can be looked up by
    its place, and the shares be added (exclusive or).

    Args:
        can_id: the data id where no other is given; its low 16 bits count.
        length: of the payloads, in bytes.
        at_byte: where the checksum stands, its first byte.
        role: its kind.
        is_little: the byte order of a sum of 16 bits.
        data_ids: one, or for Profile 2 sixteen, one for each count.

    Raises:
        InvalidValue: the message has no place for it, or Profile 2 without its sixteen data ids.
    """

    def __init__(
        self,
        can_id: int,
        *,
        length: int,
        at_byte: int,
        role: SignalRole = SignalRole.CRC8_J1850,
        is_little: bool = True,
        data_ids: Sequence[int] = (),
    ) -> None:
        kind = KINDS[role]
        size = kind.bits // BYTE_BITS
        if at_byte + size > length:
            raise InvalidValue(f"a checksum at byte {at_byte} does not fit {length} bytes")
        if kind.ids == "counted" and len(data_ids) != ID_COUNT_P2:
            raise InvalidValue(f"{role} needs {ID_COUNT_P2} data ids, there are {len(data_ids)}")
        if kind.ids == "counted" and (length <= COUNTER_BYTE_P2 or at_byte == COUNTER_BYTE_P2):
            raise InvalidValue(f"{role} has its counter in the second byte, which is not there")
        self.at_byte, self.size = at_byte, size
        self._kind, self._is_little = kind, is_little
        self._own = range(at_byte, at_byte + size)
        self._places = np.arange(length)
        trailing = {"after": 2, "counted": 1}.get(kind.ids or "", 0)
        covered = [byte for byte in range(length) if byte not in self._own]
        shares = np.zeros((length, 256), np.uint16)
        for number, byte in enumerate(covered):
            shares[byte] = self._share(len(covered) - 1 - number + trailing)
        self._shares = shares
        self._rows = shares.tolist()
        data_id = data_ids[0] if data_ids else can_id
        low, high = data_id & 0xFF, data_id >> 8 & 0xFF
        constant = kind.final
        if kind.ids == "before":
            constant ^= self._begun(len(covered) + 2)
            constant ^= int(self._share(len(covered) + 1)[low] ^ self._share(len(covered))[high])
        elif kind.ids == "after":
            constant ^= self._begun(len(covered) + 2)
            constant ^= int(self._share(1)[low] ^ self._share(0)[high])
        else:
            constant ^= self._begun(len(covered) + trailing)
        self._constant = np.uint16(constant)
        self._by_count = (
            self._share(0)[np.array(data_ids, np.int64) & 0xFF] if kind.ids == "counted" else None
        )

    def of(self, payloads: Payloads) -> Sums:
        """The checksum of each payload (n, length), whatever stands in its place: (n,)."""
        sums = self._sums(payloads)
        if self._by_count is not None:
            sums ^= self._by_count[payloads[:, COUNTER_BYTE_P2] & COUNTER_MASK_P2]
        return sums.astype(np.uint8) if self.size == 1 else sums

    def _sums(self, payloads: Payloads) -> NDArray[np.uint16]:
        """The sums but for the data id of a count."""
        if are_wanted(len(payloads)):
            from contactor.can.kernels.encode import sum_up

            sums = np.empty(len(payloads), np.uint16)
            whole = np.ascontiguousarray(payloads)
            sum_up(whole, self._shares, self._constant, self._kind.is_sum, sums)
            return sums
        shares = self._shares[self._places, payloads]
        if self._kind.is_sum:
            return np.asarray(shares.sum(axis=1) & 0xFF, np.uint16)
        combined: NDArray[np.uint16] = np.bitwise_xor.reduce(shares, axis=1) ^ self._constant
        return combined

    def read(self, payloads: Payloads) -> Sums:
        """What the payloads (n, length) say that it is."""
        if self.size == 1:
            return payloads[:, self.at_byte]
        first, second = (payloads[:, byte].astype(np.uint16) for byte in self._own)
        low, high = (first, second) if self._is_little else (second, first)
        sums: NDArray[np.uint16] = low | high << np.uint16(BYTE_BITS)
        return sums

    def write(self, payloads: Payloads) -> None:
        """Put the checksum of each payload (n, length) in its place."""
        sums = self.of(payloads)
        for byte in self._own:
            place = byte - self.at_byte if self._is_little else self.size - 1 - byte + self.at_byte
            payloads[:, byte] = (sums >> np.uint8(BYTE_BITS * place)) & 0xFF

    def write_one(self, payload: bytearray) -> None:
        """The same for one payload, faster than in columns."""
        if self._kind.is_sum:
            total = (sum(payload) - payload[self.at_byte]) & 0xFF
        else:
            total = int(self._constant)
            for row, byte in zip(self._rows, payload, strict=True):
                total ^= row[byte]
            if self._by_count is not None:
                total ^= int(self._by_count[payload[COUNTER_BYTE_P2] & COUNTER_MASK_P2])
        own = slice(self.at_byte, self.at_byte + self.size)
        payload[own] = total.to_bytes(self.size, "little" if self._is_little else "big")

    def _share(self, bytes_after: int) -> NDArray[np.uint16]:
        return _share(self._kind.bits, self._kind.polynomial, bytes_after)

    def _begun(self, count: int) -> int:
        """What the start value becomes over `count` bytes of zero."""
        kind = self._kind
        if not kind.polynomial:
            return kind.start
        value = kind.start
        for _ in range(count):
            value = _step(kind.bits, kind.polynomial, value, 0)
        return value


@cache
def _share(bits: int, polynomial: int, bytes_after: int) -> NDArray[np.uint16]:
    """What each value of a byte adds to a sum of `bytes_after` more bytes: uint16 (256,)."""
    if not polynomial:
        return np.arange(256, dtype=np.uint16)
    if bytes_after == 0:
        return np.array([_step(bits, polynomial, 0, byte) for byte in range(256)], np.uint16)
    before = _share(bits, polynomial, bytes_after - 1)
    return np.array([_step(bits, polynomial, value, 0) for value in before.tolist()], np.uint16)


def _step(bits: int, polynomial: int, value: int, byte: int) -> int:
    """The sum after one more byte."""
    value ^= byte << (bits - BYTE_BITS)
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    for _ in range(BYTE_BITS):
        value = ((value << 1) ^ (polynomial if value & top else 0)) & mask
    return value
