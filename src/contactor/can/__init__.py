"""The CAN engine: log files to frames, frames to columns. Knows databases, nothing of VSS.

    log files ──► log.open_log ──► FrameTable ──► decode.decode_columns ──► SignalColumn ...
                  (readers/)       (frames)              ▲
    DBC files ──► database.load_database ──► plan.compile_plan

`recording.decode` is the whole road in one call.
"""
