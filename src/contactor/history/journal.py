"""What people say of trips and charges, found again however these are computed anew.

    told = told_of(remarks, [(trip.start_ns, trip.end_ns) for trip in trips])
    told.of[3].purpose, told.of[3].tags
    told.loose                   # what was said of something that is not there any more

A remark is kept with the span of time that it was said of, never with a number of a trip: a rebuild
may merge trips, split or shift them. It speaks for every trip that it covers to a half, and in any
case for the one that it overlaps most; with none to overlap, for a free one within `NEAR_NS`. The
last word counts: what covers four fifths of an earlier remark hides it there. Remarks of merged
trips are joined; where they disagree on purpose or driver, the trip is disputed and has none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from contactor.errors import InvalidValue

SPEAKS_SHARE: Final = 0.5
HIDES_SHARE: Final = 0.8
NEAR_NS: Final = 15 * 60 * 1_000_000_000
MAX_TAGS: Final = 20
MAX_WORD: Final = 64
MAX_NOTE: Final = 2_000

Span: TypeAlias = tuple[int, int]
"""Start and end, ns UTC, half open."""


_Word = TypeVar("_Word", bound=str)


class Subject(StrEnum):
    """What a remark is about."""

    TRIP = "trip"
    CHARGE = "charge"


class Purpose(StrEnum):
    """For whom a trip was made, or a charge taken."""

    BUSINESS = "business"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What is said."""

    purpose: Purpose | None = None
    driver: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None


def check_words(words: Words) -> Words:
    """Words as people may say them.

    Raises:
        InvalidValue: too many tags, or a text that is too long, empty or has control characters.
    """
    if len(words.tags) > MAX_TAGS:
        raise InvalidValue(f"{len(words.tags)} tags; allowed are {MAX_TAGS}")
    for tag in words.tags:
        check_word("tag", tag)
    if words.driver is not None:
        check_word("driver", words.driver)
    if words.note is not None and not 0 < len(words.note) <= MAX_NOTE:
        raise InvalidValue(f"a note of {len(words.note)} characters; allowed are 1 to {MAX_NOTE}")
    return words


def check_word(kind: str, word: str) -> None:
    """A name or a tag: some printable characters of one line.

    Raises:
        InvalidValue: it is none.
    """
    if not word.strip() or len(word) > MAX_WORD or not word.isprintable():
        raise InvalidValue(
            f"{kind} {word[:80]!r}; allowed are 1 to {MAX_WORD} printable characters"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Words, and the span of the trip or charge that they were said of.

    Fields:
        said_ns: when; of two the later counts, of equals the later in order.
    """

    start_ns: int
    end_ns: int
    said_ns: int
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that is said of one trip or charge.

    Fields:
        is_disputed: whether remarks that were joined disagree on purpose or driver.
    """

    words: Words = Words()
    is_disputed: bool = False


@dataclass(frozen=True, slots=True)
class AllTold:
    """What is said, by trip or charge.

    Fields:
        of: one for each that was asked for, in order.
        loose: remarks that speak for none of them; kept, and to be shown.
    """

    of: tuple[Told, ...]
    loose: tuple[Remark, ...]


def told_of(remarks: Sequence[Remark], spans: Sequence[Span]) -> AllTold:
    """What is said of each of some trips, or of some charges, which do not overlap each other.

    Args:
        spans: by time, all that there are about the time of the remarks.
    """
    starts = np.array([start for start, _ in spans], np.int64)
    ends = np.array([end for _, end in spans], np.int64)
    speaking: list[list[Remark]] = [[] for _ in spans]
    without: list[Remark] = []
    for remark in sorted(remarks, key=lambda one: one.said_ns):
        found = _spoken_for(remark, starts, ends)
        for place in found:
            speaking[place].append(remark)
        if not found:
            without.append(remark)
    loose = []
    for remark in without:
        near = _nearest_free(remark, starts, ends, speaking)
        if near is None:
            loose.append(remark)
        else:
            speaking[near].append(remark)
    of = [_joined(_visible(some, span)) for some, span in zip(speaking, spans, strict=True)]
    return AllTold(tuple(of), tuple(loose))


def _spoken_for(remark: Remark, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> list[int]:
    """The spans that a remark speaks for."""
    first = int(np.searchsorted(ends, remark.start_ns, "right"))
    last = int(np.searchsorted(starts, remark.end_ns, "left"))
    if first >= last:
        return []
    latest_start = np.maximum(starts[first:last], remark.start_ns)
    common = np.minimum(ends[first:last], remark.end_ns) - latest_start
    is_half = common >= SPEAKS_SHARE * (ends[first:last] - starts[first:last])
    is_half[int(np.argmax(common))] = True
    return [first + int(place) for place in np.flatnonzero(is_half)]


def _nearest_free(
    remark: Remark,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    speaking: Sequence[Sequence[object]],
) -> int | None:
    """The nearest span of which nothing is said, if it is near."""
    if not len(starts):
        return None
    apart = np.maximum(np.maximum(starts - remark.end_ns, remark.start_ns - ends), 0)
    for place in np.argsort(apart, kind="stable"):
        if apart[place] > NEAR_NS:
            return None
        if not speaking[place]:
            return int(place)
    return None


def _visible(speaking: Sequence[Remark], span: Span) -> list[Words]:
    """Words that no later ones hide on a trip, in the order of the spans that they were said of."""
    shown = [
        remark
        for place, remark in enumerate(speaking)
        if not any(_hides(later, remark, span) for later in speaking[place + 1 :])
    ]
    return [remark.words for remark in sorted(shown, key=lambda one: (one.start_ns, one.end_ns))]


def _hides(later: Remark, earlier: Remark, span: Span) -> bool:
    """Whether a later remark covers what an earlier one says of a trip."""
    start, end = max(earlier.start_ns, span[0]), min(earlier.end_ns, span[1])
    if start >= end:
        start, end = span
    common = min(later.end_ns, end) - max(later.start_ns, start)
    return common >= HIDES_SHARE * (end - start)


def _joined(words: Sequence[Words]) -> Told:
    purposes = _once(one.purpose for one in words if one.purpose is not None)
    drivers = _once(one.driver for one in words if one.driver is not None)
    notes = _once(one.note for one in words if one.note is not None)
    tags = _once(tag for one in words for tag in one.tags)
    joined = Words(
        purpose=purposes[0] if len(purposes) == 1 else None,
        driver=drivers[0] if len(drivers) == 1 else None,
        tags=tuple(tags),
        note="\n".join(notes) if notes else None,
    )
    return Told(words=joined, is_disputed=len(purposes) > 1 or len(drivers) > 1)


def _once(words: Iterable[_Word]) -> list[_Word]:
    return list(dict.fromkeys(words))
