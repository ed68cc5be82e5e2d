"""The engine, for training loops of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import RequestError, whole
from ._known import activation_of
from ._model import FloatArray, float_array
from ._theory import Activation, SigmaP, _text


@dataclass(frozen=True)
class Constraint:
    """Points with the terms of the loss there, and the targets that the terms compare with.

    A target that is not given is 0: ``Constraint(points, ["laplacian:1"])`` asks for a Laplacian of
    0. Only ``normal`` needs ``gradients`` and ``directional`` needs ``directions``.
    """

    #: Shape (n, inputs).
    points: npt.ArrayLike
    #: Terms with their weights, such as ``"laplacian:1"`` or ``"eikonal:0.1,power=1"``.
    terms: Sequence[str]
    #: Targets of ``value``, shape (n, outputs).
    values: npt.ArrayLike | None = None
    #: Targets of ``gradient`` and normals of ``normal``, shape (n, outputs, inputs).
    gradients: npt.ArrayLike | None = None
    #: Targets of ``laplacian``, shape (n, outputs).
    laplacians: npt.ArrayLike | None = None
    #: Directions of ``directional``, shape (n, inputs).
    directions: npt.ArrayLike | None = None
    #: Targets of ``directional``, shape (n, outputs).
    slopes: npt.ArrayLike | None = None
    #: One factor of the loss for each point, shape (n,).
    weights: npt.ArrayLike | None = None

    def _arrays(self) -> Constraint:
        """The same with arrays in single precision."""
        dimensions = {
            "points": 2,
            "values": 2,
            "gradients": 3,
            "laplacians": 2,
            "directions": 2,
            "slopes": 2,
            "weights": 1,
        }
        arrays: dict[str, Any] = {}
        for name, count in dimensions.items():
            given = getattr(self, name)
            arrays[name] = None if given is None else _array(name, given, count)
        if isinstance(self.terms, str):
            raise RequestError(f"terms: {self.terms!r}; expected a list of terms")
        return Constraint(terms=list(self.terms), **arrays)


def _array(name: str, values: npt.ArrayLike, dimensions: int) -> FloatArray:
    try:
        array = float_array(values)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{name}: {error}; expected an array of numbers") from None
    if array.ndim != dimensions:
        raise RequestError(f"{name} of shape {array.shape}; expected {dimensions} dimensions")
    return array


class Engine:
    """A network in training: the fused engine of :func:`vi3nr.fit`, for a loop of one's own.

    Args:
        dims: The number of inputs, the hidden widths and the number of outputs.
        activation: A name, a formula in x, or a module or function that is known.
        init: The scheme of the initial weights; see :func:`schemes`. By default as in a fit: the
            scheme that was published with the activation, or the paper's.
        sigma_p: The standard deviation of the preactivations, for a scheme that has one. By default
            that of a fit of an image.
        first_sigma_p: That of the first layer, for the schemes ``ours`` and ``eoc``.
        seed: The seed of the initial weights.
        threads: The number of threads; one per core by default. Results do not depend on it.
        backend: ``"cpu"`` (the default), ``"gpu"`` or ``"reference"``.
        device: The number of the GPU in the list of :func:`devices`; by default the first that is not
            software.

    Raises:
        RequestError: A size, the activation, the scheme or the backend is invalid.
        Error: The GPU cannot be used.

    Example:
        >>> import numpy as np, vi3nr
        >>> engine = vi3nr.Engine([1, 16, 16, 1], "tanh", sigma_p=1.0)
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> engine.load_batch(x, x**2)
        >>> for _ in range(500):
        ...     loss = engine.loss_and_gradient()
        ...     engine.adam(1e-2)
        >>> loss < 1e-3
        True
    """

    def __init__(
        self,
        dims: Sequence[int],
        activation: Activation,
        *,
        init: str | None = None,
        sigma_p: SigmaP | None = None,
        first_sigma_p: SigmaP | None = None,
        seed: int = 0,
        threads: int | None = None,
        backend: str | None = None,
        device: int | None = None,
    ) -> None:
        text = activation if isinstance(activation, str) else activation_of(activation)
        if text is None:
            raise RequestError(
                f"activation: {activation!r} is not known; expected a name, a formula in x or a "
                "known module"
            )
        self._core = _core.Engine(
            [whole("dims", size) for size in dims],
            text,
            init,
            None if sigma_p is None else _text(sigma_p),
            None if first_sigma_p is None else _text(first_sigma_p),
            whole("seed", seed, least=0, most=2**64 - 1),
            whole("threads", threads),
            backend,
            whole("device", device, least=0),
        )

    @classmethod
    def uniform(
        cls, inputs: int, width: int, layers: int, outputs: int, activation: Activation, **more: Any
    ) -> Engine:
        """An engine for a network of ``layers`` weight matrices with equal hidden widths.

        Args:
            inputs: The number of inputs.
            width: The number of units of each hidden layer.
            layers: The number of weight matrices.
            outputs: The number of outputs.
            activation: As for the class.
            more: The keyword arguments of the class.
        """
        layers = whole("layers", layers, most=1024)
        return cls([inputs, *[width] * (layers - 1), outputs], activation, **more)

    @property
    def dims(self) -> tuple[int, ...]:
        """The number of inputs, the hidden widths and the number of outputs."""
        return tuple(self._core.dims)

    @property
    def activation(self) -> str:
        """The activation in its text form."""
        return str(self._core.activation)

    def load_batch(self, points: npt.ArrayLike, targets: npt.ArrayLike) -> None:
        """Loads points, shape (n, inputs), and targets, shape (n, outputs).

        The loss is the mean squared error. The batch is kept until the next one is loaded.

        Raises:
            RequestError: A shape does not match.
        """
        self._core.load_batch(_array("points", points, 2), _array("targets", targets, 2))

    def load_terms(self, constraints: Iterable[Constraint]) -> None:
        """Loads constraints, whose losses on values and derivatives are added.

        The loss is the sum over constraints and their terms of weight times the mean over points.

        Raises:
            RequestError: A shape does not match, a term cannot be read or lacks its targets.
        """
        self._core.load_terms([constraint._arrays() for constraint in constraints])

    def loss_and_gradient(self) -> float:
        """The loss of the current parameters; keeps its gradient.

        Raises:
            Error: No batch is loaded.
        """
        return float(self._core.loss_and_gradient())

    @property
    def term_losses(self) -> tuple[float, ...]:
        """The mean loss of each term without its weight, in order; empty after ``load_batch``."""
        return tuple(self._core.term_losses())

    def adam(
        self,
        learning_rate: float,
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        """One step of Adam with the gradient of the last loss.

        Raises:
            Error: There is no gradient.
        """
        self._core.adam(learning_rate, beta1, beta2, epsilon)

    @property
    def parameters(self) -> FloatArray:
        """A copy of weights (out, in) and biases of all layers, in their order.

        Assigning an array replaces the parameters, for an optimizer of one's own.
        """
        parameters: FloatArray = self._core.parameters()
        return parameters

    @parameters.setter
    def parameters(self, parameters: npt.ArrayLike) -> None:
        self._core.set_parameters(_array("parameters", parameters, 1))

    def gradient(self) -> FloatArray:
        """The gradient of the last loss, in the order of :attr:`parameters`.

        Raises:
            Error: There is none.
        """
        gradient: FloatArray = self._core.gradient()
        return gradient

    def __call__(self, points: npt.ArrayLike) -> FloatArray:
        """The values at points, shape (n, inputs): shape (n, outputs).

        Raises:
            RequestError: The shape does not match.
        """
        values: FloatArray = self._core.values(_array("points", points, 2))
        return values

    def derivatives(self, points: npt.ArrayLike) -> FloatArray:
        """The derivatives with respect to the coordinates, shape (n, outputs, inputs).

        Raises:
            RequestError: The shape does not match.
        """
        derivatives: FloatArray = self._core.derivatives(_array("points", points, 2))
        return derivatives

    def hessians(self, points: npt.ArrayLike) -> FloatArray:
        """The second derivatives, shape (n, outputs, inputs, inputs).

        Raises:
            RequestError: The shape does not match, or the second derivative of a formula exceeds
                its limits.
        """
        hessians: FloatArray = self._core.hessians(_array("points", points, 2))
        return hessians

    def laplacians(self, points: npt.ArrayLike) -> FloatArray:
        """The sums of the second derivatives along the coordinates, shape (n, outputs).

        Raises:
            RequestError: As for :meth:`hessians`.
        """
        laplacians: FloatArray = np.trace(self.hessians(points), axis1=2, axis2=3)
        return laplacians

    def __repr__(self) -> str:
        return f"<vi3nr.Engine {'-'.join(map(str, self.dims))}, {self.activation}>"
