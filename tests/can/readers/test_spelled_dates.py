from datetime import UTC, datetime

import pytest

from contactor.can.readers.spelled_dates import read_date

NS_PER_S = 10**9


def ns(*date: int, ms: int = 0) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * NS_PER_S + ms * 10**6


SEPTEMBER_30 = ns(2017, 9, 30, 15, 6, 13, ms=191)


@pytest.mark.parametrize(
    "spelled",
    [
        "Sat Sep 30 15:06:13.191 2017",
        "Sat Sep 30 03:06:13.191 pm 2017",
        "Sat Sep 30 03:06:13.191 PM 2017",
        "Sat Sep 30 03:06:13.191 p.m. 2017",
        "Sat Sep 30 15:06:13.191 pm 2017",  # CANoe writes both at times
        "Sat September 30 15:06:13,191 2017",
        "Sep 30 15:06:13.191 2017",
        "Sam Sep 30 15:06:13.191 2017",
        "sam. sept. 30 15:06:13.191 2017",
        "sáb set 30 15:06:13.191 2017",
        "so wrz 30 15:06:13.191 2017",
        "Cmt Eyl 30 15:06:13.191 2017",
        "сб сен 30 15:06:13.191 2017",
        "周六 9月 30 15:06:13.191 2017",
        "周六 9月 30 下午 03:06:13.191 2017",
        "土 9月 30 午後 03:06:13.191 2017",
        "토 9월 30 오후 03:06:13.191 2017",
        "30.09.2017 15:06:13.191",
        "2017-09-30 15:06:13.191",
        "2017-09-30T15:06:13.191Z",
        "  Sat Sep 30 15:06:13.191000 2017  ",
    ],
)
def test_date_is_read_in_any_language(spelled: str) -> None:
    assert read_date(spelled.encode()) == SEPTEMBER_30


@pytest.mark.parametrize(
    ("spelled", "encoding"),
    [
        ("周六 9月 30 下午 03:06:13.191 2017", "gbk"),
        ("土 9月 30 15:06:13.191 2017", "shift_jis"),
        ("토 9월 30 오후 03:06:13.191 2017", "euc_kr"),
        ("週六 9月 30 下午 03:06:13.191 2017", "big5"),
        ("sáb sep 30 15:06:13.191 2017", "cp1252"),
    ],
)
def test_date_is_read_in_the_encoding_of_its_windows(spelled: str, encoding: str) -> None:
    assert read_date(spelled.encode(encoding)) == SEPTEMBER_30


@pytest.mark.parametrize(
    ("spelled", "month"),
    [
        ("Mo Mär 6 01:02:03 2017", 3),
        ("mar. mars 7 01:02:03 2017", 3),  # Tuesday in French
        ("mar mar 7 01:02:03 2017", 3),  # Tuesday, March in Spanish
        ("mer. août 7 01:02:03 2017", 8),
        ("Do Dez 7 01:02:03 2017", 12),
        ("lun. juil. 7 01:02:03 2017", 7),
        ("dom ene 7 01:02:03 2017", 1),
        ("gio ott 7 01:02:03 2017", 10),
        ("vr mrt 7 01:02:03 2017", 3),
    ],
)
def test_date_tells_months_from_weekdays(spelled: str, month: int) -> None:
    found = read_date(spelled.encode("cp1252"))
    assert found is not None
    assert datetime.fromtimestamp(found // NS_PER_S, UTC).month == month


@pytest.mark.parametrize(
    ("clock", "hour"),
    [("12:30:00 am", 0), ("12:30:00 pm", 12), ("01:30:00 am", 1), ("11:30:00 pm", 23)],
)
def test_date_with_twelve_hours_has_noon_and_midnight_right(clock: str, hour: int) -> None:
    assert read_date(f"Sat Sep 30 {clock} 2017".encode()) == ns(2017, 9, 30, hour, 30, 0)


def test_date_with_fewer_than_three_decimals_counts_milliseconds() -> None:
    second = ns(2017, 9, 30, 15, 6, 13)
    assert read_date(b"Sat Sep 30 15:06:13.7 2017") == second + 7_000_000
    assert read_date(b"Sat Sep 30 15:06:13.70 2017") == second + 70_000_000
    assert read_date(b"Sat Sep 30 15:06:13 2017") == second


@pytest.mark.parametrize(
    "spelled",
    [
        "",
        "Sat Sep 30 2017",
        "01/02/2017 15:06:13",
        "pon lis 6 15:06:13 2017",  # November in Polish, October in Croatian
        "Sat 9 30 15:06:13 2017",
        "Sat Sep 31 15:06:13 2017",
        "Sat Sep 30 25:06:13 2017",
        "Sat Sep 30 15:06:13 am 2017",
        "Sat Sep 30 15:06:13 15:06:14 2017",
        "Sat Sep 30 15:06:13 2017 2018",
        "Sat Sep 30 15:06:13 CET summer 2017",
        "Sat Sep 30 15:06:13 0017",
        "Sat 99月 30 15:06:13 2017",
        "x" * 10_000,
    ],
)
def test_date_that_is_not_certain_is_none(spelled: str) -> None:
    assert read_date(spelled.encode()) is None
