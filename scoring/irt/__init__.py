"""Item response theory: calibration, abilities, information, fit and linking.

Scale: P = c + (1−c) / (1 + exp(−a(θ−b))), D = 1. Responses are persons × items, NaN = not administered.
"""

from scoring.irt.calibration import Calibration, calibrate
from scoring.irt.parameters import ItemParameters
from scoring.irt.priors import Beta, LogNormal, Normal, Priors

__all__ = ["Beta", "Calibration", "ItemParameters", "LogNormal", "Normal", "Priors", "calibrate"]
