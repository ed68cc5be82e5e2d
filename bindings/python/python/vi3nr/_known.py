"""Modules and functions of PyTorch and JAX whose exact form is known."""

from __future__ import annotations

from typing import Any


def activation_of(activation: Any) -> str | None:
    """The text form of a known module or function; None if it is not known."""
    return activation if isinstance(activation, str) else None
