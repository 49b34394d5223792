"""Frames in memory to columns by cantools: FRAMES DATABASE N."""

import sys
import time
from collections import defaultdict

import cantools
import numpy as np
from frames import first_frames
from measured import begin, tell

database = cantools.database.load_file(sys.argv[2], strict=False)
frames = [(can_id, data) for _, can_id, data in first_frames(sys.argv[1], int(sys.argv[3]))]
began = begin()
columns: dict[tuple[int, str], list[float]] = defaultdict(list)
for can_id, data in frames:
    for name, value in database.decode_message(can_id, data, decode_choices=False).items():
        columns[can_id, name].append(value)
made = {key: np.array(values) for key, values in columns.items()}
tell(
    time.perf_counter() - began,
    len(frames),
    lambda: {
        f"{database.get_message_by_frame_id(can_id).name}.{name}": values
        for (can_id, name), values in made.items()
    },
)
