"""Initializers for JAX, exact for any activation.

:func:`initializer` returns a function with the signature of those in ``jax.nn.initializers``, which
Flax, Equinox and other libraries accept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias

import jax
import jax.numpy as jnp

from ._errors import RequestError
from ._known import activation_of
from ._theory import Activation, SigmaP, gain

__all__ = ["Initializer", "initializer"]

Distribution: TypeAlias = Literal["uniform", "normal", "truncated_normal"]
_DISTRIBUTIONS = ("uniform", "normal", "truncated_normal")
Axes: TypeAlias = int | Sequence[int]

#: The standard deviation of a standard normal variable that is cut at ±2.
_TRUNCATED_STD = 0.8796256610342398


class Initializer(Protocol):
    """The signature of the initializers in ``jax.nn.initializers``."""

    def __call__(
        self, key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None
    ) -> jax.Array: ...


def initializer(
    activation: Activation,
    sigma_p: SigmaP = "auto",
    *,
    distribution: Distribution = "uniform",
    in_axis: Axes = -2,
    out_axis: Axes = -1,
    batch_axis: Axes = (),
    first: bool = False,
    input_second_moment: float = 1 / 3,
) -> Initializer:
    r"""Builds an initializer that keeps the variance of preactivations at :math:`\sigma_p^2`.

    The weights have mean 0 and

    .. math::
        \operatorname{Var}(w) = \frac{\sigma_p^2}{\text{fan\_in} \, \mathbb{E}[f(z)^2]},
        \qquad z \sim \mathcal{N}(0, \sigma_p^2)

    with ``first``, :math:`\mathbb{E}[x^2]` of the inputs of the network takes the place of the
    expectation.

    Args:
        activation: The activation f: a name, a formula in x, a known function such as
            ``jax.nn.gelu``, or any elementwise function. It is the activation before the layer; with
            ``first``, the one after it, which decides about ``sigma_p`` only.
        sigma_p: The standard deviation of the preactivations: a number, ``"auto"`` for the smallest
            root of Eq. (13) (or the library's choice if there is none; 1 for a function), or a
            multiple such as ``"2*auto"``.
        distribution: ``uniform``, ``normal`` or ``truncated_normal`` (at two standard deviations),
            each with the same variance.
        in_axis: The axis or axes of the inputs of the layer.
        out_axis: The axis or axes of its outputs.
        batch_axis: Axes that belong to neither. All further axes are those of a convolution's kernel,
            whose size counts as part of fan-in.
        first: Whether the layer is fed by the inputs of the network.
        input_second_moment: E[x²] of these inputs; 1/3 for coordinates uniform on [-1, 1].

    Returns:
        A function of a key, a shape and a type.

    Raises:
        RequestError: An argument is out of range, or the activation cannot be read.

    Example:
        >>> init = vi3nr.jax.initializer("sine:omega=30")
        >>> init(jax.random.key(0), (256, 256)).std()
        Array(0.00316..., dtype=float32)

        With Flax:

        >>> from flax import nnx
        >>> layer = nnx.Linear(256, 256, kernel_init=init, rngs=nnx.Rngs(0))

        With Equinox, whose weights have the shape (out, in):

        >>> import equinox as eqx
        >>> init = vi3nr.jax.initializer(jax.nn.gelu, in_axis=-1, out_axis=-2)
        >>> layer = eqx.nn.Linear(256, 256, key=key)
        >>> weight = init(key, layer.weight.shape, layer.weight.dtype)
        >>> layer = eqx.tree_at(lambda each: each.weight, layer, weight)
    """
    if distribution not in _DISTRIBUTIONS:
        known = ", ".join(map(repr, _DISTRIBUTIONS))
        raise RequestError(f"distribution: '{distribution}'; expected one of {known}")
    if not 0 < input_second_moment < math.inf:
        raise RequestError(
            f"input_second_moment: {input_second_moment}; expected a finite number above 0"
        )
    if sigma_p == "auto" and activation_of(activation) is None:
        sigma_p = 1.0  # a function; its roots are not known
    found = gain(activation, sigma_p)
    scale = found.sigma_p / math.sqrt(input_second_moment) if first else found.value

    def initialize(
        key: Any, shape: Sequence[int], dtype: Any = None, out_sharding: Any = None
    ) -> jax.Array:
        if out_sharding is not None:
            raise RequestError("out_sharding: it is not supported")
        fan_in = _fan_in(tuple(shape), in_axis, out_axis, batch_axis)
        std = scale / math.sqrt(fan_in)
        kind = jnp.zeros(0).dtype if dtype is None else jnp.dtype(dtype)
        # Half-precision numbers are drawn in single precision.
        drawn = kind if kind.itemsize >= 4 else jnp.dtype("float32")
        if distribution == "uniform":
            bound = math.sqrt(3.0) * std
            values = jax.random.uniform(key, tuple(shape), drawn, -bound, bound)
        elif distribution == "normal":
            values = std * jax.random.normal(key, tuple(shape), drawn)
        else:
            cut = jax.random.truncated_normal(key, -2.0, 2.0, tuple(shape), drawn)
            values = std / _TRUNCATED_STD * cut
        return values.astype(kind)

    return initialize


def _axes(axes: Axes, dimensions: int) -> set[int]:
    listed = (axes,) if isinstance(axes, int) else tuple(axes)
    for axis in listed:
        if not -dimensions <= axis < dimensions:
            raise RequestError(
                f"shape: {dimensions} dimensions; expected axis {axis} among them"
            )
    return {axis % dimensions for axis in listed}


def _fan_in(shape: tuple[int, ...], in_axis: Axes, out_axis: Axes, batch_axis: Axes) -> int:
    """The product of all axes but those of outputs and batches."""
    if len(shape) < 2:
        raise RequestError(f"shape: {shape}; expected at least 2 dimensions")
    inputs = _axes(in_axis, len(shape))
    others = _axes(out_axis, len(shape)) | _axes(batch_axis, len(shape))
    if inputs & others:
        raise RequestError(f"in_axis: {in_axis}; it is also an axis of outputs or batches")
    fan_in = math.prod(size for axis, size in enumerate(shape) if axis not in others)
    if fan_in < 1:
        raise RequestError(f"shape: {shape}; expected at least one input")
    return fan_in
