"""Elementwise operations of PyTorch as formulas in x.

:class:`Expression` is a function of one variable x, the preactivation. :func:`apply` gives the
expression of an operation on an expression and constants; a chain of operations between two layers,
such as ``torch.exp(-0.5 * x**2 / self.a**2)``, becomes one formula.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np
import torch

from .._core import definition
from .._errors import RequestError
from .._known import Form, form_of_call, known_name, number

#: The longest formula; a value that is used several times is repeated in the text.
_MAX_LENGTH = 4000


class Precedence(IntEnum):
    SUM = 1
    PRODUCT = 2
    SIGN = 3
    POWER = 4
    ATOM = 5


@dataclass(frozen=True)
class Expression:
    """A function of x in the language of vi3nr's formulas."""

    formula: str
    precedence: Precedence
    #: A built-in name with its parameters, if the function is one.
    name: str | None = None
    #: (a, b) if the function is a·x + b.
    affine: tuple[float, float] | None = None
    #: Whether a factor or term was computed without gradient, as FINER does.
    detached: bool = False

    @property
    def text(self) -> str:
        """What :func:`vi3nr.gain` accepts."""
        return self.name or self.formula

    @property
    def is_identity(self) -> bool:
        return self.affine == (1.0, 0.0)

    def within(self, least: Precedence) -> str:
        """The formula, in parentheses where an operator of ``least`` needs them."""
        return self.formula if self.precedence >= least else f"({self.formula})"


X = Expression("x", Precedence.ATOM, name="x", affine=(1.0, 0.0))


class Untranslatable(Exception):
    """An operation has no formula. The text is the reason."""


def constant(value: float) -> Expression:
    if not math.isfinite(value):
        raise Untranslatable(f"the constant {value}")
    return Expression(number(value), Precedence.ATOM, affine=(0.0, float(value)))


def from_text(text: str) -> Expression:
    """The expression of an activation in its text form.

    Raises:
        RequestError: It cannot be read.
    """
    found: Mapping[str, Any] = definition(text)
    formula = str(found["formula"]).replace(" ", "")
    for name, value in found["parameters"].items():
        formula = re.sub(rf"\b{re.escape(name)}\b(?!\()", number(value), formula)
    affine = (1.0, 0.0) if formula == "x" else None
    return Expression(formula, Precedence.SUM, name=text, affine=affine)


def from_form(form: Form) -> Expression:
    """The expression of a known module or function."""
    affine = (1.0, 0.0) if form.formula == "x" else None
    return Expression(form.formula, Precedence.SUM, name=form.text, affine=affine)


def compose(outer: Form | Expression, inner: Expression) -> Expression:
    """outer(inner(x))."""
    name = outer.text if isinstance(outer, Form) else outer.name
    if inner.is_identity:
        affine = (1.0, 0.0) if outer.formula == "x" else None
        return Expression(outer.formula, Precedence.SUM, name, affine, inner.detached)
    if outer.formula == "x":
        return inner
    argument = inner.within(Precedence.ATOM)
    formula = _substitute(outer.formula, inner, argument)
    return _checked(Expression(formula, Precedence.SUM, None, None, inner.detached))


def _substitute(formula: str, inner: Expression, argument: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        before, after = formula[: match.start()], formula[match.end() :]
        alone = before.endswith(("(", ",")) and after.startswith((")", ","))
        return inner.formula if alone else argument

    return re.sub(r"\bx\b", replacement, formula)


def _checked(expression: Expression) -> Expression:
    if len(expression.formula) > _MAX_LENGTH:
        raise Untranslatable(f"a formula of more than {_MAX_LENGTH} characters")
    return expression


def _both(a: Expression, b: Expression) -> bool:
    return a.detached or b.detached


def add(a: Expression, b: Expression, sign: float = 1.0) -> Expression:
    affine = None
    if a.affine and b.affine:
        affine = (a.affine[0] + sign * b.affine[0], a.affine[1] + sign * b.affine[1])
        if affine[0] == 0.0:
            return constant(affine[1])
        if affine[1] == 0.0:
            return _scaled(affine[0])
    if b.affine and b.affine[0] == 0.0 and b.affine[1] < 0:
        b, sign = constant(-b.affine[1]), -sign
    operator = "+" if sign > 0 else "-"
    right = b.within(Precedence.SUM if sign > 0 else Precedence.PRODUCT)
    if right.startswith("-"):
        right = f"({right})"
    text = f"{a.within(Precedence.SUM)}{operator}{right}"
    return _checked(Expression(text, Precedence.SUM, None, affine, _both(a, b)))


def _scaled(factor: float) -> Expression:
    if factor == 1.0:
        return X
    if factor == -1.0:
        return Expression("-x", Precedence.SIGN, affine=(-1.0, 0.0))
    return Expression(f"{number(factor)}*x", Precedence.PRODUCT, affine=(factor, 0.0))


def multiply(a: Expression, b: Expression) -> Expression:
    affine = None
    for one, other in ((a, b), (b, a)):
        if one.affine and one.affine[0] == 0.0:
            factor = one.affine[1]
            if factor == 1.0:
                return other
            if other.affine:
                affine = (factor * other.affine[0], factor * other.affine[1])
                if affine[0] == 0.0:
                    return constant(affine[1])
                if affine[1] == 0.0:
                    return _scaled(affine[0])
    text = f"{a.within(Precedence.PRODUCT)}*{b.within(Precedence.PRODUCT)}"
    return _checked(Expression(text, Precedence.PRODUCT, None, affine, _both(a, b)))


def divide(a: Expression, b: Expression) -> Expression:
    if b.affine and b.affine[0] == 0.0:
        if b.affine[1] == 0.0:
            raise Untranslatable("a division by 0")
        if a.affine:
            scaled = (a.affine[0] / b.affine[1], a.affine[1] / b.affine[1])
            if scaled[0] == 0.0:
                return constant(scaled[1])
            if scaled[1] == 0.0:
                return _scaled(scaled[0])
    text = f"{a.within(Precedence.PRODUCT)}/{b.within(Precedence.SIGN)}"
    return _checked(Expression(text, Precedence.PRODUCT, None, None, _both(a, b)))


def power(a: Expression, b: Expression) -> Expression:
    if b.affine == (0.0, 1.0):
        return a
    text = f"{a.within(Precedence.ATOM)}^{b.within(Precedence.ATOM)}"
    return _checked(Expression(text, Precedence.POWER, None, None, _both(a, b)))


def _fold(name: str) -> Callable[[Expression, Expression], Expression]:
    def folded(a: Expression, b: Expression) -> Expression:
        text = f"{name}({a.formula},{b.formula})"
        return _checked(Expression(text, Precedence.ATOM, None, None, _both(a, b)))

    return folded


maximum, minimum = _fold("max"), _fold("min")


def _positive(a: Expression) -> Expression:
    """1 where the expression is positive, otherwise 0 (½ at 0, which has probability 0)."""
    sign = compose(Form("sign(x)", "sign(x)"), a)
    return multiply(constant(0.5), add(constant(1.0), sign))


def _where(chosen: Expression, a: Expression, b: Expression) -> Expression:
    return add(multiply(chosen, a), multiply(add(constant(1.0), chosen, -1.0), b))


#: Operations on two expressions. The names of methods lack their underscores.
BINARY: Mapping[str, Callable[[Expression, Expression], Expression]] = {
    "add": add,
    "sub": lambda a, b: add(a, b, -1.0),
    "mul": multiply,
    "div": divide,
    "pow": power,
    "maximum": maximum,
    "minimum": minimum,
    "max": maximum,
    "min": minimum,
    "clamp_min": maximum,
    "clamp_max": minimum,
    "gt": lambda a, b: _positive(add(a, b, -1.0)),
    "ge": lambda a, b: _positive(add(a, b, -1.0)),
    "lt": lambda a, b: _positive(add(b, a, -1.0)),
    "le": lambda a, b: _positive(add(b, a, -1.0)),
}

#: Other names of the same operations; True if the operands are exchanged.
_SYNONYMS: Mapping[str, tuple[str, bool]] = {
    **{f"r{name}": (name, True) for name in ("add", "sub", "mul", "div", "pow")},
    "subtract": ("sub", False),
    "multiply": ("mul", False),
    "divide": ("div", False),
    "truediv": ("div", False),
    "true_divide": ("div", False),
    "rtruediv": ("div", True),
    **{f"i{name}": (name, False) for name in ("add", "sub", "mul", "pow")},
    "itruediv": ("div", False),
    "rsub": ("sub", True),
    "greater": ("gt", False),
    "greater_equal": ("ge", False),
    "less": ("lt", False),
    "less_equal": ("le", False),
}


def binary_name(name: str) -> tuple[str, bool] | None:
    """The operation of :data:`BINARY`, and whether its operands are exchanged."""
    if name in BINARY:
        return name, False
    return _SYNONYMS.get(name)


def as_number(value: Any) -> float | None:
    """A number, or the single value of a tensor; None if there are several values."""
    if isinstance(value, (bool, int, float)):
        return float(value)
    if not isinstance(value, torch.Tensor) or value.numel() == 0 or value.is_complex():
        return None
    value = value.detach()
    first = value.reshape(-1)[0]
    if not bool((value == first).all()):
        return None
    if value.dtype == torch.float32:
        # 0.05 rather than 0.05000000074505806.
        return float(str(np.float32(first.item())))
    return float(first.item())


def is_elementwise(name: str) -> bool:
    return (
        binary_name(name) is not None
        or known_name(name) is not None
        or name in ("clamp", "clip", "where")
    )


def apply(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Expression:
    """The expression of an operation on expressions of the same x and on constants.

    Args:
        name: The name of a PyTorch function, without underscores around it.
        args: Its arguments: expressions, numbers and tensors with one value.
        kwargs: Its named arguments.

    Raises:
        Untranslatable: The operation has no formula.
    """
    pair = binary_name(name)
    if pair is not None and len(args) + ("other" in kwargs) + ("exponent" in kwargs) == 2:
        return _apply_binary(pair, args, kwargs)
    first = _operand(args[0]) if args else _operand(kwargs.get("input"))
    if name in ("clamp", "clip"):
        low = args[1] if len(args) > 1 else kwargs.get("min")
        high = args[2] if len(args) > 2 else kwargs.get("max")
        result = first if low is None else maximum(first, _operand(low))
        return result if high is None else minimum(result, _operand(high))
    if name == "where" and len(args) == 3:
        return _where(first, _operand(args[1]), _operand(args[2]))
    form = form_of_call(name, args[1:], {k: v for k, v in kwargs.items() if k != "input"})
    if form is None:
        raise Untranslatable(f"the operation {name}")
    return _operation(form, first)


def _operation(form: Form, inner: Expression) -> Expression:
    if form.formula == "-x":
        return multiply(constant(-1.0), inner)
    if form.formula == "x^2":
        return power(inner, constant(2.0))
    composed = compose(form, inner)
    if re.fullmatch(r"[a-z0-9]+\(x\)", form.formula):
        composed = replace(composed, precedence=Precedence.ATOM)
    return composed


def _apply_binary(
    pair: tuple[str, bool], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Expression:
    operation, exchanged = pair
    extra = [kwargs[key] for key in ("other", "exponent") if key in kwargs]
    a, b = (_operand(value) for value in (*args, *extra))
    if operation in ("add", "sub") and kwargs.get("alpha", 1) != 1:
        b = multiply(_operand(kwargs["alpha"]), b)
    if operation == "div" and kwargs.get("rounding_mode") is not None:
        raise Untranslatable("a division that rounds")
    return BINARY[operation](b, a) if exchanged else BINARY[operation](a, b)


def _operand(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    found = as_number(value)
    if found is None:
        raise Untranslatable("a constant with several values")
    return constant(found)


def named(expression: Expression) -> Expression:
    """The same function with its built-in name, if it is a sine, a Gaussian or another known form."""
    if expression.name is not None or expression.affine is not None:
        return expression
    sine = re.fullmatch(r"sin\(([0-9.e+-]+)\*x\)", expression.formula)
    if sine:
        return replace(expression, name=f"sine:omega={sine.group(1)}")
    points = torch.tensor([-2.3, -1.1, -0.4, 0.6, 0.9, 1.7], dtype=torch.float64)
    values = evaluate(expression, points)
    if values is None:
        return expression
    for name in ("silu", "gelu", "mish", "relu", "softplus", "sigmoid"):
        known = evaluate(from_text(name), points)
        if known is not None and torch.allclose(values, known, rtol=1e-13, atol=1e-14):
            return replace(expression, name=name)
    return replace(expression, name=_gaussian(expression))


def _gaussian(expression: Expression) -> str | None:
    """``gaussian:sigma=…`` if the logarithm is -x²/(2σ²)."""
    tree = ast.parse(expression.formula.replace("^", "**"), mode="eval").body
    match tree:
        case ast.Call(func=ast.Name(id="exp")):
            logarithm = replace(expression, formula=expression.formula[4:-1])
        case _:
            return None
    points = torch.tensor([-1.0, 0.5, 1.0, 2.0, 3.0], dtype=torch.float64)
    values = evaluate(logarithm, points)
    if values is None or not float(values[2]) < 0:
        return None
    if not torch.allclose(values, values[2] * points**2, rtol=1e-13, atol=0):
        return None
    sigma = math.sqrt(-0.5 / float(values[2]))
    return f"gaussian:sigma={float(f'{sigma:.14g}')!r}"


def evaluate(expression: Expression, points: torch.Tensor) -> torch.Tensor | None:
    """The values of the expression; None if it cannot be evaluated."""
    from .._formula import evaluator
    from .._torch_model import FUNCTIONS

    try:
        return torch.as_tensor(evaluator(expression.formula, FUNCTIONS)(points)).expand_as(points)
    except (RequestError, ArithmeticError, ValueError, SyntaxError, RecursionError):
        return None
