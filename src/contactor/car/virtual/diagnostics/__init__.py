"""The virtual car's control units answer a tester: request bytes in, answer bytes out; no I/O.

frames ─► isotp ─► ecus ─┬─► uds (ISO 14229-1) ─┬─► identifiers, security
                         └─► obd (SAE J1979)  ──┴─► dtc: what is wrong with the car
"""
