"""vi3nr.torch.init_ on models as people write them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import vi3nr

torch = pytest.importorskip("torch")
import torch_models as models  # noqa: E402

nn = torch.nn
init_ = vi3nr.torch.init_


def generator(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def rms(tensor: Any) -> float:
    return math.sqrt(float(tensor.detach().double().square().mean()))


def state(model: Any) -> dict[str, Any]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(model: Any, before: dict[str, Any]) -> bool:
    return all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_every_layer_has_the_gain_of_what_feeds_it() -> None:
    model = nn.Sequential(
        nn.Linear(2, 400), nn.GELU(), nn.Linear(400, 500), nn.Tanh(), nn.Linear(500, 300)
    )
    report = init_(model, generator=generator())
    assert report.how == "torch.fx"
    assert [row.fed_by for row in report] == ["input", "gelu", "tanh"]
    assert [row.path for row in report] == [(), ("1",), ("3",)]
    # σ_p of all is 1; the input is uniform on [-1, 1].
    gelu, tanh = vi3nr.gain("gelu", 1.0), vi3nr.gain("tanh", 1.0)
    expected = [math.sqrt(3 / 2), gelu.std(400), tanh.std(500)]
    for row, layer, std in zip(report, model[::2], expected, strict=True):
        assert row.std == pytest.approx(std, rel=1e-12)
        assert row.bound == pytest.approx(math.sqrt(3) * std, rel=1e-12)
        assert float(layer.weight.detach().abs().max()) <= row.bound
        assert rms(layer.weight) == pytest.approx(std, rel=0.05)
        assert rms(layer.bias) == 0
    assert (report["2"].condition, report["2"].chi) == (gelu.condition, gelu.chi)
    assert report.untouched_parameters == ()


def test_mixed_activations_follow_the_general_rule() -> None:
    model = nn.Sequential(
        models.SineLayer(3, 200), nn.Linear(200, 300), models.Gaussian(0.1), nn.Linear(300, 50)
    )
    report = init_(model)
    sine = vi3nr.gain("sine:omega=30", "auto")
    gauss = vi3nr.gain("gaussian:sigma=0.1", "auto")
    assert report["0.linear"].std == pytest.approx(sine.sigma_p)  # E[x²] = 1/3, three inputs
    std = gauss.sigma_p / math.sqrt(200 * sine.second_moment)
    assert report["1"].std == pytest.approx(std, rel=1e-12)
    assert report["3"].std == pytest.approx(gauss.value / math.sqrt(300), rel=1e-9)
    assert report["3"].sigma_p == gauss.sigma_p
    assert report.untouched_parameters == ("2.a",)


#: (name, model, its inputs, the ratio of measured and predicted variances that is allowed)
MODELS: list[tuple[str, Callable[[], Any], Callable[[], Any], float]] = [
    ("SIREN", lambda: models.Siren(outputs=256), models.coordinates, 1.25),
    ("siren-pytorch", models.SirenNet, models.coordinates, 2.5),
    ("Gaussian", lambda: models.gaussian_mlp(512, 256), models.coordinates, 1.35),
    ("WIRE, real", lambda: nn.Sequential(
        models.RealGaborLayer(2, 1024), models.RealGaborLayer(1024, 1024), nn.Linear(1024, 256)
    ), models.coordinates, 1.4),
    ("FINER", lambda: nn.Sequential(
        models.FinerLayer(2, 512), models.FinerLayer(512, 512), nn.Linear(512, 256)
    ), models.coordinates, 1.3),
    ("tanh, 50 layers", models.tanh_mlp, lambda: models.normal(256, 64), 1.3),
    ("ConvNet", models.conv_net, lambda: models.normal(32, 3, 32, 32), 1.8),
    ("ResNet", models.ResNet, lambda: models.normal(32, 3, 16, 16), 1.6),
    ("Transformer", models.Transformer, lambda: torch.arange(64).view(4, 16), 1.3),
    ("U-Net", models.UNet, lambda: models.normal(8, 3, 32, 32), 1.8),
    ("residual MLP", models.ResidualMLP, lambda: models.coordinates(dimensions=3), 1.35),
    ("NeRF", models.NeRF, lambda: models.coordinates(dimensions=3), 2.0),
    ("ConvNet, evaluated", lambda: models.conv_net().eval(), lambda: models.normal(32, 3, 32, 32), 1.8),
    ("encoder", lambda: nn.TransformerEncoder(
        nn.TransformerEncoderLayer(64, 4, 256, batch_first=True, activation="gelu"), 2
    ), lambda: models.normal(8, 16, 64), 1.4),
]  # fmt: skip
IDS = [name for name, *_ in MODELS]


@pytest.mark.parametrize(("name", "build", "inputs", "ratio"), MODELS, ids=IDS)
def test_models(name: str, build: Any, inputs: Any, ratio: float) -> None:
    torch.manual_seed(0)
    model, batch = build(), inputs()
    buffers = {name: value.clone() for name, value in model.named_buffers()}
    report = init_(model, inputs=batch, generator=generator())
    set_rows = [row for row in report if row.untouched is None]
    assert set_rows
    attention = ("qkv", "proj", "attn")
    assert all(any(part in row.name for part in attention) for row in report if row.untouched)
    for row in set_rows:
        assert row.measured_variance is not None and row.predicted_variance is not None
        assert 1 / ratio < row.measured_variance / row.predicted_variance < ratio, str(report)
    report.assert_healthy(tolerance=2.0, gradient_ratio=1e8)
    for each, value in model.named_buffers():
        assert torch.equal(value, buffers[each])
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize(("name", "build", "inputs", "ratio"), MODELS[:12], ids=IDS[:12])
def test_models_without_inputs(name: str, build: Any, inputs: Any, ratio: float) -> None:
    model = build()
    report = init_(model)
    for row in report:
        assert (row.std is None) == any(part in row.name for part in ("qkv", "proj"))
        assert (row.std is None) == (row.untouched is not None)


def test_siren_as_published() -> None:
    """The published scheme gives the published bounds."""
    model = models.Siren()
    report = init_(model, scheme="siren", bias="keep")
    assert report["net.0.linear"].bound == pytest.approx(1 / 2)
    for name in ("net.1.linear", "net.2.linear", "net.3.linear", "net.4"):
        assert report[name].bound == pytest.approx(math.sqrt(6 / 256) / 30)
    with pytest.raises(vi3nr.RequestError, match="'2': scheme: 'siren'"):
        init_(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)), scheme="siren")


def test_the_real_gabor_layer_is_understood() -> None:
    model = nn.Sequential(models.RealGaborLayer(2, 64), nn.Linear(64, 3))
    report = init_(model)
    a = vi3nr.gain("cos(10*x)", report["0.freqs"].sigma_p)
    b = vi3nr.gain("exp(-(10*x)^2)", report["0.scale"].sigma_p)
    second = a.second_moment * b.second_moment
    expected = report["1"].sigma_p / math.sqrt(64 * second)
    assert report["1"].std == pytest.approx(expected, rel=1e-9)


def test_complex_weights_are_left() -> None:
    model = nn.Sequential(models.ComplexGaborLayer(2, 8, True), models.ComplexGaborLayer(8, 8))
    before = state(model)
    report = init_(model, inputs=models.coordinates())
    assert "complex numbers" in (report["0.linear"].untouched or "")
    assert "complex" in (report["1.linear"].untouched or "")
    assert same(model, before)


def test_residual_sums_add_variances() -> None:
    report = init_(models.ResidualMLP(blocks=3))
    tanh = vi3nr.gain("tanh", 1.0).second_moment
    for block in range(3):
        expected = 1 / math.sqrt(512 * (tanh + block))
        assert report[f"a.{block}"].std == pytest.approx(expected, rel=1e-9)


def test_concatenations_are_weighted_by_channels() -> None:
    report = init_(models.NeRF())
    second = (256 * 0.5 + 3 / 3) / 259
    assert report["b.0"].std == pytest.approx(1 / math.sqrt(259 * second), rel=1e-9)


def test_dropout_depends_on_the_mode() -> None:
    def std(model: Any) -> float:
        return init_(model)["3"].std or 0.0

    layers = (nn.Linear(8, 64), nn.Tanh(), nn.Dropout(0.2), nn.Linear(64, 64))
    model = nn.Sequential(*layers)
    assert std(model.eval()) / std(model.train()) == pytest.approx(math.sqrt(1 / 0.8))


def test_transposed_and_grouped_convolutions() -> None:
    model = nn.Sequential(
        nn.ConvTranspose2d(8, 16, 4, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 3, groups=4)
    )
    report = init_(model, inputs=models.normal(64, 8, 16, 16))
    assert report["0"].fan_in == 8 * 16 / 4
    assert report["2"].fan_in == 4 * 9
    for row in report:
        assert row.measured_variance == pytest.approx(1.0, rel=0.2)


def test_a_model_that_cannot_be_traced_is_run_once() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 64), nn.Linear(64, 2)

        def forward(self, x: Any) -> Any:
            z = self.a(x)
            if float(x.sum()) > 1e9:
                return z
            return self.b(torch.sin(3 * z))

    model = Model()
    report = init_(model, inputs=models.normal(50, 4))
    assert (report.how, report["b"].fed_by) == ("one run", "sine:omega=3")
    assert "torch.fx" in str(report)

    report = init_(model)
    assert report.how == "registration order"
    assert "registration order does not show" in (report["b"].untouched or "")
    report = init_(model, activations={"b": "sine:omega=3"})
    assert report["b"].std == pytest.approx(vi3nr.gain("sine:omega=3", "auto").std(64))
    assert report["a"].sigma_p == vi3nr.gain("sine:omega=3", "auto").sigma_p


def test_registration_order_knows_layers_of_popular_repositories() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(models.SineLayer(2, 64), models.SineLayer(64, 64))
            self.last = nn.Linear(64, 3)

        def forward(self, x: Any) -> Any:
            return self.last(self.net(x)) if float(x.sum()) < 1e9 else x

    report = init_(Model())
    assert report.how == "registration order"
    assert [row.fed_by for row in report] == ["input", "sine:omega=30.0", "sine:omega=30.0"]


def test_activations_override_modules_and_layers() -> None:
    class Custom(nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.floor(x)

    model = nn.Sequential(nn.Linear(2, 64), Custom(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1))
    report = init_(model)
    assert "floor" in (report["2"].untouched or "")
    assert "inputs=" in (report["2"].untouched or "")
    by_module = init_(model, activations={"1": "sine:omega=5"})
    by_layer = init_(model, activations={"2": "sine:omega=5"})
    sine = vi3nr.gain("sine:omega=5", "auto")
    for report in (by_module, by_layer):
        # Followed by tanh, whose σ_p is 1.
        assert report["2"].std == pytest.approx(1 / math.sqrt(64 * sine.second_moment))
        assert report["0"].sigma_p == sine.sigma_p
    assert init_(model, activations={"3": nn.GELU()})["4"].fed_by == "gelu"
    with pytest.raises(vi3nr.RequestError, match="no module or weight 'net.7'"):
        init_(model, activations={"net.7": "tanh"})
    with pytest.raises(vi3nr.RequestError, match="not known"):
        init_(model, activations={"1": Custom()})


def test_inputs_measure_what_is_not_predicted() -> None:
    def features(x: Any) -> Any:
        return torch.cat([torch.sin(9 * x), torch.cos(9 * x)], dim=-1)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 256), nn.Linear(256, 256)

        def forward(self, x: Any) -> Any:
            return self.b(torch.relu(self.a(features(x))))

    model = Model()
    assert "of the model's input" in (init_(model)["a"].untouched or "")
    report = init_(model, inputs=models.coordinates(4096))
    # sin² + cos² = 1.
    assert report["a"].std == pytest.approx(1 / math.sqrt(4 * 0.5), rel=1e-5)
    assert "measured" in str(report)


def test_refusals_leave_the_model_unchanged() -> None:
    tied = models.Transformer(tied=True)
    before = state(tied)
    with pytest.raises(vi3nr.RequestError, match="embedding.weight.*head.weight.*same parameter"):
        init_(tied)
    assert same(tied, before)
    assert "tied" in (init_(tied, allow=("tied",))["head"].untouched or "")

    with pytest.raises(vi3nr.RequestError, match="lazy"):
        init_(nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.Linear(4, 2)))
    with torch.device("meta"):
        meta = models.gaussian_mlp()
    with pytest.raises(vi3nr.RequestError, match="meta device"):
        init_(meta)
    with pytest.raises(vi3nr.RequestError, match=r"no nn\.Linear"):
        init_(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sigma_p": 0.0}, "sigma_p: 0.0"),
        ({"sigma_p": "often"}, "'often' as a sigma_p"),
        ({"scheme": "lucky"}, "scheme: 'lucky'"),
        ({"distribution": "cauchy"}, "distribution: 'cauchy'"),
        ({"bias": "none"}, "bias: 'none'"),
        ({"first_bias": -1.0}, "first_bias: -1.0"),
        ({"allow": ("all",)}, "allow: 'all'"),
        ({"inputs": 3}, "inputs: int"),
    ],
)
def test_arguments_are_checked(arguments: Any, text: str) -> None:
    model = models.gaussian_mlp(8)
    before = state(model)
    with pytest.raises(vi3nr.RequestError, match=text):
        init_(model, **arguments)
    assert same(model, before)


def test_parametrized_weights() -> None:
    from torch.nn.utils import parametrizations, weight_norm

    for wrap in (weight_norm, parametrizations.weight_norm):
        model = nn.Sequential(wrap(nn.Linear(30, 400)), nn.Tanh(), wrap(nn.Linear(400, 200)))
        with pytest.raises(vi3nr.RequestError, match="parametrized"):
            init_(model)
        report = init_(model, allow=("parametrized",))
        model(torch.zeros(1, 30))
        assert rms(model[2].weight) == pytest.approx(report["2"].std, rel=0.02)


def test_a_failure_restores_the_model() -> None:
    class Failing(nn.Sequential):
        def forward(self, x: Any) -> Any:
            if getattr(self, "fails", False):
                raise ZeroDivisionError
            return super().forward(x)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = Failing(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))

        def forward(self, x: Any) -> Any:
            y = self.net(x)
            if isinstance(x, torch.Tensor) and type(x) is torch.Tensor:
                raise ZeroDivisionError
            return y

    model = Model()
    before = state(model)
    with pytest.raises(ZeroDivisionError):
        init_(model, inputs=models.coordinates())
    assert same(model, before)


def test_generator_dtype_and_flags() -> None:
    def weights(seed: int, **more: Any) -> Any:
        model = models.gaussian_mlp(32).to(more.pop("dtype", torch.float32))
        model[0].weight.requires_grad_(False)
        init_(model, generator=generator(seed), **more)
        assert not model[0].weight.requires_grad and model[2].weight.requires_grad
        return model[2].weight.detach()

    torch.manual_seed(5)
    first = weights(3)
    assert torch.equal(first, weights(3))
    assert not torch.equal(first, weights(4))
    assert weights(3, dtype=torch.float64).dtype == torch.float64
    half = weights(3, dtype=torch.bfloat16)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), first, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("distribution", ["uniform", "normal", "truncated_normal", "orthogonal"])
def test_all_distributions_have_the_same_variance(distribution: Any) -> None:
    model = nn.Sequential(nn.Linear(300, 600), nn.SiLU(), nn.Conv1d(600, 200, 1))
    report = init_(model, distribution=distribution)
    for row, layer in zip(report, model[::2], strict=True):
        assert rms(layer.weight) == pytest.approx(row.std, rel=0.02)


def test_dry_run_leaves_everything() -> None:
    model = models.ResNet()
    before = state(model)
    random = torch.get_rng_state()
    report = init_(model, inputs=models.normal(4, 3, 16, 16), dry_run=True, generator=generator())
    assert report.dry_run and report["fc"].measured_variance is not None
    assert same(model, before)
    assert torch.equal(torch.get_rng_state(), random)


def test_biases() -> None:
    model = nn.Sequential(nn.Linear(2, 500), nn.Tanh(), nn.Linear(500, 500))
    report = init_(model, bias=0.1, first_bias=2.0)
    assert 1.9 < float(model[0].bias.detach().abs().max()) <= 2.0
    assert 0.09 < float(model[2].bias.detach().abs().max()) <= 0.1
    assert report["0"].predicted_variance == pytest.approx(1 + 4 / 3)
    second = vi3nr.gain("tanh", math.sqrt(1 + 4 / 3)).second_moment
    assert report["2"].std == pytest.approx(1 / math.sqrt(500 * second), rel=1e-9)
    kept = model[0].bias.detach().clone()
    report = init_(model, bias="keep")
    assert torch.equal(model[0].bias, kept)
    assert report.untouched_parameters == ("0.bias", "2.bias")


def test_a_layer_that_is_used_twice() -> None:
    class Model(nn.Module):
        def __init__(self, factor: float) -> None:
            super().__init__()
            self.a, self.b, self.factor = nn.Linear(8, 64), nn.Linear(64, 64), factor

        def forward(self, x: Any) -> Any:
            x = torch.tanh(self.a(x))
            return self.b(torch.tanh(self.b(x)) * self.factor)

    assert init_(Model(1.0))["b"].std is not None
    assert "several times" in (init_(Model(3.0))["b"].untouched or "")
    assert init_(Model(3.0), allow=("tied",))["b"].std is not None


def test_scheme_edge_of_chaos() -> None:
    """Weights and biases have the variances of the command line, drawn too."""
    layers = [module for _ in range(3) for module in (nn.Linear(256, 256), nn.Tanh())]
    model = nn.Sequential(nn.Linear(2, 256), nn.Tanh(), *layers, nn.Linear(256, 4096))
    gain = vi3nr.gain("tanh", 1.0)
    report = init_(model, scheme="eoc", sigma_p=1.0, generator=torch.Generator().manual_seed(1))
    assert report["0"].std == pytest.approx(math.sqrt(3 / 2)) and not model[0].bias.any()
    for name in ("2", "4", "6", "8"):
        assert report[name].std == pytest.approx(1 / math.sqrt(256 * gain.derivative_second_moment))
        assert report[name].predicted_variance == pytest.approx(1.0)
        assert report[name].chi == pytest.approx(gain.chi / gain.condition)
    variance = float(model[8].bias.detach().square().mean())
    assert variance == pytest.approx(1 - 1 / gain.condition, rel=5 * math.sqrt(2 / 4096))
    # Its first layer may differ; the second makes up for it.
    first = init_(model, scheme="eoc", sigma_p=1.0, first_sigma_p=0.5)
    assert first["2"].std == report["2"].std
    assert first["2"].predicted_variance == pytest.approx(1.0)
    plain = init_(model, scheme="eoc", sigma_p=1.0, bias="zero")
    assert plain["2"].predicted_variance == pytest.approx(1 / gain.condition)
    before = model[2].weight.detach().clone()
    for module, sigma_p, part in (
        (lambda: nn.Linear(256, 4, bias=False), 1.0, "needs biases, but the layer has none"),
        (lambda: nn.Linear(256, 4), "auto", "needs cond >= 1"),
    ):
        activation = nn.Softplus() if sigma_p == "auto" else nn.Tanh()
        bad = nn.Sequential(nn.Linear(2, 256), activation, module())
        with pytest.raises(vi3nr.RequestError, match=f"'2': scheme: 'eoc' {part}"):
            init_(bad, scheme="eoc", sigma_p=sigma_p)
    assert torch.equal(before, model[2].weight)


def test_scheme_backward() -> None:
    model = nn.Sequential(nn.Linear(64, 512), nn.Tanh(), nn.Linear(512, 512), nn.Tanh(), nn.Linear(512, 256))
    report = init_(model, scheme="backward")
    expected = 1 / math.sqrt(256 * vi3nr.gain("tanh", math.sqrt(report["2"].predicted_variance)).derivative_second_moment)
    assert report["4"].std == pytest.approx(expected, rel=1e-9)
