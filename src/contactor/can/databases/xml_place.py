"""Where in a KCD or an ARXML a parser stood when it failed, for an error that names no place.

The parser's traceback still holds the elements that it was looking at; the innermost is the place.

    place_of(error, text)
    # "line 141: COMPU-RATIONAL-COEFFS in /Methods/Temperature"; "" where nothing is known
"""

from types import TracebackType
from typing import Any
from xml.etree.ElementTree import Element
from xml.parsers import expat

from contactor.can.databases.faults import shown

_LONGEST_PATH = 200


def place_of(error: BaseException, text: str) -> str:
    """The line, the element and the names around it.

    Args:
        error: as it was raised; of chained errors the first counts.
        text: the file that was parsed.
    """
    while error.__cause__ is not None:
        error = error.__cause__
    elements = _elements_at(error.__traceback__)
    if not elements:
        return ""
    root, element = elements[0], elements[-1]
    number = next((n for n, one in enumerate(root.iter()) if one is element), None)
    line = None if number is None else _line_of_tag(text, number, _local(element))
    if line is None:
        return ""
    path = _names_around(root, element)
    return f"line {line}: {_local(element)}" + (f" in {path}" if path else "")


def _elements_at(trace: TracebackType | None) -> list[Element]:
    """The elements in the hands of the functions that failed, the outermost function first."""
    found: list[Element] = []
    while trace is not None:
        values: list[Any] = list(trace.tb_frame.f_locals.values())
        found += [value for value in values if isinstance(value, Element)]
        trace = trace.tb_next
    return found


def _line_of_tag(text: str, number: int, name: str) -> int | None:
    """The line of the start tag of that number, if it is of that name."""
    lines: list[int] = []
    count = 0
    parser = expat.ParserCreate("utf-8")

    def started(tag: str, _: dict[str, str]) -> None:
        nonlocal count
        if count == number and tag.rpartition(":")[2] == name:
            lines.append(parser.CurrentLineNumber)
        count += 1

    parser.StartElementHandler = started
    try:
        parser.Parse(text.encode(errors="replace"), True)
    except expat.ExpatError:
        return None
    return lines[0] if lines else None


def _names_around(root: Element, element: Element) -> str:
    """The names of an element and of what it lies in, from the outermost on."""
    parents = {child: parent for parent in root.iter() for child in parent}
    names: list[str] = []
    place: Element | None = element
    while place is not None:
        if name := _name_of(place):
            names.append(shown(name))
        place = parents.get(place)
    path = "".join(f"/{name}" for name in reversed(names))
    return path if len(path) <= _LONGEST_PATH else "…" + path[-_LONGEST_PATH:]


def _name_of(element: Element) -> str:
    child = next((one for one in element if _local(one) == "SHORT-NAME"), None)
    return (element.get("name") or "") if child is None else (child.text or "")


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
