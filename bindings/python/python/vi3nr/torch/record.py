"""The operations of a model, recorded while it runs on one batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from .graph import Node, is_in_place, is_leaf, plain_name


class _Recorder(TorchFunctionMode):
    """Records each function of PyTorch that is called on tensors outside of leaf modules."""

    def __init__(self, constants: dict[int, tuple[str, torch.Tensor]]) -> None:
        super().__init__()
        self.nodes: list[Node] = []
        self.depth = 0
        self._constants = constants
        #: The node of each tensor by its identity, and the tensors, so that none is reused.
        self._of: dict[int, Node] = {}
        self._kept: list[Any] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if self.depth:
            return func(*args, **kwargs)
        before = self._arguments(args), self._arguments(kwargs)
        result = func(*args, **kwargs)
        name = str(getattr(func, "__name__", func))
        if name != "__get__":  # an attribute such as shape or dtype
            node = Node("function", plain_name(name), *before, function=func)
            node.in_place = is_in_place(name, None, args, kwargs)
            self.add(node, result)
        return result

    def add(self, node: Node, result: Any) -> None:
        self.nodes.append(node)
        if isinstance(result, torch.Tensor):
            self._of[id(result)] = node
            self._kept.append(result)
        elif isinstance(result, (tuple, list)):
            for index, part in enumerate(result):
                if isinstance(part, torch.Tensor):
                    self.add(Node("function", "getitem", (node, index)), part)

    def enter(self, module: nn.Module, name: str, args: Any, kwargs: Any) -> Node:
        self.depth += 1
        return Node(
            "module", name, self._arguments(args), self._arguments(kwargs), value=module
        )

    def leave(self, node: Node, result: Any) -> None:
        self.depth -= 1
        self.add(node, result)

    def _arguments(self, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return self.node_of(value)
        if isinstance(value, (tuple, list)):
            return tuple(self._arguments(each) for each in value)
        if isinstance(value, dict):
            return {key: self._arguments(each) for key, each in value.items()}
        return value

    def node_of(self, tensor: torch.Tensor) -> Any:
        known = self._of.get(id(tensor))
        if known is not None:
            return known
        name, _ = self._constants.get(id(tensor), ("", tensor))
        node = Node("constant", name, value=tensor)
        self.nodes.append(node)
        self._of[id(tensor)] = node
        self._kept.append(tensor)
        return node


def recorded(
    model: nn.Module,
    inputs: tuple[tuple[Any, ...], dict[str, Any]],
    leaves: frozenset[str],
) -> list[Node]:
    """The nodes of one call of the model."""
    named = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    recorder = _Recorder({id(tensor): (name, tensor) for name, tensor in reversed(named)})
    handles: list[Any] = []

    def watch(module: nn.Module, name: str) -> None:
        entered: list[Node] = []
        handles.append(
            module.register_forward_pre_hook(
                lambda _, args, kwargs: entered.append(recorder.enter(module, name, args, kwargs)),
                with_kwargs=True,
                prepend=True,
            )
        )
        handles.append(
            module.register_forward_hook(
                lambda _, args, result: recorder.leave(entered.pop(), result)
            )
        )

    outer: list[str] = []
    for name, module in model.named_modules():
        if any(name.startswith(prefix) for prefix in outer):
            continue
        if name in leaves or is_leaf(module):
            watch(module, name)
            outer.append(f"{name}.")
    flat = [each for each in (*inputs[0], *inputs[1].values())]
    try:
        for index, tensor in enumerate(flat):
            if isinstance(tensor, torch.Tensor):
                recorder.add(Node("input", f"input {index}"), tensor)
        with torch.no_grad(), recorder:
            result = model(*inputs[0], **inputs[1])
    finally:
        for handle in handles:
            handle.remove()
    output = recorder._arguments(result)
    recorder.nodes.append(Node("output", "output", (output,)))
    return recorder.nodes
