"""Enrolment codes: what is mistyped is seen before anybody is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactor.errors import UsageError
from contactor.link.identities.codes import ALPHABET, LENGTH, EnrolmentCode

codes = st.builds(EnrolmentCode.make)
places = st.integers(0, LENGTH - 1)


@given(codes)
def test_code_is_read_as_it_is_shown(code: EnrolmentCode) -> None:
    assert EnrolmentCode.read(code.text) == code
    assert EnrolmentCode.read(code.text.lower().replace("-", " ")) == code


@given(codes)
def test_letters_left_out_are_read_as_what_they_look_like(code: EnrolmentCode) -> None:
    text = code.characters.replace("1", "I").replace("0", "O").replace("V", "u").replace("2", "Z")
    assert EnrolmentCode.read(text) == code
    assert EnrolmentCode.read(code.characters.replace("1", "l")) == code


@given(codes, places, st.sampled_from(ALPHABET))
def test_wrong_character_is_seen(code: EnrolmentCode, place: int, other: str) -> None:
    typed = code.characters[:place] + other + code.characters[place + 1 :]
    if typed == code.characters:
        return
    with pytest.raises(UsageError, match="mistyped"):
        EnrolmentCode.read(typed)


@given(codes, places, places)
def test_characters_that_changed_places_are_seen(
    code: EnrolmentCode, first: int, second: int
) -> None:
    typed = list(code.characters)
    typed[first], typed[second] = typed[second], typed[first]
    if "".join(typed) == code.characters:
        return
    with pytest.raises(UsageError, match="mistyped"):
        EnrolmentCode.read("".join(typed))


@pytest.mark.parametrize("text", ["", "7K4M", "7K4M-Q2XP-9TDD", "7K4M-Q2XP-9T!", "é" * LENGTH])
def test_what_is_no_code_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="expected 11 letters and digits") as caught:
        EnrolmentCode.read(text)
    assert not text or text not in str(caught.value)


def test_code_is_shown_by_its_text_alone() -> None:
    code = EnrolmentCode.make()
    assert code.characters not in repr(code)
    assert code.characters not in code.ticket


def test_digest_needs_the_key() -> None:
    code = EnrolmentCode.make()
    assert code.digest(b"a" * 32) == code.digest(b"a" * 32)
    assert code.digest(b"a" * 32) != code.digest(b"b" * 32)
