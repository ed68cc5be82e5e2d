"""Exact initialization of networks with any activation, and a fused trainer of coordinate networks.

- :func:`gain`, :func:`solve`, :func:`propagate`: what an activation needs.
- :mod:`vi3nr.torch` and :mod:`vi3nr.jax`: initial weights for PyTorch models and JAX.
- :class:`Engine`, :class:`Constraint`: training loops, also on derivatives (equations).
- :func:`fit`, :func:`resume`, :func:`fit_many`, :class:`Model`: images, audio and shapes as networks.
- :func:`devices`: the GPUs of this machine.

Importing the package imports neither NumPy nor a framework: each name is imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._core import VERSION as __version__

if TYPE_CHECKING:
    from . import jax as jax
    from . import torch as torch
    from ._devices import Device, devices
    from ._engine import Constraint, Engine
    from ._errors import DivergenceError, Error, FileError, Interrupted, RequestError
    from ._fit import FitWarning, fit, fit_many, resume
    from ._known import activation_of
    from ._model import Model
    from ._theory import (
        DerivativePropagation,
        Expectation,
        Gain,
        Propagation,
        Solution,
        activations,
        gain,
        propagate,
        schemes,
        solve,
    )

__all__ = [
    "Constraint",
    "DerivativePropagation",
    "Expectation",
    "Device",
    "DivergenceError",
    "Engine",
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
    "devices",
    "fit",
    "fit_many",
    "gain",
    "propagate",
    "resume",
    "schemes",
    "solve",
]

#: The module of each name.
_HOMES = {
    "_devices": ("Device", "devices"),
    "_engine": ("Constraint", "Engine"),
    "_errors": ("DivergenceError", "Error", "FileError", "Interrupted", "RequestError"),
    "_fit": ("FitWarning", "fit", "fit_many", "resume"),
    "_known": ("activation_of",),
    "_model": ("Model",),
    "_theory": (
        "DerivativePropagation",
        "Expectation",
        "Gain",
        "Propagation",
        "Solution",
        "activations",
        "gain",
        "propagate",
        "schemes",
        "solve",
    ),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in ("torch", "jax"):
        return importlib.import_module(f".{name}", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    # The next use finds it here.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "torch", "jax"])
