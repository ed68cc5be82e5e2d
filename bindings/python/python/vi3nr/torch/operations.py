"""What modules and functions other than layers and activations do to a distribution."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from torch import nn

from .duck import norm_kind
from .values import Constant


class Normalization(NamedTuple):
    """A layer that makes the mean square of its input 1, and then scales and shifts it."""

    weight: Any
    bias: Any
    #: Whether the mean becomes 0 as well.
    centers: bool
    #: The statistics that it uses in place of the input's own, if it does.
    running: tuple[Any, Any] | None


class Effect(NamedTuple):
    kind: Literal["pass", "maximum", "average", "dropout", "normalization"]
    #: The size of the window (None if it depends on the input), the probability, or the
    #: normalization.
    data: Any = None


#: Functions of one value that leave its distribution as it is.
PASSING = frozenset(
    "view reshape flatten unflatten ravel permute transpose movedim moveaxis swapaxes t squeeze "
    "unsqueeze contiguous clone detach requires_grad requires_grad_ to type type_as float double half "
    "bfloat16 cpu cuda expand expand_as repeat tile flip roll pixel_shuffle pixel_unshuffle "
    "channel_shuffle narrow select index_select gather pad unfold identity view_as reshape_as "
    "view_as_real alias rearrange".split()
)

#: Functions that return pieces of a value.
SPLITTING = frozenset("chunk split tensor_split unbind split_with_sizes".split())

#: Functions that combine values with each other, as attention does.
ATTENTION = frozenset(
    "scaled_dot_product_attention matmul rmatmul bmm mm baddbmm einsum softmax log_softmax "
    "multi_head_attention_forward tensordot".split()
)

_PASSING_MODULES = (
    nn.Flatten,
    nn.Unflatten,
    nn.PixelShuffle,
    nn.PixelUnshuffle,
    nn.ChannelShuffle,
    nn.ConstantPad1d,
    nn.ConstantPad2d,
    nn.ConstantPad3d,
    nn.ZeroPad2d,
    nn.ReflectionPad1d,
    nn.ReflectionPad2d,
    nn.ReplicationPad1d,
    nn.ReplicationPad2d,
    nn.ReplicationPad3d,
)


def _window(size: Any, dimensions: int) -> int | None:
    if isinstance(size, int):
        return int(size**dimensions)
    if isinstance(size, (tuple, list)) and all(isinstance(each, int) for each in size):
        return math.prod(size)
    return None


def effect_of_module(module: nn.Module) -> Effect | None:
    """The effect of a module; None if it is not known."""
    name = type(module).__name__
    dimensions = int(name[-2]) if name.endswith("d") and name[-2:-1].isdigit() else 1
    if isinstance(module, _PASSING_MODULES):
        return Effect("pass")
    if isinstance(module, nn.modules.dropout._DropoutNd) and "Alpha" not in name:
        return Effect("dropout", module.p) if module.training else Effect("pass")
    if isinstance(module, nn.modules.pooling._MaxPoolNd):
        return None if module.return_indices else Effect("maximum", _window(module.kernel_size, dimensions))
    if isinstance(module, nn.modules.pooling._AvgPoolNd):
        size: Any = getattr(module, "kernel_size", None)
        return Effect("average", _window(size, dimensions))
    if isinstance(module, nn.modules.pooling._AdaptiveAvgPoolNd):
        return Effect("average")
    if isinstance(module, nn.Upsample):
        return _interpolation(module.mode)
    return _normalization_of_module(module)


def _normalization_of_module(module: nn.Module) -> Effect | None:
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if isinstance(module, nn.modules.batchnorm._NormBase):
        # BatchNorm and InstanceNorm.
        own = module.training or module.running_mean is None
        running = None if own else (module.running_mean, module.running_var)
        return Effect("normalization", Normalization(weight, bias, True, running))
    if isinstance(module, (nn.LayerNorm, nn.GroupNorm)):
        return Effect("normalization", Normalization(weight, bias, True, None))
    is_rms = isinstance(module, getattr(nn, "RMSNorm", ()))
    kind = "rms" if is_rms else norm_kind(module)
    if kind is None:
        return None
    return Effect("normalization", Normalization(weight, bias, kind == "layer", None))


def _interpolation(mode: Any) -> Effect | None:
    if mode in ("nearest", "nearest-exact"):
        return Effect("pass")
    # The weights 3/4 and 1/4 of twofold linear interpolation have the mean square sum 0.625.
    shares = {"linear": 0.625, "bilinear": 0.625**2, "trilinear": 0.625**3}
    return Effect("average", 1 / shares[mode]) if mode in shares else None


def effect_of_function(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Effect | None:
    """The effect of a function on its first argument; None if it is not known."""

    def argument(position: int, key: str, default: Any = None) -> Any:
        value = args[position] if len(args) > position else kwargs.get(key, default)
        return value.value if isinstance(value, Constant) else value

    base = name.removesuffix("_with_indices")
    if base.startswith("boolean_dispatch"):
        return None
    if base in ("dropout", "dropout1d", "dropout2d", "dropout3d", "feature_dropout"):
        training = argument(2, "training", True)
        return Effect("dropout", float(argument(1, "p", 0.5))) if training else Effect("pass")
    for kind, prefix in (("maximum", "max_pool"), ("average", "avg_pool")):
        if base.startswith(prefix):
            size = _window(argument(1, "kernel_size"), int(base[-2]))
            return Effect("maximum" if kind == "maximum" else "average", size)
    if base.startswith("adaptive_avg_pool") or (base == "mean" and (len(args) > 1 or kwargs)):
        return Effect("average")
    if base in ("interpolate", "upsample"):
        return _interpolation(argument(3, "mode", "nearest"))
    if base in ("layer_norm", "rms_norm", "group_norm"):
        weight, bias = argument(2, "weight"), argument(3, "bias")
        centers = base != "rms_norm"
        return Effect("normalization", Normalization(weight, None if not centers else bias, centers, None))
    if base == "instance_norm":
        return Effect("normalization", Normalization(argument(3, "weight"), argument(4, "bias"), True, None))
    return None
