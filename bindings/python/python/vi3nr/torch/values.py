"""What is known about the values of a model at initialization, before any number is computed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from .formula import X, Expression
from .layers import Layer

Kind = Literal[
    "input",
    "tensor",
    "layer",
    "sum",
    "product",
    "concatenation",
    "normalization",
    "maximum",
    "average",
    "dropout",
    "part",
    "override",
    "unknown",
    "output",
]


@dataclass(eq=False)
class Base:
    """Random numbers that are not an elementwise function of others."""

    kind: Kind
    #: What a report calls it.
    name: str
    operands: tuple[Value, ...] = ()
    #: The layer of ``layer``.
    layer: Layer | None = None
    #: The module or tensor of ``normalization`` and ``tensor``, the signs of ``sum``, the size of the
    #: window of a pooling, the probability of ``dropout``, the activation of ``override``.
    data: Any = None
    #: For ``unknown``: whether a measurement may replace the prediction. It may not within attention,
    #: whose layers follow rules of their own.
    measurable: bool = True
    #: The number of channels, where it is known.
    channels: int | None = None
    #: What uses this: the expression, and the base that is made of it.
    uses: list[tuple[Expression, Base]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for operand in self.operands:
            operand.base.uses.append((operand.expression, self))


@dataclass(frozen=True, eq=False)
class Value:
    """An elementwise function of a base."""

    base: Base
    expression: Expression = X
    #: The modules and operations since the base.
    path: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Constant:
    """A number or tensor that does not depend on the input."""

    value: Any
    name: str = ""
    #: For a parameter: the parameter itself, and whether ``value`` is its transpose.
    parameter: torch.Tensor | None = None
    is_transposed: bool = False


class Opaque:
    """A value that is not a tensor of activations, such as a shape."""


@dataclass(frozen=True, eq=False)
class Parts:
    """The result of a function that returns pieces of a value."""

    value: Value


def follower(base: Base, seen: set[int] | None = None) -> list[Expression]:
    """The activations that follow a base, before the next layers: those of its own values, of sums
    that contain it and so on."""
    seen = set() if seen is None else seen
    if id(base) in seen:
        return []
    seen.add(id(base))
    found: list[Expression] = []
    for expression, user in base.uses:
        if user.kind == "override":
            found.append(user.data)
        elif expression.affine is None:
            found.append(expression)
        elif user.kind not in ("layer", "output"):
            found += follower(user, seen)
    return found


def reaches_layer(base: Base, seen: set[int] | None = None) -> bool:
    """Whether a base is used by a layer whose activation is not overridden, directly or not."""
    seen = set() if seen is None else seen
    if id(base) in seen:
        return False
    seen.add(id(base))
    users = [user for _, user in base.uses if user.kind != "override"]
    return any(user.kind == "layer" or reaches_layer(user, seen) for user in users)


def obstacle(base: Base, seen: set[int] | None = None) -> Base | None:
    """An operation that is not understood, between a base and further layers."""
    seen = set() if seen is None else seen
    if id(base) in seen:
        return None
    seen.add(id(base))
    for _, user in base.uses:
        if user.kind == "unknown":
            if reaches_layer(user):
                return user
        elif user.kind not in ("layer", "override", "output", "normalization"):
            found = obstacle(user, seen)
            if found is not None:
                return found
    return None
