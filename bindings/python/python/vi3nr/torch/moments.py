"""First and second moments of the values of a model at initialization."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from .._errors import RequestError
from .._formula import evaluator
from .._theory import Gain, gain
from .._torch_model import FUNCTIONS
from .formula import X, Expression, Untranslatable, add, compose, constant, evaluate, named
from .layers import mean_square
from .operations import Normalization
from .values import Base, Value


@dataclass(frozen=True)
class Moments:
    """E[v] and E[v²] over units, samples and initial weights."""

    mean: float
    second: float
    #: The second moment is known within this factor.
    factor: float = 1.0
    #: Why the moments are not known, if they are not.
    unknown: str | None = None
    #: Whether a measurement may replace moments that are not known.
    measurable: bool = True
    #: What was assumed.
    notes: tuple[str, ...] = ()

    @property
    def variance(self) -> float:
        return max(self.second - self.mean**2, 0.0)


def not_known(reason: str, measurable: bool = True) -> Moments:
    return Moments(math.nan, math.nan, math.inf, reason, measurable)


@lru_cache(maxsize=4096)
def gain_at(text: str, sigma_p: float | str | None) -> Gain:
    """The gain of an activation. A formula for which no bound can be proven is integrated as a
    function.

    Raises:
        RequestError: A moment is infinite.
    """
    try:
        return gain(text, sigma_p)
    except RequestError:
        if not isinstance(sigma_p, float):
            raise
        return gain(evaluator(text, FUNCTIONS), sigma_p)


@dataclass
class Propagation:
    """Computes moments. Those of the outputs of layers are set by the caller, in order."""

    #: The σ_p of activations that are given by name.
    sigma_p: float | str | None = "auto"
    of_layers: dict[Base, Moments] = field(default_factory=dict)
    _known: dict[Base, Moments] = field(default_factory=dict)

    def of(self, value: Value) -> Moments:
        """The moments of a value."""
        base, expression = self.of_base(value.base), value.expression
        if base.unknown is not None:
            return base
        if expression.affine is not None:
            a, b = expression.affine
            second = a * a * base.second + 2 * a * b * base.mean + b * b
            return replace(base, mean=a * base.mean + b, second=second)
        if value.base.kind == "input":
            return not_known(f"the distribution of {named(expression).text} of the model's input")
        if value.base.kind == "concatenation":
            return self._of_parts(value)
        found = self.gain_of(value)
        if isinstance(found, str):
            return not_known(found)
        notes = base.notes
        if value.base.kind not in ("layer", "normalization", "override", "part"):
            notes = (*notes, f"{value.base.name} is taken as normal")
        if found.method == "function":
            notes = (*notes, "its moments are estimates, since no bound can be proven")
        if expression.detached:
            notes = (*notes, "a part has no gradient, which the condition neglects")
        factor = base.factor ** abs(found.chi) if math.isfinite(found.chi) else base.factor
        return Moments(found.mean, found.second_moment, max(factor, 1.0), None, True, notes)

    def gain_of(self, value: Value) -> Gain | str:
        """The gain of the expression at the moments of its base, or why there is none."""
        base = self.of_base(value.base)
        if base.unknown is not None:
            return base.unknown
        sigma = math.sqrt(base.variance)
        try:
            expression = _shifted(value.expression, base.mean, sigma)
            return gain_at(expression.text, sigma)
        except (RequestError, Untranslatable) as error:
            return f"{named(value.expression).text}: {error}"

    def _of_parts(self, value: Value) -> Moments:
        """An elementwise function of a concatenation is one of each part."""
        try:
            parts = tuple(
                replace(part, expression=compose(value.expression, part.expression))
                for part in value.base.operands
            )
        except Untranslatable as error:
            return not_known(str(error))
        return self._concatenated(value.base, parts)

    def of_base(self, base: Base) -> Moments:
        """The moments of a base."""
        if base.kind == "layer":
            return self.of_layers.get(base, not_known(f"the output of {base.name}"))
        if base not in self._known:
            self._known[base] = self._computed(base)
        return self._known[base]

    def _computed(self, base: Base) -> Moments:
        if base.kind == "input":
            return _of_input(base)
        if base.kind == "tensor":
            data: torch.Tensor = base.data.detach()
            if data.is_complex() or data.numel() == 0:
                return not_known(f"{base.name} is not a tensor of real numbers", False)
            return Moments(float(data.double().mean()), mean_square(data))
        if base.kind == "override":
            sigma = gain_at(base.data.text, self.sigma_p).sigma_p
            return Moments(0.0, sigma**2)
        if base.kind == "unknown":
            tainted = any(not self.of(operand).measurable for operand in base.operands)
            measurable = base.measurable and not tainted
            return not_known(f"{base.name} is not understood", measurable)
        if base.kind == "normalization":
            return self._normalized(base)
        if base.kind == "concatenation":
            return self._concatenated(base, base.operands)
        operands = [self.of(operand) for operand in base.operands]
        unknown = [each for each in operands if each.unknown is not None]
        if unknown:
            measurable = all(each.measurable for each in unknown)
            return replace(unknown[0], measurable=measurable)
        if base.kind == "maximum":
            return _maximum(base, operands[0], self.of_base(base.operands[0].base))
        return _COMBINED[base.kind](base, operands)

    def _normalized(self, base: Base) -> Moments:
        made: Normalization = base.data
        before = self.of(base.operands[0])
        gamma, beta = made.weight, made.bias
        scale = 1.0 if gamma is None else mean_square(gamma)
        shift = 0.0 if beta is None else mean_square(beta)
        middle = 0.0 if beta is None else float(beta.detach().double().mean())
        if made.running is not None:
            if before.unknown is not None:
                return before
            mean, variance = (float(each.double().mean()) for each in made.running)
            second = (before.second - 2 * mean * before.mean + mean**2) / variance
            return Moments(middle, scale * second + shift, before.factor, notes=before.notes)
        if made.centers:
            return Moments(middle, scale + shift)
        ratio = 0.0
        if before.unknown is None and before.second > 0:
            ratio = before.mean / math.sqrt(before.second)
        weight = 1.0 if gamma is None else float(gamma.detach().double().mean())
        return Moments(weight * ratio + middle, scale + shift)

    def _concatenated(self, base: Base, parts: tuple[Value, ...]) -> Moments:
        moments = [self.of(part) for part in parts]
        for each in moments:
            if each.unknown is not None:
                return each
        counts: list[Any] = [part.base.channels for part in parts]
        same = all(math.isclose(m.second, moments[0].second, rel_tol=1e-9) for m in moments)
        if None in counts:
            missing = [index for index, count in enumerate(counts) if count is None]
            rest = (base.channels or 0) - sum(count or 0 for count in counts)
            if len(missing) == 1 and rest > 0:
                counts[missing[0]] = rest
            elif same:
                counts = [1] * len(parts)
            else:
                return not_known("the share of each part of a concatenation is not known")
        total = sum(counts)
        mean = sum(count * m.mean for count, m in zip(counts, moments, strict=True)) / total
        second = sum(count * m.second for count, m in zip(counts, moments, strict=True)) / total
        notes = tuple(dict.fromkeys(note for m in moments for note in m.notes))
        return Moments(mean, second, max(m.factor for m in moments), notes=notes)


def _shifted(expression: Expression, mean: float, sigma: float) -> Expression:
    if abs(mean) <= 1e-9 * sigma:
        return named(expression)
    return compose(expression, add(X, constant(mean)))


def _of_input(base: Base) -> Moments:
    """Coordinates uniform on [-1, 1] where the first layer is linear with at most 4 inputs, and
    otherwise standardized inputs."""
    if _few_coordinates(base):
        note = "the input is taken as coordinates uniform on [-1, 1], E[x²] = 1/3"
        return Moments(0.0, 1 / 3, notes=(note,))
    return Moments(0.0, 1.0, notes=("the input is taken as standardized, E[x²] = 1",))


def _few_coordinates(base: Base) -> bool:
    for _, user in base.uses:
        if user.kind == "layer" and user.layer is not None:
            module = user.layer.module
            is_linear = module is None or isinstance(module, nn.Linear)
            if is_linear and user.layer.in_channels <= 4:
                return True
        elif user.kind == "part" and _few_coordinates(user):
            return True
    return False


def _sum(base: Base, operands: list[Moments]) -> Moments:
    signs = base.data
    mean = sum(sign * m.mean for sign, m in zip(signs, operands, strict=True))
    second = sum(m.variance for m in operands) + mean**2
    notes = _notes(operands, "the terms of a sum are taken as uncorrelated")
    return Moments(mean, second, max(m.factor for m in operands), notes=notes)


def _product(base: Base, operands: list[Moments]) -> Moments:
    mean = math.prod(m.mean for m in operands)
    second = math.prod(m.second for m in operands)
    notes = _notes(operands, "the factors of a product are taken as independent")
    return Moments(mean, second, math.prod(m.factor for m in operands), notes=notes)


def _dropout(base: Base, operands: list[Moments]) -> Moments:
    (before,) = operands
    if base.data >= 1:
        return not_known("dropout removes everything", False)
    note = f"the model is in training mode: dropout multiplies E[x²] by 1/(1 - {base.data:g})"
    return replace(before, second=before.second / (1 - base.data), notes=(*before.notes, note))


def _between(before: Moments, low: float, high: float, mean: float, what: str) -> Moments:
    """A second moment within bounds, taken as their geometric mean."""
    if not low > 0.01 * high:
        return not_known(f"{what}: E[x²] depends on how neighbors are correlated")
    second = math.sqrt(low * high)
    factor = math.sqrt(high / low)
    note = f"{what}: E[x²] is between {low:.3g} and {high:.3g}"
    return Moments(mean, second, before.factor * factor, notes=(*before.notes, note))


def _average(base: Base, operands: list[Moments]) -> Moments:
    (before,) = operands
    share = 0.0 if base.data is None else 1 / base.data
    low = before.mean**2 + before.variance * share
    return _between(before, low, before.second, before.mean, f"average {base.name}")


def _maximum(base: Base, before: Moments, inner: Moments) -> Moments:
    if base.data is None:
        return not_known(f"maximum {base.name} over a window of unknown size")
    value = base.operands[0]
    # The values at the quantiles of a standard normal variable, and the weights of the largest of
    # independent ones.
    count = 20_000
    shares = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    quantiles = torch.special.ndtri(shares)
    if value.expression.affine is not None:
        values: torch.Tensor | None = before.mean + math.sqrt(before.variance) * quantiles
    else:
        points = inner.mean + math.sqrt(inner.variance) * quantiles
        values = evaluate(value.expression, points)
    if values is None:
        return not_known(f"maximum {base.name} of {value.expression.text}")
    edges = (torch.arange(count + 1, dtype=torch.float64) / count) ** base.data
    ordered, weights = values.sort().values, edges.diff()
    mean, second = float((ordered * weights).sum()), float((ordered.square() * weights).sum())
    low, high = sorted((before.second, second))
    return _between(before, low, high, (before.mean + mean) / 2, f"maximum {base.name}")


_COMBINED: dict[str, Callable[[Base, list[Moments]], Moments]] = {
    "sum": _sum,
    "product": _product,
    "dropout": _dropout,
    "average": _average,
    "part": lambda base, operands: operands[0],
    "output": lambda base, operands: operands[0],
}


def _notes(operands: list[Moments], note: str) -> tuple[str, ...]:
    return (*dict.fromkeys(each for m in operands for each in m.notes), note)
