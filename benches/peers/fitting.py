"""Chains from data beside deeptime: counts, the reversible chain of greatest likelihood, samples of its posterior.

    pip install deeptime
    python benches/peers/fitting.py

The same data in the same process, one thread each, the least time of several turns. deeptime counts without its
estimator's checks; its reversible fit runs to its default tolerance, whose distance from the maximum is printed too.
The last table says how much samples in a row depend on each other: the correlation of neighbours, for the stationary
share of one of two metastable sets. deeptime takes one sample every sqrt(states) turns by default.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
from slowthink.chains import (
    MarkovChain,
    count_trajectories,
    fit_chain,
    largest_connected_set,
    log_likelihood,
    sample_posterior,
)


def best_of(repeats: int, *calls: Callable[[], object]) -> list[float]:
    """The least time of each call over alternating repeats, in seconds."""
    times = [float("inf")] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.perf_counter()
            call()
            times[i] = min(times[i], time.perf_counter() - start)
    return times


def metastable(n_states: int, coupling: float) -> MarkovChain:
    """Two sets of states with random transitions within them, and rare ones between."""
    rng = np.random.default_rng(1)
    half = n_states // 2
    weights = np.zeros((n_states, n_states))
    for part in (slice(0, half), slice(half, None)):
        weights[part, part] = rng.random((half, half)) ** 4
    weights += weights.T
    weights[0, half] = weights[half, 0] = coupling * weights[0].sum()
    return MarkovChain.from_weights(weights)


def dense(chain: MarkovChain) -> np.ndarray:
    matrix = np.zeros((chain.n_states, chain.n_states))
    matrix[np.repeat(np.arange(chain.n_states), np.diff(chain.indptr)), chain.indices] = chain.probabilities
    return matrix


def share(matrix: np.ndarray) -> float:
    """The stationary probability of the first half of the states."""
    n = len(matrix)
    law = np.linalg.solve((matrix - np.eye(n)).T + 1, np.ones(n))
    return float(law[: n // 2].sum())


def neighbours(values: np.ndarray) -> float:
    return float(np.corrcoef(values[:-1], values[1:])[0, 1])


def main() -> None:
    from deeptime.markov import TransitionCountEstimator
    from deeptime.markov.msm import BayesianMSM, MaximumLikelihoodMSM
    from deeptime.markov.tools.estimation import count_matrix

    warnings.simplefilter("ignore")
    print("counts of 1e7 steps, lag 10: ns a step")
    for n_states in (50, 5_000):
        walk = metastable(50, 0.01).walk(0, 10_000_000, n_walks=1, rng=1)[0]
        walk = (walk + 50 * np.random.default_rng(2).integers(0, n_states // 50, len(walk))).astype(np.int32)
        ours, theirs = best_of(
            3, lambda w=walk: count_trajectories(w, lag=10, threads=1), lambda w=walk: count_matrix([w], 10)
        )
        print(
            f"  {n_states:>6} states: slowthink {ours / 1e-2:.1f}, deeptime {theirs / 1e-2:.1f}, {theirs / ours:.1f}x"
        )
    short = metastable(50, 0.01).walk(0, 200_000, n_walks=1, rng=1)[0].astype(np.int32)
    ours, theirs = best_of(
        1,
        lambda: count_trajectories(short, lag=10, counting="effective", threads=1),
        lambda: TransitionCountEstimator(10, "effective").fit_fetch(short),
    )
    print(f"  effective, 2e5 steps: slowthink {ours:.3f} s, deeptime {theirs:.1f} s, {theirs / ours:.0f}x")

    print("reversible chain of greatest likelihood: ms, and how far the log-likelihood stays below the greatest")
    for n_states, coupling in ((50, 0.01), (500, 0.01), (50, 1e-4)):
        walk = metastable(n_states, coupling).walk(0, 2_000_000, n_walks=4, rng=3)
        counts = count_trajectories(walk)
        counts = counts.restrict(largest_connected_set(counts))
        matrix = counts.to_dense().astype(float)
        fitter = MaximumLikelihoodMSM(reversible=True)
        ours, theirs = best_of(
            3, lambda c=counts: fit_chain(c, reversible=True), lambda m=matrix, f=fitter: f.fit_fetch(m)
        )
        best = fit_chain(counts, reversible=True).log_likelihood
        other = log_likelihood(MarkovChain(fitter.fetch_model().transition_matrix), counts)
        size = f"  {counts.n_states} states, coupling {coupling:g}:"
        print(
            f"{size} slowthink {ours * 1e3:.1f}, deeptime {theirs * 1e3:.1f}, {theirs / ours:.1f}x; {best - other:.1e}"
        )

    print("200 samples of the reversible posterior: ms a sample, correlation of neighbours")
    for n_states, coupling in ((20, 0.01), (20, 1e-4)):
        walk = metastable(n_states, coupling).walk(0, 1_000_000, n_walks=1, rng=3)
        counts = count_trajectories(walk)
        counts = counts.restrict(largest_connected_set(counts))
        matrix = counts.to_dense().astype(float)
        bayes = BayesianMSM(n_samples=200, reversible=True)
        ours, theirs = best_of(
            1,
            lambda c=counts: sample_posterior(c, 200, reversible=True, rng=1, threads=1),
            lambda m=matrix, b=bayes: b.fit_fetch(m),
        )
        mine = sample_posterior(counts, 200, reversible=True, rng=1).map(lambda chain: share(dense(chain)))
        other = np.array([share(np.asarray(model.transition_matrix)) for model in bayes.fetch_model().samples])
        size = f"  {counts.n_states} states, coupling {coupling:g}:"
        print(f"{size} slowthink {ours * 5:.2f}, {neighbours(mine):+.2f} (mean {mine.mean():.3f}, sd {mine.std():.3f})")
        moments = f"(mean {other.mean():.3f}, sd {other.std():.3f})"
        print(f"{'':>{len(size)}} deeptime  {theirs * 5:.2f}, {neighbours(other):+.2f} {moments}")


if __name__ == "__main__":
    main()
