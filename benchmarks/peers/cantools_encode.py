"""Signal values to CAN messages, frame by frame, with cantools and python-can: frames per second.

Before the clock starts, each payload is compared with the one that came with the values.
"""

import json
import sys
import time
from pathlib import Path

import can
import cantools

frames_path, database_path = Path(sys.argv[1]), sys.argv[2]
database = cantools.database.load_file(database_path)
frames = [json.loads(line) for line in frames_path.read_text().splitlines()]
for ts, can_id, payload, values in frames:
    encoded = database.encode_message(can_id, values)
    if encoded.hex() != payload:
        sys.exit(f"{can_id:x} at {ts}: {encoded.hex()} for {values}, not {payload}")

began, made = time.perf_counter(), []
for ts, can_id, _, values in frames:
    data = database.encode_message(can_id, values)
    made.append(
        can.Message(timestamp=ts / 1e9, arbitration_id=can_id, data=data, is_extended_id=False)
    )
print(len(made) / (time.perf_counter() - began))
