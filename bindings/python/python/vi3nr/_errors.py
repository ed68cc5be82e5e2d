"""The exceptions of this package. Each is also the builtin exception that fits it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from ._model import Model


class Error(Exception):
    """The base of all exceptions of this package."""

    #: The model with the best weights before the exception, if a fit had begun.
    model: Model | None = None


class RequestError(Error, ValueError):
    """An argument is out of range, contradicts another one, or cannot be understood."""


class FileError(Error, OSError):
    """A file cannot be read or written, or is damaged or of an unsupported kind."""

    def __str__(self) -> str:
        return " ".join(str(part) for part in self.args)


class DivergenceError(Error, ArithmeticError):
    """The loss is no longer a finite number. ``model`` has the best weights before that."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C ended a fit. ``model`` has the best weights so far.

    It is a :class:`KeyboardInterrupt`, so that ``except Exception`` does not catch it.
    """

    def __init__(self, model: Model) -> None:
        super().__init__("the fit was interrupted; the attribute model has the best weights so far")
        self.model = model


@overload
def whole(name: str, value: int, *, least: int = 1, most: int = 2**32 - 1) -> int: ...
@overload
def whole(name: str, value: int | None, *, least: int = 1, most: int = 2**32 - 1) -> int | None: ...
def whole(
    name: str, value: int | None, *, least: int = 1, most: int = 2**32 - 1
) -> int | None:
    """``value`` as a whole number from ``least`` to ``most``; None remains None.

    Raises:
        RequestError: It is not one.
    """
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        raise RequestError(f"{name}: {value!r}; expected a whole number from {least} to {most}")
    return number
