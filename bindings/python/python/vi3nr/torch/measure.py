"""Second moments of a model's values and gradients, measured on one batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .._errors import RequestError
from .layers import Layer

Inputs: TypeAlias = tuple[tuple[Any, ...], dict[str, Any]]
#: Called with a layer, its input and its output; returns the output to go on with.
Observer: TypeAlias = Callable[[Layer, torch.Tensor, torch.Tensor], torch.Tensor]


def as_inputs(inputs: Any) -> Inputs | None:
    """The arguments of one call of a model.

    Raises:
        RequestError: They are neither a tensor nor a tuple, list or dictionary.
    """
    if inputs is None:
        return None
    if isinstance(inputs, torch.Tensor):
        return (inputs,), {}
    if isinstance(inputs, dict):
        return (), dict(inputs)
    if isinstance(inputs, (tuple, list)):
        return tuple(inputs), {}
    raise RequestError(
        f"inputs: {type(inputs).__name__}; expected a tensor, a tuple of arguments or a dictionary"
    )


@contextlib.contextmanager
def preserved(model: nn.Module) -> Iterator[None]:
    """Restores the buffers of a model and the state of the random generators."""
    buffers = [(buffer, buffer.detach().clone()) for buffer in model.buffers()]
    devices = {p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"}
    with torch.random.fork_rng(sorted(devices)):
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


class _FunctionLayers(TorchFunctionMode):
    """Observes functions such as F.linear that use a weight directly."""

    def __init__(self, layers: dict[int, Layer], observe: Observer) -> None:
        super().__init__()
        self._layers, self._observe = layers, observe

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        operands = [*args, *kwargs.values()]
        for operand in operands[1:3]:
            layer = self._layers.get(id(operand))
            if layer is not None and isinstance(result, torch.Tensor):
                return self._observe(layer, operands[0], result)
        return result


def run(model: nn.Module, inputs: Inputs, layers: list[Layer], observe: Observer) -> Any:
    """Calls the model once and observes its layers."""
    handles: list[Any] = []
    functions = {id(layer.weight): layer for layer in layers if layer.module is None}

    def watch(layer: Layer, module: nn.Module) -> None:
        def hook(_: nn.Module, args: Any, kwargs: dict[str, Any], result: torch.Tensor) -> Any:
            source = args[0] if args else next(iter(kwargs.values()))
            return observe(layer, source, result)

        handles.append(module.register_forward_hook(hook, with_kwargs=True, prepend=True))

    try:
        for layer in layers:
            if layer.module is not None:
                watch(layer, layer.module)
        with _FunctionLayers(functions, observe) if functions else contextlib.nullcontext():
            return model(*inputs[0], **inputs[1])
    finally:
        for handle in handles:
            handle.remove()


def mean_square_of(tensor: torch.Tensor) -> float:
    """The mean of |v|² of a tensor, in at least single precision."""
    values = tensor.detach()
    values = values.abs() if values.is_complex() else values
    return float((values.float() if values.dtype != torch.float64 else values).square().mean())


def input_moments(model: nn.Module, inputs: Inputs, layers: list[Layer]) -> dict[Layer, float]:
    """E[x²] of the inputs of layers, at their first use."""
    found: dict[Layer, float] = {}

    def observe(layer: Layer, source: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        found.setdefault(layer, mean_square_of(source))
        return result

    with preserved(model), torch.no_grad():
        run(model, inputs, layers, observe)
    return found


def variances(
    model: nn.Module, inputs: Inputs, layers: list[Layer]
) -> tuple[dict[Layer, float], dict[Layer, float]]:
    """The second moments of the outputs of layers, and of the gradients with respect to them.

    The gradient is that of the sum of all outputs of the model, each multiplied by a random number
    from N(0, 1).
    """
    forward: dict[Layer, float] = {}
    captured: dict[Layer, torch.Tensor] = {}

    def observe(layer: Layer, source: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
        forward.setdefault(layer, mean_square_of(result))
        if not result.requires_grad:
            result.requires_grad_()
        captured.setdefault(layer, result)
        # A copy, which operations in place may overwrite.
        return result.clone()

    with preserved(model), torch.enable_grad():
        output = run(model, inputs, layers, observe)
        outputs = [each for each in _tensors(output) if each.requires_grad]
        wanted = [each for each in captured.values()]
        if not outputs or not wanted:
            return forward, {}
        generator = torch.Generator().manual_seed(0)
        weights = [torch.randn(o.shape, generator=generator).to(o.device, o.dtype) for o in outputs]
        gradients = torch.autograd.grad(outputs, wanted, weights, allow_unused=True)
    backward = {
        layer: mean_square_of(gradient)
        for layer, gradient in zip(captured, gradients, strict=True)
        if gradient is not None
    }
    return forward, backward


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value] if value.is_floating_point() else []
    if isinstance(value, dict):
        return [tensor for each in value.values() for tensor in _tensors(each)]
    if isinstance(value, (tuple, list)):
        return [tensor for each in value for tensor in _tensors(each)]
    return []
