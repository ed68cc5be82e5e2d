"""Gains and solutions: the same answers as the command line."""

from __future__ import annotations

import json
import math
import pickle
import subprocess
import sys

import pytest

import vi3nr


def command(*words: str) -> dict:
    """The JSON object that the command line prints."""
    done = subprocess.run(
        [sys.executable, "-m", "vi3nr", *words, "--json"], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "activation", ["gelu", "sine:omega=30", "gaussian:sigma=0.05", "x*tanh(exp(x))", "relu", "sinc"]
)
def test_a_gain_is_that_of_the_command_line(activation: str) -> None:
    for sigma_p in (None, 1.0, 0.3):
        words = [] if sigma_p is None else ["--sigma-p", repr(sigma_p)]
        expected = command("gain", activation, *words)
        gain = vi3nr.gain(activation, sigma_p)
        assert gain.value == expected["gain"]
        for name in ("sigma_p", "gain_squared", "condition", "second_moment", "error_bound"):
            assert getattr(gain, name) == expected[name], name
        assert gain.method == expected["method"]


def test_a_gain_converts_and_scales() -> None:
    gain = vi3nr.gain("tanh", sigma_p=1.0)
    assert gain.value == pytest.approx(math.sqrt(2.53617543), abs=1e-8)
    assert float(gain) == gain.value
    assert gain.std(64) == gain.value / 8
    assert vi3nr.gain("gelu", 1.0).chi == pytest.approx(1.1441, abs=1e-4)
    assert vi3nr.gain("gelu", "2*auto").sigma_p == 2 * vi3nr.gain("gelu", "auto").sigma_p
    with pytest.raises(vi3nr.RequestError, match="fan_in: 0"):
        gain.std(0)


def test_methods_are_chosen() -> None:
    assert vi3nr.gain("tanh", 1.0, method="quadrature").method == "quadrature"
    monte_carlo = vi3nr.gain("tanh", 1.0, method="mc", samples=1000, seed=3)
    assert monte_carlo.method == "mc" and monte_carlo.error_bound > 1e-4
    with pytest.raises(ValueError, match="a closed form"):
        vi3nr.gain("x*tanh(exp(x))", 1.0, method="closed")
    with pytest.raises(ValueError, match="expected auto, closed"):
        vi3nr.gain("tanh", 1.0, method="exact")  # type: ignore[arg-type]


def test_solutions_are_those_of_the_command_line() -> None:
    for activation in ("sinc", "tanh", "relu", "gaussian:sigma=0.05", "softplus"):
        expected = command("solve", activation)
        found = vi3nr.solve(activation)
        assert found.kind == expected["kind"]
        assert list(found.roots) == [root["sigma_p"] for root in expected["roots"]]
        assert found.infimum == expected["infimum"]
        assert found.proven == expected["proven"] and found.basis == expected["basis"]
        assert found.default_sigma_p == expected["default_sigma_p"]
    wide = vi3nr.solve("sin(x)", fan_in=3, fan_out=128)
    assert wide.kind == command("solve", "sin(x)", "--fan-in", "3", "--fan-out", "128")["kind"]
    with pytest.raises(vi3nr.RequestError, match="fan_in: 0; expected a whole number"):
        vi3nr.solve("sine", fan_in=0)


def test_propagation_is_that_of_the_command_line() -> None:
    small = {"depth": 6, "width": 40, "batch": 20}
    words = [word for name, value in small.items() for word in (f"--{name}", str(value))]
    expected = command("propagate", "tanh", *words)
    found = vi3nr.propagate("tanh", **small)
    assert list(found.forward_variance) == expected["forward_variance"]
    assert (found.e_f, found.e_b) == (expected["e_f"], expected["e_b"])
    assert found == vi3nr.propagate("tanh", threads=1, **small)


def test_derivatives_are_those_of_the_command_line() -> None:
    small = {"depth": 6, "width": 40, "batch": 20}
    words = [word for name, value in small.items() for word in (f"--{name}", str(value))]
    words += ["--derivatives", "--coordinates", "3"]
    for activation in ("tanh", "relu", "sin(3*x)"):
        expected = command("propagate", activation, *words)["derivatives"]
        found = vi3nr.propagate(activation, derivatives=3, **small).derivatives
        assert found is not None
        for name, value in expected.items():
            seen = getattr(found, name)
            assert (list(seen) if isinstance(value, list) else seen) == value, name
    assert vi3nr.propagate("tanh", **small).derivatives is None
    assert vi3nr.propagate("tanh", init="xavier", **small).expected is None
    steep = vi3nr.propagate("gaussian:sigma=0.05", 1.0, depth=200, width=8, batch=2, derivatives=2)
    assert steep.derivatives is not None
    assert steep.derivatives.predicted_derivative_variance is not None
    assert steep.derivatives.predicted_derivative_variance[-1] == float("inf")
    for count in (0, 65):
        with pytest.raises(vi3nr.RequestError, match="derivatives|coordinates"):
            vi3nr.propagate("tanh", derivatives=count, **small)


def test_lists_are_those_of_the_command_line() -> None:
    names = [entry["name"] for entry in command("activations")["activations"]]
    assert [entry["name"] for entry in vi3nr.activations()] == names
    schemes = [entry["name"] for entry in command("schemes")["schemes"]]
    assert [entry["name"] for entry in vi3nr.schemes()] == schemes
    chaos = next(entry for entry in vi3nr.schemes() if entry["name"] == "eoc")
    assert [dict(own)["name"] for own in chaos["optional"]] == ["first_sigma_p"]


def test_errors_are_builtins_with_the_sentence_of_the_library() -> None:
    with pytest.raises(ValueError, match="did you mean 'gaussian'"):
        vi3nr.gain("gausian", 1.0)
    with pytest.raises(vi3nr.RequestError, match="infinite"):
        vi3nr.gain("1/x", 1.0)
    with pytest.raises(vi3nr.Error, match="sigma_p"):
        vi3nr.gain("tanh", -1.0)
    with pytest.raises(vi3nr.RequestError, match="expected text, a module or a function"):
        vi3nr.gain(3)  # type: ignore[arg-type]
    with pytest.raises(vi3nr.RequestError, match="expected image, audio or shape"):
        vi3nr.gain("tanh", signal="video")  # type: ignore[arg-type]


def test_values_are_pickled() -> None:
    for value in (vi3nr.gain("gelu", 1.0), vi3nr.solve("sinc")):
        assert pickle.loads(pickle.dumps(value)) == value
        assert "RequestError" not in repr(value)


def test_the_import_is_light() -> None:
    names = ("torch", "jax", "tqdm", "numpy", "json")
    code = f"import sys, vi3nr; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
