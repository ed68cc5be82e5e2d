"""Modules and functions of PyTorch, JAX and NumPy whose exact form is known.

They are recognized by their names, so that no framework is imported here.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

_HALF = "0.7071067811865476"  # √½
_GELU_TANH = "0.7978845608028654*(x+0.044715*x^3)"  # √(2/π)·(x + 0.044715 x³)


class Form(NamedTuple):
    """An activation as text."""

    #: A built-in name with its parameters, if there is one, otherwise the formula.
    text: str
    #: The formula in x.
    formula: str


def number(value: float) -> str:
    """A number as a formula has it. Negative numbers are in parentheses."""
    value = float(value)
    text = repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return f"({text})" if value < 0 else text


def _formula(text: str) -> Form:
    return Form(text, text)


def _relu() -> Form:
    return Form("relu", "max(x,0)")


def _leaky_relu(negative_slope: float = 0.01) -> Form:
    return Form(f"leaky_relu:slope={float(negative_slope)!r}", f"max(x,0)+{number(negative_slope)}*min(x,0)")


def _elu(alpha: float = 1.0) -> Form:
    formula = f"max(x,0)+{number(alpha)}*(exp(min(x,0))-1)"
    return Form("elu" if alpha == 1.0 else f"elu:alpha={float(alpha)!r}", formula)


def _celu(alpha: float = 1.0) -> Form:
    if alpha == 1.0:
        return _elu()
    a = number(alpha)
    return _formula(f"max(x,0)+{a}*(exp(min(x,0)/{a})-1)")


def _selu() -> Form:
    inner = "max(x,0)+1.6732632423543772*(exp(min(x,0))-1)"
    return Form("selu", f"1.0507009873554805*({inner})")


def _gelu(approximate: str | bool = "none") -> Form:
    if approximate in ("tanh", True):
        return _formula(f"0.5*x*(1+tanh({_GELU_TANH}))")
    return Form("gelu", f"0.5*x*(1+erf(x*{_HALF}))")


def _jax_gelu(approximate: bool = True) -> Form:
    return _gelu(approximate)


def _softplus(beta: float = 1.0, threshold: float = 20.0) -> Form:
    # Above the threshold PyTorch returns x, which differs by less than exp(-threshold).
    if beta == 1.0:
        return Form("softplus", "softplus(x)")
    return _formula(f"softplus({number(beta)}*x)/{number(beta)}")


def _hard_tanh(min_val: float = -1.0, max_val: float = 1.0) -> Form:
    return _formula(f"min(max(x,{number(min_val)}),{number(max_val)})")


def _soft_shrink(lambd: float = 0.5) -> Form:
    return _formula(f"x-min(max(x,-{number(lambd)}),{number(lambd)})")


def _hard_shrink(lambd: float = 0.5) -> Form:
    return _formula(f"x*(1+sign(abs(x)-{number(lambd)}))/2")


def _threshold(threshold: float, value: float) -> Form:
    above = f"(1+sign(x-{number(threshold)}))/2"
    return _formula(f"x*{above}+{number(value)}*(1-{above})")


def _random_relu(lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Form | None:
    return None if training else _leaky_relu((lower + upper) / 2)


def _squareplus(b: float = 4.0) -> Form:
    return _formula(f"(x+sqrt(x^2+{number(b)}))/2")


def _plain(name: str, formula: str | None = None) -> Callable[[], Form]:
    return lambda: Form(name, formula or f"{name}(x)")


#: The functions by the names that frameworks give them; the arguments are those of PyTorch.
FORMS: Mapping[str, Callable[..., Form | None]] = {
    "identity": _plain("x", "x"),
    "relu": _relu,
    "relu6": lambda: _formula("min(max(x,0),6)"),
    "leaky_relu": _leaky_relu,
    "rrelu": _random_relu,
    "elu": _elu,
    "celu": _celu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _plain("silu", "x*sigmoid(x)"),
    "mish": _plain("mish", "x*tanh(softplus(x))"),
    "softplus": _softplus,
    "sigmoid": _plain("sigmoid"),
    "tanh": _plain("tanh"),
    "hardtanh": _hard_tanh,
    "hardsigmoid": lambda: _formula("min(max(x/6+0.5,0),1)"),
    "hardswish": lambda: _formula("x*min(max(x/6+0.5,0),1)"),
    "logsigmoid": lambda: _formula("-softplus(-x)"),
    "softsign": lambda: _formula("x/(1+abs(x))"),
    "tanhshrink": lambda: _formula("x-tanh(x)"),
    "softshrink": _soft_shrink,
    "hardshrink": _hard_shrink,
    "threshold": _threshold,
    "squareplus": _squareplus,
    "sin": lambda: Form("sine:omega=1", "sin(x)"),
    "sinc": lambda: Form(f"sinc:a={math.pi!r}", f"sinc({math.pi!r}*x)"),
    "erf": _plain("erf"),
    "square": lambda: _formula("x^2"),
    "exp2": lambda: _formula(f"exp({math.log(2)!r}*x)"),
    "expm1": lambda: _formula("exp(x)-1"),
    "log1p": lambda: _formula("log(1+x)"),
    "log2": lambda: _formula(f"log(x)/{math.log(2)!r}"),
    "log10": lambda: _formula(f"log(x)/{math.log(10)!r}"),
    "reciprocal": lambda: _formula("1/x"),
    "rsqrt": lambda: _formula("1/sqrt(x)"),
    "neg": lambda: _formula("-x"),
    **{
        name: (lambda name=name: _formula(f"{name}(x)"))
        for name in "cos tan exp log sqrt abs sinh cosh erfc atan sign".split()
    },
}

#: Other names of the same functions, in lower case without underscores.
_ALIASES = {
    "swish": "silu",
    "softsign": "softsign",
    "hardsilu": "hardswish",
    "expit": "sigmoid",
    "logistic": "sigmoid",
    "arctan": "atan",
    "absolute": "abs",
    "negative": "neg",
    "sgn": "sign",
}
_BY_NAME = {name.replace("_", ""): name for name in FORMS} | _ALIASES

#: Top-level packages whose functions of these names are known.
_FRAMEWORKS = ("torch", "jax", "jaxlib", "numpy", "scipy", "flax", "equinox")


def known_name(name: str) -> str | None:
    """The entry of :data:`FORMS` that a framework's name means."""
    return _BY_NAME.get(name.lower().removeprefix("special_").replace("_", ""))


def _bound(build: Callable[..., Form | None], arguments: Mapping[str, Any]) -> Form | None:
    accepted = inspect.signature(build).parameters
    return build(**{key: value for key, value in arguments.items() if key in accepted})


def form_of_call(name: str, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] = {}) -> Form | None:
    """The form of a call of a PyTorch function, whose first argument is left out."""
    key = known_name(name)
    if key is None:
        return None
    try:
        names = list(inspect.signature(FORMS[key]).parameters)
        return _bound(FORMS[key], {**dict(zip(names, args, strict=False)), **kwargs})
    except (TypeError, ValueError, OverflowError):
        return None  # an argument is not a number


def _is_from(module: str | None, package: str) -> bool:
    return module is not None and (module == package or module.startswith(package + "."))


def _module_form(module: Any) -> Form | None:
    """The form of an instance of a class in ``torch.nn``."""
    name = type(module).__name__
    if name == "PReLU":
        weight = module.weight
        if getattr(weight, "is_meta", False) or weight.numel() != 1:
            return None
        return _leaky_relu(float(weight.detach()))
    key = known_name(name)
    if key is None:
        return None
    parameters = inspect.signature(FORMS[key]).parameters
    return FORMS[key](**{each: getattr(module, each) for each in parameters})


def form_of(activation: Any) -> Form | None:
    """The form of a known module or function; None if it is not known."""
    kind = type(activation)
    if _is_from(kind.__module__, "torch.nn.modules"):
        return _module_form(activation)
    if kind.__module__ == "vi3nr._torch_model" and kind.__name__ == "Activation":
        return _formula(activation.text)
    if isinstance(activation, functools.partial):
        inner = activation.func
        if activation.args or not _is_known_function(inner):
            return None
        if _is_jax(inner) and known_name(inner.__name__) == "gelu":
            return _bound(_jax_gelu, activation.keywords)
        return form_of_call(inner.__name__, (), activation.keywords)
    if not _is_known_function(activation):
        return None
    if _is_jax(activation) and known_name(activation.__name__) == "gelu":
        return _jax_gelu()
    return form_of_call(activation.__name__)


def _origin(function: Any) -> str:
    module = getattr(function, "__module__", None)
    if isinstance(module, str):
        return module
    kind = type(function)
    # Ufuncs and the methods of torch.Tensor have no module of their own.
    owner = getattr(function, "__objclass__", None)
    return str(getattr(owner, "__module__", None) or kind.__module__)


def _is_known_function(function: Any) -> bool:
    if inspect.isclass(function) or not callable(function):
        return False
    if not isinstance(getattr(function, "__name__", None), str):
        return False
    origin = _origin(function)
    if origin in ("builtins", "_operator", "builtin_function_or_method"):
        # torch.sin and its like: built-in functions whose type says nothing.
        owner = str(getattr(getattr(function, "__self__", None), "__name__", ""))
        return owner.startswith("torch") or function is abs
    return any(_is_from(origin, package) for package in _FRAMEWORKS)


def _is_jax(function: Any) -> bool:
    return any(_is_from(_origin(function), package) for package in ("jax", "jaxlib"))


def activation_of(activation: Any) -> str | None:
    """The text form of a known module or function; None if it is not known.

    Args:
        activation: A module such as ``nn.GELU(approximate="tanh")``, a function such as
            ``torch.sin``, ``jax.nn.mish`` or ``np.tanh``, or text, which is returned as it is.

    Example:
        >>> activation_of(torch.nn.LeakyReLU(0.2))
        'leaky_relu:slope=0.2'
    """
    if isinstance(activation, str):
        return activation
    try:
        form = form_of(activation)
    except (AttributeError, TypeError, ValueError):
        return None  # an object that looks like a known one, but is not
    return None if form is None else form.text
