"""What a model computes, as a list of operations: by torch.fx, by one run, or by order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from .._known import form_of
from .duck import norm_kind

How = Literal["torch.fx", "one run", "registration order"]


@dataclass(eq=False)
class Node:
    """One operation. Arguments are nodes, constants, or lists, tuples and dictionaries of them."""

    kind: Literal["input", "constant", "module", "function", "output"]
    #: The name of an input, of a parameter or buffer, of a module, or of a function without
    #: underscores.
    target: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    #: The module of ``module``, or the value of ``constant``.
    value: Any = None
    #: The function itself.
    function: Callable[..., Any] | None = None
    #: Whether the first argument is overwritten.
    in_place: bool = False

    def operands(self) -> Iterator[Node]:
        """The nodes among the arguments."""
        yield from nodes_in((self.args, dict(self.kwargs)))


def nodes_in(value: Any) -> Iterator[Node]:
    if isinstance(value, Node):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from nodes_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from nodes_in(each)
    elif isinstance(value, slice):
        yield from nodes_in((value.start, value.stop, value.step))


@dataclass
class Graph:
    """The operations of a model in the order in which they are executed."""

    nodes: list[Node]
    how: How
    #: Why the preceding ways failed.
    failures: tuple[str, ...] = ()


#: Modules that are layers for which initial weights are computed.
LAYERS = (nn.Linear, nn.modules.conv._ConvNd)

#: Modules with inner operations that are seen as one.
LEAVES = (
    *LAYERS,
    nn.Bilinear,
    nn.Embedding,
    nn.EmbeddingBag,
    nn.MultiheadAttention,
    nn.RNNBase,
    nn.RNNCellBase,
)


def is_leaf(module: nn.Module) -> bool:
    """Whether a module is one operation."""
    if isinstance(module, LEAVES):
        return True
    if not type(module).__module__.startswith("torch.nn.modules"):
        return form_of(module) is not None
    return not any(True for _ in module.children()) and not isinstance(
        module, (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    )


def plain_name(name: str) -> str:
    """``relu`` of ``relu_``, ``rsub`` of ``__rsub__``."""
    return name.strip("_")


def is_in_place(name: str, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether an operation overwrites its first argument."""
    if isinstance(value, nn.Module):
        return bool(getattr(value, "inplace", False))
    if name.endswith("_") and not name.endswith("__"):
        return True
    return kwargs.get("inplace") is True


def unwrapped(model: nn.Module) -> nn.Module:
    """The model inside of ``torch.compile`` and of wrappers for several devices."""
    compiled = getattr(model, "_orig_mod", None)
    if isinstance(compiled, nn.Module):
        return unwrapped(compiled)
    if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
        return unwrapped(model.module)
    return model


def graphs_of(
    model: nn.Module,
    inputs: tuple[tuple[Any, ...], dict[str, Any]] | None,
    leaves: frozenset[str],
) -> Iterator[Graph]:
    """The graphs of a model, from the most to the least faithful.

    Args:
        model: The model.
        inputs: Arguments of one call, if there are any.
        leaves: Names of modules that are one operation.
    """
    from .order import registration_order
    from .record import recorded
    from .symbolic import traced

    # Before tracing, which must not see the trial runs of norm_kind.
    leaves |= {name for name, module in model.named_modules() if norm_kind(module) is not None}
    failures: list[str] = []
    fast_path = torch.backends.mha.get_fastpath_enabled()
    # The fast path of nn.TransformerEncoder is one operation that hides its layers.
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        try:
            yield Graph(traced(model, inputs, leaves), "torch.fx")
        except Exception as error:  # whatever a model does while it is traced
            failures.append(f"torch.fx: {_sentence(error)}")
        if inputs is not None:
            try:
                yield Graph(recorded(model, inputs, leaves), "one run", tuple(failures))
            except Exception as error:
                failures.append(f"one run: {_sentence(error)}")
        yield Graph(registration_order(model, leaves), "registration order", tuple(failures))
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else ""
    return f"{type(error).__name__}: {text}"[:200]
