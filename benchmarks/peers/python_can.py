"""candump text to columns with python-can and cantools: frames per second over the first N."""

import sys
import time
from collections import defaultdict
from itertools import islice

import can
import cantools
import numpy as np

log, database_path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
database = cantools.database.load_file(database_path, strict=False)
began, frames = time.perf_counter(), 0
columns: dict[tuple[int, str], list[float]] = defaultdict(list)
for message in islice(can.LogReader(log), count):
    decoded = database.decode_message(
        message.arbitration_id, message.data, decode_choices=False, allow_truncated=True
    )
    for name, value in decoded.items():
        columns[message.arbitration_id, name].append(value)
    frames += 1
made = {key: np.array(values) for key, values in columns.items()}
print(frames / (time.perf_counter() - began))
