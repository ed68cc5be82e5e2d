"""Layers and activations of popular coordinate networks, recognized by their attributes.

Symbolic tracing needs none of this. It is for models that cannot be traced.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from .._known import form_of
from .formula import Expression, from_form, from_text

_FREQUENCIES = ("omega_0", "omega", "w0", "w_0")
_WIDTHS = ("sigma", "a", "s", "scale")


def _scalar(module: nn.Module, names: tuple[str, ...]) -> float | None:
    for name in names:
        value: Any = getattr(module, name, None)
        if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.is_complex():
            value = float(value.detach())
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    return None


def known_activation(module: nn.Module) -> Expression | None:
    """The activation of a module, or of a layer together with its activation.

    - SIREN's ``SineLayer`` (``linear``, ``omega_0``) and siren-pytorch's ``Sine`` (``w0``);
    - modules named ``Gaussian…`` with ``sigma`` or ``a``;
    - FINER's layers (``linear``, ``omega_0``, named ``Finer…``).

    The formula is checked against the values of the module, so that a module that only looks like
    one of these is not taken for it.
    """
    form = form_of(module)
    if form is not None:
        return from_form(form)
    name = type(module).__name__.lower()
    frequency, width = _scalar(module, _FREQUENCIES), _scalar(module, _WIDTHS)
    candidates: list[str] = []
    if frequency is not None and ("sine" in name or "siren" in name or "finer" in name):
        candidates += [f"sine:omega={frequency!r}", f"finer:omega={frequency!r}"]
    if width is not None and "gauss" in name:
        candidates += [f"gaussian:sigma={width!r}", f"exp(-({width!r}*x)^2)"]
    for text in candidates:
        if _agrees(module, from_text(text)):
            return from_text(text)
    return None


def _agrees(module: nn.Module, expression: Expression) -> bool:
    from .formula import evaluate

    inner = [child for child in module.children() if isinstance(child, nn.Linear)]
    layer = inner[0] if len(inner) == 1 else None
    like = layer.weight if layer is not None else torch.empty(0)
    size = layer.in_features if layer is not None else 16
    points = torch.linspace(-0.9, 1.1, 4 * size, dtype=like.dtype, device=like.device)
    points = points.view(4, size)
    try:
        with torch.no_grad():
            values = module(points)
            before = layer(points) if layer is not None else points
    except Exception:  # whatever the module of a user raises
        return False
    known = evaluate(expression, before.double())
    if not isinstance(values, torch.Tensor) or known is None or values.shape != known.shape:
        return False
    return torch.allclose(values.double(), known, rtol=1e-3, atol=1e-4)


def norm_kind(module: nn.Module) -> str | None:
    """``layer`` or ``rms`` for a user's own normalization layer, checked on random values."""
    name = type(module).__name__.lower()
    kind = "rms" if "rmsnorm" in name else "layer" if "layernorm" in name else None
    weight = getattr(module, "weight", None)
    if kind is None or not isinstance(weight, torch.Tensor) or weight.is_meta or weight.ndim != 1:
        return None
    size = weight.numel()
    generator = torch.Generator().manual_seed(0)
    for shape in ((64, size), (4, size, 4, 4)):
        x = 3.0 * torch.randn(shape, generator=generator).to(weight.device, weight.dtype)
        try:
            with torch.no_grad():
                values = module(x)
        except Exception:  # whatever the module of a user raises
            continue
        bias = getattr(module, "bias", None)
        expected = weight.detach().double().square().mean()
        if isinstance(bias, torch.Tensor):
            expected = expected + bias.detach().double().square().mean()
        measured = values.double().square().mean()
        if values.shape == x.shape and bool(torch.isclose(measured, expected, rtol=0.02)):
            return kind
    return None
