"""Frames in memory to columns by can-decoder: FRAMES DATABASE N.

It gives one long table; its columns are views by message and signal.
"""

import sys
import time
import warnings
from pathlib import Path

import can_decoder
import canmatrix
import pandas as pd
from frames import first_frames
from measured import begin, tell

warnings.filterwarnings("ignore")
database = can_decoder.load_dbc(sys.argv[2])
frames = list(first_frames(sys.argv[1], int(sys.argv[3])))
table = pd.DataFrame(
    {
        "TimeStamp": pd.to_datetime([ts for ts, _, _ in frames]),
        "ID": [can_id for _, can_id, _ in frames],
        "IDE": False,
        "DataBytes": [list(data) for _, _, data in frames],
    }
)
began = begin()
readings = can_decoder.DataFrameDecoder(database).decode_frame(table)
seconds = time.perf_counter() - began
with Path(sys.argv[2]).open("rb") as file:
    names = {
        frame.arbitration_id.id: frame.name for frame in canmatrix.formats.load_flat(file, "dbc")
    }
tell(
    seconds,
    len(frames),
    lambda: {
        f"{names[can_id]}.{name}": part["Physical Value"].to_numpy()
        for (can_id, name), part in readings.groupby(["CAN ID", "Signal"], observed=True)
    },
)
