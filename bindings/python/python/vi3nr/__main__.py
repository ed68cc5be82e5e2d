"""The ``vi3nr`` command."""

from __future__ import annotations

import sys
from pathlib import Path

from . import _core


def main() -> int:
    """Runs the command line and returns the exit code."""
    script = Path(sys.argv[0])
    return _core.run_program(["vi3nr", *sys.argv[1:]], script.resolve())


if __name__ == "__main__":
    sys.exit(main())
