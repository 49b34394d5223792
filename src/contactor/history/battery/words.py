"""What a battery certificate says, by key; a table for each language.

A text may have places in braces; those are filled by name. A new language is a new table with the
same keys.
"""

from collections.abc import Mapping

Words = Mapping[str, str]

ENGLISH: Words = {
    "language": "en",
    "title": "Battery certificate",
    "car": "Car",
    "made": "Made on",
    "span": "From data of",
    "span_value": "{since} to {until}",
    "capacity": "Usable capacity",
    "health": "State of health",
    "sessions": "Measured over",
    "sessions_note": "charges and drives",
    "band_note": "95 % band {low} to {high}",
    "of_new_given": "of {new} kWh as new",
    "of_new_measured": "of {new} kWh, the first that was measured well",
    "unknown": "not known",
    "verdict_none": "The capacity of this battery could not be measured from the data there is.",
    "verdict": (
        "This battery holds {capacity} kWh from full to empty. With 95 % certainty it is between "
        "{low} and {high} kWh."
    ),
    "verdict_health": "That is {health} % of what it held when new.",
    "verdict_measured": "That is {health} % of the first capacity that was measured well.",
    "chart_capacity": "Capacity over time, kWh",
    "chart_capacity_note": (
        "The shade is the band of 95 %. Dashed: what is to be expected if the car goes on being "
        "used as it was."
    ),
    "chart_new": "new",
    "chart_first": "first measured",
    "chart_cells": "Cells at rest, mV beside the median cell",
    "chart_cells_note": "{count} cells. {outliers}",
    "outliers_none": "None stands out.",
    "outliers_one": "Cell {cells} stands out.",
    "outliers_many": "Cells {cells} stand out.",
    "chart_charge": "Time at each state of charge, %",
    "chart_charge_note": "A battery ages fastest when it stands nearly full.",
    "chart_warmth": "Time at each battery temperature, % (°C)",
    "chart_warmth_note": "Heat ages a battery also while it stands.",
    "chart_resistance": "Resistance at 25 °C, mΩ, drive by drive",
    "chart_resistance_note": "It rises with age. Single drives scatter; their trend counts.",
    "figures": "Figures",
    "resistance": "Resistance of the pack at 25 °C",
    "resistance_value": "{ohm} ± {uncertainty} mΩ",
    "resistance_change": "Change of the resistance",
    "per_year": "{value} % a year",
    "spread": "Cells apart at rest, least to greatest",
    "cycles": "Equivalent full cycles in this time",
    "given": "Energy given and taken in this time",
    "given_value": "{given} and {taken} kWh",
    "mean_charge": "Mean state of charge",
    "set_aside": "Sessions that contradict the others, set aside",
    "forecast": "Expected in {years} years",
    "forecast_value": "{capacity} kWh ({low} to {high})",
    "method": "How it was measured",
    "method_charge_counted": (
        "While the car charged and drove, the current in and out of the battery was added up to "
        "ampere hours, and set against the change of the state of charge. {count} charges and "
        "drives were weighed by how exact each of them is: by its length, the resolution of the "
        "state of charge and the gaps in the data. A filter that lets the capacity change slowly "
        "joins them. The offset of the current's sensor was found from charges and drives "
        "disagreeing. The mean voltage from full to empty turns ampere hours into kilowatt hours."
    ),
    "method_energy_counted": (
        "The car gives its power but no current. While it charged and drove, power was added up to "
        "kilowatt hours, and set against the change of the state of charge. What is lost in the "
        "battery was found from charges needing more than drives give. {count} charges and drives "
        "were weighed by how exact each of them is and joined by a filter."
    ),
    "method_voltage_curve": (
        "The car gives no state of charge. Voltage at rest before and after {count} discharges, "
        "and the charge that flowed between, are pieces of one curve from full to empty. Laid side "
        "by side they give the whole of it, though the car was never driven from full to empty."
    ),
    "limits": "What this certificate cannot know",
    "limit_sensor": (
        "The current's sensor is the car's own. Were it wrong by one percent in all it measures, "
        "the capacity would be as well; half a percent is allowed for in the band."
    ),
    "limit_charge": (
        "The state of charge is the car's own estimate. A car whose estimate is stretched at one "
        "end of its range hides that."
    ),
    "limit_reserve": "What the maker keeps in reserve, above full and below empty, is not counted.",
    "limit_single": "A single cell that is about to fail may show only days before it does.",
    "limit_before": "Nothing is known of the time before {since}.",
    "limit_new_measured": (
        "What the battery held when it left the factory was not given; health is against the first "
        "capacity that was measured well, so earlier losses do not show."
    ),
    "limit_unseen": "Charge, warmth and cells are told only where the car tells them.",
    "foot": "Made by Contactor from the car's own data, {vehicle}.",
}
