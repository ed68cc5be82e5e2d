"""Turns references in JSON into the tables that tests/truth.rs reads.

    python truth.py moments FILE.json > truth.tsv
    python truth.py solutions FILE.json > solutions.tsv

The references are closed forms at 60 to 90 digits (mpmath) and rigorous balls (Arb), cross-checked by
other quadratures. A line that begins with "=" names the activation of the lines below it.
"""

import json
import sys
from decimal import Decimal


def short(number):
    """17 significant digits, which fix a double."""
    return f"{Decimal(str(number)):.16e}".replace("e+", "e").replace(".0000000000000000e", "e")


kind, path = sys.argv[1:]
last = None
for case in json.load(open(path)):
    if kind == "moments":
        if case["activation"] != last:
            last = case["activation"]
            print("=" + last)
        keys = ["mean", "second_moment", "derivative_mean", "derivative_second_moment"]
        print("\t".join([repr(case["sigma_p"])] + [short(case[key]) for key in keys]))
    else:
        at = case.get("approached_at", "")
        infimum = case.get("infimum", "")
        roots = ",".join(case["roots"])
        print("\t".join([case["activation"], case["kind"], roots, str(infimum), str(at)]))
