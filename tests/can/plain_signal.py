from contactor.can.database import SignalFormat

PLAIN = SignalFormat(
    name="Value",
    start=0,
    length=8,
    byte_order="little_endian",
    is_signed=False,
    is_float=False,
    scale=1,
    offset=0,
    unit="",
    labels={},
    multiplexer=None,
    multiplexer_ids=(),
    is_multiplexer=False,
)
"""A byte as it is; tests replace what they are about."""
