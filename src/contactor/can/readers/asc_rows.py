"""The words of Vector ASC lines as columns.

stamp  channel  id  direction  d  DLC  bytes                                            classic
stamp  CANFD  channel  direction  id  [name]  BRS  ESI  DLC  length  bytes  ...  flags  CAN FD

rows = read_rows(text, words, head)
rows.can_id[rows.is_frame]
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import FD_BYTES, MAX_STANDARD_ID
from contactor.can.readers.asc_frames import FLAGS_AFTER_BYTES, FrameForm, classic_form, fd_form
from contactor.can.readers.asc_head import AscHead
from contactor.can.readers.lines import Fields, Mask, Positions, Spans, Text, begins_with, window
from contactor.can.readers.numbers import (
    decimal,
    decimal_payload,
    hexadecimal,
    payload_width,
    spread_payload,
    without_0x,
)

CANFD = b"CANFD"
ERROR_FRAME = np.frombuffer(b"errorframe", np.uint8)
LOWER = 0x20
LETTER_R, LETTER_T, LETTER_X, ZERO, NINE, EQUALS = b"rtx09="
LETTER_I, LETTER_UPPER_D = b"ID"
DIRECTION, REQUEST = len("Rx"), len("TxRq")


@dataclass(frozen=True, slots=True, eq=False)
class AscRows:
    """What n lines say, (n,) each; `data` is (n, 8 or 64).

    Fields:
        is_claimed: whether the line begins as a frame does.
        is_frame: whether all of it can be read as one.
        is_request: whether it tells a request to send.
        is_event: whether it tells something else.
        has_id: whether the id is a number.
        has_length: whether the DLC is one that there is.
        has_payload: whether all its bytes are there.
    """

    bus: Positions
    can_id: Positions
    length: Positions
    data: NDArray[np.uint8]
    is_extended: Mask
    is_fd: Mask
    is_remote: Mask
    is_error: Mask
    is_claimed: Mask
    is_frame: Mask
    is_request: Mask
    is_event: Mask
    has_id: Mask
    has_length: Mask
    has_payload: Mask


def read_rows(text: Text, words: Fields, head: AscHead, *, is_last_open: bool) -> AscRows:
    """Read every line's words after the stamp; the last line may be cut where it is open."""
    second = words.at(1)
    on_fd = (second.lengths == len(CANFD)) & begins_with(text, second.starts, CANFD)
    shift = on_fd.astype(np.int64) if on_fd.any() else 0
    channel, has_channel = decimal(text, words.at(1 + shift))
    name = words.at(2 + 2 * shift)
    is_error = _are_errors(text, name)
    is_direction, is_request = _directions(text, words.at(3))
    beside = _named_beside(text, words, ~(is_direction | is_error | on_fd))
    if beside is not None:
        is_direction |= beside > 0
    can_id, is_number, is_extended = _identifiers(text, name, on_fd, head)
    has_id = is_number
    is_named = is_direction & ~on_fd & ~is_error & ~_are_digits(text[name.starts])
    is_named &= ~is_number | ((can_id > MAX_STANDARD_ID) & ~is_extended)
    if is_named.any():
        number, has_x = _numbers_of_names(text, words, is_named)
        is_told = number >= 0
        has_id = is_number | is_told
        can_id = np.where(is_told, number, can_id)
        is_extended = np.where(is_told, has_x, is_extended)

    is_claimed = has_channel & (channel >= 0) & (is_direction | is_error)
    form = classic_form(text, words, 4 if beside is None else 4 + beside, head)
    if on_fd.any():
        form = fd_form(text, words, on_fd, head, classic=form)
    is_frame = is_claimed & (is_error | (form.is_frame & (has_id | is_named)))
    if is_last_open and not is_error[-1] and _is_cut(words, form, is_fd=bool(on_fd[-1])):
        is_frame[-1] = False
    length = np.where(is_error | ~is_frame, 0, form.length)
    size = np.where(form.is_remote, 0, np.clip(length, 0, FD_BYTES))
    data, has_payload = _payload(text, words, form, size, on_fd, head)
    return AscRows(
        bus=channel - head.first_channel,
        can_id=np.where(is_error | ~has_id, 0, can_id),
        length=length,
        data=data,
        is_extended=is_extended,
        is_fd=(form.is_fd & ~is_error) | (on_fd & is_error),
        is_remote=form.is_remote & ~is_error,
        is_error=is_error,
        is_claimed=is_claimed,
        is_frame=is_frame,
        is_request=is_request & ~is_error,
        is_event=_are_events(text, words, second, has_channel & ~is_number) & ~is_claimed,
        has_id=has_id | is_error,
        has_length=form.has_length | is_error,
        has_payload=has_payload,
    )


def _is_cut(words: Fields, form: FrameForm, *, is_fd: bool) -> bool:
    """Whether a last line may lack what would have changed it: the DLC asked for, or the flags."""
    count = int(words.counts[-1])
    first = int(np.broadcast_to(form.first, form.length.shape)[-1])
    if not is_fd:
        return bool(form.is_remote[-1]) and count < first
    size = 0 if form.is_remote[-1] else int(np.clip(form.length[-1], 0, FD_BYTES))
    return 0 < count - first - size <= FLAGS_AFTER_BYTES + 1


def _are_errors(text: Text, name: Spans) -> Mask:
    is_error = name.lengths >= len(ERROR_FRAME)
    rows = np.flatnonzero(is_error)
    letters = window(text, name.starts[rows], len(ERROR_FRAME)) | LOWER
    is_error[rows] = (letters == ERROR_FRAME).all(axis=1)
    return is_error


def _directions(text: Text, words: Spans) -> tuple[Mask, Mask]:
    """Whether a word is `Rx`, `Tx` or `TxRq`, and whether it is the last."""
    first, second = text[words.starts] | LOWER, text[words.starts + 1] | LOWER
    is_request = words.lengths == REQUEST
    is_direction = ((first == LETTER_R) | (first == LETTER_T)) & (second == LETTER_X)
    is_direction &= is_request | (words.lengths == DIRECTION)
    return is_direction, is_request & is_direction


def _named_beside(text: Text, words: Fields, is_open: Mask) -> Positions | None:
    """1 where a message's name stands between id and direction; None where that is nowhere."""
    rows = np.flatnonzero(is_open & (words.counts > 5))
    if not len(rows):
        return None
    index = words.first[:-1][rows] + 4
    is_direction, _ = _directions(text, Spans(words.spans.starts[index], words.spans.ends[index]))
    if not is_direction.any():
        return None
    beside = np.zeros(len(is_open), np.int64)
    beside[rows] = is_direction
    return beside


def _identifiers(
    text: Text, words: Spans, on_fd: Mask, head: AscHead
) -> tuple[Positions, Mask, Mask]:
    """Each line's id, whether it is a number, and whether an `x` follows it."""
    is_extended = (text[words.ends - 1] | LOWER) == LETTER_X
    digits = Spans(words.starts, words.ends - is_extended)
    if not head.has_decimal_numbers:
        starts = without_0x(text, digits).starts
        starts = np.where(starts < digits.ends, starts, digits.starts)  # `0x` is an extended 0
        return *hexadecimal(text, Spans(starts, digits.ends)), is_extended
    can_id, is_number = decimal(text, digits)
    if not head.has_decimal_fd and on_fd.any():
        fd_id, fd_is_number = hexadecimal(text, digits)
        can_id = np.where(on_fd, fd_id, can_id)
        is_number = np.where(on_fd, fd_is_number, is_number)
    return can_id, is_number, is_extended


def _numbers_of_names(text: Text, words: Fields, is_named: Mask) -> tuple[Positions, Mask]:
    """What `ID = 418119424x` says where there is a name, else -1; and whether it ends in `x`."""
    starts, ends = words.spans.starts, words.spans.ends
    marks = np.flatnonzero(
        (ends - starts == 2) & (text[starts] == LETTER_I) & (text[starts + 1] == LETTER_UPPER_D)
    )
    marks = marks[marks + 2 < len(starts)]
    marks = marks[(text[starts[marks + 1]] == EQUALS) & (ends - starts == 1)[marks + 1]]
    rows = np.searchsorted(words.first, marks, side="right") - 1
    is_wanted = is_named[rows] & (marks + 2 < words.first[rows + 1])
    marks, rows = marks[is_wanted] + 2, rows[is_wanted]
    has_x = (text[ends[marks] - 1] | LOWER) == LETTER_X
    numbers, is_number = decimal(text, Spans(starts[marks], ends[marks] - has_x))
    can_id, is_extended = np.full(len(is_named), -1), np.zeros(len(is_named), np.bool_)
    can_id[rows], is_extended[rows] = np.where(is_number, numbers, -1), has_x
    return can_id, is_extended


def _are_digits(letters: Text) -> Mask:
    return (letters >= ZERO) & (letters <= NINE)


def _are_events(text: Text, words: Fields, second: Spans, has_no_id: Mask) -> Mask:
    """Whether the words after the stamp are a name, or a channel and a name."""
    is_digit = _are_digits(text[second.starts])
    is_can = begins_with(text, second.starts, b"CANFD") | begins_with(text, second.starts, b"CANXL")
    is_event = (words.counts > 1) & ~is_digit & ~is_can
    return is_event | ((words.counts > 2) & is_digit & has_no_id)


def _payload(
    text: Text, words: Fields, form: FrameForm, size: Positions, on_fd: Mask, head: AscHead
) -> tuple[NDArray[np.uint8], Mask]:
    """The bytes of all lines, in the digits of each."""
    if not head.has_decimal_numbers:
        return spread_payload(text, words, form.first, size, fewest_digits=1)
    is_decimal = np.full(len(size), True) if head.has_decimal_fd else ~on_fd
    data = np.zeros((len(size), payload_width(size)), np.uint8)
    sizes = np.where(is_decimal, size, 0)
    some, has_payload = decimal_payload(text, words, form.first, sizes)
    data[:, : some.shape[1]] = some
    if not is_decimal.all():
        sizes = np.where(is_decimal, 0, size)
        some, is_hexadecimal = spread_payload(text, words, form.first, sizes)
        data[:, : some.shape[1]] |= some
        has_payload &= is_hexadecimal
    return data, has_payload
