"""What commands print: one JSON document, or lines for people."""

import sys
from collections.abc import Iterable, Sequence

import msgspec


def print_json(document: object) -> None:
    """One JSON document on stdout and nothing else."""
    print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())


def note(line: str) -> None:
    """A line for people on stderr."""
    print(f"contactor: {line}", file=sys.stderr)


def print_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A plain table; numbers to the right, an em dash for what is unknown."""
    body = [[_text(cell) for cell in row] for row in rows]
    if not body:
        print("nothing stored")
        return
    widths = [max(len(line[place]) for line in [list(head), *body]) for place in range(len(head))]
    is_number = [all(_is_number(line[place]) for line in body) for place in range(len(head))]
    for line in [list(head), *body]:
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, is_number, strict=True)
        ]
        print("  ".join(cells).rstrip())


def _text(cell: object) -> str:
    if cell is None:
        return "—"
    return f"{cell:.6g}" if isinstance(cell, float) else _shown(str(cell))


def _shown(text: str) -> str:
    """A text as it stands on a line: what others wrote into it moves no terminal's cursor."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def _is_number(text: str) -> bool:
    return text == "—" or text.lstrip("-").replace(".", "", 1).replace("e+", "").isdigit()
