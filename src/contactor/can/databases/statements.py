"""A DBC text as statements with their lines, whatever state its line ends and semicolons are in.

    split_statements('BU_: VCM\\nBO_ 1 A: 8 VCM\\n')
    # [Statement(line=1, keyword="BU_", body=": VCM", ...), Statement(line=2, keyword="BO_", ...)]

A statement begins with its keyword at the start of a line and goes on over the lines that begin
with none. A comment may hold anything, so that a line within an open string begins a statement
only where it has the whole form of one: then the string before it was not closed.
Source: Vector, "DBC File Format Documentation", 1.0.5, 2010.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_WORDS = """
    VERSION NS_ NS_DESC_ BS_ BU_ BO_ SG_ BO_TX_BU_ CM_ BA_ BA_DEF_ BA_DEF_DEF_
    BA_DEF_DEF_REL_ BA_DEF_REL_ BA_REL_ BA_DEF_SGTYPE_ BA_SGTYPE_ BU_BO_REL_ BU_EV_REL_
    BU_SG_REL_ CAT_ CAT_DEF_ ENVVAR_DATA_ EV_ EV_DATA_ FILTER SG_MUL_VAL_ SGTYPE_
    SGTYPE_VAL_ SIG_GROUP_ SIG_TYPE_REF_ SIG_VALTYPE_ SIGTYPE_VALTYPE_ VAL_ VAL_TABLE_
"""
KEYWORDS = frozenset(_WORDS.split())
_UNENDED = frozenset(("VERSION", "NS_", "BS_", "BU_", "BO_", "SG_"))
_START = re.compile(r"\s*([A-Z][A-Z_]*)(?=[\s:\"]|$)")
_WHOLE = re.compile(
    r"\s*(BO_\s+\w+\s+[^\s\":]+\s*:\s*\d"
    r"|SG_\s+[^\":]+:\s*\d+\s*\|\s*\d+\s*@"
    r"|CM_\s+((SG_|BO_|BU_|EV_)\s+\S|\")"
    r"|BA_(DEF_)*\s+(SG_|BO_|BU_|EV_)?\s*\""
    r"|VAL_\s+\d+\s+\S+\s+-?\d+\s*\""
    r"|VAL_TABLE_\s+\w+\s+-?\d+\s*\""
    r"|(SIG_VALTYPE_|SG_MUL_VAL_|SIG_GROUP_|BO_TX_BU_)\s+\d)"
)
_NEXT = re.compile(
    r";[ \t]*(?=(?:CM_|VAL_|VAL_TABLE_|BA_|BA_DEF_|BA_DEF_DEF_|SIG_VALTYPE_|SG_MUL_VAL_|BO_)\s)"
    r"|(?<=\S)[ \t]+(?=BO_[ \t]+\d+[ \t]+\w+[ \t]*:"
    r"|SG_[ \t]+[^\":|]{1,200}:[ \t]*\d+[ \t]*\|)"
)
_CLOSED = re.compile(r"\"\s*;\s*(//.*)?$")
_LONGEST_LINE = 1_000_000


@dataclass(slots=True)
class Statement:
    """One statement: `body` is what follows its keyword, without a closing semicolon.

    `keyword` is "" for text that belongs to no statement; `is_cut` says that a string in it is not
    closed, `has_end` that it ended with the semicolon it needs (or needs none).
    """

    line: int
    keyword: str
    body: str
    is_cut: bool
    has_end: bool


def split_statements(text: str) -> list[Statement]:
    """All statements in order; comments with `//` at the start of a line are left out."""
    statements: list[Statement] = []
    pending: _Pending | None = None
    for number, line in _lines(text):
        if pending is not None and pending.is_open and not _WHOLE.match(line[:_LONGEST_LINE]):
            pending.add(line)
            continue
        keyword = _keyword(line)
        if not line.strip() or line.lstrip().startswith("//"):
            continue
        if keyword is None and pending is not None and pending.goes_on:
            pending.add(line)
        elif keyword is None:
            statements += pending.finish() if pending else ()
            pending = None
            statements.append(Statement(number, "", line.strip(), False, True))
        elif pending is not None and pending.keyword == "NS_" and line.strip() in KEYWORDS:
            pending.add(line)
        else:
            statements += pending.finish() if pending else ()
            pending = _Pending(number, keyword, line)
    return [*statements, *(pending.finish() if pending else ())]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; a line of several statements as so many lines."""
    for number, line in enumerate(text.split("\n"), 1):
        start, quotes, counted = 0, 0, 0
        for following in _NEXT.finditer(line) if len(line) <= _LONGEST_LINE else ():
            quotes += _quotes(line[counted : following.start()])
            counted = following.start()
            if quotes % 2 == 0:
                yield number, line[start : following.end()]
                start = following.end()
        yield number, line[start:]


def _keyword(line: str) -> str | None:
    found = _START.match(line[:_LONGEST_LINE])
    return found[1] if found and found[1] in KEYWORDS else None


class _Pending:
    """A statement whose lines are being collected."""

    def __init__(self, line: int, keyword: str, text: str) -> None:
        self.keyword = keyword
        self._line = line
        self._parts = [text.lstrip()[len(keyword) :]]
        self._quotes = _quotes(text)

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._quotes += _quotes(text)

    @property
    def is_open(self) -> bool:
        """Whether the next line is within a string."""
        return (
            self._quotes % 2 == 1
            and self.keyword not in _UNENDED
            and not _CLOSED.search(self._parts[-1][-200:])
        )

    @property
    def goes_on(self) -> bool:
        """Whether a line without a keyword belongs to it."""
        last = _without_comment(self._parts[-1]).rstrip()
        if self.keyword in ("BO_", "VERSION"):
            return False
        if self.keyword == "SG_":
            return last.endswith(",")
        return not last.endswith(";")

    def finish(self) -> tuple[Statement]:
        body = "\n".join(self._parts) if len(self._parts) > 1 else self._parts[0]
        body = _without_comment(body).strip()
        has_end = body.endswith(";") or self.keyword in _UNENDED
        body = body.removesuffix(";").strip() if has_end else body
        return (Statement(self._line, self.keyword, body, self.is_open, has_end),)


def _quotes(text: str) -> int:
    """The quotes that open or close a string."""
    return text.count('"') - text.count('\\"')


def _without_comment(text: str) -> str:
    """Without a `//` comment after the last quote; within quotes it is text."""
    place = text.find("//", text.rfind('"') + 1)
    return text if place < 0 or "\n" in text[place:] else text[:place]
