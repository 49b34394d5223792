"""Recorded drives in, a car's parameters out: least squares over a compiled fleet."""

from contactor.physics.calibration.fit import Fit, fit
from contactor.physics.calibration.parameters import PARAMETERS, Parameter
from contactor.physics.calibration.run import Run

__all__ = ["PARAMETERS", "Fit", "Parameter", "Run", "fit"]
