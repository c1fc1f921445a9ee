"""The local-information task: exact laws of what is unread, by brute force, and who solves it."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from slowthink.metastable import correlation, local_information_task

CYCLIC = np.add.outer(np.arange(4), np.arange(4)) % 4

# Permutations of three things: the smallest group that does not commute.
PERMUTATIONS = list(itertools.permutations(range(3)))
SYMMETRIC = np.array([[PERMUTATIONS.index(tuple(p[i] for i in q)) for q in PERMUTATIONS] for p in PERMUTATIONS])


def law_of_product(table: np.ndarray, known: dict[int, int], n: int) -> list[Fraction]:
    """The law of the product of n actions, the last on the left, given those that are known: all cases counted."""
    m = len(table)
    identity = next(e for e in range(m) if (table[e] == np.arange(m)).all())
    others = [g for g in range(m) if g != identity]
    counts = [0] * m
    for actions in itertools.product(*([known[i]] if i in known else others for i in range(n))):
        product = identity
        for action in actions:
            product = int(table[action, product])
        counts[product] += 1
    return [Fraction(count, sum(counts)) for count in counts]


@pytest.mark.parametrize(
    "table", [np.add.outer(np.arange(4), np.arange(4)) % 4, SYMMETRIC], ids=["cyclic", "symmetric"]
)
@pytest.mark.parametrize("known", [{}, {0: 1}, {1: 2, 3: 1}, {0: 3, 2: 2, 3: 1}, {0: 1, 1: 2, 2: 3, 3: 1}])
def test_the_law_of_the_label_given_what_was_read(table, known):
    m, u = len(table), 4 - len(known)
    law = law_of_product(table, known, 4)
    product = 0
    for place in sorted(known):
        product = int(table[known[place], product])
    c = Fraction(-1, m - 1) ** u
    expected = [Fraction(1, m) + c * (int(g == product) - Fraction(1, m)) for g in range(m)]
    assert law == expected
    # The correlation with the best statistic, [label = product]: its mean moves by |c|^u times what it could.
    assert abs(law[product] - Fraction(1, m)) == abs(c) * (1 - Fraction(1, m))
    assert correlation(u, m) == pytest.approx(float(abs(c)))


def test_only_the_global_learner_succeeds_as_the_path_grows():
    gains = []
    for n_clusters in (4, 8, 16, 32):
        found = local_information_task(n_clusters, n_worlds=600, confidence=1 - 1e-7, rng=n_clusters)
        assert found.levels == ("none", "path", "local", "global")
        assert (found.n_unread[:, 0] == n_clusters - 1).all()
        assert (np.diff(found.n_unread[:, :3], axis=1) <= 0).all()  # who has access to more reads more
        assert (found.low <= found.expected).all()
        assert (found.expected <= found.high).all()
        # All edges are found in 95 of 100 searches; the other guesses are no better than chance.
        assert found.low[3] > 0.84
        assert (found.low[:3] < 0.9).all()
        gains.append(found.expected[:3] - found.chance)
    assert (np.abs(gains[-1]) < 1e-3).all()
    assert (np.abs(gains[0]) > np.abs(gains[2])).all()
    # Without access the gain is exactly that of K - 1 unread actions.
    expected = [0.25 ** (k - 1) * (0.2 if k % 2 == 0 else 0.8) for k in (4, 8, 16, 32)]
    np.testing.assert_allclose([gain[0] for gain in gains], expected, rtol=1e-6, atol=1e-13)


def test_a_radius_that_spans_the_ring_reads_all():
    found = local_information_task(5, 6, 0.1, n_worlds=50, radius=10, rng=1)
    assert found.accuracy[2] == 1.0
    assert (found.n_unread[:, 2] == 0).all()
    # Two steps of the neighbourhood lead one cluster further.
    near = [local_information_task(9, 6, 0.1, n_worlds=2, path_steps=0, radius=r, rng=1) for r in range(8)]
    start_is_no_source = [result.n_unread[0, 2] for result in near]
    assert start_is_no_source == [8, 7, 7, 6, 6, 5, 5, 4]


def test_groups_that_do_not_commute():
    found = local_information_task(6, 4, 0.3, group=SYMMETRIC, n_worlds=800, confidence=1 - 1e-7, rng=3)
    assert found.n_elements == 6
    assert (found.low <= found.expected).all()
    assert (found.expected <= found.high).all()
    assert found.correct[found.n_unread == 0].all()


def test_shards_threads_and_pin(same_bytes):
    call = {"n_clusters": 6, "cluster_size": 5, "epsilon": 0.2, "rng": 7}
    whole = same_bytes(lambda threads: local_information_task(n_worlds=60, threads=threads, **call))
    parts = [local_information_task(n_worlds=n, first=first, **call) for first, n in ((0, 25), (25, 35))]
    np.testing.assert_array_equal(np.concatenate([part.n_unread for part in parts]), whole.n_unread)
    np.testing.assert_array_equal(np.concatenate([part.correct for part in parts]), whole.correct)
    assert whole.correct.sum(axis=0).tolist() == PINNED


PINNED = [11, 14, 10, 60]  # a changed number is a changed stream


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"n_clusters": 1}, "n_clusters must be at least 2"),
        ({"epsilon": 0.0}, "epsilon must be"),
        ({"group": 2}, "group must have at least 3 elements"),
        ({"group": [[0, 1], [1, 1]]}, "group must have each element once"),
        ({"n_worlds": 0}, "n_worlds must be at least 1"),
        ({"radius": -1}, "radius must be at least 0"),
        ({"confidence": 1.0}, "confidence must be above 0 and below 1"),
        ({"path_steps": -1}, "path_steps must be at least 0"),
    ],
)
def test_bad_input_is_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        local_information_task(**{"n_clusters": 4, "n_worlds": 5, **arguments})
