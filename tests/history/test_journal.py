import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import InvalidValue
from contactor.history.journal import (
    HIDES_SHARE,
    NEAR_NS,
    AllTold,
    Purpose,
    Remark,
    Span,
    Told,
    Words,
    check_words,
    told_of,
)

MINUTE_NS = 60_000_000_000


def remark(span: Span, said: int = 1, **words: object) -> Remark:
    spoken = Words(**words)  # type: ignore[arg-type]  # fields by name
    return Remark(start_ns=span[0], end_ns=span[1], said_ns=said, words=spoken)


def minutes(start: float, end: float) -> Span:
    return int(start * MINUTE_NS), int(end * MINUTE_NS)


@st.composite
def trips(draw: st.DrawFn) -> list[Span]:
    """Trips with stands between them, minutes."""
    at, found = 0, []
    for stand, drive in draw(
        st.lists(st.tuples(st.integers(1, 500), st.integers(1, 200)), min_size=1, max_size=15)
    ):
        found.append(minutes(at + stand, at + stand + drive))
        at += stand + drive
    return found


@st.composite
def rebuilt(draw: st.DrawFn, before: Sequence[Span]) -> list[Span]:
    """The same drives as another rule might find them: merged, split, shifted at their ends."""
    edges: list[Span] = []
    for start, end in before:
        if edges and draw(st.integers(0, 3)) == 0:  # merged with the one before
            edges[-1] = (edges[-1][0], end)
        elif end - start >= 4 * MINUTE_NS and draw(st.integers(0, 3)) == 0:
            cut = start + (end - start) * draw(st.integers(1, 9)) // 10
            edges += [(start, cut), (cut, end)]
        else:
            edges.append((start, end))
    shifted: list[Span] = []
    for start, end in edges:
        at_most = (end - start) // 5
        first = max(start + draw(st.integers(-at_most, at_most)), shifted[-1][1] if shifted else 0)
        last = end + draw(st.integers(-at_most, at_most))
        if last > first:
            shifted.append((first, last))
    return shifted


@given(st.data())
def test_a_rebuild_loses_no_tag(data: st.DataObject) -> None:
    before = data.draw(trips())
    order = data.draw(st.permutations(range(len(before))))
    said = [remark(before[n], said=turn, tags=(f"tag {n}",)) for turn, n in enumerate(order)]
    after = told_of(said, data.draw(rebuilt(before)))
    seen = {tag for told in after.of for tag in told.words.tags}
    assert seen | {tag for one in after.loose for tag in one.words.tags} == {
        f"tag {n}" for n in range(len(before))
    }
    back = told_of(said, before)
    assert [told.words.tags for told in back.of] == [(f"tag {n}",) for n in range(len(before))]
    assert back.loose == ()


@given(st.data())
def test_the_last_word_counts_whatever_was_said_before(data: st.DataObject) -> None:
    """Edits through rebuilds: what was said last of a trip is what is told of it."""
    spans = data.draw(trips())
    said: list[Remark] = []
    for turn in range(data.draw(st.integers(1, 6))):
        spans = data.draw(rebuilt(spans)) or spans
        place = data.draw(st.integers(0, len(spans) - 1))
        said.append(remark(spans[place], said=turn, note=f"word {turn}"))
        assert told_of(said, spans).of[place].words.note == f"word {turn}"


@given(st.data())
def test_told_agrees_with_the_rules_looked_at_one_by_one(data: st.DataObject) -> None:
    spans = data.draw(trips())
    times = st.integers(0, 4_000)
    pairs = data.draw(st.lists(st.tuples(times, times), max_size=8))
    said = [
        remark(minutes(min(pair), max(pair) + 1), said=turn, tags=(str(turn),))
        for turn, pair in enumerate(pairs)
    ]
    assert told_of(said, spans) == slowly(said, spans)


def slowly(said: Sequence[Remark], spans: Sequence[Span]) -> AllTold:
    """The rules of `told_of`, without haste."""

    def common(one: Span, other: Span) -> int:
        return max(0, min(one[1], other[1]) - max(one[0], other[0]))

    speaking: list[list[Remark]] = [[] for _ in spans]
    without = []
    for one in said:
        overlaps = [common((one.start_ns, one.end_ns), span) for span in spans]
        if not any(overlaps):
            without.append(one)
            continue
        for place, span in enumerate(spans):
            is_half = overlaps[place] >= (span[1] - span[0]) / 2
            if is_half or place == overlaps.index(max(overlaps)):
                speaking[place].append(one)
    loose = []
    for one in without:
        free = [
            (max(span[0] - one.end_ns, one.start_ns - span[1]), place)
            for place, span in enumerate(spans)
            if not speaking[place]
        ]
        gap, place = min(free, default=(math.inf, -1))
        if gap <= NEAR_NS:
            speaking[place].append(one)
        else:
            loose.append(one)
    told = []
    for span, some in zip(spans, speaking, strict=True):
        seen = []
        for place, one in enumerate(some):
            part = (max(one.start_ns, span[0]), min(one.end_ns, span[1]))
            part = part if part[0] < part[1] else span
            later = [(other.start_ns, other.end_ns) for other in some[place + 1 :]]
            if not any(common(x, part) >= HIDES_SHARE * (part[1] - part[0]) for x in later):
                seen.append(one)
        seen.sort(key=lambda one: (one.start_ns, one.end_ns))
        told.append(Told(words=Words(tags=tuple(one.words.tags[0] for one in seen))))
    return AllTold(tuple(told), tuple(loose))


def test_merged_trips_join_what_was_said_and_say_where_it_disagrees() -> None:
    said = [
        remark(minutes(0, 30), purpose=Purpose.BUSINESS, driver="Ada", tags=("north",), note="out"),
        remark(minutes(40, 50), purpose=Purpose.PRIVATE, driver="Ada", tags=("shop",), note="back"),
    ]
    (told,) = told_of(said, [minutes(0, 50)]).of
    assert told.is_disputed
    assert told.words == Words(driver="Ada", tags=("north", "shop"), note="out\nback")


def test_both_halves_of_a_split_trip_keep_their_purpose() -> None:
    said = [remark(minutes(0, 60), purpose=Purpose.BUSINESS)]
    told = told_of(said, [minutes(0, 25), minutes(32, 60)]).of
    assert [one.words.purpose for one in told] == [Purpose.BUSINESS] * 2


def test_a_trip_that_moved_away_keeps_its_words_while_it_is_near() -> None:
    said = [remark(minutes(0, 10), note="here")]
    assert told_of(said, [minutes(20, 30)]).of[0].words.note == "here"
    far = told_of(said, [minutes(40, 50)])
    assert (far.of[0].words.note, far.loose) == (None, tuple(said))
    assert told_of(said, []).loose == tuple(said)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"tags": ("x",) * 21}, "21 tags; allowed are 20"),
        ({"tags": ("",)}, "tag ''; allowed are 1 to 64 printable characters"),
        ({"tags": ("a\nb",)}, "printable"),
        ({"driver": "x" * 65}, "driver 'x+'"),
        ({"note": ""}, "a note of 0 characters"),
        ({"note": "x" * 2_001}, "a note of 2001 characters; allowed are 1 to 2000"),
    ],
)
def test_words_that_are_none_are_refused(words: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        check_words(Words(**words))  # type: ignore[arg-type]  # fields by name
