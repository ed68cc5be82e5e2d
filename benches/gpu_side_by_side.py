#!/usr/bin/env python3
"""Time training steps of vi3nr on a GPU beside PyTorch, in turn, and print a table of ratios.

    python3 benches/gpu_side_by_side.py --python PYTHON [--device cuda] [--gpu 0] [--shape img256]

PYTHON is an interpreter that has torch with CUDA (or ROCm, where the device is called cuda too). The
problems are those of `vi3nr bench engine`; with --networks N, PyTorch trains all networks at the same
time by batched products. A step computes the mean squared error, its gradient, and applies Adam, in
float32. The variants of PyTorch are

    eager       code as it is usually written, with the fused Adam on a GPU
    compiled    the forward and backward pass by torch.compile
    graph       the whole step of `eager` as a CUDA graph
    compiled graph

each with products in full float32 and, on a GPU, in TF32, which rounds factors to 11 bits and uses
tensor cores; vi3nr computes in full float32. Losses are read back once per call of about 50 ms. In
every round each program runs once for each activation; a ratio is the median over rounds of (their
seconds / our seconds in the same round). An inference copies the points to the device and the values
back, for both.

--device cpu runs the variants without graphs on the CPU, to test this script; ours then uses the CPU
too, unless --gpu names a device.
"""
import argparse, json, math, statistics, sys, time

from side_by_side import ACTIVATIONS, run

# Points, inputs, activations, width and outputs, as crates/lab/src/bench/engine/problem.rs has them.
SHAPES = {
    "img256": (65_536, 2, 8, 128, 3),
    "img128": (16_384, 2, 7, 128, 3),
    "audio": (65_536, 1, 3, 256, 1),
    "sdf": (30_000, 3, 7, 128, 1),
}
VARIANTS = ["eager", "compiled", "graph", "compiled-graph"]


def torch_step(arguments):
    """Times PyTorch and prints a JSON line."""
    import torch

    device, variant = torch.device(arguments.device), arguments.torch
    on_gpu = device.type == "cuda"
    if device.index is not None:
        torch.cuda.set_device(device)
    torch.manual_seed(0)
    torch.set_float32_matmul_precision("high" if arguments.tf32 else "highest")
    points, inputs, activations, width, outputs = SHAPES[arguments.shape]
    points, networks = arguments.points or points, arguments.networks
    activation = {
        "gaussian": lambda x: torch.exp(x * x * (-0.5 / 0.05 ** 2)),
        "sine": lambda x: torch.sin(30.0 * x),
        "sinc": lambda x: torch.sinc(x / math.pi),
        "relu": torch.relu,
    }[arguments.activation]

    dims = [inputs, *[width] * activations, outputs]
    layers = []
    for fan_in, fan_out in zip(dims, dims[1:]):
        # Small weights: the time of a step does not depend on them.
        weight = torch.randn(networks, fan_in, fan_out, device=device) * (0.1 / math.sqrt(fan_in))
        bias = torch.zeros(networks, 1, fan_out, device=device)
        # One network has plain products.
        layers.append((weight, bias) if networks > 1 else (weight[0], bias[0]))
    layers = [(weight.requires_grad_(), bias.requires_grad_()) for weight, bias in layers]
    of_all = (networks,) if networks > 1 else ()
    x = 2.0 * torch.rand(*of_all, points, inputs, device=device) - 1.0
    targets = 2.0 * torch.rand(*of_all, points, outputs, device=device) - 1.0
    affine = torch.baddbmm if networks > 1 else torch.addmm
    adam = torch.optim.Adam([p for layer in layers for p in layer], lr=1e-5, fused=on_gpu, capturable=on_gpu)

    def network(x):
        for index, (weight, bias) in enumerate(layers):
            x = affine(bias, x, weight)
            if index + 1 < len(layers):
                x = activation(x)
        return x

    def loss(x, targets):
        # The sum over networks of each one's mean.
        return ((network(x) - targets) ** 2).mean() * networks

    if variant.startswith("compiled"):
        network, loss = torch.compile(network), torch.compile(loss)

    def step():
        adam.zero_grad(set_to_none=True)
        value = loss(x, targets)
        value.backward()
        adam.step()
        return value

    for _ in range(3):
        value = step()
    if variant.endswith("graph"):
        # As in PyTorch's notes on CUDA: warm-up on another stream, then capture.
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        adam.zero_grad(set_to_none=True)
        with torch.cuda.graph(graph):
            captured = step()

        def step():
            graph.replay()
            return captured

    def steps(count):
        """The time of `count` steps, of which the last loss is read."""
        began = time.perf_counter()
        for _ in range(count):
            value = step()
        value = value.item()
        assert math.isfinite(value), value
        return time.perf_counter() - began

    def inference():
        began = time.perf_counter()
        with torch.no_grad():
            network(host_x.to(device)).cpu()
        return time.perf_counter() - began

    host_x = x.cpu()
    count = 1
    while count < 1024 and steps(count) < 0.05:
        count *= 2
    print(json.dumps({
        "steps_per_run": count,
        "step_s": median(lambda: steps(count) / count, arguments.seconds * 0.6),
        "infer_s": median(inference, arguments.seconds * 0.3),
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "torch": torch.__version__,
    }))


def median(measure, seconds):
    """The median of at least three results of `measure`, called for about this long."""
    measure()
    results, began = [], time.perf_counter()
    while len(results) < 3 or time.perf_counter() - began < seconds:
        results.append(measure())
    return statistics.median(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--vi3nr", default="target/release/vi3nr")
    parser.add_argument("--device", default="cuda", help="PyTorch's: cuda, cuda:1, ... or cpu")
    parser.add_argument("--gpu", help="ours, as `vi3nr devices` lists it [default: the first]")
    parser.add_argument("--shape", default="img256", choices=list(SHAPES))
    parser.add_argument("--points", type=int, help="of each network [default: that of --shape]")
    parser.add_argument("--networks", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(ACTIVATIONS), choices=list(ACTIVATIONS))
    parser.add_argument("--torch", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--tf32", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--activation", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.torch:
        return torch_step(arguments)
    on_cpu = arguments.device == "cpu"
    variants = {}
    for variant in VARIANTS[:2] if on_cpu else VARIANTS:
        name = "torch " + variant.replace("-", " ")
        variants[name] = ["--torch", variant]
        if not on_cpu:
            variants[f"{name}, TF32"] = ["--torch", variant, "--tf32"]
    common = ["--shape", arguments.shape, "--networks", str(arguments.networks), "--seconds", str(arguments.seconds)]
    if arguments.points:
        common += ["--points", str(arguments.points)]
    backend = [] if on_cpu and arguments.gpu is None else ["--backend", "gpu"]
    if arguments.gpu is not None:
        backend += ["--device", arguments.gpu]
    ratios = {}
    for _ in range(arguments.rounds):
        for activation in arguments.only:
            ours = run([arguments.vi3nr, "bench", "engine", "--json", "--activation", ACTIVATIONS[activation],
                        *backend, *common])
            if ours is None:
                sys.exit(1)
            print(json.dumps({"program": "vi3nr", **ours}), flush=True)
            for name, options in variants.items():
                theirs = run([arguments.python, __file__, *options, "--device", arguments.device, "--activation",
                              activation, *common])
                if theirs is None:
                    continue
                print(json.dumps({"program": name, "activation": activation, **theirs}), flush=True)
                for what, key in (("step", "step_s"), ("inference", "infer_s")):
                    ratio = theirs[key] / ours[f"{what}_seconds"]
                    ratios.setdefault((name, activation, what), []).append(ratio)
    for what in ("step", "inference"):
        print(f"\nTheir seconds per {what} / ours, {arguments.networks} x {arguments.shape}, "
              f"median of {arguments.rounds} rounds\n")
        print("| |" + "|".join(arguments.only) + "|\n|---|" + "---|" * len(arguments.only))
        for name in variants:
            cells = (ratios.get((name, activation, what)) for activation in arguments.only)
            print(f"| {name} |" + "|".join(f" {statistics.median(c):.2f} " if c else " - " for c in cells) + "|")


if __name__ == "__main__":
    main()
