"""Measured variances and training, against the goals that the documentation states."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import pytest

import vi3nr

torch = pytest.importorskip("torch")
import torch_models as models  # noqa: E402

nn = torch.nn

#: Wide enough that the mean over 20 seeds has a standard error near 1 %. The first layer of
#: coordinate networks has two inputs, so that its outputs are not quite normal.
CASES: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
    ("SIREN", lambda: models.Siren(hidden=1024, outputs=1024), lambda: models.coordinates(256)),
    ("Gaussian", lambda: models.gaussian_mlp(1024, 1024), lambda: models.coordinates(256)),
    ("tanh, 50 layers", lambda: models.tanh_mlp(50, 512, 64, 512), lambda: models.normal(128, 64)),
]


@pytest.mark.parametrize(("name", "build", "inputs"), CASES, ids=[name for name, *_ in CASES])
def test_the_last_layer_has_the_variance_that_is_aimed_at(name: str, build: Any, inputs: Any) -> None:
    """E[z²] of the last layer is σ_p² within 5 %, as the mean over 20 seeds."""
    model, batch = build(), inputs()
    ratios = []
    for seed in range(20):
        report = vi3nr.torch.init_(model, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            output = model(batch)
        output = output[0] if isinstance(output, tuple) else output
        last = report.layers[-1]
        if name.startswith("tanh"):
            # The input is standardized in the mean over all batches, not in this one.
            scale = float(batch.square().mean())
            assert scale == pytest.approx(1, rel=0.05)
        ratios.append(float(output.square().mean()) / last.sigma_p**2)
    assert statistics.mean(ratios) == pytest.approx(1, abs=0.05), ratios


def steps_to(model: Any, data: Any, rate: float, loss: float, limit: int) -> int:
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for step in range(limit):
        output = model(data[0])
        output = output[0] if isinstance(output, tuple) else output
        error = (output - data[1]).square().mean()
        if float(error.detach()) < loss:
            return step
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return limit


#: (name, model, learning rate, loss, most steps)
TRAINING: list[tuple[str, Callable[[], Any], float, float, int]] = [
    ("SIREN", lambda: models.Siren(hidden=64, outputs=1), 1e-3, 1e-2, 300),
    # In depth: a Gaussian network of few layers learns faster with PyTorch's default, as the page
    # "Initial weights for PyTorch models" of the book says.
    ("Gaussian, 12 layers", lambda: models.gaussian_mlp(64, 1, 10), 1e-3, 1e-2, 300),
    ("tanh, 50 layers", lambda: models.tanh_mlp(50, 64, 2, 1), 3e-4, 5e-2, 300),
]


@pytest.mark.parametrize(("name", "build", "rate", "loss", "limit"), TRAINING, ids=[t[0] for t in TRAINING])
def test_training_takes_fewer_steps_than_pytorchs_default(
    name: str, build: Any, rate: float, loss: float, limit: int
) -> None:
    x = models.coordinates(1024)
    target = torch.sin(6 * x[:, :1] + 2 * x[:, 1:]) * torch.cos(5 * x[:, 1:]) * 0.7
    steps: dict[bool, list[int]] = {True: [], False: []}
    for seed in range(3):
        for ours in (True, False):
            torch.manual_seed(seed)
            model = build()
            if ours:
                vi3nr.torch.init_(model)
            steps[ours].append(steps_to(model, (x, target), rate, loss, limit))
    assert max(steps[True]) < limit
    assert statistics.median(steps[True]) < statistics.median(steps[False]), steps
