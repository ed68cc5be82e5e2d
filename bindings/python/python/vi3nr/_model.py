"""Trained models."""

from __future__ import annotations

import base64
import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import FileError, RequestError, whole

if TYPE_CHECKING:
    import torch

FloatArray = npt.NDArray[np.float32]


def float_array(values: Any) -> FloatArray:
    """``values`` as an array of single precision, without a copy where they are one in order."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    return np.ascontiguousarray(values, dtype=np.float32)


class Model:
    """A coordinate network that represents an image, audio or a shape.

    :func:`vi3nr.fit` returns one; :meth:`load` reads one. Calling it evaluates the network at
    coordinates.

    Example:
        >>> import numpy as np, vi3nr
        >>> model = vi3nr.fit(np.zeros((16, 16), np.uint8), width=16, layers=3, steps=20)
        >>> model(np.zeros((5, 2))).shape
        (5, 1)
    """

    def __init__(self, core: _core.Model, report: dict[str, Any] | None = None) -> None:
        self._core = core
        #: The results of the fit, as in ``run.json``; empty for a model that was loaded.
        self.report: dict[str, Any] = report or {}
        self._info: dict[str, Any] = json.loads(core.info())

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        threads: int | None = None,
        backend: str | None = None,
        device: int | None = None,
    ) -> Model:
        """Reads a model file, or the model of a run directory.

        Args:
            path: The file or directory.
            threads: The number of threads for evaluating the model; one per core by default.
            backend: Where the model is evaluated, as for :func:`fit`; by default the CPU.
            device: The number of the GPU, as for :func:`fit`.

        Raises:
            FileError: The file cannot be read or is not a model.
            RequestError: The backend is not known, or uses no device.
        """
        directory = Path(path)
        report = None
        if directory.is_dir():
            record = directory / "run.json"
            if record.is_file():
                report = json.loads(record.read_text("utf-8")).get("report")
            directory = directory / "model.safetensors"
        threads, device = whole("threads", threads), whole("device", device, least=0)
        return cls(_core.Model.load(directory, threads, backend, device), report)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the model file, from which :meth:`load` and ``vi3nr decode`` read it.

        Raises:
            FileError: The file cannot be written.
        """
        self._core.save(Path(path))

    @property
    def info(self) -> dict[str, Any]:
        """What the model file holds: signal, dims, activation, parameters and settings."""
        return self._info

    @property
    def kind(self) -> Literal["image", "audio", "shape"]:
        """The kind of signal."""
        kind: Literal["image", "audio", "shape"] = self._info["signal"]["kind"]
        return kind

    @property
    def activation(self) -> str:
        """The activation in its text form."""
        return str(self._info["activation"])

    @property
    def dims(self) -> tuple[int, ...]:
        """The number of inputs, the hidden widths and the number of outputs."""
        return tuple(self._info["dims"])

    @property
    def psnr(self) -> float:
        """The PSNR of the fit in dB (peak 2 on [-1, 1], the usual convention).

        Raises:
            AttributeError: The model is not one of an image, or was loaded without its report.
        """
        return self._metric("psnr")

    @property
    def snr(self) -> float:
        """The SNR of a fit of audio in dB."""
        return self._metric("snr")

    @property
    def iou(self) -> float:
        """The intersection over union of a fit of a shape."""
        return self._metric("iou")

    @property
    def loss(self) -> float:
        """The loss of the fit."""
        return self._metric("loss")

    def _metric(self, name: str) -> float:
        value = self.report.get(name)
        if value is None:
            raise AttributeError(f"the report of this model has no {name}; see evaluate()")
        return float(value)

    def __call__(self, coordinates: npt.ArrayLike) -> FloatArray:
        """The values of the network at coordinates, shape (n, inputs): shape (n, outputs).

        Coordinates reach from -``input_scale`` to ``input_scale`` along the longest side, also of a
        model in pieces; :meth:`coordinates` gives those of the signal's own samples.

        Raises:
            RequestError: The shape does not match.
        """
        values: FloatArray = self._core.values(self._points(coordinates))
        return values

    def gradient(self, coordinates: npt.ArrayLike) -> FloatArray:
        """The derivatives with respect to the coordinates, shape (n, outputs, inputs).

        Raises:
            RequestError: The shape does not match.
        """
        derivatives: FloatArray = self._core.derivatives(self._points(coordinates))
        return derivatives

    def _points(self, coordinates: npt.ArrayLike) -> FloatArray:
        points = float_array(coordinates)
        if points.ndim != 2:
            raise RequestError(
                f"coordinates of shape {points.shape}; expected (n, {self.dims[0]})"
            )
        return points

    def coordinates(self) -> FloatArray:
        """The coordinates of the samples of an image (rows of pixels, x before y) or of audio.

        Raises:
            RequestError: The model is one of a shape, whose points are drawn.
        """
        signal, scale = self._info["signal"], np.float64(self._info["input_scale"])
        match self.kind:
            case "image":
                width, height = signal["width"], signal["height"]
                longest = max(width, height, 2) - 1
                x, y = ((2 * np.arange(n) - (n - 1)) / longest for n in (width, height))
                grid = np.stack(np.meshgrid(x, y, indexing="xy"), axis=-1).reshape(-1, 2)
            case "audio":
                count = signal["samples"]
                grid = ((2 * np.arange(count) - (count - 1)) / max(count - 1, 1))[:, None]
            case _:
                raise RequestError("a shape has no samples; its points are drawn")
        return float_array(scale * grid)

    def decode(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        scale: float | None = None,
        size: tuple[int, int] | None = None,
        region: tuple[int, int, int, int] | None = None,
        rate: int | None = None,
        start: float | None = None,
        duration: float | None = None,
        resolution: int | None = None,
        values: bool = False,
    ) -> Any:
        """Decodes the signal to an array, or to a file.

        Args:
            path: The file; the result is then a dictionary of facts about it.
            scale: Images: the factor for both sides.
            size: Images: width and height of the result in pixels.
            region: Images: x, y, width and height of the part to decode.
            rate: Audio: the sampling rate in Hz.
            start: Audio: the start in seconds.
            duration: Audio: the duration in seconds.
            resolution: Shapes: the number of cells per side of the grid; 128 by default, 512 for a
                file.
            values: Images: whether the result has the network's values (float32, black is -1 and
                white is 1) instead of samples of the image's bit depth.

        Returns:
            For an image, an array of shape (height, width) or (height, width, 3); for audio, the
            samples of shape (n, channels) and the rate; for a shape, vertices (n, 3), faces (m, 3)
            and vertex normals (n, 3).

        Raises:
            RequestError: An argument belongs to another kind of signal or is out of range.
            FileError: The file cannot be written.
        """
        rate, resolution = whole("rate", rate), whole("resolution", resolution)
        if size is not None:
            width, height = _whole_numbers("size", size, 2)
            size = (width, height)
        if region is not None:
            x, y, width, height = _whole_numbers("region", region, 4)
            region = (x, y, width, height)
        if scale is not None and not 0 < scale < math.inf:
            raise RequestError(f"scale: {scale!r}; expected a number above 0")
        if path is not None:
            if values:
                raise RequestError("values: True; a file has samples")
            found = self._core.decode_file(
                Path(path), scale, size, region, rate, start, duration, resolution
            )
            facts: dict[str, Any] = json.loads(found)["facts"]
            return facts
        self._refuse_others(
            image={"scale": scale, "size": size, "region": region, "values": values or None},
            audio={"rate": rate, "start": start, "duration": duration},
            shape={"resolution": resolution},
        )
        match self.kind:
            case "image":
                if size is None and scale is not None:
                    signal = self._info["signal"]
                    sides = (signal["width"], signal["height"]) if region is None else region[2:]
                    size = (_scaled(scale, sides[0]), _scaled(scale, sides[1]))
                found = self._core.image_values(size, region)
                image = found if values else self._core.image_samples(found)
                return image[..., 0] if image.shape[-1] == 1 else image
            case "audio":
                return self._core.audio_samples(rate, start, duration)
            case _:
                return self._core.mesh(128 if resolution is None else resolution)

    def mesh(
        self, resolution: int = 128
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32], npt.NDArray[np.float64]]:
        """Vertices (n, 3), faces (m, 3) and vertex normals (n, 3) of the surface of a shape."""
        return self._core.mesh(whole("resolution", resolution))

    def _refuse_others(self, **settings: dict[str, Any]) -> None:
        for kind, own in settings.items():
            given = [name for name, value in own.items() if value is not None]
            if given and kind != self.kind:
                raise RequestError(
                    f"{', '.join(given)}: only models of kind {kind} have this setting; this model "
                    f"is of kind {self.kind}"
                )

    def evaluate(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """The metrics of the model against the signal in a file, as ``vi3nr eval --json`` has them.

        Raises:
            RequestError: The file has another kind, size or number of channels.
            FileError: The file cannot be read.
        """
        metrics: dict[str, Any] = json.loads(self._core.evaluate(Path(path)))
        return metrics

    def parameters(self) -> FloatArray:
        """Weights (out, in) and biases of all layers, in their order.

        Raises:
            RequestError: The model is in pieces.
        """
        parameters: FloatArray = self._core.parameters()
        return parameters

    def to_onnx(self, path: str | os.PathLike[str] | None = None) -> bytes:
        """The network as an ONNX file: ``coordinates`` (n, inputs) to ``values`` (n, outputs).

        Args:
            path: The file that is also written.

        Returns:
            The bytes of the file, for example for ``onnxruntime.InferenceSession``.

        Raises:
            RequestError: The model is in pieces.
            FileError: The file cannot be written.
        """
        content: bytes = self._core.onnx()
        if path is not None:
            try:
                Path(path).write_bytes(content)
            except OSError as error:
                raise FileError(f"cannot write '{os.fspath(path)}': {error.strerror}") from error
        return content

    def to_torch(self) -> torch.nn.Module:
        """The network as a ``torch.nn.Module`` with the same outputs to rounding.

        Raises:
            RequestError: The model is in pieces.
            ImportError: PyTorch is not installed.
        """
        from ._torch_model import Network

        return Network(self)

    @classmethod
    def from_torch(cls, module: torch.nn.Module, *, like: Model | None = None) -> Model:
        """The model of a module that :meth:`to_torch` returned, with its present parameters.

        Args:
            module: The module, which may have been trained further.
            like: The model whose signal and settings are kept, for a module of another class with
                the same linear layers and the same activation.

        Raises:
            RequestError: The module has other layers, or is of another class and ``like`` is not
                given.
        """
        from ._torch_model import Network, parameters_of

        if like is None:
            if not isinstance(module, Network):
                raise RequestError(
                    f"a module of class {type(module).__name__}; expected one of to_torch(), or "
                    "like=MODEL with the same layers"
                )
            like = module.model
        return cls(like._core.with_parameters(parameters_of(module, like.dims)))

    def __repr__(self) -> str:
        return (
            f"<vi3nr.Model of {self._info['details']}; {'-'.join(map(str, self.dims))}, "
            f"{self.activation}, {self._info['parameters']} parameters>"
        )

    def _repr_html_(self) -> str:
        from html import escape

        text = escape(repr(self).strip("<>"))
        results = ", ".join(
            f"{name} {self.report[name]:.4g}"
            for name in ("psnr", "snr", "iou", "loss")
            if isinstance(self.report.get(name), (int, float))
        )
        return f"<div>{self._image()}<p>{text}<br>{escape(results)}</p></div>"

    def _image(self) -> str:
        """The image, at most 512 pixels a side; nothing for other kinds of signals."""
        if self.kind != "image":
            return ""
        signal = self._info["signal"]
        scale = min(1.0, 512 / max(signal["width"], signal["height"]))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "image.png"
            self.decode(path, scale=scale)
            data = base64.b64encode(path.read_bytes()).decode("ascii")
        return f'<img alt="reconstruction" src="data:image/png;base64,{data}">'

    def __reduce__(self) -> tuple[Any, ...]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.safetensors"
            self.save(path)
            return _unpickle, (path.read_bytes(), self.report)


def _scaled(scale: float, side: int) -> int:
    """Rounded half away from zero, as on the command line; at most the largest side."""
    return int(min(np.floor(scale * side + 0.5), 2**32 - 1))


def _whole_numbers(name: str, values: tuple[int, ...], count: int) -> list[int]:
    numbers = list(values)
    if len(numbers) != count:
        raise RequestError(f"{name}: {values!r}; expected {count} whole numbers")
    return [whole(name, number, least=0) for number in numbers]


def _unpickle(content: bytes, report: dict[str, Any]) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(content)
        return Model(_core.Model.load(path, None), report)
