"""The standard deviation of the weights of each layer."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

from .._errors import RequestError
from .._theory import Gain
from .analysis import Analysis
from .formula import Expression, named
from .layers import Layer
from .moments import Moments, Propagation, gain_at, not_known
from .values import Base, Value, follower, obstacle

SCHEMES = ("vi3nr", "backward", "eoc", "siren", "xavier", "kaiming", "kaiming_out")

#: Standard deviations for several uses of the same layer may differ by this part.
_SAME = 0.01


@dataclass(frozen=True)
class Settings:
    sigma_p: float | str | None
    #: The same for layers that are fed by the input of the model, if it differs.
    first_sigma_p: float | str | None
    scheme: str
    distribution: str
    #: ``scheme`` for the biases that the scheme determines.
    bias: float | str
    first_bias: float | str | None
    allow: Collection[str]

    def bias_of(self, choice: Choice) -> float | str:
        """How the biases of a layer are set."""
        if choice.is_first and self.first_bias is not None:
            return self.first_bias
        return self.bias


@dataclass
class Choice:
    """What is decided for a layer."""

    layer: Layer
    #: The standard deviation of its weights; None if they are left as they are.
    std: float | None
    #: The standard deviation of its outputs that is aimed at.
    sigma_p: float | None
    #: The variance of its outputs that follows.
    variance: float | None
    #: What feeds it: the activation and its path.
    fed_by: str
    path: tuple[str, ...]
    gain: Gain | None
    #: E[x²] of its inputs.
    second_moment: float | None
    #: Whether it is fed by the input of the model.
    is_first: bool
    notes: tuple[str, ...] = ()
    #: Why the weights are left as they are.
    reason: str | None = None
    #: The variance of the biases that the scheme determines.
    bias_variance: float = 0.0


@dataclass
class Plan:
    choices: dict[Layer, Choice] = field(default_factory=dict)
    #: Layers whose input has to be measured before theirs and later choices can be made.
    pending: list[Layer] = field(default_factory=list)


def make_plan(
    analysis: Analysis, settings: Settings, measured: dict[Layer, float], can_measure: bool
) -> Plan:
    """Decides about all layers in the order of their use.

    Args:
        analysis: The layers and what feeds them.
        settings: The arguments of ``init_``.
        measured: E[x²] of the inputs of layers that were measured.
        can_measure: Whether more can be measured.
    """
    return _Planner(analysis, settings, measured, can_measure).plan()


class _Planner:
    def __init__(
        self,
        analysis: Analysis,
        settings: Settings,
        measured: dict[Layer, float],
        can_measure: bool,
    ) -> None:
        self._analysis, self._settings = analysis, settings
        self._measured, self._can_measure = measured, can_measure
        self._moments = Propagation(settings.sigma_p)
        self._plan = Plan()
        #: Whether a layer earlier in the order is pending, so that its outputs are not known yet.
        self._waiting: set[Base] = set()

    def plan(self) -> Plan:
        for base in self._analysis.bases:
            if base.kind == "layer" and base.layer is not None:
                self._decide(base, base.layer)
        return self._plan

    def _decide(self, base: Base, layer: Layer) -> None:
        value = base.operands[0]
        before = self._moments.of(value)
        earlier = self._plan.choices.get(layer)
        if earlier is None:
            earlier = self._plan.choices[layer] = self._choice(base, layer, value, before)
        elif earlier.std is not None and before.unknown is None:
            self._compare(earlier, base, layer, before)
        self._moments.of_layers[base] = self._output(earlier, layer, before, base)

    def _choice(self, base: Base, layer: Layer, value: Value, before: Moments) -> Choice:
        sigma, notes = self._sigma(base)
        fed_by = source_of(value)
        source: Gain | str | None = None
        if value.expression.affine is None and value.base.kind != "concatenation":
            source = self._moments.gain_of(value)
        choice = Choice(
            layer,
            None,
            sigma,
            None,
            fed_by,
            path_of(value),
            source if isinstance(source, Gain) else None,
            None if before.unknown else before.second,
            value.base.kind == "input",
            (*before.notes, *notes),
        )
        choice.reason = self._reason(base, layer)
        if choice.reason is not None:
            return choice
        second = self._second_moment(layer, value, before, choice)
        if second is None or choice.reason is not None:
            return choice
        choice.second_moment = second
        try:
            choice.std = self._std(choice, layer, second)
        except RequestError as error:
            raise RequestError(f"'{layer.name}': {error}") from None
        if choice.std is not None and not 0 < choice.std < math.inf:
            choice.std, choice.reason = None, f"its inputs have E[x²] = {second:g}"
        return choice

    def _second_moment(
        self, layer: Layer, value: Value, before: Moments, choice: Choice
    ) -> float | None:
        """E[x²] of the input of a layer: measured where the prediction is uncertain."""
        if layer in self._measured:
            choice.notes = (*_without_estimates(choice.notes), "E[x²] of its input is measured")
            return self._measured[layer]
        uncertain = before.unknown is not None or before.factor > 1.05 or value.base.kind == "input"
        if uncertain and before.measurable and self._can_measure:
            if before.unknown is not None and self._follows_pending(value.base, set()):
                choice.reason = "waiting"
            else:
                self._plan.pending.append(layer)
                choice.reason = "pending"
            return None
        if before.unknown is not None:
            choice.reason = before.unknown
            if before.measurable:
                choice.reason += "; pass inputs=... to measure it, or activations={'" + (
                    f"{layer.name}': ...}}"
                )
            return None
        if before.factor > 1.05:
            choice.notes += (f"predicted within a factor of {before.factor:.2g}",)
        return before.second

    def _follows_pending(self, base: Base, seen: set[int]) -> bool:
        """Whether the moments of a base are unknown only because an earlier layer is pending."""
        if id(base) in seen:
            return False
        seen.add(id(base))
        if base.kind == "layer" and base.layer is not None:
            choice = self._plan.choices.get(base.layer)
            if choice is not None and choice.reason in ("pending", "waiting"):
                return True
            if choice is not None and choice.std is not None:
                return False
        return any(self._follows_pending(operand.base, seen) for operand in base.operands)

    def _reason(self, base: Base, layer: Layer) -> str | None:
        if layer.excluded is not None:
            return layer.excluded
        for use in self._analysis.uses[layer]:
            found = obstacle(use)
            if found is not None:
                return f"its output goes to {found.name}, which is not understood"
        return None

    def _sigma(self, base: Base) -> tuple[float | None, tuple[str, ...]]:
        """The target of a layer: the σ_p of the activation that follows it, otherwise that of the
        layer before."""
        wanted = self._settings.sigma_p
        if base.operands[0].base.kind == "input" and self._settings.first_sigma_p is not None:
            wanted = self._settings.first_sigma_p
        if isinstance(wanted, float):
            return wanted, ()
        found: list[Expression] = []
        for use in self._analysis.uses[base.layer] if base.layer else [base]:
            found += follower(use)
        texts = list(dict.fromkeys(named(each).text for each in found))
        for text in texts:
            try:
                sigma = gain_at(text, wanted).sigma_p
            except RequestError:
                continue
            others = [f"it is followed by {' and '.join(texts)}"] if len(texts) > 1 else []
            return sigma, tuple(others)
        previous = self._previous_sigma(base, set())
        notes = (f"the sigma_p of {texts[0]} is not known",) if texts else ()
        return (1.0 if previous is None else previous), notes

    def _previous_sigma(self, base: Base, seen: set[int]) -> float | None:
        for operand in base.operands:
            inner = operand.base
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            if inner.kind == "layer" and inner.layer in self._plan.choices:
                return self._plan.choices[inner.layer].sigma_p
            if inner.kind == "override":
                return gain_at(inner.data.text, self._settings.sigma_p).sigma_p
            found = self._previous_sigma(inner, seen)
            if found is not None:
                return found
        return None

    def _std(self, choice: Choice, layer: Layer, second: float) -> float | None:
        scheme, fan_in, fan_out = self._settings.scheme, layer.fan_in, layer.fan_out
        if scheme == "xavier":
            return math.sqrt(2 / (fan_in + fan_out))
        if scheme == "kaiming":
            return math.sqrt(2 / fan_in)
        if scheme == "kaiming_out":
            return math.sqrt(2 / fan_out)
        if scheme == "siren":
            return _siren(choice, fan_in)
        if scheme == "backward" and choice.gain is not None:
            return 1 / math.sqrt(fan_out * choice.gain.derivative_second_moment)
        if scheme == "eoc" and choice.gain is not None:
            return self._edge_of_chaos(choice, layer, second)
        assert choice.sigma_p is not None
        return choice.sigma_p / math.sqrt(fan_in * second)

    def _edge_of_chaos(self, choice: Choice, layer: Layer, second: float) -> float:
        """Weights that keep the variance of gradients at the σ_p of the activation before the layer,
        and biases with the variance that is then missing."""
        assert choice.gain is not None and choice.sigma_p is not None
        at = self._settings.sigma_p
        gain = choice.gain
        if self._settings.first_sigma_p is not None:
            # The layer before may have another σ_p.
            gain = gain_at(gain.activation, at)
        if gain.condition < 1 - 1e-9:
            raise RequestError(
                f"scheme: 'eoc' needs cond >= 1 for its biases, but the condition of Eq. (13) is "
                f"{gain.condition:.6g} for {gain.activation} at sigma_p = {gain.sigma_p:.6g}"
            )
        if self._settings.bias == "scheme" and layer.bias is None:
            raise RequestError("scheme: 'eoc' needs biases, but the layer has none")
        weights = 1 / gain.derivative_second_moment
        if choice.std is None:
            choice.bias_variance = max(0.0, choice.sigma_p**2 - weights * second)
        return math.sqrt(weights / layer.fan_in)

    def _compare(self, choice: Choice, base: Base, layer: Layer, before: Moments) -> None:
        """Another use of the same layer, which has the same weights."""
        if choice.std is None or layer in self._measured:
            return
        other = self._std(choice, layer, before.second)
        if other is None or math.isclose(other, choice.std, rel_tol=_SAME):
            return
        if "tied" in self._settings.allow:
            choice.notes += ("it is used several times; initialized for its first use",)
        else:
            choice.reason = (
                "it is used several times, for inputs of different second moments; pass "
                "allow=('tied',) to initialize it for its first use"
            )
            choice.std = None

    def _output(self, choice: Choice, layer: Layer, before: Moments, base: Base) -> Moments:
        second = choice.second_moment if choice.std is not None else before.second
        if choice.reason in ("pending", "waiting"):
            return not_known(f"the output of {base.name}")
        if choice.std is None:
            if before.unknown is not None:
                return before
            variance = before.second * layer.predicted_gain() + layer.bias_variance()
            factor = before.factor
        else:
            assert second is not None
            variance = layer.fan_in * choice.std**2 * second
            if self._settings.scheme == "vi3nr" and choice.sigma_p is not None:
                variance = choice.sigma_p**2
            variance += self._bias_variance(choice, layer)
            # The weights are scaled by the first use.
            if before.unknown is None and layer not in self._measured:
                variance *= before.second / second if second else 1.0
            factor = before.factor if layer not in self._measured else 1.0
        if choice.variance is None:
            choice.variance = variance
        return Moments(0.0, variance, max(factor, 1.0) if math.isfinite(factor) else 1.0)

    def _bias_variance(self, choice: Choice, layer: Layer) -> float:
        if layer.bias is None:
            return 0.0
        how = self._settings.bias_of(choice)
        if how == "keep":
            return layer.bias_variance()
        if how == "scheme":
            return choice.bias_variance
        return bias_bound(how, layer) ** 2 / 3


def source_of(value: Value) -> str:
    """What a value is, for a report."""
    base = value.base
    if base.kind == "unknown":
        inner = "" if value.expression.is_identity else f"{named(value.expression).text} of "
        return inner + base.name
    if value.expression.affine is None or base.kind == "override":
        return named(value.expression).text
    if base.kind in ("maximum", "average", "dropout", "part"):
        return f"{source_of(base.operands[0])}, {base.kind}"
    if base.kind == "normalization":
        return f"normalization {base.name}"
    return "input" if base.kind == "input" else base.name


def path_of(value: Value) -> tuple[str, ...]:
    """The modules and operations since the layer before, or since several values met."""
    base = value.base
    if base.kind in ("maximum", "average", "dropout", "normalization"):
        return (*path_of(base.operands[0]), base.name.strip("'"), *value.path)
    return value.path


def bias_bound(how: float | str, layer: Layer) -> float:
    """The largest absolute value of the initial biases."""
    if isinstance(how, str):
        return 1 / math.sqrt(layer.fan_in) if how == "torch" else 0.0
    return float(how)


def _without_estimates(notes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(note for note in notes if "E[x²]" not in note or "dropout" in note)


def _siren(choice: Choice, fan_in: float) -> float:
    """The published initialization: ±1/fan-in in the first layer, ±√(6/fan-in)/ω in the others."""
    if choice.is_first:
        return 1 / (math.sqrt(3.0) * fan_in)
    kind, _, parameter = choice.fed_by.partition(":omega=")
    if kind != "sine":
        raise RequestError(
            f"scheme: 'siren' is for sin(omega*x), but the layer is fed by {choice.fed_by}"
        )
    return math.sqrt(2 / fan_in) / float(parameter)
