"""Where each key of a TOML text stands: tomllib gives values, but forgets their lines.

    key_lines('a = 1\\n[b]\\nc = {d = 2}').first
    # {('a',): 1, ('b',): 2, ('b', 'c'): 3, ('b', 'c', 'd'): 3}

Walks the structure (headers, dotted keys, inline tables, arrays over several lines, all four kinds
of strings) and looks at no value. Meant for text that tomllib has read, or in which it has found a
key twice; for any other text it ends without an error, with whatever it saw.

Source: TOML 1.0.0, "Keys", "Table", "Inline Table", "Array of Tables".
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

KeyPath: TypeAlias = tuple[str, ...]

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\''  # strings over several lines
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''  # strings
    r"|\#[^\n]*|\n|[\[\]{}=,.]"  # comment, end of line, punctuation
    r"|[^\s\[\]{}=,.\#\"']+|.",  # bare keys and values, anything else
    re.DOTALL,
)
_ENDS_VALUE = frozenset({"\n", ",", "}", "]"})


class _Token(NamedTuple):
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class KeyLines:
    """The line of each key and table, and of the keys that stand there a second time."""

    first: dict[KeyPath, int] = field(default_factory=dict)
    again: dict[KeyPath, int] = field(default_factory=dict)

    def add(self, path: KeyPath, line: int) -> None:
        """Note that `path` is defined in `line`."""
        if path in self.first:
            self.again.setdefault(path, line)
        else:
            self.first[path] = line

    def of(self, path: KeyPath) -> int | None:
        """The line of `path`, or of the nearest table around it."""
        while path and path not in self.first:
            path = path[:-1]
        return self.first.get(path)


def key_lines(text: str) -> KeyLines:
    """The line of every key of `text`, from 1."""
    return _Scanner(text).scan()


class _Scanner:
    """Owns the place in the tokens of one text; every method moves it forward."""

    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._place = 0
        self._lines = KeyLines()

    def scan(self) -> KeyLines:
        header: KeyPath = ()
        while self._skip("\n"):
            header = self._header() if self._peek() == "[" else self._pair(header)
        return self._lines

    def _header(self) -> KeyPath:
        """`[a.b]` or `[[a.b]]`; of an array of tables only the first counts."""
        self._take()
        is_array = self._peek() == "["
        line = self._line()
        path = self._key("]")
        if not (is_array and path in self._lines.first):
            self._lines.add(path, line)
        while self._peek() == "]":
            self._take()
        return path

    def _pair(self, prefix: KeyPath) -> KeyPath:
        """`key = value`, recorded below `prefix`; returns `prefix`."""
        line = self._line()
        path = prefix + self._key("=")
        if self._peek() == "=":
            self._take()
            self._lines.add(path, line)
            self._value(path)
        return prefix

    def _key(self, end: str) -> KeyPath:
        """A dotted key up to `end` or the end of the line, which both stay."""
        parts: list[str] = []
        while self._peek() not in {"", end, "\n"}:
            text = self._take()
            if text not in {".", "["}:
                parts.append(_plain(text))
        return tuple(parts)

    def _value(self, path: KeyPath) -> None:
        opening = self._peek()
        if opening == "{":
            self._take()
            while self._skip("\n", ",") and self._peek() != "}":
                self._pair(path)
            self._take()
        elif opening == "[":
            self._take()
            while self._skip("\n", ",") and self._peek() != "]":
                before = self._place
                self._value((*path, ""))
                if self._place == before:
                    self._take()
            self._take()
        else:
            while self._peek() not in _ENDS_VALUE and self._peek():
                self._take()

    def _skip(self, *texts: str) -> bool:
        """Skip tokens of these texts; whether any token is left."""
        while self._peek() in texts:
            self._take()
        return self._place < len(self._tokens)

    def _peek(self) -> str:
        return self._tokens[self._place].text if self._place < len(self._tokens) else ""

    def _line(self) -> int:
        return self._tokens[self._place].line if self._place < len(self._tokens) else 0

    def _take(self) -> str:
        text = self._peek()
        self._place += 1
        return text


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    line = 1
    for match in _TOKEN.finditer(text.replace("\r\n", "\n")):
        word = match[0]
        if word == "\n" or not (word.isspace() or word.startswith("#")):
            tokens.append(_Token(word, line))
        line += word.count("\n")
    return tokens


def _plain(word: str) -> str:
    """A key without its quotes and escapes."""
    if word[0] not in "\"'":
        return word
    try:
        return str(tomllib.loads(f"key = {word}")["key"])
    except tomllib.TOMLDecodeError:
        return word.strip("\"'")
