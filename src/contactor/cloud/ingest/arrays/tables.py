"""The columns of the two tables that `scan` makes, int64 each.

A row of the first is a block of a record (rows of one group), a row of the second one column of it.
"""

from typing import Final

# ── blocks ───────────────────────────────────────────────────────────────────────────────────────

RECORD: Final = 0
GROUP: Final = 1
ROWS: Final = 2
FIRST_NS: Final = 3
UNIT_NS: Final = 4
STEP: Final = 5
"""In units; -1 where each instant has a delta of its own."""
DELTAS_AT: Final = 6
COLUMNS: Final = 7
FIRST_COLUMN: Final = 8
LAYOUT: Final = 9
"""A hash of the group and the codes."""
CELLS: Final = 10
"""Rows x columns, each element of an array counted too."""
BLOCK_WIDTH: Final = 11

# ── columns ──────────────────────────────────────────────────────────────────────────────────────

CODE: Final = 0
FORM: Final = 1
STATES_AT: Final = 2
WORDS_AT: Final = 3
"""Of text: where its list of words begins; of arrays: where their lengths do."""
CELLS_AT: Final = 4
SIZE: Final = 5
"""Of text: how many words; of arrays: how many elements, or -1 - the length that all have."""
WORDS_HASH: Final = 6
ELEMENTS: Final = 7
"""Of arrays: how many elements lie there."""
COLUMN_WIDTH: Final = 8

# ── kinds of signals ─────────────────────────────────────────────────────────────────────────────

NUMBER: Final = 0
TEXT: Final = 1
LIST: Final = 2
OTHER: Final = 3
"""Not read here: an array of text, or a signal that the catalogue does not have."""

STATES_MASK: Final = 0b011
EACH_STATE: Final = 2
NO_CELLS: Final = 1
CONSTANT: Final = 0b100
