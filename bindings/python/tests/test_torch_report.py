"""Reports, and the functions for single tensors."""

from __future__ import annotations

import math
from typing import Any

import pytest

import vi3nr

torch = pytest.importorskip("torch")
import torch_models as models  # noqa: E402

nn = torch.nn
vt = vi3nr.torch


def test_a_report_is_a_table() -> None:
    model = nn.Sequential(nn.Linear(2, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 3))
    report = vt.init_(model, inputs=models.coordinates())
    text = str(report)
    assert repr(report) == text
    head, titles, first, *_ = text.splitlines()
    assert head == "vi3nr, uniform; operations found by torch.fx"
    assert titles.split()[:5] == ["layer", "kind", "fed", "by", "fan-in"]
    assert first.split()[:3] == ["0", "Linear", "input"]
    assert "Left as they are: 2.weight, 2.bias." in text
    page = report._repr_html_()
    assert page.count("<tr>") == 3 and "normalization &#x27;2&#x27;" in page
    assert len(report) == 2 and report[0] is report["0"]
    with pytest.raises(KeyError):
        report["1"]


def test_assert_healthy() -> None:
    model = models.tanh_mlp(20, 128)
    x = models.normal(64, 64)
    vt.init_(model, inputs=x).assert_healthy()
    weak = vt.init_(model, scheme="xavier", inputs=x)
    with pytest.raises(AssertionError, match="times sigma_p"):
        weak.assert_healthy()
    with pytest.raises(vi3nr.Error):
        weak.assert_healthy()
    relu = nn.Sequential(*[m for _ in range(40) for m in (nn.Linear(64, 64), nn.Sigmoid())])
    report = vt.init_(relu, sigma_p=0.1, inputs=models.normal(64, 64))
    with pytest.raises(vt.UnhealthyError, match="gradients"):
        report.assert_healthy(tolerance=10)


def test_measured_gradients_match_the_condition() -> None:
    """From layer to layer the variance of the gradient changes by the condition."""
    model = models.tanh_mlp(12, 1024, 1024, 1024)
    report = vt.init_(model, inputs=models.normal(64, 1024), generator=torch.Generator().manual_seed(1))
    gradients = [row.measured_gradient for row in report]
    ratio = (gradients[0] / gradients[-1]) ** (1 / 11)
    assert ratio == pytest.approx(report["2"].condition, rel=0.02)


@pytest.mark.parametrize("name", "linear conv1d conv2d conv3d conv_transpose2d sigmoid tanh relu selu".split())
def test_calculate_gain_has_pytorchs_values(name: str) -> None:
    assert vt.calculate_gain(name) == torch.nn.init.calculate_gain(name)


@pytest.mark.parametrize("slope", [None, 0.2, 1])
def test_calculate_gain_of_leaky_relu(slope: Any) -> None:
    assert vt.calculate_gain("leaky_relu", slope) == torch.nn.init.calculate_gain("leaky_relu", slope)
    assert vt.calculate_gain("leaky_relu", slope, sigma_p=1.0) == pytest.approx(
        vt.calculate_gain("leaky_relu", slope), rel=1e-9
    )


def test_calculate_gain_of_everything_else() -> None:
    assert vt.calculate_gain("tanh", sigma_p=1.0) == vi3nr.gain("tanh", 1.0).value
    assert vt.calculate_gain("linear", sigma_p=2.0) == pytest.approx(1)
    assert vt.calculate_gain("gelu") == vi3nr.gain("gelu", "auto").value
    assert vt.calculate_gain(nn.Mish(), sigma_p=0.5) == vi3nr.gain("mish", 0.5).value
    assert vt.calculate_gain(lambda x: 2 * torch.tanh(x)) == pytest.approx(
        vi3nr.gain("2*tanh(x)", 1.0).value, rel=1e-9
    )
    with pytest.raises(vi3nr.RequestError, match="param"):
        vt.calculate_gain("leaky_relu", "steep")  # type: ignore[arg-type]


def test_single_tensors() -> None:
    std = vi3nr.gain("gaussian:sigma=0.05", "auto").std(300)
    weight = torch.empty(500, 300, requires_grad=True)
    for fill in (vt.uniform_, vt.normal_):
        generator = torch.Generator().manual_seed(0)
        result = fill(weight, "gaussian:sigma=0.05", generator=generator)
        assert result is weight and weight.requires_grad
        assert float(weight.detach().std()) == pytest.approx(std, rel=0.01)
        first = weight.detach().clone()
        fill(weight, "gaussian:sigma=0.05", generator=torch.Generator().manual_seed(0))
        assert torch.equal(weight.detach(), first)
    vt.uniform_(weight, "relu")
    assert float(weight.detach().abs().max()) <= math.sqrt(6 / 300)
    kernel = torch.empty(64, 32, 3, 3)
    vt.normal_(kernel, nn.GELU(), sigma_p=1.0)
    assert float(kernel.std()) == pytest.approx(vi3nr.gain("gelu", 1.0).std(32 * 9), rel=0.03)
    vector = torch.empty(10_000)
    vt.normal_(vector, "relu", fan_in=50)
    assert float(vector.std()) == pytest.approx(0.2, rel=0.05)
    with pytest.raises(vi3nr.RequestError, match="at least 2 dimensions"):
        vt.uniform_(vector, "relu")
