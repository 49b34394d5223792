"""candump text to columns by hilspy, which is Rust: LOG DATABASE N."""

import sys
import time
from collections import defaultdict
from itertools import islice

import hilspy
import numpy as np
from measured import begin, tell

source, database = f"file://{sys.argv[1]}?format=candump", f"dbc:{sys.argv[2]}"
began, frames = begin(), 0
columns: dict[tuple[str, str], list[float]] = defaultdict(list)
with hilspy.open(source, database, decode_choices=False) as log:
    for message in islice(log, int(sys.argv[3])):
        for name, value in message.fields.items():
            columns[message.name, name].append(value)
        frames += 1
made = {key: np.array(values) for key, values in columns.items()}
tell(
    time.perf_counter() - began,
    frames,
    lambda: {f"{message}.{name}": values for (message, name), values in made.items()},
)
