"""Layers with weights: what they are, and whether their weights can be set."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter
from torch.nn.utils import parametrize

from .._errors import RequestError


@dataclass(eq=False)
class Layer:
    """A matrix of weights between two sets of units."""

    #: The name of the module, or of the parameter where a function uses it.
    name: str
    #: The class of the module or the name of the function.
    kind: str
    weight: torch.Tensor
    bias: torch.Tensor | None
    #: The number of inputs of a unit that are summed.
    fan_in: float
    #: The number of outputs that an input contributes to.
    fan_out: float
    in_channels: int
    out_channels: int
    module: nn.Module | None = None
    #: Why the weights are left as they are.
    excluded: str | None = None

    def predicted_gain(self) -> float:
        """fan-in times the mean square of the weights as they are."""
        return self.fan_in * mean_square(self.weight)

    def bias_variance(self) -> float:
        return 0.0 if self.bias is None else mean_square(self.bias)


def mean_square(tensor: torch.Tensor) -> float:
    if tensor.numel() == 0:
        return 0.0
    return float(tensor.detach().abs().double().square().mean())


def of_module(module: nn.Module, name: str) -> Layer:
    """The layer of a module of a class in ``LAYERS``."""
    weight: Any = module.weight
    bias: Any = module.bias
    if isinstance(module, nn.Linear):
        sizes = (module.in_features, module.out_features)
        fans = (float(sizes[0]), float(sizes[1]))
    else:
        assert isinstance(module, nn.modules.conv._ConvNd)
        sizes = (module.in_channels, module.out_channels)
        area = math.prod(module.kernel_size)
        step = math.prod(module.stride)
        fans = (sizes[0] * area / module.groups, sizes[1] * area / module.groups)
        # Each output of a transposed convolution is reached by 1/stride of the kernel, each input
        # of a convolution reaches as many outputs.
        fans = (fans[0] / step, fans[1]) if module.transposed else (fans[0], fans[1] / step)
    return Layer(name, type(module).__name__, weight, bias, *fans, *sizes, module)


def of_function(
    name: str, kind: str, weight: torch.Tensor, bias: torch.Tensor | None, transposed: bool
) -> Layer:
    """The layer of ``F.linear``, ``F.conv2d`` and the like, or of a product with a matrix.

    Args:
        transposed: Whether the weight has the shape (in, out), as in ``x @ weight``.
    """
    sizes = (weight.shape[0], weight.shape[1]) if transposed else (weight.shape[1], weight.shape[0])
    area = math.prod(weight.shape[2:])
    fans = (float(sizes[0] * area), float(sizes[1] * area))
    return Layer(name, kind, weight, bias, *fans, *sizes)


def exclude_unsuitable(layer: Layer) -> None:
    """Excludes weights that are not real numbers."""
    if layer.weight.is_complex():
        layer.excluded = "its weights are complex"
    elif not layer.weight.is_floating_point():
        layer.excluded = f"its weights are {layer.weight.dtype}"
    elif layer.weight.numel() == 0:
        layer.excluded = "it has no weights"


def refuse_unmaterialized(model: nn.Module) -> None:
    """Raises if a parameter has no values.

    Raises:
        RequestError: A module is lazy, or a parameter is on the meta device.
    """
    for name, parameter in model.named_parameters():
        if isinstance(parameter, UninitializedParameter):
            raise RequestError(
                f"model: the parameter '{name}' of a lazy module has no shape yet; run the model on "
                "one batch first"
            )
        if parameter.is_meta:
            raise RequestError(
                f"model: the parameter '{name}' is on the meta device and has no values; call "
                "model.to_empty(device=...) first"
            )


def refuse_tied(model: nn.Module, layers: list[Layer], allow: Collection[str]) -> None:
    """Raises if a weight has several owners, and excludes those that are not layers' own if allowed.

    Raises:
        RequestError: A weight is tied, and ``allow`` lacks ``"tied"``.
    """
    names: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        names.setdefault(id(parameter), []).append(name)
    modules = dict(model.named_modules())
    seen: set[int] = set()
    for layer in layers:
        owners = names.get(id(layer.weight), [])
        if len(owners) < 2:
            continue
        listed = " and ".join(f"'{owner}'" for owner in owners)
        if "tied" not in allow:
            raise RequestError(
                f"model: {listed} are the same parameter, which has one standard deviation only; "
                "pass allow=('tied',) to initialize it for its first use"
            )
        kinds = (modules.get(owner.rpartition(".")[0]) for owner in owners)
        if any(isinstance(kind, (nn.Embedding, nn.EmbeddingBag)) for kind in kinds):
            layer.excluded = f"its weight is tied: {listed} are the same parameter"
        elif id(layer.weight) in seen:
            layer.excluded = f"{listed} are the same parameter, initialized for its first use"
        seen.add(id(layer.weight))


def parametrization(module: nn.Module | None) -> str | None:
    """What computes the weight of a module, if it is not a parameter."""
    if module is None:
        return None
    if parametrize.is_parametrized(module, "weight"):
        return "torch.nn.utils.parametrize"
    if "weight" in module._parameters:
        return None
    for suffix, what in (("g", "weight_norm"), ("orig", "spectral_norm or pruning")):
        if f"weight_{suffix}" in module._parameters:
            return f"torch.nn.utils.{what}" if suffix == "g" else what
    return None


def refuse_parametrized(layers: list[Layer], allow: Collection[str]) -> None:
    """Raises if a weight is computed from other parameters.

    Raises:
        RequestError: A weight is parametrized, and ``allow`` lacks ``"parametrized"``.
    """
    for layer in layers:
        what = parametrization(layer.module)
        if what is None:
            continue
        if "parametrized" not in allow:
            raise RequestError(
                f"model: the weight of '{layer.name}' is parametrized ({what}); pass "
                "allow=('parametrized',) to set it through its parametrization"
            )
        if what == "spectral_norm or pruning":
            layer.excluded = f"its weight is computed by {what}"


def set_weight(layer: Layer, values: torch.Tensor) -> None:
    """Writes the weights of a layer, through the parametrization if it has one."""
    what = parametrization(layer.module)
    with torch.no_grad():
        if what is None:
            layer.weight.copy_(values)
            return
        module: Any = layer.module
        if what == "torch.nn.utils.parametrize":
            module.weight = values.to(module.weight)
        else:
            # weight_norm: weight = weight_g·weight_v/|weight_v|, norms over all axes but that of g.
            g, v = module.weight_g, module.weight_v
            v.copy_(values)
            axes = [axis for axis in range(v.ndim) if g.shape[axis] == 1]
            g.copy_(v.norm(dim=axes, keepdim=True) if g.ndim else v.norm())
            module.weight = (v / (v.norm(dim=axes, keepdim=True) if g.ndim else v.norm()) * g).detach()
        layer.weight = module.weight.detach()
