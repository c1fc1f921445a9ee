"""Hedge: the definition round by round, its bound, stability and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from slowthink.reference import experts as slow
from slowthink.samples import hedge


@given(
    st.tuples(st.integers(1, 30), st.integers(1, 20)).flatmap(
        lambda shape: arrays(float, shape, elements=st.floats(0, 1))
    ),
    st.floats(1e-3, 50),
)
def test_equals_the_definition(losses, rate):
    found = hedge(losses, learning_rate=rate)
    for part, expected in zip(
        (found.weights, found.expected_loss, found.regret), slow.hedge(losses, rate), strict=True
    ):
        np.testing.assert_allclose(part, expected, atol=1e-12)
    assert found.regret[-1] <= found.regret_bound + 1e-9


def test_default_rate_and_bound():
    losses = np.random.default_rng(1).random((3, 500, 16))
    found = hedge(losses)
    assert found.learning_rate == pytest.approx(np.sqrt(8 * np.log(16) / 500))
    assert found.regret_bound == pytest.approx(np.sqrt(500 * np.log(16) / 2))
    assert (found.regret[:, -1] <= found.regret_bound).all()
    for run in range(3):
        alone = hedge(losses[run])
        np.testing.assert_array_equal(alone.weights, found.weights[run])
        np.testing.assert_array_equal(alone.regret, found.regret[run])


def test_an_adversary_comes_close_to_the_bound():
    # Fair coins are the worst case: the regret is a fixed share of the bound, not a small one.
    losses = np.random.default_rng(2).integers(0, 2, (50, 2000, 64))
    regret = hedge(losses, return_weights=False).regret[:, -1].mean()
    assert 0.6 < regret / np.sqrt(2000 * np.log(64) / 2) < 1


def test_weights_survive_where_unnormalised_ones_underflow():
    losses = np.ones((3000, 2))
    losses[:, 1] -= 0.001
    naive = np.exp(-1.0 * np.cumsum(losses, axis=0))
    with np.errstate(invalid="ignore"):
        assert np.isnan(naive[-1] / naive[-1].sum()).all()
    found = hedge(losses, learning_rate=1.0)
    assert found.weights[-1, 1] == pytest.approx(1 / (1 + np.exp(-2.999)), rel=1e-9)


def test_threads_layouts_and_dtypes_agree(same_bytes):
    losses = np.random.default_rng(3).random((7, 200, 17)).astype(np.float32)
    expected = same_bytes(lambda threads: hedge(losses, threads=threads))
    for other in (np.asfortranarray(losses), losses.astype(">f8"), np.repeat(losses, 2, axis=2)[:, :, ::2]):
        np.testing.assert_array_equal(hedge(other).weights, expected.weights)
    assert hedge(losses, return_weights=False).weights is None
    assert hedge([[0, 1], [1, 0]]).weights[0].tolist() == [0.5, 0.5]
    only = hedge([[0.5], [0.25]])
    assert (only.learning_rate, only.regret_bound, only.regret.tolist()) == (0.0, 0.0, [0.0, 0.0])


@pytest.mark.parametrize(
    ("losses", "text"),
    [
        ([[0, 1], [0.5, np.nan]], r"losses\[1, 1\] must be from 0 to 1, got NaN"),
        ([[[0, 1]], [[-0.5, 0]]], r"losses\[1, 0, 0\] must be from 0 to 1, got -0.5"),
        ([[0, np.inf]], r"losses\[0, 1\] must be"),
        ([0.5], r"losses must be 2-D or 3-D, got shape \(1,\)"),
        (np.zeros((0, 3)), r"losses must have at least one"),
        (np.ma.masked_equal([[0.0, 1.0]], 1), r"losses must not have masked"),
        ([[0, 1], [1]], r"losses must be"),
    ],
)
def test_bad_losses_are_named(losses, text):
    with pytest.raises(ValueError, match=text):
        hedge(losses)


def test_bad_options_are_named():
    for rate in (0, -1, np.inf, np.nan):
        with pytest.raises(ValueError, match="learning_rate must be"):
            hedge([[0, 1]], learning_rate=rate)
    with pytest.raises(TypeError, match="losses must be an array of numbers"):
        hedge([["a", "b"]])
