"""n-gram chains: counts of contexts, texts that follow their law, likelihoods, all kinds of text."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from slowthink.chains import TextChain, ngram_chain
from slowthink.reference import fitting as slow


def follow(text: TextChain) -> Counter:
    """Which symbol follows which context, and how often."""
    seen: Counter = Counter()
    counts = text.counts
    for state, target, count in zip(counts.source, counts.indices, counts.counts, strict=True):
        context, following = text.context(int(state)), text.context(int(target))
        if text._unit == "word":
            seen[tuple(context.split()), following.split()[-1]] += int(count)
        else:
            seen[tuple(context), following[-1]] += int(count)
    return seen


@given(st.text(st.characters(), min_size=1, max_size=40), st.integers(1, 4))
def test_contexts_and_their_successors_equal_the_twin(text: str, order: int):
    order = min(order, len(text))
    assert follow(ngram_chain(text, order)) == slow.ngrams(text, order)


@given(st.lists(st.sampled_from(["to", "be", "or", "not", "é", "b"]), min_size=1, max_size=30), st.integers(1, 3))
def test_words_equal_the_twin(words: list[str], order: int):
    order = min(order, len(words))
    assert follow(ngram_chain("  ".join(words), order, unit="word")) == slow.ngrams(words, order)


def test_bytes_are_symbols_too():
    raw = bytes(range(256)) + b"\x00\xff\x00"
    text = ngram_chain(raw)
    assert text.symbols == [bytes([i]) for i in range(256)]
    made = text.generate(1000, b"\xfe", rng=1)
    assert isinstance(made, bytes)
    assert made[:1] == b"\xff"
    assert ngram_chain(raw, 2).context(0) == b"\x00\x00"
    words = ngram_chain(b"to be or not to be", unit="word").generate(5, b"or", rng=1)
    assert words.split()[:2] == [b"not", b"to"]


@pytest.mark.parametrize("alphabet", ["ab c", "aé\xff ", "ж日本語", "\U0001f600\U0001f601\ud800x"])
def test_texts_hold_the_characters_and_only_their_transitions(alphabet: str):
    rng = np.random.default_rng(1)
    source = "".join(rng.choice(list(alphabet), 300))
    for order in (1, 2, 3):
        text = ngram_chain(source, order)
        circle = source + source[:order]
        grams = {circle[t : t + order + 1] for t in range(len(source))}
        start = source[5 : 5 + order]
        for made in text.generate(500, start, n_texts=7, rng=2):
            assert len(made) == 500
            whole = start + made
            assert {whole[t : t + order + 1] for t in range(500)} <= grams
            # A text is as likely as the product of the shares of its transitions says.
            assert np.isfinite(text.log_likelihood(whole))


def test_each_context_is_visited_as_often_as_it_occurs():
    text = ngram_chain("abracadabra alakazam abrakadabra hokuspokus fidibus", order=2)
    law = text.counts.row_sums() / text.counts.total
    flow = law[text.counts.source] * text.chain.probabilities
    np.testing.assert_allclose(np.bincount(text.chain.indices, weights=flow), law, atol=1e-15)
    # The first symbol of a text of its own has the law of the symbols, and so have all others.
    n = 40_000
    made = text.generate(5, n_texts=n, rng=3)
    source = Counter("abracadabra alakazam abrakadabra hokuspokus fidibus")
    total = sum(source.values())
    for place in (0, 4):
        seen = Counter(one[place] for one in made)
        observed = [seen[symbol] for symbol in source]
        expected = [n * count / total for count in source.values()]
        assert stats.chisquare(observed, expected).pvalue > 1e-6


def test_transitions_of_shakespeare_follow_their_law(shared_data):
    source = (shared_data / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    text = ngram_chain(source)
    assert (text.chain.n_states, len(text.symbols)) == (65, 65)
    made = text.generate(20_000, n_texts=50, rng=4)
    again = np.zeros((65, 65))
    for one in made:
        states = text.states(one)
        np.add.at(again, (states[:-1], states[1:]), 1)
    counts = text.counts.to_dense()
    assert not again[counts == 0].any()
    for state in range(65):
        expected = counts[state] / counts[state].sum() * again[state].sum()
        common = expected > 5
        if common.sum() > 1:
            observed = np.append(again[state][common], again[state][~common].sum())
            wanted = np.append(expected[common], expected[~common].sum())
            keep = wanted > 0
            # 65 rows together at a level of about 1e-6.
            assert stats.chisquare(observed[keep], wanted[keep]).pvalue > 1e-8
    # The text itself: bits a character of the bigram model, from its counts.
    shares = counts[counts > 0] / np.repeat(counts.sum(axis=1), (counts > 0).sum(axis=1))
    entropy = -(counts[counts > 0] * np.log(shares)).sum() / counts.sum()
    assert text.perplexity(source) == pytest.approx(np.exp(entropy), rel=1e-5)


def test_likelihoods():
    text = ngram_chain("aab")  # a a b and around: a follows a and b once, b follows a once
    assert text.log_likelihood("aaba") == pytest.approx(2 * np.log(0.5))
    assert text.perplexity("aaba") == pytest.approx(np.exp(-2 * np.log(0.5) / 3))
    assert text.log_likelihood("bb") == -np.inf
    assert text.log_likelihood("axa") == -np.inf
    assert text.perplexity("bb") == np.inf
    assert text.log_likelihood("a") == text.log_likelihood("") == 0
    np.testing.assert_array_equal(text.states("abxa"), [0, 1, -1, 0])
    pairs = ngram_chain("abcab", order=2)
    np.testing.assert_array_equal(pairs.states("abx"), [pairs.states("ab")[0], -1])
    with pytest.raises(ValueError, match="text must have more than 2 symbols"):
        pairs.perplexity("ab")


def test_an_order_as_long_as_the_text_repeats_it():
    text = ngram_chain("abcde", order=5)
    assert text.chain.n_states == 5
    assert text.generate(12, "abcde", rng=1) == "abcdeabcdeab"
    assert text.generate(4, "xxabcde", rng=1) == "abcd"


@pytest.mark.parametrize("source", ["abracadabra alakazam", "жабракадабра日"])
def test_texts_do_not_depend_on_threads_or_shards(same_bytes, source):
    text = ngram_chain(source, order=2)
    whole = same_bytes(lambda threads: text.generate(300, n_texts=300, rng=5, threads=threads))
    assert len(set(whole)) > 250
    shards = [text.generate(300, n_texts=n, rng=5, first=first) for n, first in ((1, 0), (7, 1), (140, 8), (152, 148))]
    assert [one for shard in shards for one in shard] == whole
    assert text.generate(300, rng=5) == whole[0]
    assert text.generate(120, n_texts=3, rng=5) == [one[:120] for one in whole[:3]]
    assert text.generate(0, n_texts=2) == ["", ""]
    assert text.generate(5, n_texts=0) == []


def test_value_stability():
    text = ngram_chain("abracadabra alakazam", order=2)
    assert text.generate(40, rng=7) == "mabra alakazamabra alakazamabra alakazam"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ngram_chain(""), ValueError, "text must hold at least one symbol"),
        (lambda: ngram_chain(" ", unit="word"), ValueError, "text must hold at least one symbol"),
        (lambda: ngram_chain(["a"]), TypeError, "text must be a str or bytes, got list"),
        (lambda: ngram_chain("abc", 0), ValueError, "order must be at least 1"),
        (
            lambda: ngram_chain("abc", 4),
            ValueError,
            "order must be at most the number of symbols in the text, 3, got 4",
        ),
        (lambda: ngram_chain("abc", unit="line"), ValueError, "unit must be 'character' or 'word'"),
        (lambda: ngram_chain("abc").generate(-1), ValueError, "n_symbols must be at least 0"),
        (lambda: ngram_chain("abc").generate(1.5), TypeError, "n_symbols must be an int"),
        (lambda: ngram_chain("abc").generate(1, "x"), ValueError, "start must end in 1 symbols that occur"),
        (lambda: ngram_chain("abc", 2).generate(1, "a"), ValueError, "start must have at least 2 symbols"),
        (lambda: ngram_chain("abc", 2).generate(1, "ac"), ValueError, "start must end in 2 symbols that occur"),
        (lambda: ngram_chain("abc").generate(1, b"a"), TypeError, "text and start must be str"),
        (lambda: ngram_chain("abc").generate(1, n_texts=-1), ValueError, "n_texts must be at least 0"),
        (lambda: ngram_chain("abc").generate(2**60), MemoryError, "takes"),
        (lambda: ngram_chain("abc").context(3), ValueError, "state must be below the number of states, 3, got 3"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
