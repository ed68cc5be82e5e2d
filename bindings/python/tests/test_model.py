"""Models: evaluation, decoding, files and PyTorch."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import vi3nr

pytestmark = pytest.mark.filterwarnings("ignore::vi3nr.FitWarning")


@pytest.fixture(scope="module")
def model() -> vi3nr.Model:
    return vi3nr.fit(width=16, layers=3, steps=30, crop=None)


def test_values_at_the_coordinates_are_the_image(model: vi3nr.Model) -> None:
    coordinates = model.coordinates()
    image = model.decode()
    height, width, channels = image.shape
    values = model(coordinates).reshape(height, width, channels)
    samples = np.floor(127.5 * (np.clip(values, -1, 1) + 1) + 0.5)
    assert np.abs(samples - image).max() <= 1
    assert np.mean(samples != image) < 1e-3
    assert np.array_equal(model.decode(values=True), values)


def test_the_gradient_is_that_of_the_values(model: vi3nr.Model) -> None:
    points = np.array([[0.1, -0.3], [0.0, 0.7]], np.float32)
    gradient = model.gradient(points)
    assert gradient.shape == (2, 3, 2)
    step = np.float32(1e-2)
    for axis in range(2):
        shift = np.zeros(2, np.float32)
        shift[axis] = step
        slopes = (model(points + shift) - model(points - shift)) / (2 * step)
        assert np.abs(gradient[..., axis] - slopes).max() < 0.05 * np.abs(gradient).max()


def test_coordinates_of_any_layout_are_read(model: vi3nr.Model) -> None:
    points = model.coordinates()[:64]
    expected = model(points)
    assert np.array_equal(model(np.asfortranarray(points)), expected)
    assert np.array_equal(model(np.repeat(points, 2, axis=0)[::2]), expected)
    assert np.array_equal(model(points.astype(np.float64)), expected)
    assert np.array_equal(model(points.tolist()), expected)
    assert model(points[:0]).shape == (0, 3)
    for wrong in (points[:, :1], points[0], points[None]):
        with pytest.raises(vi3nr.RequestError, match="expected"):
            model(wrong)


def test_images_are_decoded_at_any_size(model: vi3nr.Model, tmp_path: Path) -> None:
    assert model.decode(scale=0.5).shape == (64, 64, 3)
    assert model.decode(size=(10, 20)).shape == (20, 10, 3)
    part = model.decode(region=(5, 6, 20, 10))
    assert np.array_equal(part, model.decode()[6:16, 5:25])
    assert model.decode(tmp_path / "a.png", scale=2) == {
        "file": str(tmp_path / "a.png"),
        "width": 256,
        "height": 256,
    }
    with pytest.raises(vi3nr.RequestError, match="rate: only models of kind audio"):
        model.decode(rate=8000)
    with pytest.raises(vi3nr.RequestError, match="region"):
        model.decode(region=(100, 100, 100, 100))
    with pytest.raises(vi3nr.FileError, match="cannot write"):
        model.decode(tmp_path / "none" / "a.png")


def test_files_and_pickles_give_the_same_model(model: vi3nr.Model, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model.save(path)
    points = model.coordinates()[:9]
    for other in (vi3nr.Model.load(path), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(other(points), model(points))
        assert other.info == model.info
    with pytest.raises(AttributeError, match="no psnr"):
        vi3nr.Model.load(path).psnr
    assert pickle.loads(pickle.dumps(model)).psnr == model.psnr
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(OSError, match="damaged"):
        vi3nr.Model.load(path)


def test_what_is_shown(model: vi3nr.Model) -> None:
    assert "128x128" in repr(model) and "2-16-16-3" in repr(model)
    html = model._repr_html_()
    assert html.startswith('<div><img alt="reconstruction" src="data:image/png;base64,')
    assert "psnr" in html


def test_a_model_in_pieces_decodes(picture: np.ndarray) -> None:
    pieces = vi3nr.fit(np.tile(picture, (4, 4, 1)), tile=40, width=16, layers=3, steps=20)
    assert "pieces" in pieces.info and pieces.decode().shape == (80, 96, 3)
    points = pieces.coordinates()
    values = pieces(points)
    assert np.abs(values.reshape(80, 96, 3) - pieces.decode(values=True)).max() < 1e-5
    inner = points[1000:1003] * np.float32(0.99)
    step = np.float32(1e-3)
    slopes = (pieces(inner + [step, 0]) - pieces(inner - [step, 0])) / (2 * step)
    gradient = pieces.gradient(inner)
    assert np.abs(gradient[..., 0] - slopes).max() < 0.05 * np.abs(gradient).max() + 0.05
    with pytest.raises(vi3nr.RequestError, match="in pieces"):
        pieces.parameters()


@pytest.mark.parametrize(
    "activation",
    [*(entry["name"] for entry in vi3nr.activations()), "x*tanh(log(1+exp(x)))", "max(0,x,-x/3)^2*2",
     "sin(w*x)*exp(-x^2/2):w=3", "-abs(x)+sinc(2*x)-erf(x)/pi", "sech(x)+atan(x)*softplus(x)^0.5"],
)  # fmt: skip
def test_the_torch_module_has_the_same_outputs(activation: str, picture: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    model = vi3nr.fit(
        picture, activation=activation, width=16, layers=3, steps=3, optimizer="adam", lr=1e-4
    )
    network = model.to_torch()
    points = model.coordinates()
    x = torch.from_numpy(points).requires_grad_()
    y = network(x)
    values = model(points)
    size = np.abs(values).max()
    assert np.abs(y.detach().numpy() - values).max() <= 2e-5 * size
    (gradient,) = torch.autograd.grad(y[:, 1].sum(), x)
    expected = model.gradient(points)[:, 1]
    assert np.abs(gradient.numpy() - expected).max() <= 2e-4 * np.abs(expected).max()
    again = vi3nr.Model.from_torch(pickle.loads(pickle.dumps(network)))
    assert np.array_equal(again(points), values)


def test_the_onnx_file_has_the_same_outputs(model: vi3nr.Model, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    content = model.to_onnx(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == content
    session = onnxruntime.InferenceSession(content)
    points = model.coordinates()
    (values,) = session.run(None, {"coordinates": points})
    assert np.abs(values - model(points)).max() < 1e-5
    with pytest.raises(OSError, match="cannot write"):
        model.to_onnx(tmp_path / "none" / "model.onnx")


def test_a_foreign_module_is_refused(model: vi3nr.Model) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(vi3nr.RequestError, match="expected one of to_torch"):
        vi3nr.Model.from_torch(torch.nn.Linear(2, 3))
    with pytest.raises(vi3nr.RequestError, match="the linear layers of the module are"):
        vi3nr.Model.from_torch(torch.nn.Linear(2, 3), like=model)


def test_a_module_that_was_trained_further_is_a_model(model: vi3nr.Model) -> None:
    torch = pytest.importorskip("torch")
    network = model.to_torch()
    with torch.no_grad():
        network.net[-1].bias += 1
    points = model.coordinates()[:9]
    assert np.allclose(vi3nr.Model.from_torch(network)(points), model(points) + 1, atol=1e-5)
    own = torch.nn.Sequential(*(torch.nn.Linear(a, b) for a, b in ((2, 16), (16, 16), (16, 3))))
    assert vi3nr.Model.from_torch(own, like=model).kind == "image"


def test_the_metrics_of_a_file(data: Path) -> None:
    file = data / "kodak" / "kodim05.png"
    fitted = vi3nr.fit(file, downscale=16, width=16, layers=3, steps=30)
    metrics = fitted.evaluate(file)
    assert metrics["psnr"] == pytest.approx(fitted.psnr, abs=1e-6)
    with pytest.raises(vi3nr.FileError):
        fitted.evaluate(data / "none.png")
