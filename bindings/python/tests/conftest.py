"""What the tests share."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def picture() -> np.ndarray:
    """A smooth RGB image of 24x20 pixels."""
    x, y = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 20), indexing="xy")
    channels = [0.5 + 0.4 * np.sin(5 * x + 3 * y), x * y, np.exp(-8 * (x - 0.5) ** 2)]
    return np.rint(255 * np.stack(channels, axis=-1)).astype(np.uint8)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder with Kodak images, audio and shapes."""
    folder = Path(os.environ.get("VI3NR_DATA", Path(__file__).parents[4] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no data: set VI3NR_DATA")
    return folder
