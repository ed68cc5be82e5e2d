"""Chains of operations as formulas, against the values of the modules themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import vi3nr

torch = pytest.importorskip("torch")
nn, F = torch.nn, torch.nn.functional


class Between(nn.Module):
    """Two layers with a function between them."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 40), nn.Linear(40, 3)
        self.function = function
        self.width = nn.Parameter(torch.tensor(0.05))
        self.register_buffer("shift", torch.tensor([0.25]))

    def forward(self, x: Any) -> Any:
        return self.b(self.between(self.a(x)))

    def between(self, z: Any) -> Any:
        return self.function(z)


class Learned(Between):
    def between(self, z: Any) -> Any:
        return torch.exp(-0.5 * (z - self.shift) ** 2 / self.width**2) + self.shift


CHAINS: list[tuple[str, Callable[[Any], Any]]] = [
    ("sine", lambda z: torch.sin(30 * z)),
    ("phase", lambda z: torch.sin(3 * z + 0.5)),
    ("gaussian", lambda z: torch.exp(-(z**2) / (2 * 0.3**2))),
    ("gabor", lambda z: torch.cos(4 * z) * torch.exp(-((2 * z) ** 2))),
    ("swish", lambda z: z * torch.sigmoid(1.7 * z)),
    ("methods", lambda z: z.mul(2).sub(0.5).tanh().add(1).div(3)),
    ("reversed", lambda z: 1 - 2 / (3 + z.abs())),
    ("in place", lambda z: z.mul_(2).tanh_().clamp_(min=-0.5, max=0.7)),
    ("augmented", lambda z: _augmented(z)),
    ("alpha", lambda z: torch.add(z, torch.tanh(z), alpha=0.3)),
    ("power", lambda z: torch.relu(z) ** 3 - z.square()),
    ("base", lambda z: 2**z),
    ("minimum", lambda z: torch.minimum(z, torch.tanh(2 * z))),
    ("maximum", lambda z: torch.maximum(z, torch.tensor(0.25))),
    ("clamp", lambda z: torch.clamp(z, -0.3) + torch.clamp(z, max=0.4)),
    ("comparison", lambda z: z * (z > 0.2) - z * (z <= -0.1)),
    ("where", lambda z: torch.where(z > 0, z, 0.1 * z**3)),
    ("softplus", lambda z: F.softplus(z, beta=3.0) - 0.2),
    ("nested", lambda z: F.gelu(2 * F.silu(z) - 0.1)),
    ("elu", lambda z: F.elu(z, 0.4) + F.leaky_relu(z, 0.3) * F.hardtanh(z, -0.4, 0.9)),
    ("snake", lambda z: z + torch.sin(3 * z).pow(2) / 3),
    ("roots", lambda z: torch.sqrt(1 + z**2) - torch.rsqrt(2 + z.abs()) + torch.reciprocal(3 + z**2)),
    ("logs", lambda z: torch.log1p(z**2) + torch.log(2 + z**2) + torch.expm1(-z.abs())),
    ("finer", lambda z: torch.sin(30 * (z.abs() + 1).detach() * z)),
    ("shapes", lambda z: torch.tanh(z.view(-1, 4, 10).transpose(1, 2)).permute(0, 2, 1).reshape(-1, 40)),
    ("negative", lambda z: -torch.tanh(-z) * -2.0 + (-z) ** 2),
    ("modules", nn.Sequential(nn.Mish(), nn.Hardswish(), nn.Tanhshrink(), nn.CELU(0.5))),
    ("where flat", lambda z: F.threshold(z, 0.3, -1.0) + F.softshrink(z, 0.2) + F.hardshrink(z, 0.6)),
]


def _augmented(z: Any) -> Any:
    z += 0.5
    z *= 2
    z /= 3
    z -= 0.1
    return z


def formula_of(model: nn.Module) -> str:
    row = vi3nr.torch.init_(model, dry_run=True)["b"]
    assert row.untouched is None, row.untouched
    return row.fed_by


def check(model: Between, text: str) -> None:
    from vi3nr._formula import evaluator
    from vi3nr._torch_model import FUNCTIONS

    model.double()
    points = 2 * torch.randn(7, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = model.between(points.clone())
    ours = evaluator(text, FUNCTIONS)(points)
    torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("name", "function"), CHAINS, ids=[name for name, _ in CHAINS])
def test_a_chain_is_a_formula(name: str, function: Callable[[Any], Any]) -> None:
    model = Between(function)
    check(model, formula_of(model))


def test_parameters_are_constants() -> None:
    model = Learned(lambda z: z)
    text = formula_of(model)
    from vi3nr._formula import evaluator
    from vi3nr._torch_model import FUNCTIONS

    points = torch.linspace(-1, 1, 101, dtype=torch.float64)
    ours = evaluator(text, FUNCTIONS)(points)
    with torch.no_grad():
        expected = torch.exp(-0.5 * (points - 0.25) ** 2 / 0.05**2) + 0.25
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda z: torch.sin(30 * z), "sine:omega=30"),
        (lambda z: torch.sin(z * 30.0), "sine:omega=30"),
        (lambda z: torch.exp(-0.5 * z**2 / 0.05**2), "gaussian:sigma=0.05"),
        (lambda z: torch.exp(-((z / 0.1) ** 2) / 2), "gaussian:sigma=0.1"),
        (lambda z: z * torch.sigmoid(z), "silu"),
        (lambda z: z * torch.tanh(F.softplus(z)), "mish"),
        (lambda z: torch.clamp(z, min=0), "relu"),
        (F.relu, "relu"),
        (nn.GELU(), "gelu"),
    ],
)
def test_known_forms_have_their_names(function: Any, name: str) -> None:
    assert formula_of(Between(function)) == name


@pytest.mark.parametrize(
    "function",
    [
        lambda z: torch.softmax(z, -1),
        lambda z: z / z.norm(dim=-1, keepdim=True),
        lambda z: torch.floor(z),
        lambda z: z.cumsum(-1),
        lambda z: z.max(-1, keepdim=True).values + z,
        lambda z: torch.fft.fft(z).abs(),
    ],
)
def test_other_operations_are_not_guessed(function: Any) -> None:
    model = Between(function)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    report = vi3nr.torch.init_(model)
    assert report["a"].untouched is not None
    assert report["b"].untouched is not None
    assert "not understood" in report["b"].untouched
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
