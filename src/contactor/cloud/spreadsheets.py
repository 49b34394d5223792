"""Texts of people in CSV, which spreadsheets open.

harmless("=1+1")        # "'=1+1"
"""

from typing import Final, TypeVar

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_Cell = TypeVar("_Cell")


def harmless(cell: _Cell) -> _Cell | str:
    """A text that a spreadsheet would take for a formula, marked as the text that it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
