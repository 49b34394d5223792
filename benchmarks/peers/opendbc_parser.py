"""Frames in memory to columns by opendbc's CANParser: FRAMES DATABASE N."""

import sys
import time

import numpy as np
from frames import first_frames
from measured import begin, tell
from opendbc.can import CANParser
from opendbc.can.dbc import DBC

messages = DBC(sys.argv[2]).addr_to_msg
parser = CANParser(sys.argv[2], [(address, 1) for address in messages], 0)
frames = [
    (ts, [(can_id, data, 0)]) for ts, can_id, data in first_frames(sys.argv[1], int(sys.argv[3]))
]
began = begin()
parser.update(frames)
made = {
    f"{message.name}.{name}": np.array(values)
    for address, message in messages.items()
    for name, values in parser.vl_all[address].items()
}
tell(time.perf_counter() - began, len(frames), lambda: made)
