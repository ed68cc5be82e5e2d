"""Random values of single tensors."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias, get_args

import torch

from .._errors import RequestError
from .._known import activation_of
from .._theory import Activation, SigmaP, gain

Distribution: TypeAlias = Literal["uniform", "normal", "truncated_normal", "orthogonal"]

#: The standard deviation of a standard normal variable that is cut at ±2.
_TRUNCATED_STD = 0.8796256610342398


def check_distribution(distribution: str) -> None:
    """Raises if there is no such distribution.

    Raises:
        RequestError: The name is not known.
    """
    known = get_args(Distribution)
    if distribution not in known:
        raise RequestError(
            f"distribution: '{distribution}'; expected one of {', '.join(map(repr, known))}"
        )


def bound_of(distribution: str, std: float) -> float | None:
    """The largest absolute value of a distribution with a standard deviation; None without one."""
    if distribution == "uniform":
        return math.sqrt(3.0) * std
    if distribution == "truncated_normal":
        return 2.0 * std / _TRUNCATED_STD
    return None


def draw(
    like: torch.Tensor, std: float, distribution: str, generator: torch.Generator | None
) -> torch.Tensor:
    """Random values with mean 0, of the shape, type and device of ``like``.

    They are drawn in single precision (double for double) on the device of the generator.
    """
    device = like.device if generator is None else generator.device
    dtype = torch.float64 if like.dtype == torch.float64 else torch.float32
    values = torch.empty(like.shape, dtype=dtype, device=device)
    with torch.no_grad():
        if distribution == "uniform":
            bound = math.sqrt(3.0) * std
            values.uniform_(-bound, bound, generator=generator)
        elif distribution == "normal":
            values.normal_(0.0, std, generator=generator)
        elif distribution == "truncated_normal":
            scale = std / _TRUNCATED_STD
            torch.nn.init.trunc_normal_(
                values, 0.0, scale, -2 * scale, 2 * scale, generator=generator
            )
        else:
            rows, columns = values.shape[0], values[0].numel()
            # A matrix with orthonormal rows or columns has the mean square 1/max(rows, columns).
            factor = std * math.sqrt(max(rows, columns))
            torch.nn.init.orthogonal_(values, factor, generator=generator)
    return values.to(like.device, like.dtype)


def _fan_in(tensor: torch.Tensor, fan_in: int | None) -> float:
    if fan_in is not None:
        if fan_in < 1:
            raise RequestError(f"fan_in: {fan_in}; expected a number above 0")
        return float(fan_in)
    if tensor.ndim < 2:
        raise RequestError(
            f"tensor: shape {tuple(tensor.shape)}; expected at least 2 dimensions, or fan_in"
        )
    return float(tensor[0].numel())


def uniform_(
    tensor: torch.Tensor,
    activation: Activation,
    sigma_p: SigmaP = "auto",
    *,
    generator: torch.Generator | None = None,
    fan_in: int | None = None,
) -> torch.Tensor:
    r"""Fills a weight with values from the uniform distribution of the exact gain.

    The values are from :math:`\mathcal{U}(-a, a)` with

    .. math::
        a = \text{gain} \times \sqrt{\frac{3}{\text{fan\_in}}}, \qquad
        \text{gain}^2 = \frac{\sigma_p^2}{\mathbb{E}[f(z)^2]}, \quad z \sim \mathcal{N}(0, \sigma_p^2)

    Args:
        tensor: A weight of shape (out, in, ...), as layers of PyTorch have it.
        activation: The activation f whose values are the inputs of the layer.
        sigma_p: The standard deviation of the preactivations.
        generator: The generator of random numbers.
        fan_in: The number of inputs, if the shape does not tell it.

    Returns:
        The tensor.

    Example:
        >>> w = torch.empty(256, 256)
        >>> vi3nr.torch.uniform_(w, "gaussian:sigma=0.05")
    """
    return _filled(tensor, activation, sigma_p, "uniform", generator, fan_in)


def normal_(
    tensor: torch.Tensor,
    activation: Activation,
    sigma_p: SigmaP = "auto",
    *,
    generator: torch.Generator | None = None,
    fan_in: int | None = None,
) -> torch.Tensor:
    r"""Fills a weight with values from the normal distribution of the exact gain.

    The values are from :math:`\mathcal{N}(0, \text{gain}^2/\text{fan\_in})`. The arguments are those
    of :func:`uniform_`.

    Example:
        >>> w = torch.empty(256, 256)
        >>> vi3nr.torch.normal_(w, torch.nn.GELU(), sigma_p=1.0)
    """
    return _filled(tensor, activation, sigma_p, "normal", generator, fan_in)


def _filled(
    tensor: torch.Tensor,
    activation: Activation,
    sigma_p: SigmaP,
    distribution: str,
    generator: torch.Generator | None,
    fan_in: int | None,
) -> torch.Tensor:
    std = _gain(activation, sigma_p) / math.sqrt(_fan_in(tensor, fan_in))
    with torch.no_grad():
        return tensor.copy_(draw(tensor, std, distribution, generator))


def _gain(activation: Activation, sigma_p: SigmaP) -> float:
    if activation_of(activation) is None and sigma_p == "auto":
        sigma_p = 1.0  # a function; its roots are not known
    return gain(activation, sigma_p).value


#: The table of torch.nn.init.calculate_gain, for calls without σ_p.
_TORCH = {
    "linear": 1.0,
    "conv1d": 1.0,
    "conv2d": 1.0,
    "conv3d": 1.0,
    "conv_transpose1d": 1.0,
    "conv_transpose2d": 1.0,
    "conv_transpose3d": 1.0,
    "sigmoid": 1.0,
    "tanh": 5.0 / 3,
    "relu": math.sqrt(2.0),
    "selu": 3.0 / 4,
}


def calculate_gain(
    nonlinearity: Activation, param: float | None = None, *, sigma_p: SigmaP | None = None
) -> float:
    """The gain of a nonlinearity: a superset of :func:`torch.nn.init.calculate_gain`.

    Without ``sigma_p``, a name that PyTorch lists has PyTorch's value, such as 5/3 for tanh. Any
    other activation, and every activation with ``sigma_p``, has its exact gain σ_p/√E[f²].

    Args:
        nonlinearity: A name that PyTorch lists, or any activation of :func:`vi3nr.gain`.
        param: The slope of ``leaky_relu``.
        sigma_p: The standard deviation of the preactivations; ``"auto"`` for activations that
            PyTorch does not list.

    Example:
        >>> vi3nr.torch.calculate_gain("tanh")
        1.6666666666666667
        >>> vi3nr.torch.calculate_gain("tanh", sigma_p=1.0)
        1.5925374197228317
    """
    if sigma_p is None and isinstance(nonlinearity, str):
        if nonlinearity == "leaky_relu":
            if param is not None and not _is_number(param):
                raise RequestError(f"param: {param!r}; expected a number")
            slope = 0.01 if param is None else float(param)
            return math.sqrt(2.0 / (1 + slope**2))
        if nonlinearity in _TORCH:
            return _TORCH[nonlinearity]
    if nonlinearity == "leaky_relu" and param is not None:
        nonlinearity = f"leaky_relu:slope={float(param)!r}"
    elif isinstance(nonlinearity, str) and (nonlinearity == "linear" or "conv" in nonlinearity):
        nonlinearity = "x"
    return _gain(nonlinearity, "auto" if sigma_p is None else sigma_p)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
