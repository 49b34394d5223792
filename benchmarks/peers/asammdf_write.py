"""The benchmark's frames as an MF4 bus log, by asammdf."""

import sys
from datetime import UTC, datetime

import numpy as np
from asammdf import MDF, Signal
from asammdf.blocks.source_utils import Source
from asammdf.blocks.v4_constants import BUS_TYPE_CAN, FLAG_CG_BUS_EVENT, SOURCE_BUS

NAME = "CAN_DataFrame"

source, target = sys.argv[1:]
frames = np.load(source)
start_ns = int(frames["ts"][0])
slots = frames["slot"]
samples = np.zeros(
    len(slots),
    np.dtype(
        [
            (f"{NAME}.BusChannel", "<u1"),
            (f"{NAME}.ID", "<u4"),
            (f"{NAME}.IDE", "<u1"),
            (f"{NAME}.DLC", "<u1"),
            (f"{NAME}.DataLength", "<u1"),
            (f"{NAME}.DataBytes", "<u1", (8,)),
            (f"{NAME}.Dir", "<u1"),
        ]
    ),
)
samples[f"{NAME}.BusChannel"] = 1
samples[f"{NAME}.ID"] = frames["ids"][slots]
samples[f"{NAME}.DLC"] = samples[f"{NAME}.DataLength"] = frames["lengths"][slots]
samples[f"{NAME}.DataBytes"] = frames["payload"].astype("<u8").view(np.uint8).reshape(-1, 8)
bus = Source(NAME, NAME, "", SOURCE_BUS, BUS_TYPE_CAN)
with MDF(version="4.10") as mdf:
    mdf.start_time = datetime.fromtimestamp(start_ns // 10**9, UTC)
    seconds = (frames["ts"] - start_ns // 10**9 * 10**9) / 1e9
    mdf.append(
        Signal(samples, seconds, name=NAME, source=bus), acq_source=bus, common_timebase=True
    )
    mdf.groups[0].channel_group.flags |= FLAG_CG_BUS_EVENT
    mdf.save(target, overwrite=True)
