"""The benchmark's frames as a BLF log, by python-can."""

import sys

import can
import numpy as np

source, target = sys.argv[1:]
frames = np.load(source)
ids, lengths = frames["ids"].tolist(), frames["lengths"].tolist()
payloads = frames["payload"].astype("<u8").tobytes()
with can.BLFWriter(target) as writer:
    for row, (ts, slot) in enumerate(zip(frames["ts"], frames["slot"].tolist(), strict=True)):
        writer.on_message_received(
            can.Message(
                timestamp=float(ts) / 1e9,
                arbitration_id=ids[slot],
                is_extended_id=False,
                data=payloads[8 * row : 8 * row + lengths[slot]],
                channel=0,
            )
        )
