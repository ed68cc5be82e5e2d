"""Initial weights for PyTorch models, exact for any activation.

- :func:`init_` initializes a whole model and returns a :class:`Report`;
- :func:`uniform_` and :func:`normal_` fill a single weight;
- :func:`calculate_gain` is a superset of :func:`torch.nn.init.calculate_gain`.
"""

from .initialize import init_
from .report import LayerReport, Report, UnhealthyError
from .tensors import calculate_gain, normal_, uniform_

__all__ = [
    "LayerReport",
    "Report",
    "UnhealthyError",
    "calculate_gain",
    "init_",
    "normal_",
    "uniform_",
]
