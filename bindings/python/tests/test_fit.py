"""Fits: the same bytes as the command line, and every way in which one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vi3nr

SMALL: dict[str, Any] = {"width": 16, "layers": 3, "steps": 30}
ENDLESS: dict[str, Any] = {"width": 16, "layers": 3, "steps": 1_000_000, "optimizer": "adam"}

pytestmark = pytest.mark.filterwarnings("ignore::vi3nr.FitWarning")


def words(settings: dict[str, Any]) -> list[str]:
    return [word for name, value in settings.items() for word in (f"--{name}", str(value))]


def test_a_file_gives_the_bytes_of_the_command_line(data: Path, tmp_path: Path) -> None:
    file = data / "kodak" / "kodim05.png"
    settings = {**SMALL, "downscale": 16, "seed": 3}
    ours = vi3nr.fit(file, threads=1, **settings)
    ours.save(tmp_path / "ours.safetensors")
    line = [sys.executable, "-m", "vi3nr", "fit", str(file), *words(settings), "-q"]
    subprocess.run([*line, "--out", str(tmp_path / "run")], check=True, stdout=subprocess.DEVNULL)
    theirs = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert (tmp_path / "ours.safetensors").read_bytes() == theirs
    assert vi3nr.Model.load(tmp_path / "run").psnr == ours.psnr


def test_arrays_of_any_kind_are_one_image(picture: np.ndarray) -> None:
    models = [
        vi3nr.fit(picture, **SMALL),
        vi3nr.fit(picture / 255.0, **SMALL),
        vi3nr.fit(picture / 127.5 - 1, value_range=(-1, 1), **SMALL),
        vi3nr.fit(picture.astype(np.uint16) * 257, **SMALL),
        vi3nr.fit((picture.astype(np.uint16) * 257).astype(">u2"), **SMALL),
        vi3nr.fit(np.asfortranarray(picture), **SMALL),
    ]
    for model in models[1:]:
        assert model.psnr == pytest.approx(models[0].psnr, abs=1e-3)
    assert models[3].decode().dtype == np.uint16
    gray = vi3nr.fit(picture[..., 0], **SMALL)
    assert gray.dims[-1] == 1 and gray.decode().shape == (20, 24)


def test_a_torch_tensor_is_an_image(picture: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    model = vi3nr.fit(torch.from_numpy(picture), **SMALL)
    assert model.psnr == vi3nr.fit(picture, **SMALL).psnr


def test_audio_and_shapes(data: Path, tmp_path: Path) -> None:
    wave = np.sin(np.arange(800) / 9)
    model = vi3nr.fit(wave, rate=8000, width=16, layers=3, steps=150)
    assert model.kind == "audio" and model.snr > 3
    samples, rate = model.decode(rate=4000)
    assert rate == 4000 and samples.shape[1] == 1
    stereo = vi3nr.fit(np.stack([wave, -wave], axis=1), rate=8000, **SMALL)
    assert stereo.decode()[0].shape == (800, 2)
    shape = vi3nr.fit(data / "shapes" / "armadillo.ply", batch=2000, **SMALL)
    assert shape.kind == "shape" and 0 <= shape.iou <= 1
    vertices, faces, normals = shape.decode(resolution=32)
    assert vertices.shape == normals.shape and faces.max() < len(vertices)
    assert shape.decode(tmp_path / "mesh.ply", resolution=32)["faces"] > 0


def test_settings_are_those_of_a_request(picture: np.ndarray) -> None:
    model = vi3nr.fit(picture, activation="gaussian:sigma=0.1", sigma_p=0.2, optimizer="adam", **SMALL)
    assert model.activation == "gaussian:sigma=0.1"
    assert model.info["request"]["sigma_p"] == "0.2"
    assert vi3nr.fit(picture, lr=None, **SMALL).psnr == vi3nr.fit(picture, **SMALL).psnr
    for settings, sentence in (
        ({"step": 3}, "did you mean 'steps'"),
        ({"steps": "many"}, 'steps: "many"; expected a whole number'),
        ({"width": 0}, "width"),
        ({"lr": float("nan")}, "lr: nan; expected a finite number"),
        ({"threads": -1}, "threads: -1; expected a whole number"),
        ({"threads": 10**6}, "expected at most 1024"),
        ({"width": [3]}, r"width: \[3\]; expected text"),
        ({"activation": "foo"}, "unknown activation 'foo'"),
        ({"activation": lambda x: x}, "is not known; a fit needs a name or a formula"),
        ({"duration": 3.0}, "duration"),
        ({"file": "x.png"}, "the signal is given"),
    ):
        with pytest.raises(vi3nr.RequestError, match=sentence):
            vi3nr.fit(picture, **{**SMALL, **settings})


def test_bad_signals_are_refused(tmp_path: Path) -> None:
    for array, sentence in (
        (np.zeros(9), "audio needs rate"),
        (np.zeros((3, 3, 2)), r"shape \(3, 3, 2\)"),
        (np.zeros((0, 3), np.uint8), "0"),
        (np.zeros((3, 3), np.int64), "uint8, uint16 or floating-point"),
        (np.full((3, 3), 2.0), "values reach from 2 to 2"),
        (np.full((3, 3), np.nan), "value"),
    ):
        with pytest.raises(vi3nr.RequestError, match=sentence):
            vi3nr.fit(array, **SMALL)
    with pytest.raises(vi3nr.RequestError, match="finite numbers"):
        vi3nr.fit(np.array([0.0, np.nan]), rate=8000, **SMALL)
    with pytest.raises(OSError, match="cannot read"):
        vi3nr.fit(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(vi3nr.FileError, match="is not an image: it contains text"):
        vi3nr.fit(tmp_path / "text.png")
    with pytest.raises(vi3nr.RequestError, match="a file has its own sampling rate"):
        vi3nr.fit(tmp_path / "text.png", rate=3)


def test_a_callback_sees_every_step_and_can_end_the_fit(picture: np.ndarray) -> None:
    events: list[dict[str, Any]] = []
    model = vi3nr.fit(picture, callback=lambda event: events.append(event), **SMALL)
    assert [event["step"] for event in events] == list(range(1, model.report["steps"] + 1))
    assert {"steps", "loss", "psnr", "elapsed", "learning_rate"} <= set(events[0])
    short = vi3nr.fit(picture, callback=lambda event: event["step"] < 5, **SMALL)
    assert (short.report["steps"], short.report["stopped"]) == (5, "interrupted")


def test_an_exception_of_the_callback_keeps_the_model(picture: np.ndarray) -> None:
    def fails(event: dict[str, Any]) -> None:
        if event["step"] == 5:
            raise LookupError("of the user")

    with pytest.raises(LookupError, match="of the user") as caught:
        vi3nr.fit(picture, callback=fails, **SMALL)
    assert caught.value.model.dims == (2, 16, 16, 3)  # type: ignore[attr-defined]


def test_divergence_is_an_arithmetic_error_with_the_best_model(picture: np.ndarray) -> None:
    with pytest.raises(ArithmeticError, match="training diverged at step") as caught:
        vi3nr.fit(picture, optimizer="adam", lr=1e12, **SMALL)
    assert isinstance(caught.value, vi3nr.DivergenceError)
    assert caught.value.model is not None


def test_a_poor_result_warns(picture: np.ndarray) -> None:
    with pytest.warns(vi3nr.FitWarning, match="represents little of the image"):
        vi3nr.fit(picture, width=16, layers=3, steps=1, optimizer="adam", lr=1e-6)


def test_ctrl_c_ends_a_fit_with_its_model(picture: np.ndarray) -> None:
    pressed: list[float] = []

    def press(event: dict[str, Any]) -> None:
        if event["step"] == 3 and not pressed:
            pressed.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt) as caught:
        vi3nr.fit(picture, callback=press, **ENDLESS)
    assert isinstance(caught.value, vi3nr.Interrupted)
    assert caught.value.model is not None
    assert caught.value.model.report["stopped"] == "interrupted"


def test_other_threads_run_during_a_fit(picture: np.ndarray) -> None:
    """A fit that held the interpreter lock would end only after its million steps."""
    ended = threading.Event()
    timer = threading.Timer(0.05, ended.set)
    timer.start()
    model = vi3nr.fit(picture, callback=lambda _: not ended.is_set(), **ENDLESS)
    assert model.report["stopped"] == "interrupted"


def test_runs_are_resumed(data: Path, tmp_path: Path) -> None:
    file = data / "kodak" / "kodim05.png"
    settings = {**SMALL, "downscale": 16}
    whole = vi3nr.fit(file, **settings)
    run = tmp_path / "run"
    vi3nr.fit(file, out=run, callback=lambda event: event["step"] < 10, **settings)
    assert vi3nr.resume(run).psnr == whole.psnr
    assert vi3nr.resume(run).psnr == whole.psnr, "a finished run gives its report"
    further = vi3nr.resume(run, steps=20)
    assert further.loss <= whole.loss
    with pytest.raises(vi3nr.FileError, match="holds an earlier run"):
        vi3nr.fit(file, out=run, **settings)
    assert vi3nr.fit(file, out=run, overwrite=True, **settings).psnr == whole.psnr
    warm = vi3nr.fit(file, downscale=16, steps=5, **{"from": run})
    assert warm.loss < 2 * whole.loss


def test_several_signals_are_fitted_at_once(picture: np.ndarray, tmp_path: Path) -> None:
    first, failed, last = vi3nr.fit_many([picture, tmp_path / "none.png", picture], jobs=2, **SMALL)
    assert isinstance(failed, vi3nr.FileError)
    assert isinstance(first, vi3nr.Model) and isinstance(last, vi3nr.Model)
    assert first.psnr == last.psnr == vi3nr.fit(picture, **SMALL).psnr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:os.fork")
def test_a_forked_process_fits(picture: np.ndarray) -> None:
    expected = vi3nr.fit(picture, **SMALL).psnr
    child = os.fork()
    if child == 0:
        os._exit(0 if vi3nr.fit(picture, **SMALL).psnr == expected else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_bar_follows_the_protocol_of_tqdm(picture: np.ndarray) -> None:
    class Bar:
        bars: list[Bar] = []

        def __init__(self, total: int) -> None:
            self.total, self.n, self.closed = total, 0, False
            self.bars.append(self)

        def update(self, steps: int) -> None:
            self.n += steps

        def set_postfix(self, values: dict[str, str], refresh: bool) -> None:
            assert "psnr" in values

        def close(self) -> None:
            self.closed = True

    model = vi3nr.fit(picture, progress=Bar, **SMALL)
    (bar,) = Bar.bars
    assert (bar.n, bar.closed, bar.total) == (model.report["steps"], True, 30)
