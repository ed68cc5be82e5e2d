"""Models as PyTorch modules, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from ._errors import RequestError
from ._formula import evaluator

if TYPE_CHECKING:
    from ._model import FloatArray, Model


def _fold(
    operation: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> Callable[[Any, Any], torch.Tensor]:
    def folded(a: Any, b: Any) -> torch.Tensor:
        like = a if isinstance(a, torch.Tensor) else b
        a, b = (torch.as_tensor(v, dtype=like.dtype, device=like.device) for v in (a, b))
        return operation(a, b)

    return folded


def _sinc(x: torch.Tensor, a: float = 1.0) -> torch.Tensor:
    return torch.sinc(a * x / torch.pi)


#: Functions of formulas, and built-in activations whose formula is not evaluated as it stands.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "exp": torch.exp,
    "log": torch.log,
    "ln": torch.log,
    "sqrt": torch.sqrt,
    "abs": torch.abs,
    "sign": torch.sign,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "sech": lambda x: 1 / torch.cosh(x),
    "erf": torch.erf,
    "erfc": torch.erfc,
    "atan": torch.atan,
    "sinc": _sinc,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "max": _fold(torch.maximum),
    "min": _fold(torch.minimum),
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "relu": functional.relu,
}


class Activation(torch.nn.Module):
    """An activation of vi3nr, by its text form: a built-in name or a formula in x."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self._function = evaluator(text, FUNCTIONS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self._function(x)
        return result

    def extra_repr(self) -> str:
        return repr(self.text)

    def __reduce__(self) -> tuple[Any, ...]:
        return Activation, (self.text,)


class Network(torch.nn.Module):
    """The MLP of a model: maps coordinates (n, inputs) to values (n, outputs).

    Its parameters are copies of those of the model.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        #: The model that it was made from; it does not change with the parameters.
        self.model = model
        dims = model.dims
        self.net = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(dims, dims[1:], strict=False)
        )
        self.activation = Activation(model.activation)
        self._copy(model)

    def _copy(self, model: Model) -> None:
        parameters = torch.from_numpy(np.array(model.parameters()))
        start = 0
        with torch.no_grad():
            # The order of the parameters is that of the layers, weights before biases.
            for tensor in self.net.parameters():
                end = start + tensor.numel()
                tensor.copy_(parameters[start:end].view_as(tensor))
                start = end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *hidden, last = self.net
        for layer in hidden:
            x = self.activation(layer(x))
        result: torch.Tensor = last(x)
        return result


def parameters_of(module: torch.nn.Module, dims: tuple[int, ...]) -> FloatArray:
    """The parameters of the linear layers of ``module``, which must have the sizes ``dims``."""
    layers = [layer for layer in module.modules() if isinstance(layer, torch.nn.Linear)]
    found = tuple((layer.in_features, layer.out_features) for layer in layers)
    expected = tuple(zip(dims, dims[1:], strict=False))
    if found != expected or any(layer.bias is None for layer in layers):
        raise RequestError(
            f"the linear layers of the module are {found}; expected {expected}, each with a bias"
        )
    tensors = [tensor for layer in layers for tensor in (layer.weight, layer.bias)]
    flat = torch.cat([tensor.detach().reshape(-1).float().cpu() for tensor in tensors])
    return np.ascontiguousarray(flat.numpy())
