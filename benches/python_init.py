#!/usr/bin/env python3
"""Steps to a loss with vi3nr.torch.init_ and with the initialization that PyTorch gives.

    pip install ./bindings/python torch pillow
    python3 benches/python_init.py --image crates/test-data/images/hills.png

For each network, both initializations are trained with Adam at each of three learning rates; the
table has the fewest steps to the loss, over the rates, as the median over seeds.
"""

from __future__ import annotations

import argparse
import statistics
import sys

import numpy
import torch
from torch import nn

import vi3nr.torch


class Sine(nn.Module):
    """A layer of SIREN as published: sin(30·(Wx + b))."""

    def __init__(self, inputs: int, outputs: int, is_first: bool = False) -> None:
        super().__init__()
        self.omega_0, self.is_first = 30.0, is_first
        self.linear = nn.Linear(inputs, outputs)

    def init_as_published(self) -> None:
        n = self.linear.in_features
        bound = 1 / n if self.is_first else (6 / n) ** 0.5 / self.omega_0
        nn.init.uniform_(self.linear.weight, -bound, bound)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.sin(self.omega_0 * self.linear(x))


class Gaussian(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.exp(-0.5 * x**2 / 0.05**2)


def siren(outputs: int) -> nn.Module:
    hidden = [Sine(256, 256) for _ in range(3)]
    return nn.Sequential(Sine(2, 256, is_first=True), *hidden, nn.Linear(256, outputs))


def gaussian(outputs: int) -> nn.Module:
    hidden = [module for _ in range(3) for module in (nn.Linear(256, 256), Gaussian())]
    return nn.Sequential(nn.Linear(2, 256), Gaussian(), *hidden, nn.Linear(256, outputs))


def tanh(outputs: int) -> nn.Module:
    hidden = [module for _ in range(48) for module in (nn.Linear(64, 64), nn.Tanh())]
    return nn.Sequential(nn.Linear(2, 64), nn.Tanh(), *hidden, nn.Linear(64, outputs))


def published(model: nn.Module) -> None:
    """The initialization of SIREN's authors."""
    for module in model:
        if isinstance(module, Sine):
            module.init_as_published()
    last = model[-1]
    bound = (6 / last.in_features) ** 0.5 / 30
    nn.init.uniform_(last.weight, -bound, bound)


def image(path: str, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Coordinates on [-1, 1]² and values on [-1, 1]."""
    from PIL import Image

    with Image.open(path) as file:
        small = file.convert("RGB").resize((side, side), Image.Resampling.BOX)
        values = torch.from_numpy(numpy.array(small)).reshape(-1, 3) / 127.5 - 1
    axis = torch.linspace(-1, 1, side)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x, y], -1).reshape(-1, 2), values


def steps_to(
    model: nn.Module, data: tuple[torch.Tensor, torch.Tensor], rate: float, loss: float, limit: int
) -> tuple[int | None, float]:
    """The steps until the mean squared error is below ``loss``, and the smallest error seen."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    best = float("inf")
    for step in range(1, limit + 1):
        error = (model(data[0]) - data[1]).square().mean()
        best = min(best, float(error.detach()))
        if best < loss:
            return step, best
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    return None, best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", required=True)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = image(options.image, options.side)
    cases = [
        ("SIREN", siren, 1e-3, (1e-4, 3e-4, 1e-3)),
        ("Gaussian", gaussian, 1e-3, (1e-4, 3e-4, 1e-3)),
        ("50-layer tanh", tanh, 3e-2, (1e-4, 3e-4, 1e-3)),
    ]
    for name, build, loss, rates in cases:
        if options.only and options.only not in name:
            continue
        for how in ("init_", "default", *(["published"] if build is siren else [])):
            results = []
            for rate in rates:
                steps, errors = [], []
                for seed in range(options.seeds):
                    torch.manual_seed(seed)
                    model = build(3)
                    if how == "init_":
                        vi3nr.torch.init_(model)
                    elif how == "published":
                        published(model)
                    taken, error = steps_to(model, data, rate, loss, options.steps)
                    steps.append(options.steps + 1 if taken is None else taken)
                    errors.append(error)
                results.append((statistics.median(steps), statistics.median(errors), rate))
                print(f"  {name} {how} rate {rate:g}: {steps} {errors}", file=sys.stderr)
            taken, error, rate = min(results)
            shown = f"over {options.steps}" if taken > options.steps else f"{taken:g}"
            print(f"{name:14} {how:10} loss {loss:g}: {shown} steps (rate {rate:g}, {error:.2e})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
