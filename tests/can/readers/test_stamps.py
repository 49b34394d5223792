import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from contactor.can.readers.lines import cut_lines, words_of
from contactor.can.readers.stamps import counts_ns, days_since_1970, read_stamps


@given(st.dates())
def test_days_since_1970_are_those_of_numpy(date: object) -> None:
    day = np.array([date], "datetime64[D]")
    text = str(day[0])
    year, month, day_of_month = (np.array([int(part)]) for part in text.rsplit("-", 2))
    assert days_since_1970(year, month, day_of_month) == day.astype(np.int64)


def test_stamps_take_none_one_or_two_words() -> None:
    lines = cut_lines(
        b"can0 1DB\n(1.5) can0\n(2023-11-14 22:13:20.5) can0\n(1.6E+09) can0\n"
        b"(2023-13-14 22:13:20.5) can0\n(\n()\n\n(2023-11-14\n"
    )
    stamps = read_stamps(lines.text, words_of(lines))
    assert stamps.words.tolist() == [0, 1, 2, 1, 0, 0, 1, 0, 0]
    assert stamps.is_time.tolist() == [False, True, True, *[False] * 6]
    assert stamps.has_lost_digits.tolist() == [False] * 3 + [True] + [False] * 5
    assert stamps.ts[:3].tolist() == [0, 1_500_000_000, 1_700_000_000_500_000_000]


def test_counts_are_whole_or_not() -> None:
    lines = cut_lines(b"12\n-3\n12.5\n12,25\n1.6E+09\nx\n99999999999999999\n\n")
    ts, has_time, is_in_time, has_lost_digits = counts_ns(lines.text, lines.spans, 3)
    assert ts[:4].tolist() == [12_000, -3_000, 12_500, 12_250]
    assert has_time.tolist() == [True] * 4 + [False, False, True, False]
    assert not is_in_time[6]
    assert has_lost_digits.tolist() == [False] * 4 + [True] + [False] * 3
