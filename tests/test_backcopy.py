"""The Bigram-Backcopy task beside its slow twin: the law of the data, exact shares and losses, and Tiny Shakespeare."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slowthink.problems import BigramBackcopy
from slowthink.reference import backcopy as slow


@st.composite
def tasks(draw: st.DrawFn) -> BigramBackcopy:
    n = draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    bigram = rng.dirichlet(np.ones(n), n) * (rng.random((n, n)) < draw(st.sampled_from([0.5, 1.0])))
    bigram[np.arange(n), rng.integers(n, size=n)] += 1e-3
    bigram /= bigram.sum(axis=1, keepdims=True)
    triggers = draw(st.lists(st.integers(0, n - 1), max_size=n - 1, unique=True))
    mix_p = draw(st.sampled_from([0.0, 0.3, 1.0]))
    return BigramBackcopy(bigram, rng.dirichlet(np.ones(n)), triggers, mix_p=mix_p, length=draw(st.integers(1, 12)))


def mean_of(laws: list[np.ndarray]) -> np.ndarray:
    return np.mean(laws, axis=0)


@given(tasks())
def test_exact_laws_and_losses_are_those_of_the_twin(task):
    arguments = (task.bigram, task.unigram, task.triggers, task.mix_p)
    if task.length < 3:
        assert np.isnan(task.pair_law()).all()
        assert np.isnan(task.bayes_loss()).all()
        return
    laws = slow.laws(*arguments, task.length)
    np.testing.assert_allclose(task.pair_law(), mean_of(laws), atol=1e-12)
    # Token 2 follows token 1, which is drawn without the triggers: as a pair whose second is no trigger.
    second = np.zeros_like(task.bigram)
    first = np.where(np.isin(np.arange(len(task.unigram)), task.triggers), 0.0, task.unigram)
    second[0] = first / first.sum()
    contexts = mean_of([second, *laws[:-1]])
    expected = slow.bayes_loss(contexts, task.bigram, task.triggers, task.mix_p)
    found = task.bayes_loss()
    np.testing.assert_allclose([found.copy, found.bigram, found.copy_fraction], expected, atol=1e-10)
    parts = [share * loss for share, loss in zip((expected[2], 1 - expected[2]), expected[:2], strict=True) if share]
    assert found.mean == pytest.approx(sum(parts), abs=1e-10)


@settings(max_examples=15)
@given(tasks())
def test_the_long_run_is_where_long_sequences_come_to(task):
    task = BigramBackcopy(task.bigram, task.unigram, task.triggers, mix_p=task.mix_p, length=12)
    law = task.stationary_distribution()
    assert law.sum() == pytest.approx(1, abs=1e-9)
    chain, pairs, start = task.second_order_chain()
    assert start.sum() == pytest.approx(1, abs=1e-12)
    shares = law[pairs[:, 0], pairs[:, 1]]
    np.testing.assert_allclose(chain.propagate(shares, 1), shares, atol=1e-9)
    assert law[~np.isin(np.arange(law.size).reshape(law.shape), pairs @ [len(law), 1])].sum() == 0
    found = task.bayes_loss(long_run=True)
    expected = slow.bayes_loss(law, task.bigram, task.triggers, task.mix_p)
    np.testing.assert_allclose([found.copy, found.bigram, found.copy_fraction], expected, atol=1e-8)


def test_sequences_follow_the_law():
    law = np.array([[0.5, 0.25, 0.25], [0.125, 0.25, 0.625], [0.25, 0.75, 0.0]])
    for mix_p in (0.0, 0.5, 1.0):
        task = BigramBackcopy(law, [0.25, 0.5, 0.25], [1], mix_p=mix_p, length=40)
        tokens, roles = task.sample(20_000, rng=2)
        twin = np.array(
            [slow.sequence(law, task.unigram, [1], mix_p, 40, np.random.default_rng(i)) for i in range(400)]
        )
        assert (tokens[:, 0] == 3).all()
        assert (tokens[:, 1] != 1).all()
        assert (roles[:, :2] == task.STARTS).all()
        copied = roles == task.COPY
        assert (tokens[:, 2:][copied[:, 2:]] == tokens[:, :-2][copied[:, 2:]]).all()
        assert (tokens[:, 1:-1][copied[:, 2:]] == 1).all()
        assert copied.mean() == pytest.approx(task.bayes_loss().copy_fraction * 38 / 40, abs=0.002)
        exact = task.pair_law()
        for sample, slack in ((tokens, 0.004), (twin, 0.03)):
            pairs = sample[:, 1:-1].astype(int) * 3 + sample[:, 2:]
            share = np.bincount(pairs.ravel(), minlength=9).reshape(3, 3) / pairs.size
            np.testing.assert_allclose(share, exact, atol=slack)


def test_tiny_shakespeare(shared_data):
    text = (shared_data / "tinyshakespeare" / "input.txt").read_text()
    task = BigramBackcopy.from_text(text)
    assert (task.n_tokens, task.symbols[task.triggers[0]], task.triggers.tolist()) == (66, " ", [1, 43, 58])
    assert task.unigram[task.triggers].round(4).tolist() == [0.1523, 0.0848, 0.0601]
    symbols, bigram, unigram = slow.bigram_from_text(text[:20_000])
    short = BigramBackcopy.from_text(text[:20_000])
    assert short.symbols == symbols
    np.testing.assert_allclose(short.bigram, bigram, atol=1e-15)
    np.testing.assert_allclose(short.unigram, unigram, atol=1e-15)
    # Published, from a few hundred simulated sequences: .256 and .318 of tokens are copies.
    for n_triggers, published, exact in ((3, 0.256, 0.25649), (5, 0.318, 0.32083)):
        task = BigramBackcopy.from_text(text, n_triggers)
        loss = task.bayes_loss()
        assert loss.copy_fraction == pytest.approx(exact, abs=5e-6)
        assert loss.copy_fraction == pytest.approx(published, abs=0.004)
        assert loss.copy == 0
        tokens, roles = task.sample(4000, rng=1)
        assert (roles[:, 2:] == task.COPY).mean() == pytest.approx(exact, abs=0.002)
        marked = np.isin(tokens, task.triggers)
        assert not (marked[:, 1:] & marked[:, :-1]).any()
        assert (marked[:, 1:-1] == (roles[:, 2:] == task.COPY)).all()
        # The best predictor's loss, on these very sequences.
        drawn = roles[:, 2:] == task.BIGRAM
        measured = -np.log(task.bigram[tokens[:, 1:-1][drawn], tokens[:, 2:][drawn]]).mean()
        assert measured == pytest.approx(loss.bigram, abs=0.02)
    # Sequences come to an end in copies of "3 3 3", so that the long run is not what sequences are like.
    assert BigramBackcopy.from_text(text).bayes_loss(long_run=True).copy_fraction == pytest.approx(0.5, abs=1e-9)


def test_same_bytes(same_bytes):
    task = BigramBackcopy.from_text("to be or not to be", n_triggers=2, mix_p=0.5, length=50)
    whole = same_bytes(lambda threads: task.sample(1000, rng=1, threads=threads))
    parts = [task.sample(n, rng=1, first=first).tokens for first, n in ((0, 7), (7, 500), (507, 493))]
    np.testing.assert_array_equal(np.concatenate(parts), whole.tokens)
    again = pickle.loads(pickle.dumps(task))
    np.testing.assert_array_equal(again.sample(5, rng=1).tokens, whole.tokens[:5])
    assert task.sample(0).tokens.shape == (0, 50)
    sampled = BigramBackcopy.from_text("to be or not to be", n_triggers=1, length=12).sample(1, rng=1)
    assert sampled.tokens.tolist() == [[7, 1, 2, 0, 2, 0, 2, 0, 2, 0, 2, 0]]


def test_texts_of_bytes_and_of_any_characters():
    text = "größe große größe"
    assert BigramBackcopy.from_text(text).symbols == sorted(set(text))
    coded = BigramBackcopy.from_text(text.encode())
    assert coded.symbols is not None
    assert b"".join(coded.symbols) == bytes(sorted(set(text.encode())))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: BigramBackcopy.from_text("abc"), ValueError, "text must have a character after 'c' somewhere"),
        (lambda: BigramBackcopy.from_text(""), ValueError, "text must have from 1 to 255 different characters, got 0"),
        (
            lambda: BigramBackcopy.from_text("abab", 2),
            ValueError,
            "n_triggers must be below the number of characters, 2",
        ),
        (lambda: BigramBackcopy.from_text(3), TypeError, "text must be a str or bytes, got int"),
        (lambda: BigramBackcopy([[1, 0], [0.5, 0.4]], [0.5, 0.5], []), ValueError, r"bigram\[1\] must have a sum of 1"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.6], []), ValueError, "unigram must have a sum of 1 within 1e-9"),
        (lambda: BigramBackcopy(np.eye(3), [0.5, 0.5], []), ValueError, "bigram must have a row and a column for each"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.5], [2]), ValueError, r"triggers\[0\] must be below the number"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.5], [1, 1]), ValueError, r"triggers\[1\] must not be listed before"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.5], [0, 1]), ValueError, "triggers must leave a token"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.5], [1], mix_p=2), ValueError, "mix_p must be at most 1.0, got 2"),
        (lambda: BigramBackcopy(np.eye(2), [0.5, 0.5], [1], length=0), ValueError, "length must be at least 1, got 0"),
    ],
)
def test_what_is_wrong_is_named(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_what_is_copied_is_the_token_two_places_before_also_among_triggers():
    task = BigramBackcopy(np.full((4, 4), 0.25), np.full(4, 0.25), [1, 2], mix_p=0.5, length=30)
    tokens, roles = task.sample(500, rng=1)
    copied = roles[:, 2:] == task.COPY
    assert (tokens[:, 2:][copied] == tokens[:, :-2][copied]).all()
    assert np.isin(tokens[:, 1:-1][copied], task.triggers).all()
