"""Which legacy encoding a text is in, by evidence.

A database is almost all ASCII; what else it holds is units (°C, µs, Ω, ℃), labels and comments.
Each candidate decodes those pieces, and pays for every character that such texts do not hold: a
rare ideograph, a capital within a word, a lone Cyrillic letter. The cheapest counts; between equals
the first, Windows-1252, which is what most tools write. An encoding that loses
characters counts only where they are few.

    bytes     Windows-1252    GB 18030        counts
    B0 43     °C      0       癈      3       Windows-1252
    A1 E6     ¡æ      2.2     ℃       0.1     GB 18030

    decode_legacy(b'"\\xa1\\xe6"')     # ('"℃"', 'gb18030')
"""

import re
from collections.abc import Callable
from itertools import islice

_PIECE = re.compile(rb"[0-9A-Za-z_]{0,64}[\x80-\xff][^\s\"\[\]();:,|]*")
_PIECES = 20_000
_HIGH = re.compile(rb"[\x80-\xff]")

_SYMBOLS = frozenset(
    "°µμ²³±·×÷§€½¼¾‰Ωω℃℉Δλπ–—‘’“”…«»№→←↑↓≤≥≠√∞■□●○★、。，：；（）！？《》【】①②③④⑤⑥\u00a0\u3000"
)
_LONGEST_WORD = 30
_LOST = "\ufffd"
_FEW = 50
"""Of so many characters of two bytes one may be lost: a file is cut somewhere, or damaged."""
_STRANGE, _RARE, _KNOWN = 3.0, 1.5, 0.1


def decode_legacy(content: bytes) -> tuple[str, str]:
    """Decode bytes that are no UTF-8.

    Returns:
        The text and Python's name of its encoding. A line that is UTF-8 in a text that is not
        is read as UTF-8 where that is likelier.
    """
    pieces = list(dict.fromkeys(islice((m[0] for m in _PIECE.finditer(content)), _PIECES)))
    encoding = min(_keeping(content), key=lambda name: _cost(pieces, name))
    if not _has_utf8_pieces(pieces):
        return content.decode(encoding, "replace"), encoding
    lines = (_line(line, encoding) for line in content.splitlines(keepends=True))
    return "".join(lines), encoding


def _keeping(content: bytes) -> list[str]:
    """Windows-1252, and the encodings in which hardly a character of the lines is lost."""
    lines = (line for line in content.splitlines() if not line.isascii() and _as_utf8(line) is None)
    sample = b"\n".join(islice(lines, _PIECES))
    return ["cp1252", *(name for name in _COSTS if name != "cp1252" and _keeps(sample, name))]


def _keeps(sample: bytes, encoding: str) -> bool:
    text = sample.decode(encoding, "replace")
    lost = text.count(_LOST)
    if encoding == "cp1251":
        return not lost
    return _FEW * lost <= sum(character > "\x7f" for character in text)


def _has_utf8_pieces(pieces: list[bytes]) -> bool:
    return any(_as_utf8(piece) is not None for piece in pieces)


def _line(line: bytes, encoding: str) -> str:
    if _HIGH.search(line) and (text := _as_utf8(line)) is not None:
        pieces = _PIECE.findall(line)
        as_utf8 = sum(_known(one.decode("utf-8", "replace")) for one in pieces)
        if as_utf8 <= _cost(pieces, encoding):
            return text
    return line.decode(encoding, "replace")


def _known(text: str) -> float:
    return sum(_KNOWN for character in text if character > "\x7f")


def _as_utf8(piece: bytes) -> str | None:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _cost(pieces: list[bytes], encoding: str) -> float:
    cost = _COSTS[encoding]
    total = 0.0
    for piece in pieces:
        text = piece.decode(encoding, "replace")
        total += cost(text, piece) + _STRANGE * text.count(_LOST)
    return total


def _latin(text: str, _: bytes) -> float:
    """Letters with accents stand alone among plain ones."""
    total, run = 0.0, 0
    for character in text:
        is_letter = "À" <= character <= "ÿ" and character not in "×÷"
        run = run + 1 if is_letter else 0
        if is_letter:
            total += 0.2 if run < 3 else 2.0
        elif character > "\x7f" and character not in _SYMBOLS:
            total += 2.0
    return total


def _cyrillic(text: str, _: bytes) -> float:
    """Words wholly Cyrillic, of two letters and more, with capitals at the start or throughout."""
    total, before, run = 0.0, " ", 0
    for character in f"{text} ":
        is_letter = "Ѐ" <= character <= "ӿ"
        total += 1.0 if run == 1 and not is_letter else 0.0
        run = run + 1 if is_letter else 0
        if is_letter:
            is_mixed = before.isalpha() and (
                before < "\x80" or (character.isupper() and before.islower())
            )
            total += 2.0 if is_mixed or run > _LONGEST_WORD else 0.25
        elif character > "\x7f":
            total += 0.01 if character in _SYMBOLS else 2.0
        elif character.isalpha() and before > "\x7f" and before.isalpha():
            total += 2.0
        before = character
    return total


def _chinese(_: str, piece: bytes) -> float:
    """GB 2312 puts symbols in rows A1..A9 and the common ideographs in B0..D7."""
    return _double_bytes(piece, symbols=range(0xA1, 0xAA), common=range(0xB0, 0xD8), least=0xA1)


def _korean(_: str, piece: bytes) -> float:
    """KS X 1001 puts symbols in rows A1..AC and the syllables in B0..C8."""
    return _double_bytes(piece, symbols=range(0xA1, 0xAD), common=range(0xB0, 0xC9), least=0xA1)


def _taiwanese(_: str, piece: bytes) -> float:
    """Big5 puts symbols in rows A1..A3 and the common ideographs in A4..C6."""
    cost = _double_bytes(piece, symbols=range(0xA1, 0xA4), common=range(0xA4, 0xC7), least=0x40)
    return 1.3 * cost  # the others fit more texts by chance


def _double_bytes(piece: bytes, *, symbols: range, common: range, least: int) -> float:
    total, place = 0.0, 0
    while place < len(piece):
        lead = piece[place]
        if lead < 0x80:
            place += 1
            continue
        trail = piece[place + 1] if place + 1 < len(piece) else 0
        is_plain = trail >= least
        if lead in symbols and is_plain:
            total += _KNOWN if _is_symbol(piece[place : place + 2], symbols) else 2.0
        elif lead in common and is_plain:
            total += _KNOWN
        else:
            total += _RARE if is_plain and lead > common.stop else _STRANGE
        place += 2
    return total


def _is_symbol(pair: bytes, symbols: range) -> bool:
    encoding = {0xAA: "gb18030", 0xAD: "cp949", 0xA4: "big5"}[symbols.stop]
    character = pair.decode(encoding, "replace")
    return character in _SYMBOLS or "！" <= character <= "～"


def _japanese(text: str, piece: bytes) -> float:
    """Kana and the common ideographs of rows 88..97; half-width kana only in words."""
    total, run = 0.0, 0
    for character in text:
        is_half = "｡" <= character <= "ﾟ"
        run = run + 1 if is_half else 0
        if is_half:
            total += 2.0 if run < 2 else 0.3
        elif "ぁ" <= character <= "ヿ" or character in _SYMBOLS or "！" <= character <= "～":
            total += _KNOWN
        elif character > "\x7f":
            lead = character.encode("cp932", "replace")[0]
            total += _KNOWN if 0x88 <= lead <= 0x97 else _RARE
    return total


_COSTS: dict[str, Callable[[str, bytes], float]] = {
    "cp1252": _latin,
    "gb18030": _chinese,
    "cp932": _japanese,
    "cp1251": _cyrillic,
    "cp949": _korean,
    "big5": _taiwanese,
}
