"""Gains, solutions of the backward condition, and lists of what there is."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

from . import _core
from ._callable import function_gain
from ._errors import RequestError, whole
from ._known import activation_of

Signal: TypeAlias = Literal["image", "audio", "shape"]
Method: TypeAlias = Literal["auto", "closed", "quadrature", "mc"]
#: A name with parameters, a formula in x, a known module or function, or any function of arrays.
Activation: TypeAlias = str | Callable[[Any], Any]
#: A number, ``"auto"``, or a multiple such as ``"2*auto"``.
SigmaP: TypeAlias = float | str


@dataclass(frozen=True)
class Gain:
    """What an activation f needs at one standard deviation σ_p of the preactivations.

    All expectations are over z ~ N(0, σ_p²).
    """

    #: The activation in its text form.
    activation: str
    #: The standard deviation σ_p of the preactivations.
    sigma_p: float
    #: Where ``sigma_p`` comes from, if it was not given.
    sigma_p_reason: str
    #: The gain σ_p/√E[f²], Eq. (15): the standard deviation of the weights times √fan-in.
    value: float
    #: gain², the variance of the weights times fan-in.
    gain_squared: float
    #: E[f].
    mean: float
    #: E[f²].
    second_moment: float
    #: E[f']; NaN if it does not exist.
    derivative_mean: float
    #: E[f'²]; infinite if f' is not square-integrable.
    derivative_second_moment: float
    #: σ_p² E[f'²]/E[f²], the left side of Eq. (13): the factor by which a layer multiplies the
    #: variance of the gradient. 1 is the goal.
    condition: float
    #: E[z f f']/E[f²]: the factor by which a layer multiplies a small error in the variance.
    chi: float
    #: The largest error among these numbers: a proven bound for ``closed`` and ``quadrature``, an
    #: estimate for ``function``, and the largest standard error for ``mc``.
    error_bound: float
    #: ``closed``, ``quadrature``, ``mc`` (Monte Carlo) or ``function`` (integration of a Python
    #: function).
    method: Literal["closed", "quadrature", "mc", "function"]

    def __float__(self) -> float:
        return self.value

    def std(self, fan_in: int) -> float:
        """The standard deviation of the weights of a layer with ``fan_in`` inputs."""
        return self.value / math.sqrt(whole("fan_in", fan_in))


@dataclass(frozen=True)
class Solution:
    """The σ_p at which gradients keep their variance, Eq. (13)."""

    #: The activation in its text form.
    activation: str
    #: ``roots``; ``every``, if every σ_p satisfies the equation; or ``none``.
    kind: Literal["roots", "every", "none"]
    #: The solutions in ascending order.
    roots: tuple[float, ...]
    #: gain² at each root.
    gains_squared: tuple[float, ...]
    #: If there is no root, the infimum of |cond - 1|.
    infimum: float | None
    #: The σ_p at which the infimum is taken or approached: 0, a number or infinity; None if it is the
    #: same everywhere or there are roots.
    approached_at: float | None
    #: Whether the answer is proven; otherwise ``range`` was scanned.
    proven: bool
    #: The name of the argument that the answer rests on.
    basis: str
    #: The range of σ_p that was computed.
    range: tuple[float, float] | None
    #: The σ_p that a fit uses if none is given.
    default_sigma_p: float | None


def gain(
    activation: Activation,
    sigma_p: SigmaP | None = None,
    *,
    method: Method = "auto",
    samples: int = 1_000_000,
    seed: int = 0,
    signal: Signal = "image",
) -> Gain:
    """The gain of an activation with which a layer keeps the variance σ_p² of its preactivations.

    Args:
        activation: A built-in name with parameters (``"gaussian:sigma=0.05"``), a formula in x
            (``"x*tanh(log(1+exp(x)))"``), a module or function of PyTorch or JAX that is known
            (``nn.GELU()``), or any elementwise function of NumPy, PyTorch or JAX arrays.
        sigma_p: The standard deviation of the preactivations; by default that of a fit of
            ``signal``, and 1 for a function.
        method: ``closed``, ``quadrature`` or ``mc``; by default a closed form where one is known.
        samples: The number of samples of ``mc``.
        seed: The seed of ``mc``.
        signal: The kind of signal whose default σ_p is used.

    A function is evaluated in double precision, on some 10,000 points. Its derivative comes from
    automatic differentiation (PyTorch, JAX) or from the polynomial through 32 nodes (NumPy). The
    error bound is then an estimate: features narrower than σ_p/1000 can be missed.

    Raises:
        RequestError: The activation cannot be read, or a moment is infinite.

    Example:
        >>> import vi3nr
        >>> vi3nr.gain("tanh", sigma_p=1.0).value
        1.5925374...
        >>> vi3nr.gain(lambda x: x**2, sigma_p=1.0).gain_squared
        0.33333...
    """
    text = activation if isinstance(activation, str) else activation_of(activation)
    if text is None:
        if not callable(activation):
            raise RequestError(
                f"activation: {activation!r}; expected text, a module or a function of arrays"
            )
        if isinstance(sigma_p, str):
            raise RequestError(f"sigma_p: '{sigma_p}'; a function needs a number")
        reason = "1, the default for a function" if sigma_p is None else "given"
        scale = 1.0 if sigma_p is None else _number(sigma_p)
        numbers = function_gain(activation, scale)
        return Gain(**{**numbers, "sigma_p_reason": reason})
    asked = None if sigma_p is None else _text(sigma_p)
    samples, seed = whole("samples", samples), whole("seed", seed, least=0, most=2**64 - 1)
    return Gain(**_core.gain(text, asked, method, samples, seed, signal))


def _text(sigma_p: SigmaP) -> str:
    return sigma_p if isinstance(sigma_p, str) else repr(_number(sigma_p))


def _number(sigma_p: float) -> float:
    try:
        return float(sigma_p)
    except (TypeError, ValueError):
        raise RequestError(f"sigma_p: {sigma_p!r}; expected a number") from None


def solve(
    activation: Activation,
    *,
    fan_in: int = 1,
    fan_out: int = 1,
    signal: Signal = "image",
) -> Solution:
    """Every σ_p at which a layer keeps the variance of the gradients too, Eq. (13).

    Args:
        activation: Text, or a module or function that is known.
        fan_in: The number of inputs of the layer, if it differs from ``fan_out``.
        fan_out: The number of outputs.
        signal: The kind of signal for ``default_sigma_p``.

    Raises:
        RequestError: The activation cannot be read, or a moment is infinite.

    Example:
        >>> import vi3nr
        >>> vi3nr.solve("sinc").roots
        (2.22333..., )
        >>> vi3nr.solve("tanh").kind
        'none'
    """
    text = activation if isinstance(activation, str) else activation_of(activation)
    if text is None:
        raise RequestError(
            f"activation: {activation!r} is not known; expected a name, a formula in x or a known "
            "module"
        )
    fan_in, fan_out = whole("fan_in", fan_in), whole("fan_out", fan_out)
    found: dict[str, Any] = dict(_core.solve(text, fan_in, fan_out, signal))
    pairs = found.pop("roots")
    found.pop("is_everywhere")
    return Solution(
        roots=tuple(root for root, _ in pairs),
        gains_squared=tuple(squared for _, squared in pairs),
        **found,
    )


@dataclass(frozen=True)
class DerivativePropagation:
    """Variances of derivatives by the coordinates in a deep network, with their predictions.

    The input preactivations are those of a first layer at a point x of D coordinates with
    |x|² = D/3, the mean over coordinates in [-1, 1].
    """

    #: The number of coordinates D.
    coordinates: int
    #: The variance of the derivative of each layer's preactivations by a coordinate.
    derivative_variance: tuple[float, ...]
    #: The prediction for wide layers.
    predicted_derivative_variance: tuple[float, ...] | None
    #: The variance of the Laplacian of each layer's preactivations.
    laplacian_variance: tuple[float, ...]
    #: The prediction for wide layers, None where f' jumps.
    predicted_laplacian_variance: tuple[float, ...] | None
    #: Why a prediction is None.
    missing: str | None


@dataclass(frozen=True)
class Expectation:
    """What the theory predicts for networks of this width whose layers keep σ_p²."""

    #: χ: what a layer without biases multiplies an error in the variance by.
    chi: float
    #: What a layer of this experiment multiplies it by: χ times the share of the weights.
    error_factor: float
    #: What a layer multiplies the variance of the gradient by, Eq. (10).
    gradient_growth: float
    #: The mean forward error over networks of this width, in percent.
    e_f: float
    #: The mean backward error over networks of this width, in percent.
    e_b: float
    #: The largest number of layers after which the variance is within a factor of 2 of σ_p² with a
    #: probability of 95 %; None if it is at every depth.
    max_depth: int | None
    #: Why the variance does not stay, in a sentence.
    warning: str | None


@dataclass(frozen=True)
class Propagation:
    """Variances in a deep network at initialization: the paper's controlled experiment."""

    #: The scheme of the weights.
    scheme: str
    #: The standard deviation of the input preactivations.
    sigma_p: float
    #: The variance of the weights.
    weight_variance: float
    #: The variance of the biases.
    bias_variance: float
    #: The error of the forward variance in percent.
    e_f: float
    #: The error of the backward variance in percent.
    e_b: float
    #: The variance of the preactivations of each layer.
    forward_variance: tuple[float, ...]
    #: The variance of the gradient with respect to the input preactivations of each layer.
    backward_variance: tuple[float, ...]
    #: The number of samples without a finite forward variance.
    forward_non_finite: int
    #: The number of samples without a finite backward variance.
    backward_non_finite: int
    #: The mean cosine of the angle between the last preactivations of two samples: 1 if all samples
    #: have become alike; None if fewer than two samples are finite.
    cosine: float | None
    #: What the width alone explains; None for a scheme that does not keep σ_p.
    expected: Expectation | None
    #: The derivatives by the coordinates, if they were asked for.
    derivatives: DerivativePropagation | None = None


def propagate(
    activation: Activation,
    sigma_p: SigmaP | None = None,
    *,
    init: str = "ours",
    distribution: str = "uniform",
    depth: int = 100,
    width: int = 1000,
    batch: int = 1000,
    seed: int = 0,
    threads: int | None = None,
    derivatives: int | None = None,
) -> Propagation:
    """Measures how variances change in a deep network, forward and backward.

    Args:
        activation: Text, or a module or function that is known.
        sigma_p: The standard deviation of the input preactivations; by default the scheme's own.
        init: The scheme of the weights; see :func:`schemes`.
        distribution: ``uniform``, ``normal``, ``truncated-normal`` or ``orthogonal``.
        depth: The number of layers.
        width: The number of units per layer.
        batch: The number of samples.
        seed: The seed of weights, inputs and gradients.
        threads: The number of threads; one per core by default.
        derivatives: The number of coordinates, 1 to 64, by which the preactivations are
            differentiated too; by default they are not.

    Raises:
        RequestError: An argument is out of range, or the scheme does not apply.
    """
    text = activation if isinstance(activation, str) else activation_of(activation)
    if text is None:
        raise RequestError(f"activation: {activation!r} is not known")
    asked = None if sigma_p is None else _text(sigma_p)
    depth, width, batch = (
        whole(name, value) for name, value in (("depth", depth), ("width", width), ("batch", batch))
    )
    seed, threads = whole("seed", seed, least=0, most=2**64 - 1), whole("threads", threads)
    coordinates = whole("derivatives", derivatives)
    found = json.loads(
        _core.propagate(
            text, init, asked, distribution, depth, width, batch, seed, threads, coordinates
        )
    )
    names = {field.name for field in fields(Propagation)}
    numbers: dict[str, Any] = {name: value for name, value in found.items() if name in names}
    for name in ("forward_variance", "backward_variance"):
        numbers[name] = _variances(numbers[name], math.nan)
    if numbers["expected"] is not None:
        numbers["expected"] = Expectation(**numbers["expected"])
    if numbers["derivatives"] is not None:
        # What exceeds the range of numbers is null in JSON, as is what is not a number.
        own: dict[str, Any] = numbers["derivatives"]
        for name in ("derivative_variance", "laplacian_variance"):
            own[name] = _variances(own[name], math.nan)
            predicted = own["predicted_" + name]
            if predicted is not None:
                own["predicted_" + name] = _variances(predicted, math.inf)
        numbers["derivatives"] = DerivativePropagation(**own)
    return Propagation(**numbers)


def _variances(values: list[float | None], missing: float) -> tuple[float, ...]:
    """A list of JSON, in which null stands for `missing`."""
    return tuple(missing if value is None else value for value in values)


def activations() -> list[dict[str, Any]]:
    """The built-in activations: name, formula and parameters with their defaults."""
    return [dict(entry) for entry in _core.activations()]


def schemes() -> list[dict[str, Any]]:
    """The initialization schemes: name, variance of the weights, and what they were derived for."""
    return [dict(entry) for entry in _core.schemes()]
