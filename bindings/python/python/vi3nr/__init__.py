"""Exact initialization of networks with any activation, and a fused trainer of coordinate networks.

- :func:`gain`, :func:`solve`, :func:`propagate`: what an activation needs.
- :mod:`vi3nr.torch` and :mod:`vi3nr.jax`: initial weights for PyTorch models and JAX (imported when
  they are used).
- :func:`fit`, :func:`resume`, :func:`fit_many`, :class:`Model`: images, audio and shapes as networks.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._core import VERSION as __version__
from ._errors import DivergenceError, Error, FileError, Interrupted, RequestError
from ._fit import FitWarning, fit, fit_many, resume
from ._known import activation_of
from ._model import Model
from ._theory import Gain, Propagation, Solution, activations, gain, propagate, schemes, solve

if TYPE_CHECKING:
    from . import jax as jax
    from . import torch as torch

__all__ = [
    "DivergenceError",
    "Error",
    "FileError",
    "FitWarning",
    "Gain",
    "Interrupted",
    "Model",
    "Propagation",
    "RequestError",
    "Solution",
    "__version__",
    "activation_of",
    "activations",
    "fit",
    "fit_many",
    "gain",
    "propagate",
    "resume",
    "schemes",
    "solve",
]


def __getattr__(name: str) -> Any:
    """``vi3nr.torch`` and ``vi3nr.jax``, which import the framework, on first use."""
    if name in ("torch", "jax"):
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "torch", "jax"])
