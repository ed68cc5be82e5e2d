"""Backends and devices."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vi3nr

pytestmark = pytest.mark.filterwarnings("ignore::vi3nr.FitWarning")

SMALL = {"width": 16, "layers": 3, "steps": 20, "optimizer": "adam"}


def test_devices_have_their_limits() -> None:
    for index, device in enumerate(vi3nr.devices()):
        assert device.index == index
        assert device.name and device.interface in ("Vulkan", "Metal")
        assert device.kind in ("discrete", "integrated", "virtual", "software", "other")
        assert device.buffer_bytes > 0 and device.workgroup_bytes > 0
        assert device.problem is None or device.problem


def test_the_report_names_the_backend(picture: np.ndarray) -> None:
    default = vi3nr.fit(picture, **SMALL)
    assert (default.report["backend"], default.report["device"]) == ("cpu", None)
    reference = vi3nr.fit(picture, backend="reference", **SMALL)
    assert reference.report["backend"] == "reference"
    assert reference.info["plan"]["engine"] == "reference"
    assert reference.loss == pytest.approx(default.loss, rel=1e-3)
    # The model is evaluated where it was trained; both give the values of one network.
    points = reference.coordinates()
    assert reference(points) == pytest.approx(default(points), abs=1e-2)
    older = vi3nr.fit(picture, engine="reference", **SMALL)
    assert np.array_equal(older.parameters(), reference.parameters())


def test_auto_takes_a_backend_and_keeps_it(picture: np.ndarray) -> None:
    model = vi3nr.fit(picture, backend="auto", **SMALL)
    assert model.report["backend"] in ("cpu", "gpu")
    assert (model.report["device"] is None) == (model.report["backend"] == "cpu")
    assert model.info["request"]["backend"] == model.report["backend"]
    assert "device" not in model.info["request"]


def test_models_are_evaluated_on_any_backend(picture: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    vi3nr.fit(picture, **SMALL).save(path)
    cpu, reference = (vi3nr.Model.load(path, backend=name) for name in ("cpu", "reference"))
    points = cpu.coordinates()
    assert np.abs(cpu(points) - reference(points)).max() < 1e-4
    assert np.abs(cpu.decode().astype(int) - reference.decode()).max() <= 1
    auto = vi3nr.Model.load(path, backend="auto", threads=1)
    assert np.abs(auto(points) - reference(points)).max() < 1e-3


def test_an_engine_has_a_backend() -> None:
    points = np.linspace(-1, 1, 40)[:, None]
    losses = []
    for backend in ("cpu", "reference"):
        engine = vi3nr.Engine([1, 8, 1], "tanh", seed=1, threads=1, backend=backend)
        engine.load_batch(points, points**2)
        losses.append(engine.loss_and_gradient())
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_run_is_resumed_on_another_backend(tmp_path: Path) -> None:
    run = tmp_path / "run"
    vi3nr.fit(out=run, callback=lambda event: event["step"] < 10, **SMALL)
    model = vi3nr.resume(run, backend="reference")
    assert (model.report["steps"], model.report["backend"]) == (20, "reference")


def test_errors_say_what_was_expected(picture: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    vi3nr.fit(picture, **SMALL).save(path)
    calls = [
        lambda **more: vi3nr.fit(picture, **SMALL, **more),
        lambda **more: vi3nr.Model.load(path, **more),
        lambda **more: vi3nr.Engine([1, 8, 1], "tanh", **more),
    ]
    for call in calls:
        with pytest.raises(vi3nr.RequestError, match="unknown variant `cuda`"):
            call(backend="cuda")
        with pytest.raises(vi3nr.RequestError, match="device: 0, but the backend cpu"):
            call(device=0)
        with pytest.raises(vi3nr.RequestError, match="device: -1; expected a whole number"):
            call(backend="gpu", device=-1)
    with pytest.raises(vi3nr.RequestError, match="backend: auto"):
        vi3nr.Engine([1, 8, 1], "tanh", backend="auto")
    absent = len(vi3nr.devices()) + 5
    expected = f"there is no device {absent}" if vi3nr.devices() else "no GPU driver was found"
    with pytest.raises(vi3nr.Error, match=expected):
        vi3nr.fit(picture, backend="gpu", device=absent, **SMALL)
    model = vi3nr.Model.load(path, backend="gpu", device=absent)
    with pytest.raises(vi3nr.Error, match=expected):
        model(np.zeros((1, 2)))
