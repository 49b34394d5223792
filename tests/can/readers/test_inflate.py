"""Unpacking by igzip takes and refuses what zlib does."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from contactor.can.readers.inflate import inflated


@given(st.binary(max_size=2000), st.integers(0, 9), st.integers(0, 5000))
def test_what_zlib_packed_is_unpacked(content: bytes, level: int, expected: int) -> None:
    assert inflated(zlib.compress(content, level), expected=expected) == content


@given(st.binary(max_size=400), st.data())
def test_damage_is_told_where_zlib_tells_it(content: bytes, data: st.DataObject) -> None:
    packed = bytearray(zlib.compress(content))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    cut = bytes(packed[: data.draw(st.integers(0, len(packed)))])
    try:
        expected = zlib.decompress(cut)
    except zlib.error:
        expected = None
    assert inflated(cut, expected=len(content)) == expected
