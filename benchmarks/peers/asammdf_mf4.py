"""An MF4 bus log by asammdf: its raw frames, or every signal scaled.

asammdf_mf4.py LOG             reading alone
asammdf_mf4.py LOG DATABASE    to columns
"""

import sys
import time
from typing import Any

from asammdf import MDF
from measured import begin, tell


def name_of(channel: Any) -> str:
    """`Message.Signal`: one of several names that asammdf gives a channel."""
    names = channel.display_names.items()
    return next((name for name, kind in names if kind == "message"), channel.name)


began = begin()
with MDF(sys.argv[1]) as log:
    if len(sys.argv) == 2:
        frames = len(log.get("CAN_DataFrame", raw=True).samples)
        tell(time.perf_counter() - began, frames)
        sys.exit()
    extracted = log.extract_bus_logging({"CAN": [(sys.argv[2], 0)]})
    channels = [
        (name_of(channel), place, index)
        for place, group in enumerate(extracted.groups)
        for index, channel in enumerate(group.channels)
        if index  # the first is time
    ]
    signals = extracted.select(
        [(None, place, index) for _, place, index in channels],
        ignore_value2text_conversions=True,
        copy_master=False,
    )
    made = {name: signal.samples for (name, _, _), signal in zip(channels, signals, strict=True)}
    seconds = time.perf_counter() - began
    frames = len(log.get("CAN_DataFrame", raw=True).samples)
tell(seconds, frames, lambda: made)
