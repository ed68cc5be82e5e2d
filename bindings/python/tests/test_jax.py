"""Initializers for JAX."""

from __future__ import annotations

import math
from typing import Any

import pytest

import vi3nr

jax = pytest.importorskip("jax")
jnp = jax.numpy

KEY = jax.random.key(0) if hasattr(jax.random, "key") else jax.random.PRNGKey(0)


def rms(values: Any) -> float:
    return math.sqrt(float(jnp.mean(jnp.square(values.astype(jnp.float32)))))


@pytest.mark.parametrize("distribution", ["uniform", "normal", "truncated_normal"])
def test_the_variance_is_that_of_the_gain(distribution: Any) -> None:
    init = vi3nr.jax.initializer("gelu", 1.0, distribution=distribution)
    values = init(KEY, (400, 600))
    expected = vi3nr.gain("gelu", 1.0).std(400)
    assert rms(values) == pytest.approx(expected, rel=0.01)
    if distribution == "uniform":
        assert float(jnp.abs(values).max()) <= math.sqrt(3) * expected


def test_a_kernel_counts_as_inputs() -> None:
    values = vi3nr.jax.initializer("relu")(KEY, (3, 3, 64, 128))
    assert rms(values) == pytest.approx(math.sqrt(2 / (9 * 64)), rel=0.02)
    values = vi3nr.jax.initializer("relu", in_axis=-1, out_axis=-2)(KEY, (128, 300))
    assert rms(values) == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    values = vi3nr.jax.initializer("relu", batch_axis=0)(KEY, (8, 100, 300))
    assert rms(values) == pytest.approx(math.sqrt(2 / 100), rel=0.02)


def test_the_first_layer_sees_coordinates() -> None:
    values = vi3nr.jax.initializer("sine:omega=30", first=True)(KEY, (2, 100_000))
    sigma = vi3nr.gain("sine:omega=30", "auto").sigma_p
    assert rms(values) == pytest.approx(sigma * math.sqrt(3 / 2), rel=0.01)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_the_type_is_kept(dtype: str) -> None:
    values = vi3nr.jax.initializer("tanh")(KEY, (100, 200), jnp.dtype(dtype))
    assert values.dtype == jnp.dtype(dtype)
    assert rms(values) == pytest.approx(vi3nr.gain("tanh", "auto").std(100), rel=0.02)


def test_it_can_be_compiled() -> None:
    init = vi3nr.jax.initializer(jax.nn.gelu)
    compiled = jax.jit(lambda key: init(key, (30, 40)))
    assert jnp.allclose(compiled(KEY), init(KEY, (30, 40)), rtol=1e-6)


def test_any_function_is_an_activation() -> None:
    values = vi3nr.jax.initializer(lambda x: 3.0 * jnp.tanh(x))(KEY, (400, 600))
    assert rms(values) == pytest.approx(vi3nr.gain("3*tanh(x)", 1.0).std(400), rel=0.01)


def test_variance_through_fifty_layers() -> None:
    init = vi3nr.jax.initializer("tanh", 1.0)
    keys = jax.random.split(KEY, 51)
    z = jax.random.normal(keys[0], (256, 512))
    for key in keys[1:]:
        z = jnp.tanh(z) @ init(key, (512, 512))
    assert rms(z) ** 2 == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(
    ("arguments", "shape", "text"),
    [
        ({"distribution": "cauchy"}, (2, 2), "distribution: 'cauchy'"),
        ({"input_second_moment": 0.0}, (2, 2), "input_second_moment: 0.0"),
        ({"in_axis": 5}, (2, 2), "axis 5"),
        ({"in_axis": -1}, (2, 2), "in_axis: -1"),
        ({}, (2,), "at least 2 dimensions"),
    ],
)
def test_refusals(arguments: Any, shape: Any, text: str) -> None:
    with pytest.raises(vi3nr.RequestError, match=text):
        vi3nr.jax.initializer("tanh", **arguments)(KEY, shape)


def test_flax() -> None:
    nnx = pytest.importorskip("flax.nnx")
    init = vi3nr.jax.initializer("gaussian:sigma=0.05")
    layer = nnx.Linear(300, 400, kernel_init=init, rngs=nnx.Rngs(0))
    expected = vi3nr.gain("gaussian:sigma=0.05", "auto").std(300)
    assert rms(layer.kernel[...]) == pytest.approx(expected, rel=0.01)


def test_equinox() -> None:
    eqx = pytest.importorskip("equinox")
    init = vi3nr.jax.initializer(jax.nn.silu, in_axis=-1, out_axis=-2)
    layer = eqx.nn.Linear(300, 400, key=KEY)
    weight = init(KEY, layer.weight.shape, layer.weight.dtype)
    layer = eqx.tree_at(lambda each: each.weight, layer, weight)
    assert rms(layer.weight) == pytest.approx(vi3nr.gain("silu", "auto").std(300), rel=0.01)
