"""What was done to each layer of a model, and what was measured."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator
from dataclasses import dataclass

from .._errors import Error

_TITLES = (
    "layer",
    "kind",
    "fed by",
    "fan-in",
    "gain",
    "std",
    "bound",
    "sigma_p",
    "predicted",
    "measured",
    "gradient",
    "condition",
    "chi",
)


class UnhealthyError(Error, AssertionError):
    """A model does not keep its variances at initialization."""


@dataclass(frozen=True)
class LayerReport:
    """One layer. A number is None where it does not apply or is not known."""

    #: The name of the module, or of the weight where a function uses it.
    name: str
    #: The class of the module or the name of the function.
    kind: str
    #: The shape of the weight.
    shape: tuple[int, ...]
    #: The activation that feeds the layer, as text; ``input`` or another source in words.
    fed_by: str
    #: The modules and operations from the source to the layer.
    path: tuple[str, ...]
    #: The number of inputs that each output sums.
    fan_in: float
    #: The standard deviation times √fan-in.
    gain: float | None
    #: The standard deviation of the weights.
    std: float | None
    #: The largest absolute value of the weights, if the distribution has one.
    bound: float | None
    #: The standard deviation of the outputs that was aimed at.
    sigma_p: float | None
    #: E[z²] of the outputs z that follows from the weights.
    predicted_variance: float | None
    #: E[z²] of the outputs, measured on ``inputs``.
    measured_variance: float | None
    #: E[(∂L/∂z)²] of the outputs, measured on ``inputs``, for a loss L whose gradient with respect to
    #: each output of the model is a random number from N(0, 1).
    measured_gradient: float | None
    #: The left side of Eq. (13) for the activation that feeds the layer, for equal widths: the factor
    #: by which it multiplies the variance of the gradient.
    condition: float | None
    #: The factor by which the layer multiplies a small error in the variance.
    chi: float | None
    #: Why the weights were left as they are; None if they were set.
    untouched: str | None
    #: What was assumed.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, repr=False)
class Report:
    """The result of :func:`vi3nr.torch.init_`. Printed, it is a table with a row for each layer."""

    layers: tuple[LayerReport, ...]
    #: How the operations of the model were found: ``torch.fx``, ``one run`` or ``registration
    #: order``.
    how: str
    scheme: str
    distribution: str
    #: Whether the weights were restored.
    dry_run: bool
    #: The names of all parameters that were left as they are.
    untouched_parameters: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[LayerReport]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, name: str | int) -> LayerReport:
        """The layer of a name, or of a position."""
        if isinstance(name, int):
            return self.layers[name]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    def assert_healthy(self, *, tolerance: float = 0.5, gradient_ratio: float = 1e3) -> None:
        """Raises if the signal or the gradient does not keep its scale.

        Measured variances are checked where there are any, otherwise predicted ones.

        Args:
            tolerance: The largest relative difference between E[z²] of a layer that was set and its
                σ_p².
            gradient_ratio: The largest ratio of E[(∂L/∂z)²] between two layers.

        Raises:
            UnhealthyError: A layer exceeds one of the limits.
        """
        for layer in self.layers:
            measured = layer.measured_variance is not None
            variance = layer.measured_variance if measured else layer.predicted_variance
            if variance is not None and not math.isfinite(variance):
                raise UnhealthyError(f"'{layer.name}': E[z^2] of its outputs is {variance}")
            if layer.untouched is not None or variance is None or not layer.sigma_p:
                continue
            target = layer.sigma_p**2
            if abs(variance / target - 1) > tolerance:
                raise UnhealthyError(
                    f"'{layer.name}': E[z^2] of its outputs is "
                    f"{'measured' if measured else 'predicted'} as {variance:.4g}, "
                    f"{variance / target:.3g} times sigma_p^2 = {target:.4g}; the tolerance is "
                    f"{tolerance:g}"
                )
        self._assert_gradients(gradient_ratio)

    def _assert_gradients(self, limit: float) -> None:
        found = [(r.measured_gradient, r.name) for r in self.layers if r.measured_gradient is not None]
        if not found:
            return
        for gradient, name in found:
            if not math.isfinite(gradient):
                raise UnhealthyError(f"'{name}': E[g^2] of its gradients is {gradient}")
        smallest, largest = min(found), max(found)
        if largest[0] > limit * smallest[0]:
            raise UnhealthyError(
                f"E[g^2] of the gradients is {largest[0]:.3g} at '{largest[1]}' and "
                f"{smallest[0]:.3g} at '{smallest[1]}'; the largest ratio allowed is {limit:g}"
            )

    def rows(self) -> list[tuple[str, ...]]:
        """The cells of the table, without its titles."""
        return [_cells(layer) for layer in self.layers]

    def remarks(self) -> list[str]:
        """Everything that is not in the table, as sentences."""
        lines = [f"{r.name} is left as it is: {r.untouched}." for r in self.layers if r.untouched]
        for note in dict.fromkeys(note for layer in self.layers for note in layer.notes):
            names = [layer.name for layer in self.layers if note in layer.notes]
            shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
            lines.append(f"{shown}: {note}.")
        lines += [f"{note}." for note in self.notes]
        if self.untouched_parameters:
            lines.append(f"Left as they are: {', '.join(self.untouched_parameters)}.")
        return lines

    def __str__(self) -> str:
        rows = [_TITLES, *self.rows()]
        used = [i for i, title in enumerate(_TITLES) if i < 3 or any(row[i] for row in rows[1:])]
        widths = {i: max(len(row[i]) for row in rows) for i in used}
        text = "\n".join(
            "  ".join(
                row[i].ljust(widths[i]) if i < 3 else row[i].rjust(widths[i]) for i in used
            ).rstrip()
            for row in rows
        )
        head = f"{self.scheme}, {self.distribution}; operations found by {self.how}"
        if self.dry_run:
            head += "; a dry run: the model is unchanged"
        return "\n".join([head, text, *self.remarks()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        def row(cells: tuple[str, ...], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(c)}</{tag}>" for c in cells) + "</tr>"

        body = "".join(row(cells, "td") for cells in self.rows())
        remarks = "".join(f"<li>{html.escape(line)}</li>" for line in self.remarks())
        return (
            f"<p>{html.escape(self.scheme)}, {html.escape(self.distribution)}; operations found by "
            f"{html.escape(self.how)}{'; dry run' if self.dry_run else ''}</p>"
            f"<table>{row(_TITLES, 'th')}{body}</table><ul>{remarks}</ul>"
        )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cells(layer: LayerReport) -> tuple[str, ...]:
    source = layer.fed_by if len(layer.fed_by) <= 40 else layer.fed_by[:37] + "..."
    return (
        layer.name,
        layer.kind,
        source,
        _number(layer.fan_in),
        _number(layer.gain),
        "as it is" if layer.untouched else _number(layer.std),
        _number(layer.bound),
        "" if layer.untouched else _number(layer.sigma_p),
        _number(layer.predicted_variance),
        _number(layer.measured_variance),
        _number(layer.measured_gradient),
        _number(layer.condition),
        _number(layer.chi),
    )
