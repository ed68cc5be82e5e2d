"""Fits of files and arrays."""

from __future__ import annotations

import json
import math
import os
import sys
import warnings as python_warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import _core
from ._errors import Error, Interrupted, RequestError, whole
from ._known import activation_of
from ._model import Model

#: Called with ``step``, ``steps``, ``loss``, a metric of the signal and ``elapsed``.
Callback: TypeAlias = Callable[[dict[str, Any]], Any]


class FitWarning(UserWarning):
    """Something about a fit that should be known before its result is believed."""


def fit(
    signal: str | os.PathLike[str] | npt.ArrayLike | None = None,
    *,
    rate: int | None = None,
    value_range: tuple[float, float] = (0.0, 1.0),
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    callback: Callback | None = None,
    progress: bool | Callable[..., Any] | None = None,
    threads: int | None = None,
    backend: str | None = None,
    device: int | None = None,
    **fields: Any,
) -> Model:
    """Trains a coordinate network on an image, audio or a shape.

    Args:
        signal: A file, or an array: an image of shape (height, width) or (height, width, 1 or 3),
            or, with ``rate``, audio of shape (n,) or (n, channels). By default an image that the
            program draws itself.
        rate: The sampling rate of audio in Hz.
        value_range: The values of black and white of an image of floating-point numbers. Integers
            are 8-bit or 16-bit samples.
        out: The run directory, with checkpoints from which :func:`resume` continues (files only).
        overwrite: Whether an earlier run in ``out`` is replaced.
        callback: Called after each step (or piece) with a dictionary of its progress; if it returns
            False, the fit ends and returns the best model so far.
        progress: Whether a bar shows the progress; by default in terminals and notebooks, if tqdm
            is installed. A class with tqdm's interface is also accepted.
        threads: The number of threads; one per core by default. It does not affect the result.
        backend: ``"cpu"`` (the default), ``"gpu"``, ``"auto"`` (whichever is faster, by a measurement
            of a second or two) or ``"reference"``. The model is evaluated on the same backend, and
            ``report["backend"]`` and ``report["device"]`` say what was used.
        device: The number of the GPU in the list of :func:`devices`; by default the first that is not
            software.
        **fields: The settings of a fit request, named as the options of ``vi3nr fit`` with
            underscores: ``activation``, ``width``, ``layers``, ``steps``, ``quality``, ``lr``,
            ``optimizer``, ``sigma_p``, ``seed``, ``preset``, ``crop``, ``downscale``, ...

    Raises:
        RequestError: A setting is unknown, out of range or contradicts another one.
        FileError: The file cannot be read, or the directory cannot be written to.
        Error: The GPU cannot be used, or failed.
        DivergenceError: The loss is no longer a finite number.
        Interrupted: Ctrl-C was pressed. Like the other exceptions, it has the best weights so far in
            its attribute ``model``.

    Example:
        >>> import vi3nr
        >>> model = vi3nr.fit("photo.png", quality=44)  # doctest: +SKIP
        >>> model.psnr, model.decode(scale=2).shape  # doctest: +SKIP
    """
    settings = _settings({**fields, "backend": backend, "device": _number(device)})
    threads = whole("threads", threads)
    given = None
    if signal is None or isinstance(signal, (str, os.PathLike)):
        if rate is not None:
            raise RequestError(f"rate: {rate}; a file has its own sampling rate")
        if signal is not None:
            settings["file"] = os.fspath(signal)
    else:
        if out is not None:
            raise RequestError("out: a run directory needs a file; save the model instead")
        given = _array_signal(np.asarray(_on_cpu(signal)), rate, value_range)
    with _Progress(progress, callback) as watch:
        return _ended(
            lambda: _core.fit(
                json.dumps(settings),
                given,
                None if out is None else Path(out),
                overwrite,
                threads,
                watch,
            )
        )


def resume(
    directory: str | os.PathLike[str],
    *,
    callback: Callback | None = None,
    progress: bool | Callable[..., Any] | None = None,
    threads: int | None = None,
    backend: str | None = None,
    device: int | None = None,
    **changes: Any,
) -> Model:
    """Continues the run in a directory: an interrupted one from its checkpoint, and a finished one
    if ``steps`` or ``time_limit`` is given.

    Args:
        directory: The run directory, as given to :func:`fit` as ``out``.
        callback: As for :func:`fit`.
        progress: As for :func:`fit`.
        threads: As for :func:`fit`.
        backend: As for :func:`fit`; by default that of the run.
        device: As for :func:`fit`; by default that of the run.
        **changes: Settings that replace those of the run.

    Raises:
        RequestError: The settings contradict those of the run.
        FileError: The directory cannot be read.
    """
    settings = _settings({**changes, "backend": backend, "device": _number(device)})
    threads = whole("threads", threads)
    with _Progress(progress, callback) as watch:
        return _ended(
            lambda: _core.resume(Path(directory), json.dumps(settings), threads, watch)
        )


def fit_many(
    signals: Iterable[str | os.PathLike[str] | npt.ArrayLike],
    *,
    jobs: int | None = None,
    **settings: Any,
) -> list[Model | Error]:
    """Fits several signals at the same time, each with one thread; the results are in their order.

    A fit that fails gives its exception in place of a model, and the others go on.

    Args:
        signals: Files or arrays, as for :func:`fit`.
        jobs: The number of fits at a time; one per core by default.
        **settings: The arguments of :func:`fit` for all of them, except ``out``.
    """
    if "out" in settings:
        raise RequestError("out: one directory cannot hold several runs")
    jobs = whole("jobs", jobs)
    settings.setdefault("threads", 1)
    settings.setdefault("progress", False)

    def one(signal: Any) -> Model | Error:
        try:
            return fit(signal, **settings)
        except Error as error:
            return error

    with ThreadPoolExecutor(max_workers=jobs or os.cpu_count()) as pool:
        return list(pool.map(one, signals))


def _ended(run: Callable[[], tuple[_core.Model, str]]) -> Model:
    """The model of a fit; its exceptions get the model with the best weights so far."""
    try:
        core, report = run()
    except BaseException as error:
        parts = error.__dict__.pop("parts", None)
        if parts is None:
            raise
        model = Model(parts[0], json.loads(parts[1]))
        if type(error) is KeyboardInterrupt:
            raise Interrupted(model) from None
        error.model = model  # type: ignore[attr-defined]
        raise
    model = Model(core, json.loads(report))
    for warning in model.report.get("warnings", []):
        python_warnings.warn(warning, FitWarning, stacklevel=3)
    return model


def _settings(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a request as JSON values."""
    settings = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name == "activation" and not isinstance(value, str):
            text = activation_of(value)
            if text is None:
                raise RequestError(
                    f"activation: {value!r} is not known; a fit needs a name or a formula in x"
                )
            value = text
        if isinstance(value, np.generic):
            value = value.item()
        elif isinstance(value, os.PathLike):
            value = os.fspath(value)
        if not isinstance(value, (str, int, float, bool)):
            raise RequestError(f"{name}: {value!r}; expected text, a number or a truth value")
        if isinstance(value, float) and not math.isfinite(value):
            raise RequestError(f"{name}: {value!r}; expected a finite number")
        settings[name] = value
    return settings


def _number(device: int | None) -> int | None:
    """The number of a device."""
    return whole("device", device, least=0)


def _on_cpu(values: Any) -> Any:
    return values.detach().cpu() if hasattr(values, "detach") else values


def _array_signal(
    array: npt.NDArray[Any], rate: int | None, value_range: tuple[float, float]
) -> _core.Signal:
    rate = whole("rate", rate)
    if rate is not None:
        return _audio(array, rate)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3):
        hint = "; audio needs rate" if array.ndim == 1 else ""
        raise RequestError(
            f"an array of shape {array.shape}; expected an image of shape (height, width) or "
            f"(height, width, 1 or 3){hint}"
        )
    # In the byte order of the machine.
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    if array.dtype == np.uint8:
        return _core.Signal.image_of_bytes(array)
    if array.dtype == np.uint16:
        return _core.Signal.image_of_words(array)
    if array.dtype.kind != "f":
        raise RequestError(
            f"an image of type {array.dtype}; expected uint8, uint16 or floating-point numbers"
        )
    black, white = value_range
    if not black < white:
        raise RequestError(f"value_range: {value_range}; expected black below white")
    lowest, highest = (float(array.min()), float(array.max())) if array.size else (black, white)
    if not (black <= lowest and highest <= white):
        raise RequestError(
            f"the values reach from {lowest:.6g} to {highest:.6g}, and value_range is "
            f"{value_range}; expected values inside it"
        )
    values = 2 * (array.astype(np.float64) - black) / (white - black) - 1
    return _core.Signal.image_of_values(values.astype(np.float32))


def _audio(array: npt.NDArray[Any], rate: int) -> _core.Signal:
    if array.ndim not in (1, 2):
        raise RequestError(
            f"audio of shape {array.shape}; expected (n,) or (n, channels)"
        )
    channels = 1 if array.ndim == 1 else array.shape[1]
    if array.dtype.kind == "i":
        array = array / float(-int(np.iinfo(array.dtype).min))
    if array.dtype.kind != "f":
        raise RequestError(
            f"audio of type {array.dtype}; expected signed integers or floating-point numbers"
        )
    return _core.Signal.audio(np.ascontiguousarray(array, np.float32).reshape(-1), channels, rate)


class _Progress:
    """Passes the progress of a fit to a bar and to the callback."""

    def __init__(
        self, progress: bool | Callable[..., Any] | None, callback: Callback | None
    ) -> None:
        self._bar_class = _bar_class(progress)
        self._callback = callback
        self._bar: Any = None

    def __enter__(self) -> Callback | None:
        if self._bar_class is None and self._callback is None:
            return None
        return self._see

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def _see(self, event: dict[str, Any]) -> Any:
        if self._bar_class is not None:
            if self._bar is None:
                self._bar = self._bar_class(total=event["steps"])
            self._bar.update(event["step"] - self._bar.n)
            shown = next((name for name in ("psnr", "snr") if name in event), "loss")
            self._bar.set_postfix({shown: f"{event[shown]:.4g}"}, refresh=False)
        return None if self._callback is None else self._callback(event)


def _bar_class(progress: bool | Callable[..., Any] | None) -> Callable[..., Any] | None:
    if callable(progress):
        return progress
    wanted = progress if progress is not None else sys.stderr.isatty() or _in_notebook()
    if not wanted:
        return None
    try:
        from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]
    except ImportError:
        if progress:
            raise
        return None
    bar: Callable[..., Any] = tqdm
    return bar


def _in_notebook() -> bool:
    shell = sys.modules.get("IPython")
    get = getattr(shell, "get_ipython", None)
    return get is not None and hasattr(get(), "kernel")
