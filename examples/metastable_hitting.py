"""How long does a walk take from one cluster of states to another, when clusters are hardly ever left?

Ten clusters of six states stand in a ring. A walk stays within its cluster for about a hundred million steps, and goes
half round the ring in some billions: step by step one walk takes many seconds, and one is not enough. The walks here
jump over the time they stay, by the same law.

    python examples/metastable_hitting.py [FIGURE]          # FIGURE: a .png, .pdf or .svg of the survival curve
"""

import sys

import numpy as np
from slowthink.chains import MarkovChain

N_CLUSTERS, SIZE, LEAVE = 10, 6, 6e-8
"""The last: the probability that the one state of a cluster with a way out takes it, one of two."""


def ring_of_clusters() -> MarkovChain:
    rng = np.random.default_rng(1)
    n_states = N_CLUSTERS * SIZE
    matrix = np.zeros((n_states, n_states))
    for first in range(0, n_states, SIZE):
        block = rng.random((SIZE, SIZE))
        matrix[first : first + SIZE, first : first + SIZE] = block / block.sum(axis=1, keepdims=True)
        matrix[first] *= 1 - LEAVE
        matrix[first, [(first + SIZE) % n_states, first - SIZE]] = LEAVE / 2
    return MarkovChain(matrix)


def main(figure: str | None) -> None:
    chain = ring_of_clusters()
    opposite = np.arange(N_CLUSTERS // 2 * SIZE, (N_CLUSTERS // 2 + 1) * SIZE)
    print(chain)

    times = chain.sample_hitting_times(opposite, 0, n_walks=2000, max_steps=10**12, rng=2)
    low, high = times.interval()
    print(f"mean hitting time of the opposite cluster {times.mean():.3g} [{low:.3g}, {high:.3g}]")
    print(f"exact                                     {exact(chain, opposite):.3g}")

    # Watched for two billion steps alone, most walks are not there yet. What can be said is said with censoring.
    short = chain.sample_hitting_times(opposite, 0, n_walks=2000, max_steps=2 * 10**9, rng=2)
    print(f"watched for 2e9 steps: {short.n_censored} of {short.n_walks} walks are censored")
    curve = short.survival([5 * 10**8, 10**9, 2 * 10**9])
    for i, time in enumerate(curve.times):
        print(f"  not there after {time:.0e} steps: {curve.survival[i]:.3f} [{curve.low[i]:.3f}, {curve.high[i]:.3f}]")

    if figure:
        from slowthink import plots

        axes = plots.plot_survival(times.survival(), label="all", log=True)
        plots.plot_survival(short.survival(), axes, label="2e9 steps")
        axes.figure.savefig(figure, dpi=200)


def exact(chain: MarkovChain, targets: np.ndarray) -> float:
    """By elimination: good enough here, where clusters are not left too seldom for double precision."""
    matrix = chain.to_dense()
    others = np.setdiff1d(np.arange(chain.n_states), targets)
    return float(np.linalg.solve(np.eye(len(others)) - matrix[np.ix_(others, others)], np.ones(len(others)))[0])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
