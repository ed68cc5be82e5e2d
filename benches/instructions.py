#!/usr/bin/env python3
"""Count the instructions of training steps and evaluations, which no load on the machine changes.

    python3 benches/instructions.py PASSES             compare with benches/instructions.json
    python3 benches/instructions.py PASSES --update    write that file

PASSES is the compiled benchmark `passes` of vi3nr-engine. Valgrind runs every case once and
twice; the difference is the number of instructions of one pass. Valgrind offers AVX2 at most, so that
all x86-64 machines with AVX2 run the same code. A count that differs from the stored one by more than
2 % is an error: either the change was not meant, or the stored counts are to be updated with it.
"""
import argparse, concurrent.futures, json, os, pathlib, re, subprocess, sys, tempfile

STORED = pathlib.Path(__file__).with_name("instructions.json")
TOLERANCE = 0.02


def instructions(passes, case, count):
    """The number of instructions of the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", passes, case, str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode != 0 or not found:
        sys.exit(f"failed: {' '.join(command)}\n{done.stderr[-1000:]}")
    return int(found[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("passes")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()
    passes = os.path.abspath(arguments.passes)
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True).stdout.split()[1]
    stored = json.loads(STORED.read_text())
    if stored["rustc"] != compiler and not arguments.update:
        print(f"skipped: the counts are those of rustc {stored['rustc']}, and this is {compiler}")
        return
    cases = subprocess.run([passes], capture_output=True, text=True, check=True).stdout.split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        once, twice = (list(pool.map(lambda case: instructions(passes, case, n), cases)) for n in (1, 2))
    counts = {case: more - less for case, less, more in zip(cases, once, twice)}
    if arguments.update:
        STORED.write_text(json.dumps({"rustc": compiler, "instructions": counts}, indent=2) + "\n")
        stored["instructions"] = counts
    differs = False
    for case in sorted(counts.keys() | stored["instructions"].keys()):
        seen, expected = counts.get(case), stored["instructions"].get(case)
        change = seen / expected - 1 if seen and expected else float("inf")
        verdict = "" if abs(change) <= TOLERANCE else "  differs by more than 2 %"
        differs |= verdict != ""
        print(f"{case:24} {seen or 0:>14,} instructions, stored {expected or 0:>14,}  {change:+.2%}{verdict}")
    if differs:
        sys.exit("If the change is meant: python3 benches/instructions.py PASSES --update")


if __name__ == "__main__":
    main()
