import pytest

from contactor.can.databases.dbc_numbers import factor_and_offset, number, whole


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("0.5,0", ("0.5", "0")),
        (" 1 , -40 ", ("1", "-40")),
        (".25,-500", ("0.25", "-500")),
        ("-.5,0", ("-0.5", "0")),
        ("1E-3,0", ("1E-3", "0")),
        ("0,5,-40", ("0.5", "-40")),
        ("0,5,0", ("0.5", "0")),
        ("0,1,7", ("0.1", "7")),
        ("1,5,0", ("1.5", "0")),
        ("1,-5,5", ("1", "-5.5")),
        ("1,0,5", ("1", "0.5")),
        ("0,1,-40,5", ("0.1", "-40.5")),
        ("0,5;0", ("0.5", "0")),
    ],
)
def test_factor_and_offset_are_read_where_one_reading_is_possible(text, pair):
    assert factor_and_offset(text) == pair


@pytest.mark.parametrize("text", ["1,5,5", "1", "", "a,b", "1,2,3,4,5", "1/3,0", "nan,0", "1;2;3"])
def test_factor_and_offset_of_two_readings_or_none_are_not_read(text):
    assert factor_and_offset(text) is None


def test_number_is_plain_or_none():
    assert [number(text) for text in ("1", "1.", ".5", "1e400", "", "x", "9" * 500)] == [
        "1",
        "1.",
        "0.5",
        "1e400",
        None,
        None,
        None,
    ]


def test_whole_number_may_be_hexadecimal_or_end_in_zeros():
    assert [whole(text) for text in ("12", "-1", "0x1F", "3.0", "3.5", "", "9" * 50)] == [
        *(12, -1, 31, 3),
        *(None, None, None),
    ]
