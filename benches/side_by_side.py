#!/usr/bin/env python3
"""Time vi3nr beside PyTorch and JAX, in turn, and print a table of ratios.

    python3 benches/side_by_side.py --peers STEP_TIME.py --python PYTHON [--rounds 3]

STEP_TIME.py is a script that times one training step of the same network in another framework and
prints a JSON line with "step_s" and "infer_s" (seconds), taking --peer, --activation, --shape,
--chunk and --threads; PYTHON is an interpreter that has torch and jax. In every round each program
runs once for each activation; a ratio is the median over rounds of (their seconds / our seconds in
the same round), so that a slow minute of the machine slows both.
"""
import argparse, json, os, statistics, subprocess, sys

VARIANTS = {
    "torch": ["--peer", "torch"],
    "torch tuned, chunks of 1024": ["--peer", "torch-tuned", "--chunk", "1024"],
    "torch compiled, chunks of 2048": ["--peer", "torch-compiled", "--chunk", "2048"],
    "jax": ["--peer", "jax"],
    "jax, chunks of 4096": ["--peer", "jax", "--chunk", "4096"],
}
ACTIVATIONS = {"gaussian": "gaussian:sigma=0.05", "sine": "sine", "sinc": "sinc:a=1", "relu": "relu"}


def run(command):
    """The last JSON line that a command prints, or None and its complaint on stderr."""
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        print(f"failed: {' '.join(command)}\n{done.stderr[-500:]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--vi3nr", default="target/release/vi3nr")
    parser.add_argument("--shape", default="img256")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(ACTIVATIONS), choices=list(ACTIVATIONS))
    arguments = parser.parse_args()
    ratios = {}
    for _ in range(arguments.rounds):
        for activation in arguments.only:
            common = ["--shape", arguments.shape, "--threads", str(arguments.threads)]
            ours = run([arguments.vi3nr, "bench", "engine", "--json", "--activation", ACTIVATIONS[activation], *common])
            if ours is None:
                sys.exit(1)
            print(json.dumps({"program": "vi3nr", "of_peak": ours["step_fraction_of_peak"], **ours}), flush=True)
            for name, options in VARIANTS.items():
                theirs = run([arguments.python, arguments.peers, *options, "--activation", activation, *common])
                if theirs is None:
                    continue
                print(json.dumps({"program": name, **theirs}), flush=True)
                for what, key in (("step", "step_s"), ("inference", "infer_s")):
                    ratio = theirs[key] / ours[f"{what}_seconds"]
                    ratios.setdefault((name, activation, what), []).append(ratio)
    for what in ("step", "inference"):
        print(f"\nTheir seconds per {what} / ours, {arguments.shape}, {arguments.threads} threads, "
              f"median of {arguments.rounds} rounds\n")
        print("| |" + "|".join(arguments.only) + "|\n|---|" + "---|" * len(arguments.only))
        for name in VARIANTS:
            cells = (ratios.get((name, activation, what)) for activation in arguments.only)
            print(f"| {name} |" + "|".join(f" {statistics.median(c):.2f} " if c else " - " for c in cells) + "|")


if __name__ == "__main__":
    main()
