"""From the operations of a model to its layers and the activations between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from .duck import known_activation
from .formula import (
    Expression,
    Untranslatable,
    apply,
    as_number,
    binary_name,
    compose,
    from_text,
    is_elementwise,
)
from .graph import LAYERS, Graph, Node
from .layers import Layer, exclude_unsuitable, of_function, of_module
from .operations import ATTENTION, PASSING, SPLITTING, Effect, effect_of_function, effect_of_module
from .values import Base, Constant, Opaque, Parts, Value

_MATRIX_PRODUCTS = ("matmul", "mm", "rmatmul")
_FUNCTION_LAYERS = ("linear", "conv1d", "conv2d", "conv3d")


@dataclass
class Analysis:
    """The layers of a model in the order of their first use."""

    graph: Graph
    layers: list[Layer]
    #: The uses of each layer, one for each call.
    uses: dict[Layer, list[Base]]
    bases: list[Base]


def analyze(model: nn.Module, graph: Graph, overrides: Mapping[str, str]) -> Analysis:
    """Finds the layers, and what feeds them.

    Args:
        model: The model.
        graph: Its operations.
        overrides: Activations by the name of an activation module, or of the layer that it feeds.
    """
    return _Walk(model, graph, overrides).run()


class _Walk:
    def __init__(self, model: nn.Module, graph: Graph, overrides: Mapping[str, str]) -> None:
        self._graph = graph
        self._overrides = {name: from_text(text) for name, text in overrides.items()}
        self._results: dict[Node, Any] = {}
        self._layers: dict[int, Layer] = {}
        self._uses: dict[Layer, list[Base]] = {}
        self._bases: list[Base] = []
        self._parts: dict[tuple[Any, ...], Value] = {}
        self._parameters = {name: p for name, p in model.named_parameters(remove_duplicate=False)}

    def run(self) -> Analysis:
        for node in self._graph.nodes:
            self._results[node] = self._visit(node)
        return Analysis(self._graph, list(self._layers.values()), self._uses, self._bases)

    def _visit(self, node: Node) -> Any:
        if node.kind == "input":
            return Value(self._base("input", f"input {node.target}"))
        if node.kind == "constant":
            parameter = self._parameters.get(node.target)
            return Constant(node.value, node.target, parameter)
        args, kwargs = self._resolved(node.args), self._resolved(dict(node.kwargs))
        if node.kind == "output":
            self._base("output", "output", tuple(_values((args, kwargs))))
            return Opaque()
        if node.kind == "module":
            return self._module(node, args, kwargs)
        return self._function(node, args, kwargs)

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Node):
            return self._results.get(value, Opaque())
        if isinstance(value, (tuple, list)):
            return type(value)(self._resolved(each) for each in value)
        if isinstance(value, dict):
            return {key: self._resolved(each) for key, each in value.items()}
        return value

    def _base(self, kind: Any, name: str, operands: tuple[Value, ...] = (), **more: Any) -> Base:
        base = Base(kind, name, operands, **more)
        self._bases.append(base)
        return base

    def _unknown(self, name: str, involved: Any, measurable: bool = True) -> Value:
        values = tuple(_values(involved))
        return Value(self._base("unknown", name, values, measurable=measurable))

    def _module(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        module: nn.Module = node.value
        values = list(_values((args, kwargs)))
        if isinstance(module, LAYERS):
            source = self._value(args[0] if args else next(iter(kwargs.values()), None))
            if source is None:
                return self._unknown(f"'{node.target}'", (args, kwargs))
            layer = self._layers.get(id(module))
            if layer is None:
                layer = self._layers[id(module)] = of_module(module, node.target)
            return self._fed(layer, source)
        if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
            return Value(self._base("tensor", f"'{node.target}'", data=module.weight))
        own = self._overrides.get(node.target)
        if own is None and not isinstance(module, nn.MultiheadAttention):
            own = known_activation(module)
        if own is not None and len(values) == 1:
            return self._activated(values[0], own, node.target)
        effect = effect_of_module(module)
        if effect is not None and len(values) == 1:
            return self._effect(effect, values, f"'{node.target}'")
        label = f"{type(module).__name__} '{node.target}'"
        return self._unknown(label, (args, kwargs), not isinstance(module, nn.MultiheadAttention))

    def _activated(self, value: Value, expression: Expression, name: str) -> Value:
        try:
            composed = compose(expression, value.expression)
        except Untranslatable as reason:
            return self._unknown(str(reason), value)
        return replace(value, expression=composed, path=(*value.path, name))

    def _fed(self, layer: Layer, source: Value) -> Value:
        """The output of a layer that is fed by ``source``."""
        exclude_unsuitable(layer)
        override = self._overrides.get(layer.name)
        if override is not None:
            base = self._base("override", f"activations['{layer.name}']", (source,), data=override)
            source = Value(base, override, (base.name,))
        concatenation = source.base
        if concatenation.kind == "concatenation" and concatenation.channels is None:
            concatenation.channels = layer.in_channels
        base = self._base(
            "layer", f"'{layer.name}'", (source,), layer=layer, channels=layer.out_channels
        )
        self._uses.setdefault(layer, []).append(base)
        return Value(base)

    def _value(self, operand: Any) -> Value | None:
        """An operand as a value; constants with several elements are values of their own."""
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, Constant) and isinstance(operand.value, torch.Tensor):
            if operand.value.is_floating_point():
                return Value(self._base("tensor", f"'{operand.name}'", data=operand.value))
        return None

    def _function(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = node.target
        values = list(_values((args, kwargs)))
        if not values:
            return self._constant(node, args, kwargs)
        if name in ("getattr", "size", "dim", "numel", "ndimension", "get_device", "len"):
            attribute = args[1] if len(args) > 1 and isinstance(args[1], str) else ""
            if attribute not in ("T", "mT"):
                return Opaque()
            return values[0]
        if "set_grad_enabled" in name or name.startswith("assert"):
            return Opaque()
        layer = self._function_layer(name, args, kwargs)
        if layer is not None:
            return layer
        if name in ATTENTION:
            return self._unknown(name, (args, kwargs), measurable=False)
        if name in SPLITTING and len(values) == 1:
            return Parts(values[0])
        if name == "getitem":
            return self._part(args)
        if name in ("cat", "concat", "concatenate", "stack", "hstack", "vstack"):
            return self._concatenation(args, kwargs)
        if name in PASSING and len(values) == 1:
            value = values[0]
            if name == "detach" and not value.expression.is_identity:
                return replace(value, expression=replace(value.expression, detached=True))
            return value
        effect = effect_of_function(name, args, kwargs)
        if effect is not None and len(values) == 1:
            return self._effect(effect, values, name)
        if is_elementwise(name):
            return self._elementwise(name, args, kwargs)
        return self._unknown(name, (args, kwargs))

    def _constant(self, node: Node, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A function of constants is evaluated, if that has no side effects."""
        involved = list(_leaves((args, kwargs)))
        if node.in_place or node.function is None or node.target in ("setitem", "iadd"):
            return Opaque()
        if any(isinstance(each, (Opaque, Parts)) for each in involved):
            return Opaque()
        try:
            with torch.no_grad():
                result = node.function(*_exact(_plain(args)), **_exact(_plain(kwargs)))
        except Exception:  # for instance an index out of range; the value is then not known
            return Opaque()
        first = args[0] if args else None
        if isinstance(first, Constant) and first.parameter is not None:
            if node.target in ("t", "transpose", "permute", "mT") and first.value.ndim == 2:
                turned = result.shape == first.value.mT.shape and first.value.shape != (1, 1)
                if turned and result.stride() == first.value.mT.stride():
                    return Constant(result, first.name, first.parameter, not first.is_transposed)
        return Constant(result, first.name if isinstance(first, Constant) else "")

    def _function_layer(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if name not in (*_FUNCTION_LAYERS, *_MATRIX_PRODUCTS):
            return None
        names = ("input", "weight", "bias")
        given = {**dict(zip(names, args, strict=False)), **kwargs}
        source, weight = given.get("input"), given.get("weight", given.get("other"))
        if not isinstance(source, Value) or not isinstance(weight, Constant):
            return None
        parameter = weight.parameter
        if parameter is None or parameter.ndim < 2:
            return None
        is_product = name in _MATRIX_PRODUCTS
        if not is_product and weight.is_transposed:
            return None
        layer = self._layers.get(id(parameter))
        if layer is None:
            bias = given.get("bias")
            vector = bias.parameter if isinstance(bias, Constant) else None
            transposed = is_product and not weight.is_transposed
            layer = of_function(weight.name, f"F.{name}", parameter, vector, transposed)
            self._layers[id(parameter)] = layer
        return self._fed(layer, source)

    def _part(self, args: tuple[Any, ...]) -> Any:
        source, index = args[0], args[1]
        value = source.value if isinstance(source, Parts) else source
        if isinstance(value, (tuple, list)) and isinstance(index, int):
            return value[index]
        if not isinstance(value, Value):
            return self._unknown("getitem", args)
        if value.base.kind == "unknown" and value.expression.is_identity:
            return value
        key = (id(value.base), value.expression.formula, isinstance(source, Parts), repr(index))
        if key not in self._parts:
            base = self._base("part", f"a part of {value.base.name}", (value,))
            self._parts[key] = Value(base)
        return self._parts[key]

    def _concatenation(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
        parts = args[0] if args else kwargs.get("tensors", ())
        values = [self._value(part) for part in parts] if isinstance(parts, (tuple, list)) else []
        known = [value for value in values if value is not None]
        if not known or len(known) != len(values):
            return self._unknown("concatenation", (args, kwargs))
        counts = [value.base.channels for value in known]
        total = None if None in counts else sum(count or 0 for count in counts)
        return Value(self._base("concatenation", "concatenation", tuple(known), channels=total))

    def _effect(self, effect: Effect, values: list[Value], name: str) -> Value:
        if effect.kind == "pass":
            return values[0]
        return Value(
            self._base(
                effect.kind,
                name,
                (values[0],),
                data=effect.data,
                channels=values[0].base.channels,
            )
        )

    def _elementwise(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
        involved = list(_values((args, kwargs)))
        if any(isinstance(each, Opaque) for each in _leaves((args, kwargs))):
            return self._unknown(f"{name} with a number that depends on the input", (args, kwargs))
        if any(_is_complex(each) for each in _leaves((args, kwargs))):
            return self._unknown(f"{name} with complex numbers", (args, kwargs), measurable=False)
        bases = {id(value.base) for value in involved}
        vectors = [
            each
            for each in (*args, *kwargs.values())
            if isinstance(each, Constant) and as_number(each.value) is None
        ]
        if len(bases) == 1 and not vectors:
            try:
                found = apply(name, _expressions(args), _expressions(kwargs))
            except Untranslatable as reason:
                return self._unknown(str(reason), (args, kwargs))
            paths = max((value.path for value in involved), key=len)
            return Value(involved[0].base, found, (*paths, name))
        return self._mixed(name, args, kwargs)

    def _mixed(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
        """A sum or a product of values of different bases."""
        pair = binary_name(name)
        if pair is not None and len(args) == 2 and not kwargs:
            operation, exchanged = pair
            first, second = (args[1], args[0]) if exchanged else args
            if operation == "div" and isinstance(second, Constant):
                operation, second = "mul", replace(second, value=1 / torch.as_tensor(second.value))
            a, b = self._value(first), self._value(second)
            if a is not None and b is not None:
                channels = a.base.channels or b.base.channels
                if operation in ("add", "sub"):
                    signs = (1.0, 1.0 if operation == "add" else -1.0)
                    return Value(self._base("sum", "sum", (a, b), data=signs, channels=channels))
                if operation == "mul":
                    return Value(self._base("product", "product", (a, b), channels=channels))
        return self._unknown(f"{name} of different values", (args, kwargs))


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for each in value for leaf in _leaves(each)]
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in _leaves(each)]
    return [value]


def _values(value: Any) -> list[Value]:
    leaves = _leaves(value)
    return [v.value if isinstance(v, Parts) else v for v in leaves if isinstance(v, (Value, Parts))]


def _is_complex(value: Any) -> bool:
    inner = value.value if isinstance(value, Constant) else value
    return isinstance(inner, complex) or (isinstance(inner, torch.Tensor) and inner.is_complex())


def _plain(value: Any) -> Any:
    """The value with constants in place of their descriptions."""
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, (tuple, list)):
        return type(value)(_plain(each) for each in value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value


def _exact(value: Any) -> Any:
    """Single numbers in double precision, so that 0.05² is 0.0025."""
    if isinstance(value, torch.Tensor) and value.numel() == 1 and value.dtype == torch.float32:
        return torch.full(value.shape, as_number(value) or 0.0, dtype=torch.float64)
    if isinstance(value, (tuple, list)):
        return type(value)(_exact(each) for each in value)
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    return value


def _expressions(value: Any) -> Any:
    if isinstance(value, Value):
        return value.expression
    if isinstance(value, Constant):
        return value.value
    if isinstance(value, tuple):
        return tuple(_expressions(each) for each in value)
    if isinstance(value, dict):
        return {key: _expressions(each) for key, each in value.items()}
    return value
