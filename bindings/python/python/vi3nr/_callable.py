"""Python functions as activations: evaluated in double precision, with their derivatives."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import RequestError

Array = npt.NDArray[np.float64]
#: Maps points to values, derivatives (None if they are not known) and the precision of the values.
Evaluate = Callable[[Array], tuple[Array, Array | None, float]]


def function_gain(function: Callable[[Any], Any], sigma_p: float) -> dict[str, Any]:
    """The numbers of the gain of ``function``.

    Raises:
        RequestError: It is not an elementwise function of arrays of any known framework, or a
            moment is infinite or not resolved.
    """
    evaluate = _evaluation(function)
    probe = sigma_p * np.linspace(-1.3, 1.4, 7)
    values, _, precision = evaluate(probe)
    _require_elementwise(function, evaluate, probe, values)

    def samples(points: Array) -> tuple[Array, Array | None]:
        values, slopes, _ = evaluate(points)
        return values, slopes

    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return dict(_core.function_gain(samples, name, sigma_p, precision))


def _require_elementwise(
    function: Callable[[Any], Any], evaluate: Evaluate, probe: Array, values: Array
) -> None:
    """Functions such as softmax depend on the other elements, and have no gain."""
    part, _, precision = evaluate(probe[1:4])
    whole = values[1:4]
    tolerance = 64 * precision * (1 + np.abs(np.nan_to_num(whole)))
    with np.errstate(invalid="ignore"):
        differs = np.abs(part - whole) > tolerance
    if np.any(differs):
        raise RequestError(
            f"{function!r} is not elementwise: its value at a point depends on the other points"
        )


def _evaluation(function: Callable[[Any], Any]) -> Evaluate:
    """How ``function`` is evaluated: with the arrays of the first framework that it accepts."""
    probe = np.linspace(-0.9, 1.1, 5)
    failures: list[str] = []
    for name, attempt in (("torch", _torch), ("jax", _jax), ("numpy", _numpy)):
        if name != "numpy" and name not in sys.modules:
            continue
        evaluate = attempt(function)
        try:
            evaluate(probe)
        except Exception as error:  # whatever the function of a user raises
            failures.append(f"with {name} arrays: {type(error).__name__}: {error}")
            continue
        return evaluate
    raise RequestError(
        f"{function!r} cannot be evaluated on arrays of double precision; " + "; ".join(failures)
    )


def _checked(result: Any, points: Array) -> Array:
    values = np.asarray(result, dtype=np.float64)
    if values.shape != points.shape:
        raise TypeError(f"it maps shape {points.shape} to shape {values.shape}")
    return np.ascontiguousarray(values)


def _precision(dtype: Any) -> float:
    kind = np.dtype(dtype)
    if kind.kind == "f" and kind.itemsize < 8:
        return float(np.finfo(kind).eps)
    return float(np.finfo(np.float64).eps)


def _numpy(function: Callable[[Any], Any]) -> Evaluate:
    def evaluate(points: Array) -> tuple[Array, Array | None, float]:
        with np.errstate(all="ignore"):
            result = function(points)
        if not isinstance(result, (np.ndarray, np.floating)):
            raise TypeError(f"it returned {type(result).__name__}, not an array")
        return _checked(result, points), None, _precision(result.dtype)

    return evaluate


def _torch(function: Callable[[Any], Any]) -> Evaluate:
    import torch

    if isinstance(function, torch.nn.Module):
        function = copy.deepcopy(function).double().eval()

    def evaluate(points: Array) -> tuple[Array, Array | None, float]:
        with torch.enable_grad():
            x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
            y = function(x)
            if not isinstance(y, torch.Tensor):
                raise TypeError(f"it returned {type(y).__name__}, not a tensor")
            if y.shape != x.shape:
                raise TypeError(f"it maps shape {tuple(x.shape)} to shape {tuple(y.shape)}")
            slopes = np.zeros_like(points)
            if y.requires_grad:
                (found,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
                if found is not None:
                    slopes = _checked(found.detach().cpu().numpy(), points)
        values = _checked(y.detach().to("cpu", torch.float64).numpy(), points)
        precision = torch.finfo(y.dtype).eps if y.dtype.is_floating_point else 0.0
        return values, slopes, max(float(precision), float(np.finfo(np.float64).eps))

    return evaluate


def _jax(function: Callable[[Any], Any]) -> Evaluate:
    import jax
    import jax.numpy as jnp

    # Older versions have it elsewhere.
    home = jax if hasattr(jax, "enable_x64") else importlib.import_module("jax.experimental")
    double = home.enable_x64

    def evaluate(points: Array) -> tuple[Array, Array | None, float]:
        with double(True):
            x = jnp.asarray(points, dtype=jnp.float64)
            y, slopes = jax.jvp(function, (x,), (jnp.ones_like(x),))
            if not isinstance(y, jax.Array):
                raise TypeError(f"it returned {type(y).__name__}, not a JAX array")
            return _checked(y, points), _checked(slopes, points), _precision(y.dtype)

    return evaluate
