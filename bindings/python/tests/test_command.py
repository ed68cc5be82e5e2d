"""The command that comes with the package."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "vi3nr", *words]
    return subprocess.run(line, capture_output=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


def test_exit_codes_are_those_of_the_binary(tmp_path: Path) -> None:
    assert run("--version").stdout.startswith("vi3nr ")
    assert run("gain", "tanh").returncode == 0
    assert run("gain", "foo").returncode == 2
    assert run().returncode == 2
    assert run("fit", "--steps", "2", cwd=tmp_path).returncode == 0
    assert run("decode", "none").returncode == 2


def test_a_sweep_starts_processes(tmp_path: Path) -> None:
    plan = "maximize = 'psnr'\n[settings]\nwidth = 8\nlayers = 3\nsteps = 2\nseed = [0, 1]\n"
    (tmp_path / "s.toml").write_text(plan)
    script = Path(sys.executable).parent / "vi3nr"
    words = ["sweep", "s.toml", "--executor", "process", "--json"]
    line = [str(script), *words] if script.exists() else [sys.executable, "-m", "vi3nr", *words]
    done = subprocess.run(line, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == 2
