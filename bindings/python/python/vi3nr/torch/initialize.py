"""Initial weights for a whole model."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any, Literal

import torch
from torch import nn

from .._errors import RequestError
from .._known import activation_of
from .._theory import Activation, SigmaP
from .analysis import Analysis, analyze
from .graph import graphs_of, unwrapped
from .layers import (
    Layer,
    refuse_parametrized,
    refuse_tied,
    refuse_unmaterialized,
    set_weight,
)
from .measure import Inputs, as_inputs, input_moments, preserved, variances
from .moments import gain_at
from .plan import SCHEMES, Choice, Plan, Settings, bias_bound, make_plan
from .report import LayerReport, Report
from .tensors import Distribution, bound_of, check_distribution, draw

_ALLOWED = ("tied", "parametrized")


def init_(
    model: nn.Module,
    *,
    sigma_p: SigmaP | None = "auto",
    first_sigma_p: SigmaP | None = None,
    inputs: Any = None,
    scheme: Literal[
        "vi3nr", "backward", "eoc", "siren", "xavier", "kaiming", "kaiming_out"
    ] = "vi3nr",
    distribution: Distribution = "uniform",
    bias: Literal["scheme", "zero", "keep", "torch"] | float = "scheme",
    first_bias: Literal["scheme", "zero", "keep", "torch"] | float | None = None,
    activations: Mapping[str, Activation] | None = None,
    generator: torch.Generator | None = None,
    dry_run: bool = False,
    allow: Collection[Literal["tied", "parametrized"]] = (),
) -> Report:
    r"""Initializes the linear and convolutional layers of a model for its own activations.

    A layer i that is fed by the activation :math:`f_{i-1}` gets weights with mean 0 and

    .. math::
        \operatorname{Var}(w_i) = \frac{\sigma_i^2}{\text{fan\_in}_i \, \mathbb{E}[f_{i-1}(z)^2]},
        \qquad z \sim \mathcal{N}(0, \sigma_{i-1}^2)

    where :math:`\sigma_i` is ``sigma_p`` of the activation that follows the layer. The last layer has
    that of the layer before. A layer that is fed by the input x has :math:`\mathbb{E}[x^2]` in place
    of the expectation: measured on ``inputs``, otherwise 1/3 (coordinates uniform on [-1, 1]) for
    linear layers with at most 4 inputs and 1 for others.

    The activations are found in the operations of the model, by ``torch.fx``, otherwise in one run on
    ``inputs``, otherwise from the order in which modules were registered; the report names the way.
    Chains of elementwise operations, such as ``torch.exp(-0.5 * x**2 / self.a**2)``, become formulas.
    Sums, products, concatenations, normalization, pooling and dropout are followed with the
    assumptions that the report lists. A layer whose input is not understood is measured if there are
    ``inputs``, and otherwise left as it is, with the reason in the report. So are layers next to
    attention.

    Args:
        model: The model. Its training mode decides about dropout and batch normalization.
        sigma_p: The standard deviation of the preactivations: a number, ``"auto"`` for the smallest
            root of Eq. (13) of each activation (or the library's choice if there is none), a multiple
            such as ``"2*auto"``, or None for that of a fit of an image.
        first_sigma_p: The same for layers that are fed by the input, if it differs. In coordinate
            networks it sets the frequencies of the first layer; SIREN's published initialization has
            ``"7*auto"`` there.
        inputs: One batch: a tensor, a tuple of arguments or a dictionary of named ones.
        scheme: ``vi3nr`` as above; ``backward`` keeps the variance of gradients instead; ``eoc`` (edge
            of chaos) keeps both, by weights of the variance 1/(fan_in E[f'²]) and normal biases of the
            variance σ_i² - E[f²]/E[f'²], where the condition of Eq. (13) is at least 1; ``siren``,
            ``xavier``, ``kaiming`` and ``kaiming_out`` are for comparison.
        distribution: ``uniform``, ``normal``, ``truncated_normal`` (at two standard deviations) or
            ``orthogonal``, each with the same variance.
        bias: ``scheme`` (normal for ``eoc``, 0 for the others), ``zero``, ``keep``, ``torch`` (uniform within 1/√fan_in) or a number b (uniform within
            ±b).
        first_bias: The same for layers that are fed by the input, if it differs, as in FINER.
        activations: Activations by the name of an activation module, or of the layer that it feeds:
            ``{"net.3": "sine:omega=30"}``.
        generator: The generator of random numbers, on the CPU or on the device of the model.
        dry_run: Computes the report and leaves the model as it is.
        allow: ``tied`` initializes a weight with several owners for its first use; ``parametrized``
            sets weights through ``torch.nn.utils.parametrize`` or ``weight_norm``.

    Returns:
        The report, with a row for each layer.

    Raises:
        RequestError: The model has no layers, or a parameter without values; weights are tied or
            parametrized and not allowed; or the scheme does not apply. The model is then unchanged.

    Example:
        >>> model = torch.nn.Sequential(
        ...     torch.nn.Linear(2, 256), torch.nn.GELU(), torch.nn.Linear(256, 256), torch.nn.GELU(),
        ...     torch.nn.Linear(256, 3))
        >>> report = vi3nr.torch.init_(model, generator=torch.Generator().manual_seed(0))
        >>> report["2"].gain
        1.5335304411955353
    """
    model = unwrapped(model)
    settings = _settings(sigma_p, first_sigma_p, scheme, distribution, bias, first_bias, allow)
    call = as_inputs(inputs)
    overrides = _overrides(model, activations or {})
    refuse_unmaterialized(model)
    analysis = _analyzed(model, call, overrides)
    if not analysis.layers:
        raise RequestError(
            "model: it has no nn.Linear or convolution that its forward pass uses; "
            + "; ".join(analysis.graph.failures)
        )
    refuse_tied(model, analysis.layers, allow)
    refuse_parametrized(analysis.layers, allow)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    try:
        plan, measured = _executed(model, analysis, settings, call, generator)
    except BaseException:
        _restore(model, before)
        raise
    if dry_run:
        _restore(model, before)
    return _report(model, analysis, plan, settings, measured, dry_run)


def _settings(
    sigma_p: SigmaP | None,
    first_sigma_p: SigmaP | None,
    scheme: str,
    distribution: str,
    bias: float | str,
    first_bias: float | str | None,
    allow: Collection[str],
) -> Settings:
    scheme = "vi3nr" if scheme == "ours" else scheme
    if scheme not in SCHEMES:
        raise RequestError(f"scheme: '{scheme}'; expected one of {', '.join(map(repr, SCHEMES))}")
    check_distribution(distribution)
    first = _sigma("first_sigma_p", first_sigma_p)
    sigma = _sigma("sigma_p", sigma_p)
    for name, how in (("bias", bias), ("first_bias", first_bias)):
        if isinstance(how, str):
            if how not in ("scheme", "zero", "keep", "torch"):
                raise RequestError(
                    f"{name}: '{how}'; expected 'scheme', 'zero', 'keep', 'torch' or a number"
                )
        elif how is not None and not 0 <= float(how) < math.inf:
            raise RequestError(f"{name}: {how}; expected a finite number of at least 0")
    for each in allow:
        if each not in _ALLOWED:
            raise RequestError(f"allow: '{each}'; expected 'tied' or 'parametrized'")
    return Settings(sigma, first, scheme, distribution, bias, first_bias, tuple(allow))


def _sigma(name: str, sigma_p: SigmaP | None) -> float | str | None:
    if sigma_p is None:
        return None
    if isinstance(sigma_p, str):
        gain_at("relu", sigma_p)  # reads the text
        return sigma_p
    if not 0 < float(sigma_p) < math.inf:
        raise RequestError(f"{name}: {sigma_p}; expected a finite number above 0")
    return float(sigma_p)


def _overrides(model: nn.Module, activations: Mapping[str, Activation]) -> dict[str, str]:
    names = {name for name, _ in model.named_modules()}
    names |= {name for name, _ in model.named_parameters(remove_duplicate=False)}
    found: dict[str, str] = {}
    for name, activation in activations.items():
        if name not in names:
            raise RequestError(f"activations: the model has no module or weight '{name}'")
        text = activation_of(activation)
        if text is None:
            raise RequestError(
                f"activations: {activation!r} of '{name}' is not known; expected text or a known "
                "module"
            )
        found[name] = text
    return found


def _analyzed(model: nn.Module, inputs: Inputs | None, overrides: dict[str, str]) -> Analysis:
    """The analysis of the most faithful graph in which everything is understood; else of the first."""
    best: Analysis | None = None
    count = 0
    for graph in graphs_of(model, inputs, frozenset(overrides)):
        if best is not None and graph.how == "registration order":
            break
        with preserved(model):
            analysis = analyze(model, graph, overrides)
        unknown = sum(base.kind == "unknown" for base in analysis.bases)
        if best is None or unknown < count:
            best, count = analysis, unknown
        if count == 0 or inputs is None:
            break
    assert best is not None
    return best


def _executed(
    model: nn.Module,
    analysis: Analysis,
    settings: Settings,
    inputs: Inputs | None,
    generator: torch.Generator | None,
) -> tuple[Plan, tuple[dict[Layer, float], dict[Layer, float]]]:
    """Sets all weights. Inputs of layers are measured as soon as the layers before them are set."""
    moments: dict[Layer, float] = {}
    done: set[Layer] = set()
    while True:
        plan = make_plan(analysis, settings, moments, inputs is not None)
        for layer, choice in plan.choices.items():
            if choice.std is not None and layer not in done:
                _fill(layer, choice, settings, generator)
                done.add(layer)
        if not plan.pending or inputs is None:
            break
        found = input_moments(model, inputs, analysis.layers)
        for layer in plan.pending:
            if layer not in found:
                layer.excluded = "the model does not run it on these inputs"
            else:
                moments[layer] = found[layer]
    measured = ({}, {}) if inputs is None else variances(model, inputs, analysis.layers)
    return plan, measured


def _fill(
    layer: Layer, choice: Choice, settings: Settings, generator: torch.Generator | None
) -> None:
    assert choice.std is not None
    set_weight(layer, draw(layer.weight, choice.std, settings.distribution, generator))
    how = settings.bias_of(choice)
    if layer.bias is None or how == "keep":
        return
    shape: Distribution = "normal" if how == "scheme" else "uniform"
    std = math.sqrt(choice.bias_variance)
    if how != "scheme":
        std = bias_bound(how, layer) / math.sqrt(3.0)
    with torch.no_grad():
        if std == 0:
            layer.bias.zero_()
        else:
            layer.bias.copy_(draw(layer.bias, std, shape, generator))


def _restore(model: nn.Module, before: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(before[name])


def _report(
    model: nn.Module,
    analysis: Analysis,
    plan: Plan,
    settings: Settings,
    measured: tuple[dict[Layer, float], dict[Layer, float]],
    dry_run: bool,
) -> Report:
    rows = tuple(
        _row(plan.choices[layer], settings, measured)
        for layer in analysis.layers
        if layer in plan.choices
    )
    touched: set[int] = set()
    for layer, choice in plan.choices.items():
        if choice.std is None:
            continue
        own = list(layer.module.parameters()) if layer.module is not None else []
        touched |= {id(layer.weight), *(id(p) for p in own if p is not layer.bias)}
        if settings.bias_of(choice) != "keep":
            touched.add(id(layer.bias))
    notes = analysis.graph.failures
    if analysis.graph.how == "registration order":
        notes += ("registration order does not show sums and other connections of layers",)
    names = model.named_parameters(remove_duplicate=False)
    untouched = tuple(name for name, parameter in names if id(parameter) not in touched)
    return Report(
        rows,
        analysis.graph.how,
        settings.scheme,
        settings.distribution,
        dry_run,
        untouched,
        notes,
    )


def _part_of_weights(choice: Choice) -> float:
    """The part of the variance of a layer's outputs that is not from its biases."""
    if choice.std is None or choice.second_moment is None or not choice.variance:
        return 1.0
    part = choice.layer.fan_in * choice.std**2 * choice.second_moment / choice.variance
    return part if part < 1 - 1e-9 else 1.0


def _row(
    choice: Choice,
    settings: Settings,
    measured: tuple[dict[Layer, float], dict[Layer, float]],
) -> LayerReport:
    layer, std = choice.layer, choice.std
    forward, backward = measured
    return LayerReport(
        name=layer.name,
        kind=layer.kind,
        shape=tuple(layer.weight.shape),
        fed_by=choice.fed_by,
        path=choice.path,
        fan_in=layer.fan_in,
        gain=None if std is None else std * math.sqrt(layer.fan_in),
        std=std,
        bound=None if std is None else bound_of(settings.distribution, std),
        sigma_p=choice.sigma_p,
        predicted_variance=choice.variance,
        measured_variance=forward.get(layer),
        measured_gradient=backward.get(layer),
        condition=None if choice.gain is None else choice.gain.condition,
        chi=None if choice.gain is None else choice.gain.chi * _part_of_weights(choice),
        untouched=choice.reason if std is None else None,
        notes=() if std is None else choice.notes,
    )
