"""Compiling the kernels, so that no message waits for it."""

import numpy as np

from contactor.cloud.ingest.arrays.decode import Raw, decode
from contactor.cloud.ingest.arrays.samples import read_known
from contactor.cloud.ingest.arrays.signal_table import SignalTable
from contactor.cloud.ingest.shapes import Shapes
from contactor.signals.catalogue import catalogue
from contactor.signals.datatypes import Datatype
from contactor.signals.groups import Group
from contactor.signals.record import Column, Record, Rows, zero_of
from contactor.signals.wire.codebook import Codebook
from contactor.signals.wire.decode import body_of
from contactor.signals.wire.encode import encode_record
from contactor.signals.wire.envelope import read_envelope


def warm() -> None:
    """Compile for every data type, and for samples in JSON."""
    _warm_records()
    payload, shapes = b'{"values": {"Vehicle.Speed": 1.5}}', Shapes()
    shapes.learn(payload)
    read_known([("warm", payload)], shapes, now_ns=0, latest_ns=1)


def _warm_records() -> None:
    ts, entries, columns = np.array([0, 1], np.int64), [], []
    for datatype in Datatype:
        signal = next((one for one in catalogue().values() if one.datatype is datatype), None)
        if signal is not None and not (datatype.is_array and datatype.is_text):
            zero = zero_of(datatype)
            entries.append((signal.path, datatype))
            columns.append(Column.of(signal.path, [None, zero], datatype))
    codebook = Codebook(entries)
    record = Record("warm", 0, 1, (Rows(Group.DRIVE, ts, tuple(columns)),))
    payload = encode_record(record, codebook)
    envelope = read_envelope(payload)
    decode([Raw("warm", payload, body_of(envelope))], SignalTable.of(entries), latest_ns=1)
