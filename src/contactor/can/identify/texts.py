"""Readable text in payloads: a VIN above all.

    text_of(window)                                  # "SJNFAAZE1U0012345"
    finder.add(identifiers, payloads)                # answers to a diagnostic question for the VIN

A text may lie in one payload, or be spread over pages whose first byte counts.

Source: VIN: ISO 3779 (17 characters, no I, O, Q). Multi-frame answers: ISO 15765-2. Their content:
ISO 14229-1, ReadDataByIdentifier F190; SAE J1979, service 09, item 02.
"""

import re

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.bits import Payloads

VIN = re.compile(rb"[A-HJ-NPR-Z0-9]{17}")
READABLE = re.compile(rb"[ -~]{6,}")
WORDS = re.compile(rb"[A-Za-z0-9]")
MOST_PAGES = 8
VIN_LENGTH = 17
# What an answer holds before the VIN: service and item.
ANSWERS = (b"\x62\xf1\x90", b"\x49\x02\x01")
FIRST_FRAME, NEXT_FRAME = 1, 2
MOST_VINS = 8


def text_of(window: Payloads) -> str | None:
    """The text that the payloads of an id repeat, or None."""
    distinct = np.unique(window, axis=0)
    if len(distinct) > MOST_PAGES:
        return None
    pages = b"".join(payload[1:].tobytes() for payload in distinct)
    whole = b"\0".join(payload.tobytes() for payload in distinct)
    vin = VIN.search(pages) or VIN.search(whole)
    if vin:
        return vin.group().decode()
    readable = READABLE.search(whole)
    if readable and len(WORDS.findall(readable.group())) * 2 > len(readable.group()):
        return readable.group().decode().strip()
    return None


class VinFinder:
    """Puts together the VIN from diagnostic answers of several frames."""

    def __init__(self) -> None:
        self.found: dict[int, str] = {}
        self._open: dict[int, bytes] = {}

    def add(self, identifiers: NDArray[np.int64], payloads: Payloads) -> None:
        """Look through payloads (n, w) of the ids given, in the order of the log."""
        if payloads.shape[1] < 8 or len(self.found) >= MOST_VINS:
            return
        is_answer = np.zeros(len(payloads), np.bool_)
        firsts = np.flatnonzero(payloads[:, 0] >> 4 == FIRST_FRAME)
        heads = payloads[firsts, 2:5]
        for answer in ANSWERS:
            is_answer[firsts] |= (heads == np.frombuffer(answer, np.uint8)).all(axis=1)
        wanted = set(identifiers[is_answer].tolist()) | set(self._open)
        for identifier in list(wanted)[:MOST_VINS]:
            is_own = identifiers == identifier
            is_part = is_own & (is_answer | (payloads[:, 0] >> 4 == NEXT_FRAME))
            # An answer has three frames: two after each first one are enough.
            for row in _near(np.flatnonzero(is_part), is_answer):
                self._take(identifier, payloads[row].tobytes()[:8])

    def _take(self, identifier: int, payload: bytes) -> None:
        if payload[0] >> 4 == FIRST_FRAME:
            self._open[identifier] = payload[5:]
        elif identifier in self._open:
            text = self._open[identifier] + payload[1:]
            self._open[identifier] = text
            if len(text) >= VIN_LENGTH:
                del self._open[identifier]
                vin = VIN.match(text)
                if vin:
                    self.found[identifier] = vin.group().decode()


def _near(rows: NDArray[np.int64], is_first: NDArray[np.bool_]) -> list[int]:
    """The first few of the rows, and the two after each of the first few first frames."""
    firsts = np.flatnonzero(is_first[rows])[:4]
    places = sorted({0, 1} | {int(at) + more for at in firsts for more in range(3)})
    return [int(rows[place]) for place in places if place < len(rows)]
