"""The operations of a model by symbolic tracing with torch.fx."""

from __future__ import annotations

import inspect
from typing import Any

from torch import fx, nn

from .graph import Node, is_in_place, is_leaf, plain_name


class _Tracer(fx.Tracer):
    def __init__(self, leaves: frozenset[str]) -> None:
        super().__init__()
        self._leaves = leaves

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return module_qualified_name in self._leaves or is_leaf(m)


def traced(
    model: nn.Module,
    inputs: tuple[tuple[Any, ...], dict[str, Any]] | None,
    leaves: frozenset[str],
) -> list[Node]:
    """The nodes of the model. Arguments that have defaults and are not given keep these."""
    if is_leaf(model):
        return [source := Node("input", "x"), Node("module", "", (source,), value=model)]
    graph = _Tracer(leaves).trace(model, _defaults(model, inputs))
    return _Translation(model).nodes(graph)


def _defaults(
    model: nn.Module, inputs: tuple[tuple[Any, ...], dict[str, Any]] | None
) -> dict[str, Any]:
    parameters = [
        parameter
        for parameter in inspect.signature(model.forward).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    given = {parameter.name for parameter in parameters[: len(inputs[0])]} if inputs else set()
    given |= set(inputs[1]) if inputs else set()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not inspect.Parameter.empty and parameter.name not in given
    }


class _Translation:
    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._nodes: list[Node] = []
        #: The node that holds the current value of each fx node, after operations in place.
        self._current: dict[fx.Node, Node] = {}

    def nodes(self, graph: fx.Graph) -> list[Node]:
        for each in graph.nodes:
            node = self._node(each)
            self._nodes.append(node)
            self._current[each] = node
            name = str(getattr(each.target, "__name__", each.target))
            node.in_place = is_in_place(name, node.value, each.args, each.kwargs)
            if node.in_place and each.args:
                self._overwrite(each.args[0], node)
        return self._nodes

    def _overwrite(self, target: Any, node: Node) -> None:
        if isinstance(target, fx.Node):
            self._current[target] = node

    def _node(self, each: fx.Node) -> Node:
        args = self._arguments(each.args)
        kwargs = self._arguments(dict(each.kwargs))
        if each.op == "placeholder":
            return Node("input", str(each.target))
        if each.op == "get_attr":
            return Node("constant", str(each.target), value=self._attribute(str(each.target)))
        if each.op == "call_module":
            module = self._model.get_submodule(str(each.target))
            return Node("module", str(each.target), args, kwargs, value=module)
        if each.op == "output":
            return Node("output", "output", args)
        if each.op == "call_method":
            name = str(each.target)

            def method(first: Any, *rest: Any, **named: Any) -> Any:
                return getattr(first, name)(*rest, **named)

            return Node("function", plain_name(name), args, kwargs, function=method)
        function: Any = each.target
        name = plain_name(str(getattr(function, "__name__", function)))
        return Node("function", name, args, kwargs, function=function)

    def _arguments(self, value: Any) -> Any:
        return fx.node.map_arg(value, lambda each: self._current[each])  # type: ignore[arg-type, return-value]

    def _attribute(self, path: str) -> Any:
        found: Any = self._model
        for part in path.split("."):
            found = getattr(found, part)
        return found
