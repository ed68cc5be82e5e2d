#!/usr/bin/env python3
"""Time a training step on derivatives in vi3nr and in PyTorch, in turn, and print their ratios.

    python3 benches/terms_side_by_side.py --python PYTHON [--rounds 3] [--points 30000]

PYTHON is an interpreter that has torch. The problem is `sdf` of `vi3nr bench engine`: a network
from 3 coordinates to 1 value with 7 activations of width 128. A step computes the loss, its
gradient, and applies Adam. PyTorch differentiates twice, as the code of SIREN does (autograd.grad
with create_graph); the forward mode of torch.func (jvp in vmap) and torch.compile are tried too. In
every round each program runs once; a ratio is the median over rounds of (their seconds / our
seconds in the same round).
"""
import argparse, json, os, statistics, sys, time

from side_by_side import run

ACTIVATIONS = {"sine": "sine:omega=30", "softplus:beta=100": "softplus:beta=100"}
TERMS = {"eikonal": "eikonal:1", "laplacian": "laplacian:1"}
VARIANTS = ["eager", "compiled", "forward", "forward-compiled"]


def torch_step(arguments):
    """Times PyTorch and prints a JSON line."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)

    class Sine(nn.Module):
        def forward(self, x):
            return torch.sin(30.0 * x)

    layers = [nn.Linear(3, 128)]
    for layer in range(7):
        layers += [Sine() if arguments.activation == "sine" else nn.Softplus(beta=100.0)]
        layers += [nn.Linear(128, 128 if layer < 6 else 1)]
    network = nn.Sequential(*layers)
    points = 2.0 * torch.rand(arguments.points, 3) - 1.0
    adam = torch.optim.Adam(network.parameters(), lr=1e-5)

    def gradient(points):
        points = points.detach().requires_grad_(True)
        values = network(points)
        slope, = torch.autograd.grad(values.sum(), points, create_graph=True)
        return points, slope

    def loss_reverse(points):
        points, slope = gradient(points)
        if arguments.term == "eikonal":
            return ((slope.norm(dim=1) - 1.0) ** 2).mean()
        laplacian = 0.0
        for axis in range(3):
            second, = torch.autograd.grad(slope[:, axis].sum(), points, create_graph=True)
            laplacian = laplacian + second[:, axis]
        return (laplacian ** 2).mean()

    def loss_forward(points):
        basis = torch.eye(3)

        def along(direction):
            tangent = direction.expand_as(points)
            first = lambda x: torch.func.jvp(network, (x,), (tangent,))[1]
            if arguments.term == "eikonal":
                return first(points)
            return torch.func.jvp(first, (points,), (tangent,))[1]

        rows = torch.stack([along(direction)[:, 0] for direction in basis], dim=1)
        if arguments.term == "eikonal":
            return ((rows.norm(dim=1) - 1.0) ** 2).mean()
        return (rows.sum(dim=1) ** 2).mean()

    loss = loss_forward if arguments.torch.startswith("forward") else loss_reverse
    if arguments.torch.endswith("compiled"):
        loss = torch.compile(loss)

    def step():
        adam.zero_grad(set_to_none=True)
        loss(points).backward()
        adam.step()

    for _ in range(2):
        step()
    times = []
    while len(times) < 5 or sum(times) < 4.0:
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    print(json.dumps({"step_s": statistics.median(times)}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--vi3nr", default="target/release/vi3nr")
    parser.add_argument("--points", type=int, default=30_000)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--torch", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--activation", help=argparse.SUPPRESS)
    parser.add_argument("--term", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch:
        return torch_step(arguments)
    ratios = {}
    common = ["--points", str(arguments.points), "--threads", str(arguments.threads)]
    for _ in range(arguments.rounds):
        for activation, ours_name in ACTIVATIONS.items():
            for term, text in TERMS.items():
                ours = run([arguments.vi3nr, "bench", "engine", "--json", "--shape", "sdf", "--activation", ours_name,
                            "--term", text, *common])
                if ours is None:
                    sys.exit(1)
                terms = ours["terms"]
                print(json.dumps({"program": "vi3nr", "activation": activation, **terms}), flush=True)
                key = (activation, term)
                ratios.setdefault(("vi3nr, steps on values", *key), []).append(terms["relative_to_values"])
                for variant in VARIANTS:
                    theirs = run([arguments.python, __file__, "--torch", variant, "--activation", activation,
                                  "--term", term, *common])
                    if theirs is None:
                        continue
                    print(json.dumps({"program": f"torch {variant}", "activation": activation, "term": term, **theirs}),
                          flush=True)
                    ratios.setdefault((f"torch {variant} / ours", *key), []).append(
                        theirs["step_s"] / terms["step_seconds"])
    columns = [(activation, term) for activation in ACTIVATIONS for term in TERMS]
    print(f"\nsdf, {arguments.points} points, {arguments.threads} threads, median of {arguments.rounds} rounds\n")
    print("| |" + "|".join(f" {term}, {activation} " for activation, term in columns) + "|\n|---|" + "---|" * len(columns))
    for name in ["vi3nr, steps on values", *(f"torch {variant} / ours" for variant in VARIANTS)]:
        cells = (ratios.get((name, *column)) for column in columns)
        print(f"| {name} |" + "|".join(f" {statistics.median(c):.2f} " if c else " - " for c in cells) + "|")


if __name__ == "__main__":
    main()
