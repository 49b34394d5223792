"""SAE J1939 identifiers: what a 29 bit id says besides its message.

    28..26    25        24         23..16      15..8         7..0
    priority  extended  data page  PDU format  PDU specific  source address
              data page
              └────────── parameter group number ─────────┘

A PDU format below 240 (PDU1) is sent to one address: PDU specific is that address, and counts as 0
in the number. Any other (PDU2) is for all, and PDU specific is part of the number. Priority and
source address are never part of it.

    parameter_group(0x18FEF117)     # 0xFEF1, whoever sends it
    parameter_group(0x18EA0B27)     # 0xEA00, to address 0x0B

Source: SAE J1939-21, "Data Link Layer", 5.2 (protocol data unit) and 5.1.2 (parameter group
number); addresses: SAE J1939-81, null address 254.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

GROUP_SHIFT = 8
GROUP_MASK = 0x3FFFF
FORMAT_SHIFT, FORMAT_MASK = 16, 0xFF
FIRST_PDU2_FORMAT = 240
SPECIFIC_MASK = 0xFF
SOURCE_MASK = 0xFF
NULL_ADDRESS = 0xFE
"""Nobody sends data with it; in a database it stands for any sender."""


def parameter_group(can_id: int) -> int:
    """The parameter group number of a 29 bit id, 0..0x3FFFF.

    Source: SAE J1939-21, 5.1.2.
    """
    group = can_id >> GROUP_SHIFT & GROUP_MASK
    is_addressed = (can_id >> FORMAT_SHIFT & FORMAT_MASK) < FIRST_PDU2_FORMAT
    return group & ~SPECIFIC_MASK if is_addressed else group


def parameter_groups(can_ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """The parameter group numbers of 29 bit ids, (n,).

    Source: SAE J1939-21, 5.1.2.
    """
    groups = can_ids >> GROUP_SHIFT & GROUP_MASK
    is_addressed = (can_ids >> FORMAT_SHIFT & FORMAT_MASK) < FIRST_PDU2_FORMAT
    return np.where(is_addressed, groups & ~SPECIFIC_MASK, groups)


def source_address(can_id: int) -> int:
    """Who sends, 0..255."""
    return can_id & SOURCE_MASK


def nearest(can_id: int, group_ids: Iterable[int]) -> int | None:
    """Which of some ids of one parameter group describes a frame best.

    The id itself; else the one of the same source; else the one for any source (null address); else
    the first.

    Args:
        can_id: of the frame.
        group_ids: ids of the database's messages, in its order.

    Returns:
        One of `group_ids`, None where there are none.
    """

    def distance(known: int) -> int:
        if known == can_id:
            return 0
        if source_address(known) == source_address(can_id):
            return 1
        return 2 if source_address(known) == NULL_ADDRESS else 3

    return min(group_ids, key=distance, default=None)
