"""The operations of a model as a chain of its modules, in the order in which they were registered."""

from __future__ import annotations

from torch import nn

from .duck import known_activation
from .graph import LAYERS, Node, is_leaf

#: What may be between two modules that are not in the same nn.Sequential.
HIDDEN = "operation that registration order does not show"


def registration_order(model: nn.Module, leaves: frozenset[str]) -> list[Node]:
    """A chain of the modules, as if each was fed by the one before it.

    A layer that follows another one without an activation in between is fed by an unknown operation,
    unless both are in the same ``nn.Sequential``.
    """
    last = Node("input", "x")
    nodes = [last]
    #: The last layer, if no activation came after it.
    bare: str | None = None
    for name, module in _leaf_modules(model, "", leaves):
        is_layer = isinstance(module, LAYERS)
        if is_layer and bare is not None and not _same_sequential(model, bare, name):
            last = Node("function", HIDDEN, (last,))
            nodes.append(last)
        last = Node("module", name, (last,), value=module)
        nodes.append(last)
        if is_layer:
            bare = name
        elif name in leaves or known_activation(module) is not None:
            bare = None
    nodes.append(Node("output", "output", (last,)))
    return nodes


def _same_sequential(model: nn.Module, one: str, other: str) -> bool:
    parents = {one.rpartition(".")[0], other.rpartition(".")[0]}
    return len(parents) == 1 and isinstance(model.get_submodule(parents.pop()), nn.Sequential)


def _leaf_modules(
    module: nn.Module, name: str, leaves: frozenset[str]
) -> list[tuple[str, nn.Module]]:
    if name in leaves or is_leaf(module):
        return [(name, module)]
    children = list(module.named_children())
    found: list[tuple[str, nn.Module]] = []
    for child, inner in children:
        found += _leaf_modules(inner, f"{name}.{child}" if name else child, leaves)
    if known_activation(module) is not None or (not children and name):
        # The activation of a layer that contains one comes after it.
        found.append((name, module))
    return found
