"""Bytes per signal on the wire: an outbox's messages in version 2, and as version 1 wrote them.

    contactor agent --car virtual:contactor_ev --link nats://x:y@localhost:49999 --data /tmp/car
    PYTHONPATH=. .venv/bin/python benchmarks/wire.py /tmp/car/agent/outbox.db

An agent without a cloud fills its outbox: the week before as backlog, then a live message a second.
A signal is a cell of a row that is not unknown, an array one signal. Stop the agent first.
"""

import sys
from pathlib import Path

from contactor.car.agent.outbox import Outbox, Stream
from contactor.signals.record import Record, State
from tests.signals.wire.version_1 import encode_version_1

AT_ONCE = 512


def measure(outbox: Outbox, stream: Stream) -> str:
    """A line about one stream, "" if it holds nothing."""
    messages = signals = before = now = after = 0
    while held := outbox.held(stream, after=after, limit=AT_ONCE):
        after = held[-1].last
        for message in held:
            record = outbox.read(message)
            if not isinstance(record, Record):
                continue
            messages += 1
            now += len(message.payload)
            before += len(encode_version_1(record))
            for rows in record.groups:
                signals += sum(int((one.state != State.UNKNOWN).sum()) for one in rows.columns)
    if not messages:
        return ""
    codebook = max(map(len, outbox.codebooks(stream).values()))
    return (
        f"{stream.lane}: {messages} messages of {signals / messages:.1f} signals;"
        f" version 1 {before / signals:.1f}, version 2 {now / signals:.1f} bytes a signal;"
        f" codebook {codebook} bytes"
    )


def main() -> None:
    outbox = Outbox(Path(sys.argv[1]))
    print("\n".join(filter(None, (measure(outbox, stream) for stream in outbox.streams()))))


if __name__ == "__main__":
    main()
