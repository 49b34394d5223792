"""Checksums: a byte or nibble that follows from the rest of the payload.

    find_checksums(window, counted)     # [Checksum(Field(7, 0, 8), "crc8", polynomial=0x1D, ...)]

Tried are, with any constant added (a start value, a final exclusive or, the id):

    xor            exclusive or of the other bytes, or of the other nibbles
    sum            their sum, modulo 256 or 16; and its negative
    crc8           a CRC of 8 bits with any of the 127 polynomials, bits as they are or reflected

A CRC with any start value is linear but for a constant: c ^ L(payload) is the same for all payloads
of a length. So one test finds SAE J1850 (0x1D), AUTOSAR's 0x2F and whatever a maker made up.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.bits import Field, Payloads, Values

BYTE_BITS, NIBBLE_BITS = 8, 4
# Fewer payloads prove nothing.
LEAST_DISTINCT = 6
LEAST_VALUES = 4
# What changes beside the checksum; a CRC says enough with one byte.
LEAST_OTHER_BYTES, LEAST_OTHER_NIBBLES = 2, 3
FIRST_TRIED, MOST_TRIED = 8, 64
# A polynomial without its last term leaves bits out, and x^8 + 1 is an exclusive or.
MEANT = [variant for variant in range(2 * 255) if variant % 255 % 2 == 0 and variant % 255 > 0]
# SAE J1850; AUTOSAR E2E profile 2; Nissan; ATM HEC: what is met most, tried first.
USUAL = (0x1D, 0x2F, 0x85, 0x07)


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum: where it stands, and how it follows from the other bytes."""

    field: Field
    kind: str
    constant: int
    polynomial: int | None = None
    is_reflected: bool = False

    def held(self, payloads: Payloads) -> int:
        """In how many of the payloads it is right."""
        return int((_rest(self, payloads) == self.constant).sum())


def find_checksums(window: Payloads, counted: NDArray[np.uint8]) -> list[Checksum]:
    """The checksums that are right in every payload of a window.

    Args:
        window: (n, w).
        counted: mask (w,) of the bits of counters, which are no checksums: where little else
            changes, each follows from the other.
    """
    distinct = np.unique(window, axis=0)
    if len(distinct) < LEAST_DISTINCT or window.shape[1] < 2:
        return []
    return _bytes(distinct, counted) or _crcs(distinct, counted) or _nibbles(distinct, counted)


def _rest(checksum: Checksum, payloads: Payloads) -> Values:
    """What remains of the checksum when the other bytes' share is taken away: (n,)."""
    field = checksum.field
    if checksum.kind == "crc8":
        variant = (checksum.polynomial or 0) - 1 + 255 * checksum.is_reflected
        crc = _crc(payloads, field.byte, [variant])[0]
        return np.asarray(crc ^ payloads[:, field.byte], np.int64)
    parts = payloads if field.length == BYTE_BITS else _nibbles_of(payloads)
    own = field.byte if field.length == BYTE_BITS else 2 * field.byte + (field.shift == 0)
    return _remains(checksum.kind, parts, own, 1 << field.length)


def _remains(kind: str, parts: NDArray[np.uint8], own: int, modulo: int) -> Values:
    if kind == "xor":
        return np.asarray(np.bitwise_xor.reduce(parts, axis=1), np.int64)
    total = parts.sum(axis=1, dtype=np.int64)
    mine = parts[:, own].astype(np.int64)
    return np.asarray((total if kind == "negative sum" else 2 * mine - total) % modulo, np.int64)


def _nibbles_of(payloads: Payloads) -> NDArray[np.uint8]:
    """Both nibbles of each byte, the higher first: (n, 2w)."""
    halves = np.stack([payloads >> NIBBLE_BITS, payloads & 0xF], axis=2)
    return halves.reshape(len(payloads), -1)


def _bytes(distinct: Payloads, counted: NDArray[np.uint8]) -> list[Checksum]:
    changing = _changing(distinct)
    if len(changing) <= LEAST_OTHER_BYTES:
        return []
    # The last byte that changes, then the first, then any: where sums of all are constant, every
    # place explains them alike.
    for own in dict.fromkeys((changing[-1], changing[0], *changing)):
        if counted[own]:
            continue
        for kind in ("xor", "sum", "negative sum"):
            checksum = _right_in_all(distinct, Field(own, 0, BYTE_BITS), kind)
            if checksum:
                return [checksum]
    return []


def _nibbles(distinct: Payloads, counted: NDArray[np.uint8]) -> list[Checksum]:
    changing = _changing(_nibbles_of(distinct))
    if len(changing) <= LEAST_OTHER_NIBBLES:
        return []
    counted = _nibbles_of(counted[None])[0]
    for own in reversed(changing):
        if counted[own]:
            continue
        field = Field(own // 2, 0 if own % 2 else NIBBLE_BITS, NIBBLE_BITS)
        for kind in ("xor", "sum", "negative sum"):
            checksum = _right_in_all(distinct, field, kind)
            if checksum:
                return [checksum]
    return []


def _right_in_all(distinct: Payloads, field: Field, kind: str) -> Checksum | None:
    if len(np.unique(field.of(distinct))) < LEAST_VALUES:
        return None
    rest = _rest(Checksum(field, kind, 0), distinct)
    if (rest != rest[0]).any():
        return None
    return Checksum(field, kind, int(rest[0]))


def _changing(parts: NDArray[np.uint8]) -> list[int]:
    return np.flatnonzero((parts != parts[0]).any(axis=0)).tolist()


def _crcs(distinct: Payloads, counted: NDArray[np.uint8]) -> list[Checksum]:
    changing = _changing(distinct)
    if len(changing) < 2:
        return []
    spread = np.linspace(0, len(distinct) - 1, min(MOST_TRIED, len(distinct))).astype(np.int64)
    rows = distinct[spread]
    found: list[tuple[tuple[int, int], int]] = []
    for own in dict.fromkeys((changing[-1], changing[0])):
        if counted[own] or len(np.unique(distinct[:, own])) < LEAST_VALUES:
            continue
        variants = MEANT
        for tried in (rows[:FIRST_TRIED], rows):
            rest = _crc(tried, own, variants) ^ tried[:, own]
            is_same = (rest == rest[:, :1]).all(axis=1)
            variants = [variant for variant, same in zip(variants, is_same, strict=True) if same]
        found += [(_rank(variant), own) for variant in variants]
    if not found:
        return []
    (_, best), own = min(found)
    is_reflected, polynomial = divmod(best, 255)
    constant = int(_crc(rows[:1], own, [best])[0, 0] ^ rows[0, own])
    field = Field(own, 0, BYTE_BITS)
    return [Checksum(field, "crc8", constant, polynomial + 1, bool(is_reflected))]


def _rank(variant: int) -> tuple[int, int]:
    is_reflected, polynomial = divmod(variant, 255)
    usual = USUAL.index(polynomial + 1) if polynomial + 1 in USUAL else len(USUAL)
    return (usual + len(USUAL) * is_reflected, variant)


def _crc(payloads: Payloads, own: int, variants: list[int]) -> NDArray[np.uint8]:
    """The CRC of the bytes but `own`, begun with 0, for each variant: (v, n)."""
    tables = _tables()[variants]
    states = np.zeros((len(variants), len(payloads)), np.uint8)
    for byte in range(payloads.shape[1]):
        if byte != own:
            states = np.take_along_axis(
                tables, (states ^ payloads[:, byte]).astype(np.int64), axis=1
            )
    return states


@cache
def _tables() -> NDArray[np.uint8]:
    """One step of a CRC for each value of a byte: (510, 256), polynomial 1..255, then reflected."""
    polynomials = np.arange(1, 256, dtype=np.uint8)[:, None]
    plain: NDArray[np.uint8] = np.broadcast_to(np.arange(256, dtype=np.uint8), (255, 256))
    reflected = plain
    mirrored = np.packbits(np.unpackbits(polynomials, axis=1), axis=1, bitorder="little")
    for _ in range(BYTE_BITS):
        plain = (plain << 1 ^ polynomials * (plain >> 7)).astype(np.uint8)
        reflected = (reflected >> 1 ^ mirrored * (reflected & 1)).astype(np.uint8)
    return np.concatenate([plain, reflected])
