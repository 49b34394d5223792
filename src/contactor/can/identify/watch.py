"""What is guessed of one id on a window of its frames, and checked on all that follow.

A window is 512 frames in a row. The first opens with the first frame; others open when 3 times, 9
times ... as many have come, because a car that sleeps at the start says nothing. A guess is checked
on its window and on every later frame.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.identify.bits import Field, Payloads
from contactor.can.identify.checksums import Checksum, find_checksums
from contactor.can.identify.counters import Counter, find_counters
from contactor.can.identify.multiplexers import Multiplexer, find_multiplexer
from contactor.can.identify.texts import text_of

WINDOW = 512
LEAST = 12
NEXT_WINDOW = 3
# What moved most is kept for numbers.
MOST_WINDOWS = 4
# A guess that holds less often is none; a checksum that failed once may have met a frame of a node
# that was just starting.
LEAST_COUNTED, LEAST_SUMMED = 0.9, 0.98
MOST_GUESSES = 8


@dataclass(slots=True)
class Checked:
    """A guess, and in how many of the frames it was looked at it held."""

    guess: Counter | Checksum
    checked: int = 0
    held: int = 0

    def look_at(self, payloads: Payloads) -> None:
        """Check payloads in a row."""
        count = len(payloads) - isinstance(self.guess, Counter)
        if count > 0:
            self.checked += count
            self.held += self.guess.held(payloads)

    def is_likely(self) -> bool:
        """Whether it held often enough to be told."""
        least = LEAST_COUNTED if isinstance(self.guess, Counter) else LEAST_SUMMED
        return self.checked > 0 and self.held >= least * self.checked


class Watch:
    """The guesses about one id's payloads of one length; they come in parts, in order."""

    def __init__(self) -> None:
        self.checks: list[Checked] = []
        self.multiplexer: Multiplexer | None = None
        self.text: str | None = None
        self._windows: list[tuple[int, Payloads]] = []
        self._parts: list[Payloads] = []
        self._collected = 0
        self._frames = 0
        self._opens_at = 0
        self._last: Payloads | None = None

    def add(self, payloads: Payloads) -> None:
        """Take the next payloads (n, w); all are of one length."""
        joined = payloads if self._last is None else np.concatenate([self._last, payloads])
        for check in self.checks:
            check.look_at(joined if isinstance(check.guess, Counter) else payloads)
        self._last = payloads[-1:].copy()
        begin = max(self._opens_at - self._frames, 0)
        while begin < len(payloads):
            end = min(begin + WINDOW - self._collected, len(payloads))
            self._parts.append(payloads[begin:end].copy())
            self._collected += end - begin
            if self._collected == WINDOW:
                known = len(self.checks)
                self._guess()
                for check in self.checks[known:]:
                    is_counter = isinstance(check.guess, Counter)
                    check.look_at(payloads[end - 1 :] if is_counter else payloads[end:])
                self._opens_at = (self._frames + end) * NEXT_WINDOW
                end = self._opens_at - self._frames
            begin = end
        self._frames += len(payloads)

    def told(self) -> list[Checked]:
        """The guesses that held.

        Bits of a checksum are no counter, and of several bits that flip with every frame none is:
        two payloads alternate.
        """
        likely = [check for check in self.checks if check.is_likely()]
        summed: set[tuple[int, int]] = set()
        for check in likely:
            if isinstance(check.guess, Checksum):
                summed |= check.guess.field.bits()
        told = [
            check
            for check in likely
            if isinstance(check.guess, Checksum) or not check.guess.field.bits() & summed
        ]
        toggles = [check for check in told if check.guess.field.length == 1]
        return [check for check in told if check not in toggles or len(toggles) == 1]

    def windows(self) -> list[Payloads]:
        """The windows in which most moved, in their order."""
        return [window for _, window in self._windows]

    def finished(self) -> "Watch":
        """A copy that has also guessed on what there is of a window; this one goes on."""
        watch = Watch()
        watch.checks = [Checked(one.guess, one.checked, one.held) for one in self.checks]
        watch.multiplexer, watch.text = self.multiplexer, self.text
        watch._windows, watch._parts = list(self._windows), list(self._parts)
        if self._collected >= LEAST:
            watch._guess()
        return watch

    def _guess(self) -> None:
        window = np.concatenate(self._parts)
        self._parts, self._collected = [], 0
        distinct = len(np.unique(window, axis=0))
        self._windows.append((distinct, window))
        if len(self._windows) > MOST_WINDOWS:
            self._windows.remove(min(self._windows, key=lambda kept: kept[0]))
        self.text = text_of(window) or self.text
        if distinct == 1:
            return
        known = {check.guess for check in self.checks}
        counters = find_counters(window)
        counted = _mask(window.shape[1], (counter.field for counter in counters))
        guesses: list[Counter | Checksum] = [*counters, *find_checksums(window, counted)]
        for guess in guesses:
            if guess not in known and len(self.checks) < MOST_GUESSES:
                check = Checked(guess)
                check.look_at(window)
                self.checks.append(check)
        self.multiplexer = self._multiplexer(window) or self.multiplexer

    def _multiplexer(self, window: Payloads) -> Multiplexer | None:
        """Counters and checksums go on with every frame, whatever a multiplexer says."""
        told = self.told()
        width = window.shape[1]
        counted = _mask(width, (c.guess.field for c in told if isinstance(c.guess, Counter)))
        summed = _mask(width, (c.guess.field for c in told if isinstance(c.guess, Checksum)))
        return find_multiplexer(window, counted=counted, summed=summed)


def _mask(width: int, fields: Iterable[Field]) -> NDArray[np.uint8]:
    """The bits of fields in payloads of a width: (w,)."""
    mask = np.zeros(width, np.uint8)
    for field in fields:
        if field.length > 1:
            for byte, bit in field.bits():
                mask[byte] |= 1 << bit
    return mask
