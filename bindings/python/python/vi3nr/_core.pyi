"""
The compiled part of vi3nr.
"""

from _typeshed import Incomplete, SupportsGetItem
from os import PathLike
from typing import Any, Final, SupportsFloat, SupportsIndex, final

__all__ = ["VERSION", "Engine", "Model", "Signal", "activations", "definition", "devices", "fit", "function_gain", "gain", "propagate", "resume", "run_program", "schemes", "solve"]

VERSION: Final[str]
"""
The version of the package.
"""

@final
class Engine:
    """
    A network in training.
    """
    def __new__(cls, /, dims: SupportsGetItem[int, SupportsIndex], activation: str, init: str | None, sigma_p: str | None, first_sigma_p: str | None, seed: SupportsIndex, threads: SupportsIndex | None, backend: str | None, device: SupportsIndex | None) -> Engine:
        """
        Draws the initial weights of a network with the sizes `dims`.
        """
    @property
    def activation(self, /) -> str:
        """
        The activation in its text form.
        """
    def adam(self, /, learning_rate: SupportsFloat | SupportsIndex, beta1: SupportsFloat | SupportsIndex, beta2: SupportsFloat | SupportsIndex, epsilon: SupportsFloat | SupportsIndex) -> None:
        """
        One step of Adam with the gradient of the last loss.
        """
    def derivatives(self, /, points: Incomplete) -> Incomplete:
        """
        The first derivatives at points, shape (n, inputs): shape (n, outputs, inputs).
        """
    @property
    def dims(self, /) -> list[int]:
        """
        The number of inputs, the hidden widths and the number of outputs.
        """
    def gradient(self, /) -> Incomplete:
        """
        The gradient of the last loss, in the order of the parameters.
        """
    def hessians(self, /, points: Incomplete) -> Incomplete:
        """
        The second derivatives at points, shape (n, inputs): shape (n, outputs, inputs, inputs).
        """
    def load_batch(self, /, points: Incomplete, targets: Incomplete) -> None:
        """
        Loads points, shape (n, inputs), and targets, shape (n, outputs).
        """
    def load_terms(self, /, constraints: SupportsGetItem[int, Any]) -> None:
        """
        Loads constraints, whose attributes are those of `vi3nr.Constraint`.
        """
    def loss_and_gradient(self, /) -> float:
        """
        Computes the loss of the current parameters and keeps its gradient.
        """
    def parameters(self, /) -> Incomplete:
        """
        The parameters in the order of the layers: weights (out, in) before biases.
        """
    def set_parameters(self, /, parameters: Incomplete) -> None:
        """
        Replaces the parameters.
        """
    def term_losses(self, /) -> list[float]:
        """
        The unweighted mean loss of each term.
        """
    def values(self, /, points: Incomplete) -> Incomplete:
        """
        The values at points, shape (n, inputs): shape (n, outputs).
        """

@final
class Model:
    """
    A trained network, or the networks of all pieces of a signal.
    """
    def audio_samples(self, /, rate: SupportsIndex | None, start: SupportsFloat | SupportsIndex | None, duration: SupportsFloat | SupportsIndex | None) -> tuple[Incomplete, int]:
        """
        The samples of decoded audio, shape (samples, channels), and their rate.
        """
    def decode_file(self, /, path: str | PathLike[str], scale: SupportsFloat | SupportsIndex | None, size: tuple[SupportsIndex, SupportsIndex] | None, region: tuple[SupportsIndex, SupportsIndex, SupportsIndex, SupportsIndex] | None, rate: SupportsIndex | None, start: SupportsFloat | SupportsIndex | None, duration: SupportsFloat | SupportsIndex | None, resolution: SupportsIndex | None) -> str:
        """
        Decodes to a file and returns the facts about it as JSON.
        """
    def derivatives(self, /, points: Incomplete) -> Incomplete:
        """
        The derivatives at coordinates, shape (n, inputs): shape (n, outputs, inputs).
        """
    def evaluate(self, /, file: str | PathLike[str]) -> str:
        """
        The metrics against the signal in a file, as JSON.
        """
    def image_samples(self, /, values: Incomplete) -> Any:
        """
        The samples of a decoded image in its bit depth, shape (height, width, channels), from its
        values.
        """
    def image_values(self, /, size: tuple[SupportsIndex, SupportsIndex] | None, region: tuple[SupportsIndex, SupportsIndex, SupportsIndex, SupportsIndex] | None) -> Incomplete:
        """
        The values of a decoded image before clamping, shape (height, width, channels).
        """
    def info(self, /) -> str:
        """
        What is known about the model, as JSON.
        """
    @staticmethod
    def load(path: str | PathLike[str], threads: SupportsIndex | None = None, backend: str | None = None, device: SupportsIndex | None = None) -> Model:
        """
        Reads a model file, or the model of a run directory.
        """
    def mesh(self, /, resolution: SupportsIndex) -> tuple[Incomplete, Incomplete, Incomplete]:
        """
        The vertices, the faces and the normals of the surface of a shape.
        """
    def onnx(self, /) -> bytes:
        """
        The bytes of the model as an ONNX file.
        """
    def parameters(self, /) -> Incomplete:
        """
        The parameters of the network, in the order of its layers.
        """
    def save(self, /, path: str | PathLike[str]) -> None:
        """
        Writes the model file.
        """
    def values(self, /, points: Incomplete) -> Incomplete:
        """
        The values at coordinates, shape (n, inputs): shape (n, outputs).
        """
    def with_parameters(self, /, parameters: Incomplete) -> Model:
        """
        Makes a model of a network whose parameters are given in the order of its layers, weights
        (out, in) before biases, from the metadata of another model.
        """

@final
class Signal:
    """
    A signal that was made from an array.
    """
    @staticmethod
    def audio(samples: Incomplete, channels: SupportsIndex, rate: SupportsIndex) -> Signal:
        """
        Audio of samples, those of the channels interleaved.
        """
    @staticmethod
    def image_of_bytes(array: Incomplete) -> Signal:
        """
        An image of 8-bit samples, shape (height, width, channels).
        """
    @staticmethod
    def image_of_values(array: Incomplete) -> Signal:
        """
        An image of values on [-1, 1], shape (height, width, channels).
        """
    @staticmethod
    def image_of_words(array: Incomplete) -> Signal:
        """
        An image of 16-bit samples, shape (height, width, channels).
        """

def activations() -> list[Incomplete]:
    """
    The built-in activations.
    """

def definition(activation: str) -> Incomplete:
    """
    The formula of an activation and the values of its parameters.
    """

def devices() -> str:
    """
    The GPUs of the machine as JSON.
    """

def fit(settings: str, signal: Signal | None, out: str | PathLike[str] | None, overwrite: bool, threads: SupportsIndex | None, watch: Any | None) -> tuple[Model, str]:
    """
    Fits the file of `settings`, or `signal`, and returns the model and the report as JSON.

    With `out`, the fit writes a run directory. `watch` is called with a dictionary after each step; if
    it returns False, the fit ends and keeps the best weights.
    """

def function_gain(evaluate: Any, name: str, sigma_p: SupportsFloat | SupportsIndex, rounding: SupportsFloat | SupportsIndex) -> Incomplete:
    """
    The gain of a function that can only be evaluated: `evaluate` maps an array of points to the
    arrays of its values and, or None, of its derivatives, both in double precision.
    """

def gain(activation: str, sigma_p: str | None, method: str, samples: SupportsIndex, seed: SupportsIndex, signal: str) -> Incomplete:
    """
    The gain of an activation in its text form.
    """

def propagate(activation: str, init: str, sigma_p: str | None, distribution: str, depth: SupportsIndex, width: SupportsIndex, batch: SupportsIndex, seed: SupportsIndex, threads: SupportsIndex | None, coordinates: SupportsIndex | None) -> str:
    """
    The variances of a deep network at initialization, as JSON; also those of its derivatives by
    `coordinates` coordinates, if it is not None.
    """

def resume(directory: str | PathLike[str], changes: str, threads: SupportsIndex | None, watch: Any | None) -> tuple[Model, str]:
    """
    Resumes the run in `directory` with the settings of `changes`.
    """

def run_program(words: SupportsGetItem[int, str], program: str | PathLike[str]) -> int:
    """
    Runs the command line `words`, the first of which is the name of the program, and returns the exit
    code. `program` is the file that a sweep starts for its trials.
    """

def schemes() -> list[Incomplete]:
    """
    The initialization schemes.
    """

def solve(activation: str, fan_in: SupportsIndex, fan_out: SupportsIndex, signal: str) -> Incomplete:
    """
    The solutions of the backward condition.
    """
