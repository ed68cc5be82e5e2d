"""The engine in loops of one's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pytest

import vi3nr


def engine(**more: object) -> vi3nr.Engine:
    settings = {"sigma_p": 1.0, "seed": 3, "threads": 1, **more}
    return vi3nr.Engine.uniform(2, 16, 3, 2, "tanh", **settings)  # type: ignore[arg-type]


POINTS = np.random.default_rng(0).uniform(-1, 1, (40, 2))


def test_the_network_has_what_was_asked_for() -> None:
    own = engine()
    assert own.dims == (2, 16, 16, 2)
    assert own.activation == "tanh"
    assert own.parameters.shape == (2 * 16 + 16 + 16 * 16 + 16 + 2 * 16 + 2,)
    assert np.array_equal(own.parameters, engine(threads=2).parameters)
    assert not np.array_equal(own.parameters, engine(seed=4).parameters)
    assert repr(own) == "<vi3nr.Engine 2-16-16-2, tanh>"
    first = engine(first_sigma_p="2*auto").parameters
    assert np.abs(first[:32] / own.parameters[:32] - 2).max() < 1e-5
    chaos = engine(init="eoc").parameters
    assert not chaos[32:48].any() and chaos[48 + 256 : 48 + 256 + 16].all()
    sine = vi3nr.Engine([1, 8, 1], "sine:omega=30", init="siren")
    assert np.abs(sine.parameters[:8]).max() <= 1


def test_values_and_derivatives_agree() -> None:
    own = engine()
    assert own(POINTS).shape == (40, 2)
    derivatives, hessians = own.derivatives(POINTS), own.hessians(POINTS)
    assert derivatives.shape == (40, 2, 2) and hessians.shape == (40, 2, 2, 2)
    for axis in range(2):

        def slope(function: Callable[[np.ndarray], np.ndarray], axis: int = axis) -> np.ndarray:
            """The difference quotients of two steps, extrapolated to a step of 0."""

            def quotient(step: float) -> np.ndarray:
                shift = np.zeros(2)
                shift[axis] = step
                return (function(POINTS + shift) - function(POINTS - shift)) / (2 * step)

            return (4 * quotient(1e-2) - quotient(2e-2)) / 3

        assert np.abs(derivatives[..., axis] - slope(own)).max() < 5e-4
        assert np.abs(hessians[..., axis] - slope(own.derivatives)).max() < 5e-4
    laplacians = hessians[..., 0, 0] + hessians[..., 1, 1]
    assert np.allclose(own.laplacians(POINTS), laplacians)
    assert own(POINTS[:0]).shape == (0, 2)


def test_the_loss_is_the_mean_and_its_gradient_a_slope() -> None:
    own = engine()
    targets = np.sin(3 * POINTS)
    own.load_batch(POINTS, targets)
    loss = own.loss_and_gradient()
    assert loss == pytest.approx(np.mean((own(POINTS) - targets) ** 2), rel=1e-5)
    assert own.term_losses == ()
    start, gradient = own.parameters, own.gradient()
    own.parameters = start + 1e-3 * gradient / np.linalg.norm(gradient)
    assert own.loss_and_gradient() - loss == pytest.approx(1e-3 * np.linalg.norm(gradient), rel=0.05)


def test_terms_are_the_means_that_numpy_computes() -> None:
    own = engine()
    normals = np.random.default_rng(1).normal(size=(40, 2, 2))
    weights = np.linspace(0, 2, 40)
    own.load_terms(
        [
            vi3nr.Constraint(POINTS, ["laplacian:0.5", "value:2,power=1"], laplacians=POINTS),
            vi3nr.Constraint(POINTS, ["gradient:1"], gradients=normals, weights=weights),
            vi3nr.Constraint(POINTS, ["directional"], directions=POINTS, slopes=POINTS),
        ]
    )
    loss = own.loss_and_gradient()
    values, slopes = own(POINTS), own.derivatives(POINTS)
    expected = [
        np.mean((own.laplacians(POINTS) - POINTS) ** 2),
        np.mean(np.abs(values)),
        np.mean(weights[:, None] * np.sum((slopes - normals) ** 2, axis=2)),
        np.mean((np.einsum("pod,pd->po", slopes, POINTS) - POINTS) ** 2),
    ]
    assert own.term_losses == pytest.approx(expected, rel=1e-4)
    assert loss == pytest.approx(np.dot([0.5, 2, 1, 1], expected), rel=1e-4)


def test_adam_reduces_the_loss_with_the_same_bytes_for_any_threads() -> None:
    found = []
    for threads in (1, 2):
        own = engine(threads=threads)
        own.load_batch(POINTS, POINTS**2)
        losses = []
        for _ in range(100):
            losses.append(own.loss_and_gradient())
            own.adam(1e-2)
        assert losses[-1] < 0.1 * losses[0]
        found.append(own.parameters)
    assert np.array_equal(*found)


def test_several_threads_may_use_one_engine() -> None:
    own = engine()
    expected = own(POINTS)
    results: list[np.ndarray] = []
    workers = [threading.Thread(target=lambda: results.append(own(POINTS))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(results) == 4 and all(np.array_equal(result, expected) for result in results)


def test_errors_say_what_was_expected() -> None:
    own = engine()
    with pytest.raises(vi3nr.Error, match="no batch is loaded"):
        own.loss_and_gradient()
    with pytest.raises(vi3nr.Error, match="no gradient"):
        own.adam(1e-3)
    for call, words in [
        (lambda: vi3nr.Engine([2, 0, 1], "tanh"), "dims"),
        (lambda: vi3nr.Engine([2], "tanh"), "inputs and outputs"),
        (lambda: vi3nr.Engine([2, 8, 1], "tanhh"), "tanh"),
        (lambda: vi3nr.Engine([2, 8, 1], "tanh", init="siren"), "siren"),
        (lambda: vi3nr.Engine([2, 8, 1], "tanh", sigma_p=-1), "sigma_p"),
        (lambda: vi3nr.Engine([2, 8, 1], "tanh", init="xavier", first_sigma_p=1), "first_sigma_p"),
        (lambda: vi3nr.Engine([2, 8, 1], "softplus", init="eoc"), "cond >= 1"),
        (lambda: own(POINTS[:, :1]), r"expected \(n, 2\)"),
        (lambda: own.load_batch(POINTS, POINTS[:5]), "expected 40"),
        (lambda: own.load_batch(POINTS, ["a"]), "targets"),
        (lambda: own.load_batch(POINTS[:0], POINTS[:0]), "points"),
        (lambda: own.load_terms([]), "at least one constraint"),
        (lambda: own.load_terms([vi3nr.Constraint(POINTS, [])]), "at least one term"),
        (lambda: own.load_terms([vi3nr.Constraint(POINTS, "value")]), "a list of terms"),
        (lambda: own.load_terms([vi3nr.Constraint(POINTS, ["lapl"])]), "no term 'lapl'"),
        (lambda: own.load_terms([vi3nr.Constraint(POINTS, ["normal"])]), "normals"),
        (lambda: own.load_terms([vi3nr.Constraint(POINTS, ["value"], POINTS[:3])]), "values of shape"),
        (lambda: setattr(own, "parameters", np.zeros(3)), "parameters"),
    ]:
        with pytest.raises(vi3nr.RequestError, match=words):
            call()
