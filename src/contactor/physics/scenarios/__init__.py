"""Lives of cars as data: where they go, who drives, where they charge, in which weather."""

from contactor.physics.scenarios.builtin import load_scenario, scenario_names
from contactor.physics.scenarios.read import read_scenario
from contactor.physics.scenarios.scenario import Driver, Scenario

__all__ = ["Driver", "Scenario", "load_scenario", "read_scenario", "scenario_names"]
