"""What bounds a message; beyond it a message is refused."""

import re
from typing import Final

VEHICLE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_MESSAGE_BYTES: Final = 1_000_000
MAX_SEQUENCE: Final = 2**62
MAX_BLOCKS: Final = 16
MAX_ROWS: Final = 100_000
MAX_COLUMNS: Final = 2_000
MAX_CELLS: Final = 1_000_000
"""Of a record: rows x columns, each element of an array counted as a cell."""
MAX_UNIT: Final = 9
MAX_SIGNALS: Final = 4_096
MAX_PATH_BYTES: Final = 255
MAX_TEXT_CHARACTERS: Final = 8_192
MAX_COLUMN_CHARACTERS: Final = 4_000_000
MAX_REASON_CHARACTERS: Final = 200
