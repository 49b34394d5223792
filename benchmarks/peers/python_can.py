"""A log by python-can, and each frame by cantools where a database is given: the first N frames.

python_can.py LOG N             reading alone
python_can.py LOG N DATABASE    to columns
"""

import sys
import time
from collections import defaultdict
from itertools import islice

import can
import cantools
import numpy as np
from measured import begin, tell

log, count = sys.argv[1], int(sys.argv[2])
if len(sys.argv) == 3:
    began = begin()
    frames = sum(1 for _ in islice(can.LogReader(log), count))
    tell(time.perf_counter() - began, frames)
    sys.exit()

database = cantools.database.load_file(sys.argv[3], strict=False)
began, frames = begin(), 0
columns: dict[tuple[int, str], list[float]] = defaultdict(list)
for message in islice(can.LogReader(log), count):
    decoded = database.decode_message(
        message.arbitration_id, message.data, decode_choices=False, allow_truncated=True
    )
    for name, value in decoded.items():
        columns[message.arbitration_id, name].append(value)
    frames += 1
made = {key: np.array(values) for key, values in columns.items()}
tell(
    time.perf_counter() - began,
    frames,
    lambda: {
        f"{database.get_message_by_frame_id(frame_id).name}.{name}": values
        for (frame_id, name), values in made.items()
    },
)
