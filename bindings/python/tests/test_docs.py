"""The examples of the book run as they are printed."""

from __future__ import annotations

import json
import os
import re
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

import vi3nr

BOOK = Path(__file__).parents[3] / "docs"
PAGES = [*sorted(page.name for page in BOOK.glob("python-*.md")), "equations.md"]


def test_the_book_has_pages() -> None:
    assert "python-package.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.filterwarnings("ignore::vi3nr.FitWarning")
def test_the_examples_of_a_page_run(page: str, tmp_path: Path, picture: object) -> None:
    vi3nr.fit(picture, width=8, layers=3, steps=2).decode(tmp_path / "photo.png")  # type: ignore[arg-type]
    blocks = re.findall(r"```python\n(.*?)```", (BOOK / page).read_text("utf-8"), re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    folder = Path.cwd()
    os.chdir(tmp_path)
    try:
        for block in blocks:
            needed = re.findall(r"^# requires (\w+)", block) + re.findall(r"^import (\w+)", block, re.M)
            if all(find_spec(name) for name in needed):
                exec(compile(block, page, "exec"), names)
    finally:
        os.chdir(folder)


NOTEBOOKS = sorted((BOOK / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(notebook: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its code runs, and prints what is stored where nothing depends on the machine."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    names: dict[str, object] = {}
    with warnings.catch_warnings():
        for cell in cells:
            if cell["cell_type"] != "code":
                continue
            exec(compile("".join(cell["source"]), notebook.name, "exec"), names)
            printed = capsys.readouterr().out
            stored = [output for output in cell["outputs"] if output["output_type"] == "stream"]
            # A result that is shown, such as a picture, prints nothing here.
            assert bool(printed) == bool(stored)
    models = names["models"]
    assert isinstance(models, dict)
    for name in ("SIREN", "Gaussian", "our own"):
        assert models[name, "ours"].psnr > models[name, "xavier"].psnr + 5, name
