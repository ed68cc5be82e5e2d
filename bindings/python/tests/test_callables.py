"""Functions of arrays as activations, against 30-digit integrals."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import vi3nr

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp


def _sig(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


#: (name, function of NumPy arrays, the same of mpmath numbers, points where f or f' jumps, σ_p)
CASES: list[tuple[str, Callable[[Any], Any], Callable[[Any], Any], tuple[float, ...], float]] = [
    ("swish 1.7", lambda x: x * _sig(1.7 * x), lambda x: x / (1 + mp.exp(-1.7 * x)), (), 1.0),
    ("tanh", lambda x: np.tanh(x), mp.tanh, (), 2.0),
    ("sin 9x", lambda x: np.sin(9 * x), lambda x: mp.sin(9 * x), (), 1.0),
    ("cos", lambda x: np.cos(x), mp.cos, (), 3.0),
    ("gaussian 0.1", lambda x: np.exp(-50 * x**2), lambda x: mp.exp(-50 * x**2), (), 0.5),
    ("arctan", lambda x: np.arctan(x), mp.atan, (), 1.0),
    ("softsign", lambda x: x / (1 + np.abs(x)), lambda x: x / (1 + abs(x)), (0.0,), 1.0),
    ("square", lambda x: np.square(x), lambda x: x**2, (), 1.5),
    ("cubic", lambda x: x**3 - x, lambda x: x**3 - x, (), 0.7),
    ("relu", lambda x: np.maximum(x, 0), lambda x: max(x, mp.mpf(0)), (0.0,), 1.0),
    ("abs shift", lambda x: np.abs(x - 0.3), lambda x: abs(x - mp.mpf(0.3)), (0.3,), 1.0),
    ("hardtanh", lambda x: np.clip(x, -1, 1), lambda x: max(min(x, 1), -1), (-1.0, 1.0), 1.2),
    ("relu6", lambda x: np.clip(x, 0, 6), lambda x: max(min(x, 6), 0), (0.0, 6.0), 3.0),
    ("wavelet", lambda x: np.cos(4 * x) * np.exp(-x**2), lambda x: mp.cos(4 * x) * mp.exp(-x**2), (), 1.0),
    ("laplacian", lambda x: np.exp(-np.abs(x)), lambda x: mp.exp(-abs(x)), (0.0,), 1.0),
    ("quadratic", lambda x: 1 / (1 + x**2), lambda x: 1 / (1 + x**2), (), 1.0),
    ("snake", lambda x: x + np.sin(3 * x) ** 2 / 3, lambda x: x + mp.sin(3 * x) ** 2 / 3, (), 1.0),
    ("log cosh", lambda x: np.log(np.cosh(x)), lambda x: mp.log(mp.cosh(x)), (), 1.0),
    ("sqrt(1+x^2)", lambda x: np.sqrt(1 + x**2), lambda x: mp.sqrt(1 + x**2), (), 2.0),
    ("exp(0.4x)", lambda x: np.exp(0.4 * x), lambda x: mp.exp(0.4 * x), (), 1.0),
    ("sinc", lambda x: np.sinc(x), lambda x: mp.sincpi(x), (), 2.0),
    ("elu", lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: x if x > 0 else mp.expm1(x), (0.0,), 1.0),
    ("leaky 0.3", lambda x: np.where(x > 0, x, 0.3 * x), lambda x: x if x > 0 else mp.mpf(0.3) * x, (0.0,), 1.0),
    ("relu^2", lambda x: np.maximum(x, 0) ** 2, lambda x: max(x, mp.mpf(0)) ** 2, (0.0,), 1.0),
    ("bump", lambda x: np.exp(-((x - 1) ** 2) * 200), lambda x: mp.exp(-((x - 1) ** 2) * 200), (), 1.0),
    ("finer", lambda x: np.sin(3 * (np.abs(x) + 1) * x), lambda x: mp.sin(3 * (abs(x) + 1) * x), (0.0,), 1.0),
    ("mish", lambda x: x * np.tanh(np.log1p(np.exp(x))), lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), (), 1.0),
    ("expsin", lambda x: np.exp(-np.sin(2 * x)), lambda x: mp.exp(-mp.sin(2 * x)), (), 1.0),
    ("hardswish", lambda x: x * np.clip(x + 3, 0, 6) / 6, lambda x: x * max(min(x + 3, 6), 0) / 6, (-3.0, 3.0), 2.0),
    ("softshrink", lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0), lambda x: mp.sign(x) * max(abs(x) - 0.5, 0), (-0.5, 0.5), 1.0),
]  # fmt: skip


def exact(f: Callable[[Any], Any], kinks: tuple[float, ...], sigma: float) -> tuple[Any, Any]:
    """E[f²] and E[f'²] to about 20 digits."""
    with mp.workdps(25):
        ends = sorted({*(mp.mpf(k) for k in kinks), *(sigma * mp.mpf(i) / 2 for i in range(-24, 25))})

        def density(x: Any) -> Any:
            return mp.exp(-(x**2) / (2 * sigma**2)) / (sigma * mp.sqrt(2 * mp.pi))

        def slope(x: Any) -> Any:
            h = mp.mpf(10) ** -9
            # Fourth order, and far from a kink by the choice of the ends.
            return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)

        second = mp.quad(lambda x: f(x) ** 2 * density(x), ends, maxdegree=6)
        slopes = mp.quad(lambda x: slope(x) ** 2 * density(x), ends, maxdegree=5, method="gauss-legendre")
        return second, slopes


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_numbers_are_within_the_estimated_error(case: Any) -> None:
    _, f, reference, kinks, sigma = case
    found = vi3nr.gain(f, sigma)
    second, slopes = exact(reference, kinks, sigma)
    assert found.method == "function"
    for seen, truth in ((found.second_moment, second), (found.derivative_second_moment, slopes)):
        off = abs(seen - float(truth))
        # The reference itself has some 15 digits where f' is a difference.
        assert off <= found.error_bound + 1e-13 * float(truth), (seen, float(truth))
        assert off <= 1e-9 * float(truth)
    gain_squared = sigma**2 / float(second)
    assert abs(found.gain_squared - gain_squared) <= found.error_bound + 1e-14 * gain_squared


def test_a_known_function_is_exact() -> None:
    assert vi3nr.gain(np.tanh, 1.0) == vi3nr.gain("tanh", 1.0)


def test_a_formula_and_its_function_agree() -> None:
    formula, function = vi3nr.gain("x*sigmoid(1.7*x)", 1.0), vi3nr.gain(CASES[0][1], 1.0)
    for name in ("value", "gain_squared", "condition", "chi", "mean", "derivative_mean"):
        assert getattr(formula, name) == pytest.approx(getattr(function, name), rel=1e-12), name


def test_what_is_infinite_or_not_elementwise_is_refused() -> None:
    for function, sentence in (
        (lambda x: 1 / x, "infinite or not resolved"),
        (lambda x: np.log(x), "f is NaN at x = -"),
        (lambda x: x - x.mean(), "not elementwise"),
        (lambda x: x[:2], "maps shape"),
        (lambda x: "text", "returned str, not an array"),
        (lambda x: x.undefined, "cannot be evaluated on arrays"),
    ):
        with pytest.raises(vi3nr.RequestError, match=sentence):
            vi3nr.gain(function, 1.0)
    with pytest.raises(vi3nr.RequestError, match="a function needs a number"):
        vi3nr.gain(lambda x: np.tanh(x), "auto")


def test_an_infinite_slope_leaves_the_gain() -> None:
    found = vi3nr.gain(lambda x: np.sqrt(np.abs(x)), 1.0)
    assert math.isinf(found.derivative_second_moment) and math.isinf(found.condition)
    assert found.second_moment == pytest.approx(math.sqrt(2 / math.pi), rel=1e-9)


def test_single_precision_is_part_of_the_estimate() -> None:
    found = vi3nr.gain(lambda x: np.tanh(x.astype(np.float32)), 1.0)
    truth = vi3nr.gain("tanh", 1.0)
    assert 1e-8 < found.error_bound < 1e-2
    assert abs(found.second_moment - truth.second_moment) <= found.error_bound


def test_torch_functions_have_exact_derivatives() -> None:
    torch = pytest.importorskip("torch")
    found = vi3nr.gain(lambda x: x * torch.sigmoid(1.7 * x), 1.0)
    truth = vi3nr.gain("x*sigmoid(1.7*x)", 1.0)
    assert found.condition == pytest.approx(truth.condition, rel=1e-13)
    prelu = torch.nn.PReLU(init=0.3)
    assert vi3nr.gain(lambda x: prelu.double()(x), 1.0).value == pytest.approx(
        vi3nr.gain("leaky_relu:slope=0.3", 1.0).value, rel=1e-6
    )
    step = vi3nr.gain(lambda x: torch.sign(x), 1.0)
    assert (step.second_moment, step.derivative_second_moment) == pytest.approx((1.0, 0.0))


def test_jax_functions_have_exact_derivatives() -> None:
    jax = pytest.importorskip("jax")
    found = vi3nr.gain(lambda x: x * jax.nn.sigmoid(1.7 * x), 1.0)
    truth = vi3nr.gain("x*sigmoid(1.7*x)", 1.0)
    assert found.condition == pytest.approx(truth.condition, rel=1e-12)
