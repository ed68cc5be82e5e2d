"""Activations as functions of PyTorch tensors, JAX arrays or NumPy arrays.

A formula in x is parsed with Python's own parser: its grammar is that of arithmetic expressions,
with ``^`` for powers.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from . import _core
from ._errors import RequestError

#: The functions that a formula can contain, for one kind of arrays.
Functions = Mapping[str, Callable[..., Any]]

_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def evaluator(activation: str, functions: Functions) -> Callable[[Any], Any]:
    """The activation as a function of arrays.

    Raises:
        RequestError: The activation cannot be read, or ``functions`` lacks one of its functions.
    """
    definition: dict[str, Any] = _core.definition(activation)
    name, formula = definition["name"], definition["formula"]
    parameters: dict[str, float] = definition["parameters"]
    if name is not None and name in functions:
        own = functions[name]
        return lambda x: own(x, **parameters)
    tree = ast.parse(formula.replace("^", "**"), mode="eval").body
    _check(tree, functions, parameters, formula)
    return lambda x: _evaluate(tree, x, functions, parameters)


def _check(
    node: ast.AST, functions: Functions, parameters: Mapping[str, float], formula: str
) -> None:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            if inner.func.id not in functions:
                raise RequestError(f"'{formula}': the function {inner.func.id} is not available")
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    unknown = names - {"x"} - set(_CONSTANTS) - set(parameters) - set(functions)
    if unknown:
        raise RequestError(f"'{formula}': unknown symbols {', '.join(sorted(unknown))}")


def _evaluate(node: ast.AST, x: Any, functions: Functions, parameters: Mapping[str, float]) -> Any:
    def of(inner: ast.AST) -> Any:
        return _evaluate(inner, x, functions, parameters)

    match node:
        case ast.Constant(value=value):
            return float(value)  # type: ignore[arg-type]
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name):
            return parameters.get(name, _CONSTANTS.get(name))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -of(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return of(operand)
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](of(left), of(right))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            values = [of(argument) for argument in arguments]
            if all(isinstance(value, float) for value in values):
                return _SCALARS[name](*values)
            return reduce(functions[name], values) if len(values) > 1 else functions[name](*values)
    raise RequestError(f"a formula cannot contain {type(node).__name__}")


_SCALARS: dict[str, Callable[..., Any]] = {
    "exp": math.exp,
    "log": math.log,
    "ln": math.log,
    "sqrt": math.sqrt,
    "abs": abs,
    "sign": lambda v: math.copysign(1.0, v) if v else 0.0,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "tanh": math.tanh,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "sech": lambda v: 1 / math.cosh(v),
    "erf": math.erf,
    "erfc": math.erfc,
    "atan": math.atan,
    "sinc": lambda v: math.sin(v) / v if v else 1.0,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "softplus": lambda v: math.log1p(math.exp(v)),
    "max": max,
    "min": min,
}
