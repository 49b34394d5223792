"""The truth about a battery, from charges, drives and rests.

conclude     gather: rows to evidence; conclude: evidence to a report
evidence     what is kept of a stretch: small, joined with that of other stretches
report       what is said; as_json: the same as plain values
counting     charge and energy summed over rows
windows      charge counted against the change of the state of charge
fusion       many weak capacities to one, with a band
discharges   drives of a car without a state of charge, between rests
stitching    the capacity from these: pieces of one curve of voltage over charge
voltages     from ampere hours to kilowatt hours
resistance, cells, use, forecast     what else there is to say
"""

from contactor.history.battery.as_json import as_json
from contactor.history.battery.cells import CellVoltages
from contactor.history.battery.conclude import battery_report, conclude, gather
from contactor.history.battery.evidence import Evidence, join
from contactor.history.battery.report import BatteryReport, Method
from contactor.history.battery.stitching import Ends

__all__ = [
    "BatteryReport",
    "CellVoltages",
    "Ends",
    "Evidence",
    "Method",
    "as_json",
    "battery_report",
    "conclude",
    "gather",
    "join",
]
