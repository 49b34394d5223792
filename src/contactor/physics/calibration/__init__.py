"""Recorded drives in, a car's parameters out: least squares over a compiled fleet."""

from contactor.physics.calibration.fit import Estimate, Fit, fit, predict
from contactor.physics.calibration.parameters import PARAMETERS, Parameter
from contactor.physics.calibration.run import Run

__all__ = ["PARAMETERS", "Estimate", "Fit", "Parameter", "Run", "fit", "predict"]
