"""The exact forms of known modules and functions, against their values."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import vi3nr
from vi3nr._formula import evaluator

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional

MODULES = [
    nn.ReLU(),
    nn.ReLU6(),
    nn.LeakyReLU(0.2),
    nn.PReLU(),
    nn.RReLU().eval(),
    nn.ELU(0.7),
    nn.CELU(1.0),
    nn.CELU(0.6),
    nn.SELU(),
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    nn.SiLU(),
    nn.Mish(),
    nn.Softplus(),
    nn.Softplus(beta=2.0),
    nn.Sigmoid(),
    nn.Tanh(),
    nn.Hardtanh(-0.5, 2.0),
    nn.Hardsigmoid(),
    nn.Hardswish(),
    nn.LogSigmoid(),
    nn.Softsign(),
    nn.Tanhshrink(),
    nn.Softshrink(0.3),
    nn.Hardshrink(0.3),
    nn.Threshold(0.1, -2.0),
    nn.Identity(),
]
FUNCTIONS = [
    torch.sin,
    torch.cos,
    torch.tanh,
    torch.erf,
    torch.sinc,
    torch.square,
    torch.expm1,
    torch.special.expit,
    F.silu,
    F.mish,
    F.gelu,
    F.hardswish,
    F.logsigmoid,
    functools.partial(F.leaky_relu, negative_slope=0.3),
    functools.partial(F.gelu, approximate="tanh"),
]


def check(function: Any, values: np.ndarray, points: np.ndarray) -> None:
    from vi3nr._torch_model import FUNCTIONS as known

    text = vi3nr.activation_of(function)
    assert text is not None, function
    ours = evaluator(text, known)(torch.from_numpy(points))
    np.testing.assert_allclose(ours.numpy(), values, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("function", [*MODULES, *FUNCTIONS], ids=str)
def test_torch(function: Any) -> None:
    points = np.linspace(-7.3, 6.9, 201)
    if isinstance(function, nn.Module):
        function = function.double()
    values = function(torch.from_numpy(points)).detach().numpy()
    check(function, values, points)


JAX = (
    "relu relu6 leaky_relu elu celu selu gelu silu swish mish softplus sigmoid tanh hard_tanh "
    "hard_sigmoid hard_silu log_sigmoid soft_sign squareplus identity"
)


@pytest.mark.parametrize("name", JAX.split())
def test_jax(name: str) -> None:
    jax = pytest.importorskip("jax")
    double = getattr(jax, "enable_x64", None)
    if double is None:
        from jax.experimental import enable_x64 as double
    function = getattr(jax.nn, name)
    points = np.linspace(-7.3, 6.9, 201)
    with double(True):
        values = np.asarray(function(jax.numpy.asarray(points)))
    check(function, values, points)


@pytest.mark.parametrize("function", [np.tanh, np.sin, np.sinc, np.square, np.abs], ids=str)
def test_numpy(function: Any) -> None:
    points = np.linspace(-7.3, 6.9, 201)
    check(function, function(points), points)


@pytest.mark.parametrize(
    "other",
    [
        nn.Softmax(dim=-1),
        nn.Linear(2, 2),
        nn.Sequential(),
        nn.RReLU(),
        nn.PReLU(3),
        nn.ReLU,
        F.softmax,
        F.dropout,
        lambda x: x,
        len,
        3,
        None,
    ],
    ids=str,
)
def test_others_are_not_known(other: Any) -> None:
    assert vi3nr.activation_of(other) is None


def test_a_module_has_the_gain_of_its_name() -> None:
    assert vi3nr.gain(nn.GELU(), 1.0) == vi3nr.gain("gelu", 1.0)
    assert vi3nr.gain(F.leaky_relu, 1.0).activation == "leaky_relu:slope=0.01"
