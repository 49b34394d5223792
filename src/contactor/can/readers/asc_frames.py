"""What follows the id of a frame in a Vector ASC line: its kind, its length, where its bytes are.

d 8 11 22 33 44 55 66 77 88         r       r 8       classic: data, remote
[Name] 1 0 9 12 00 11 22 ...                          CAN FD: BRS, ESI, DLC, length, bytes

form = classic_form(text, words, 4, head)
form.length[form.is_frame]
"""

from dataclasses import dataclass

import numpy as np

from contactor.can.frames import CLASSIC_BYTES, DLC_BYTES, FD_BYTES, MAX_DLC
from contactor.can.readers.asc_head import AscHead
from contactor.can.readers.lines import Fields, Mask, Positions, Spans, Text
from contactor.can.readers.numbers import HEXADECIMAL, NO_DIGIT, decimal, hexadecimal

LOWER = 0x20
LETTER_D, LETTER_R, ZERO, NINE = b"dr09"
REMOTE_FLAG, FD_FLAG = 1 << 4, 1 << 12
FLAGS_AFTER_BYTES = 2


@dataclass(frozen=True, slots=True, eq=False)
class FrameForm:
    """The forms of n lines, (n,) each; `first` is the word of the first byte.

    `is_frame`: whether the words are those of a frame; `has_length`: whether there is such a DLC.
    """

    first: int | Positions
    length: Positions
    is_fd: Mask
    is_remote: Mask
    is_frame: Mask
    has_length: Mask


def classic_form(text: Text, words: Fields, kind_word: int | Positions, head: AscHead) -> FrameForm:
    """The form of classic frames whose `d` or `r` is word `kind_word`."""
    kind, digits = words.at(kind_word), words.at(kind_word + 1)
    letter = text[kind.starts] | LOWER
    is_data = (kind.lengths == 1) & (letter == LETTER_D)
    is_remote = (kind.lengths == 1) & (letter == LETTER_R)
    number = decimal if head.has_decimal_numbers else hexadecimal
    dlc, has_dlc = number(text, digits)
    dlc = np.where(has_dlc, dlc, 0)
    first = kind_word + 2
    length = np.minimum(dlc, CLASSIC_BYTES)
    has_length = (dlc >= 0) & (dlc <= MAX_DLC)
    is_fd = np.zeros(len(dlc), np.bool_)
    rows = np.flatnonzero(is_data & (dlc > CLASSIC_BYTES) & (dlc <= FD_BYTES))
    if len(rows) and not head.has_decimal_numbers:
        places = np.broadcast_to(np.asarray(first), dlc.shape)[rows]
        size = _fd_size(dlc[rows], _bytes_there(text, words, rows, places))
        length[rows] = np.where(size > 0, size, length[rows])
        has_length[rows] |= size > 0
        is_fd[rows] = size > 0
    return FrameForm(first, length, is_fd, is_remote, (is_data & has_dlc) | is_remote, has_length)


def _bytes_there(text: Text, words: Fields, rows: Positions, first: Positions) -> Positions:
    """How many words in a row are two hexadecimal digits, 64 at most."""
    index = (words.first[:-1][rows] + first)[:, None] + np.arange(FD_BYTES + 1)
    is_there = (index < words.first[1:][rows][:, None]) & (np.arange(FD_BYTES + 1) < FD_BYTES)
    index = np.where(is_there, index, 0)
    starts, ends = words.spans.starts[index], words.spans.ends[index]
    is_byte = is_there & (ends - starts == 2) & (HEXADECIMAL[text[starts]] != NO_DIGIT)
    is_byte &= HEXADECIMAL[text[ends - 1]] != NO_DIGIT
    count: Positions = (~is_byte).argmax(axis=1)
    return count


def _fd_size(dlc: Positions, there: Positions) -> Positions:
    """The CAN FD payload that a DLC or a count of bytes means, if its bytes are there; else 0."""
    size = DLC_BYTES[np.minimum(dlc, MAX_DLC)]
    is_dlc = (dlc <= MAX_DLC) & (there >= size)
    is_count = np.isin(dlc, DLC_BYTES) & (there >= dlc)
    return np.where(is_dlc, size, np.where(is_count, dlc, 0))


def fd_form(
    text: Text, words: Fields, on_fd: Mask, head: AscHead, *, classic: FrameForm
) -> FrameForm:
    """The forms of lines with the word CANFD; of the others, `classic`."""
    letter = text[words.at(5).starts]
    named = ((letter < ZERO) | (letter > NINE)).astype(np.int64)
    rate, state = words.at(5 + named), words.at(6 + named)
    switches, is_rate = _bit(text, rate)
    passive, is_state = _bit(text, state)
    number = decimal if head.has_decimal_fd else hexadecimal
    dlc, has_dlc = number(text, words.at(7 + named))
    count, has_count = decimal(text, words.at(8 + named))
    first = 9 + named
    place = first + np.clip(count, 0, FD_BYTES) + FLAGS_AFTER_BYTES
    flags, has_flags = hexadecimal(text, words.at(place))
    flags = np.where(has_flags, flags, 0)
    is_fd = (flags == 0) | ((flags & FD_FLAG) != 0) | switches | passive | (count > CLASSIC_BYTES)
    is_remote = ((flags & REMOTE_FLAG) != 0) | ((count == 0) & (dlc > 0))
    asked = DLC_BYTES[np.clip(dlc, 0, MAX_DLC)]
    asked = np.where(is_fd, asked, np.minimum(asked, CLASSIC_BYTES))
    is_frame = is_rate & is_state & has_dlc & has_count
    has_length = np.where(is_remote, dlc <= MAX_DLC, (count >= 0) & (count <= FD_BYTES))
    return FrameForm(
        np.where(on_fd, first, classic.first),
        np.where(on_fd, np.where(is_remote, asked, count), classic.length),
        np.where(on_fd, is_fd, classic.is_fd),
        np.where(on_fd, is_remote, classic.is_remote),
        np.where(on_fd, is_frame, classic.is_frame),
        np.where(on_fd, has_length, classic.has_length),
    )


def _bit(text: Text, words: Spans) -> tuple[Mask, Mask]:
    """Whether a word is `1`, and whether it is `0` or `1`."""
    digit = text[words.starts] - ZERO
    return (digit == 1) & (words.lengths == 1), (digit <= 1) & (words.lengths == 1)
