"""The usual lines of a candump log, several characters at a time.

    (1700000000.000000) can0 1DB#0011223344556677
    (0.5) vcan1 18FF50E5##1AABBCC T

A line of any other form (remote and error frames, raw DLCs, what is broken) is left to the plain
parser, which reads all forms; these kernels accept nothing that it would read otherwise.

Decimal digits are checked eight at once in a word ("SWAR"; Lamport, "Multiple Byte Processing with
Full-Word Instructions", CACM 18/8, 1975), hexadecimal ones sixteen at once in a vector.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from contactor.can.frames import CLASSIC_BYTES, FD_BYTES, MAX_EXTENDED_ID, MAX_STANDARD_ID
from contactor.can.kernels.jit import kernel, load, sixteen_digits
from contactor.can.readers.numbers import MAX_TS_NS

if TYPE_CHECKING:
    from contactor.can.readers.lines import Text

NAME_BYTES = 16
MAX_NAMES = 256
MAX_SECONDS = MAX_TS_NS // 10**9

u64 = np.uint64
EVERY = u64(0x0101_0101_0101_0101)
ZEROS = EVERY * u64(0x30)
HIGH_NIBBLES = EVERY * u64(0xF0)
SIXES = EVERY * u64(6)
BLANK, RETURN, OPENING, CLOSING, DOT, HASH, RX, TX = 32, 13, 40, 41, 46, 35, 82, 84
EIGHT_BYTES = 8
CLOSING_AND_BLANK = u64(0x2029)
HASH_AFTER_THREE = u64(0x2300_0000)
CANONICAL_DOT, CANONICAL_CLOSING = 11, 18  # (1700000000.000000)
MAX_SECOND_DIGITS, MAX_FRACTION_DIGITS = 10, 9
# The bits of so many bytes of a word.
MASKS = np.array([2 ** (8 * size) - 1 for size in range(CLASSIC_BYTES + 1)], np.uint64)
# The value of each character as a hexadecimal digit; of others more than an id may be.
DIGITS = np.full(256, MAX_EXTENDED_ID + 1, np.int64)
DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)
DIGITS[np.frombuffer(b"ABCDEF", np.uint8)] = np.arange(10, 16)


@kernel
def are_digits(word: np.uint64) -> bool:
    """Whether all eight characters are decimal digits."""
    value = word ^ ZEROS
    return bool(((value | (value + SIXES)) & HIGH_NIBBLES) == u64(0))


@kernel
def eight_digits(word: np.uint64) -> np.uint64:
    """The number of eight decimal digits: pairs, then fours, then all."""
    word = word - ZEROS
    word = word * u64(10) + (word >> u64(8))
    low = (word & u64(0x000000FF000000FF)) * u64(0x000F424000000064)
    high = ((word >> u64(16)) & u64(0x000000FF000000FF)) * u64(0x0000271000000001)
    return u64((low + high) >> u64(32))


@kernel
def digit_of(character: int) -> int:
    """The value of a hexadecimal digit, -1 of anything else."""
    if 48 <= character <= 57:
        return character - 48
    lower = character | 32
    if 97 <= lower <= 102:
        return lower - 87
    return -1


@kernel
def seconds_of(first: np.uint64, second: np.uint64) -> np.int64:
    """The seconds of the twelve characters `(1700000000.`, eight in the first; -1 of others."""
    eight = first >> u64(8) | second << u64(56)
    ninth = np.int64(second >> u64(8) & u64(0xFF)) - 48
    tenth = np.int64(second >> u64(16) & u64(0xFF)) - 48
    if first & u64(0xFF) != u64(OPENING) or second >> u64(24) != u64(DOT):
        return np.int64(-1)
    if not (are_digits(eight) and 0 <= ninth <= 9 and 0 <= tenth <= 9):
        return np.int64(-1)
    seconds = np.int64(eight_digits(eight)) * 100 + ninth * 10 + tenth
    return seconds if seconds <= MAX_SECONDS else np.int64(-1)


@kernel
def stamp_at(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """Nanoseconds of `(seconds.fraction) ` at a place, and where it ends; -1 where it is none."""
    if text[at] != OPENING:
        return 0, -1
    if (
        text[at + CANONICAL_DOT] == DOT
        and text[at + CANONICAL_CLOSING] == CLOSING
        and text[at + CANONICAL_CLOSING + 1] == BLANK
    ):
        first, second = load(text, at + 1), load(text, at + 10)
        # The second word holds the last digit of the seconds and the dot; both become zeros.
        last = np.int64(text[at + 10]) - 48
        ninth = np.int64(text[at + 9]) - 48
        fraction = (second & u64(0xFFFF_FFFF_FFFF_0000)) | u64(0x3030)
        if are_digits(first) and are_digits(fraction) and 0 <= last <= 9 and 0 <= ninth <= 9:
            seconds = np.int64(eight_digits(first)) * 100 + ninth * 10 + last
            if seconds <= MAX_SECONDS:
                return (
                    seconds * 1_000_000_000 + np.int64(eight_digits(fraction)) * 1_000,
                    at + CANONICAL_CLOSING + 2,
                )
            return 0, -1
    return any_stamp_at(text, at + 1)


@kernel
def any_stamp_at(text: NDArray[np.uint8], at: int) -> tuple[int, int]:
    """The same for stamps of any width, after the bracket."""
    seconds, digits = np.int64(0), 0
    while 48 <= text[at] <= 57 and digits < MAX_SECOND_DIGITS:
        seconds = seconds * 10 + np.int64(text[at]) - 48
        at += 1
        digits += 1
    if digits == 0 or text[at] != DOT or seconds > MAX_SECONDS:
        return 0, -1
    at += 1
    fraction, digits = np.int64(0), 0
    while 48 <= text[at] <= 57 and digits < MAX_FRACTION_DIGITS:
        fraction = fraction * 10 + np.int64(text[at]) - 48
        at += 1
        digits += 1
    if digits == 0 or text[at] != CLOSING or text[at + 1] != BLANK:
        return 0, -1
    while digits < MAX_FRACTION_DIGITS:
        fraction *= 10
        digits += 1
    return seconds * 1_000_000_000 + fraction, at + 2


@kernel
def line_end_at(text: NDArray[np.uint8], at: int, line_end: int) -> int:
    """Where the next line begins, if the line ends here (a direction may follow); else -1."""
    if text[at] == line_end:
        return at + 1
    if text[at] == BLANK and (text[at + 1] == RX or text[at + 1] == TX):
        at += 2
    if text[at] == RETURN:
        at += 1
    return at + 1 if text[at] == line_end else -1


@kernel
def parse_lines(
    text: NDArray[np.uint8],
    start: int,
    end: int,
    line_end: int,
    names: NDArray[np.uint64],
    name_lengths: NDArray[np.int64],
    name_count: int,
    words_per_frame: int,
    ts: NDArray[np.int64],
    name: NDArray[np.uint8],
    can_id: NDArray[np.uint32],
    is_extended: NDArray[np.bool_],
    is_fd: NDArray[np.bool_],
    length: NDArray[np.uint8],
    data: NDArray[np.uint64],
    odd: NDArray[np.int64],
) -> tuple[int, int, int, int]:
    """Read lines; the last one ends at `end`.

    Args:
        text: padded with zeros past `end`.
        names: (256, 2), the interfaces known as words, `name_count` of them; new ones are added.
        words_per_frame: 1, or 8 where CAN FD may occur.
        ts, name, ...: columns to fill, as long as there can be frames; `data` has
            `words_per_frame` words for each.
        odd: (n, 4), for each line left: its number, its start, its end, the frames before it.

    Returns:
        The frames, lines, odd lines and names there are. Odd lines that find no room and names
        above 256 end the reading with -1 odd lines, CAN FD without room with -2.
    """
    frames, lines, left = 0, 0, 0
    last_name = 0
    usual_size, usual_mask, usual_word = 0, u64(0), u64(0)
    last_first, last_second, last_seconds = u64(0), u64(0), np.int64(-1)
    at = start
    while at < end:
        begin = at
        if 0 < usual_size < EIGHT_BYTES:
            # The usual line: microseconds, the interface of the one before, a standard id.
            first, second = load(text, at), load(text, at + 8) & u64(0xFFFF_FFFF)
            if first != last_first or second != last_second:
                last_first, last_second = first, second
                last_seconds = seconds_of(first, second)
            behind = load(text, at + CANONICAL_DOT + 1)  # ffffff) and a blank
            fraction = behind << u64(16) | u64(0x3030)
            name_word = load(text, at + CANONICAL_CLOSING + 2)
            at += CANONICAL_CLOSING + 3 + usual_size
            id_word = load(text, at)
            identifier = (
                DIGITS[id_word & u64(0xFF)] << 8
                | DIGITS[id_word >> u64(8) & u64(0xFF)] << 4
                | DIGITS[id_word >> u64(16) & u64(0xFF)]
            )
            payload, payload_digits = sixteen_digits(text, at + 4)
            size = payload_digits >> 1
            if (
                last_seconds >= 0
                and behind >> u64(48) == CLOSING_AND_BLANK
                and (name_word & usual_mask) == usual_word
                and (id_word & u64(0xFF00_0000)) == HASH_AFTER_THREE
                and payload_digits & 1 == 0
                and load(text, at + 4 + payload_digits) & u64(0xFF) == u64(line_end)
                and are_digits(fraction)
                and identifier <= MAX_STANDARD_ID
            ):
                row = u64(frames)
                ts[row] = last_seconds * 1_000_000_000 + np.int64(eight_digits(fraction)) * 1_000
                name[row] = last_name
                can_id[row] = identifier
                is_extended[row] = False
                is_fd[row] = False
                length[row] = size
                base = row * u64(words_per_frame)
                data[base] = payload & MASKS[size]
                for place in range(1, words_per_frame):
                    data[base + u64(place)] = u64(0)
                frames += 1
                lines += 1
                at += 5 + payload_digits
                continue
            at = begin
        ts_ns, at = stamp_at(text, at)
        is_read = at >= 0
        if is_read:
            found = -1
            size = name_lengths[last_name] if name_count else 0
            if size and text[at + size] == BLANK:
                first, second = load(text, at), load(text, at + 8)
                if size <= 8:
                    second = u64(0)
                    if size < 8:
                        first &= (u64(1) << u64(8 * size)) - u64(1)
                elif size < 16:
                    second &= (u64(1) << u64(8 * size - 64)) - u64(1)
                if first == names[last_name, 0] and second == names[last_name, 1]:
                    found = last_name
            if found < 0:
                size = 0
                while text[at + size] > BLANK and size < NAME_BYTES:
                    size += 1
                is_read = size > 0 and text[at + size] == BLANK
                if is_read:
                    first, second = u64(0), u64(0)
                    for place in range(size):
                        if place < 8:
                            first |= u64(text[at + place]) << u64(8 * place)
                        else:
                            second |= u64(text[at + place]) << u64(8 * place - 64)
                    for known in range(name_count):
                        if names[known, 0] == first and names[known, 1] == second:
                            found = known
                    if found < 0:
                        if name_count == MAX_NAMES:
                            return frames, lines, -1, name_count
                        found = name_count
                        names[found, 0], names[found, 1] = first, second
                        name_lengths[found] = size
                        name_count += 1
            at += size + 1
        if is_read:
            if last_name != found or usual_size == 0:
                last_name = found
                usual_size = name_lengths[found]
                if usual_size < EIGHT_BYTES:  # with the blank behind it
                    usual_mask = ~u64(0) >> u64(56 - 8 * usual_size)
                    usual_word = names[found, 0] | u64(BLANK) << u64(8 * usual_size)
            identifier = np.int64(0)
            digits = 3 if text[at + 3] == HASH else 8
            for place in range(digits):
                digit = digit_of(text[at + place])
                if digit < 0:
                    is_read = False
                    break
                identifier = identifier * 16 + digit
            at += digits
            most = MAX_STANDARD_ID if digits == 3 else MAX_EXTENDED_ID
            is_read = is_read and text[at] == HASH and identifier <= most
        if is_read:
            at += 1
            frame_is_fd = text[at] == HASH
            if frame_is_fd:
                if words_per_frame == 1:
                    return frames, lines, -2, name_count
                is_read = digit_of(text[at + 1]) >= 0
                at += 2
            size = 0
            base = frames * words_per_frame
            payload, payload_digits = sixteen_digits(text, at)
            if (
                not frame_is_fd
                and payload_digits & 1 == 0
                and text[at + payload_digits] == line_end
            ):
                size = payload_digits >> 1
                data[base] = payload & MASKS[size]
                for place in range(1, words_per_frame):
                    data[base + place] = u64(0)
                at += payload_digits + 1
            else:
                for place in range(words_per_frame):
                    data[base + place] = u64(0)
                most = FD_BYTES if frame_is_fd else CLASSIC_BYTES
                while size < most:
                    high = digit_of(text[at])
                    if high < 0:
                        break
                    low = digit_of(text[at + 1])
                    if low < 0:
                        is_read = False
                        break
                    byte = u64(high * 16 + low)
                    data[base + size // EIGHT_BYTES] |= byte << u64(8 * (size % EIGHT_BYTES))
                    size += 1
                    at += 2
                at = line_end_at(text, at, line_end)
                is_read = is_read and at >= 0
        if is_read:
            ts[frames] = ts_ns
            name[frames] = found
            can_id[frames] = identifier
            is_extended[frames] = digits == 8
            is_fd[frames] = frame_is_fd
            length[frames] = size
            frames += 1
        else:
            at = begin
            while at < end and text[at] != line_end:
                at += 1
            if left == odd.shape[0]:
                return frames, lines, -1, name_count
            odd[left, 0], odd[left, 1], odd[left, 2], odd[left, 3] = lines, begin, at, frames
            left += 1
            at += 1
        lines += 1
    return frames, lines, left, name_count


def warm() -> None:
    """Compile for the types that the parser calls with."""
    line = b"(1700000000.000000) can0 1DB#0011223344556677\n(0.5) can0 1DB##1AABBCC\nx\n"
    text: Text = np.frombuffer(line + bytes(256), np.uint8).copy()
    parse_lines(
        text,
        0,
        len(line),
        10,
        np.zeros((MAX_NAMES, 2), np.uint64),
        np.zeros(MAX_NAMES, np.int64),
        0,
        8,
        np.empty(3, np.int64),
        np.empty(3, np.uint8),
        np.empty(3, np.uint32),
        np.empty(3, np.bool_),
        np.empty(3, np.bool_),
        np.empty(3, np.uint8),
        np.empty(24, np.uint64),
        np.empty((3, 4), np.int64),
    )
