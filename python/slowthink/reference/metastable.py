"""Slow twin of the chains of clusters: the matrix from its definition, and mean hitting times by exact rationals."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

Matrix = list[list[Fraction]]


def transition_matrix(
    n_clusters: int,
    cluster_size: int,
    epsilon: Fraction,
    meta_edges: Collection[tuple[int, int]],
    n_sources: int = 1,
    entries: Sequence[Collection[int]] | None = None,
) -> Matrix:
    """Uniform clusters of which the first states are left with probability epsilon, for the entries of the others.

    ``entries[k]`` are the states at which cluster k is entered, numbered within it; state ``n_sources`` by default.
    """
    entered = entries or [[n_sources] for _ in range(n_clusters)]
    n_states = n_clusters * cluster_size
    matrix = [[Fraction(0)] * n_states for _ in range(n_states)]
    for k in range(n_clusters):
        states = range(k * cluster_size, (k + 1) * cluster_size)
        outside = [to * cluster_size + e for to in range(n_clusters) if (k, to) in meta_edges for e in entered[to]]
        for x in states:
            leave = epsilon if x in states[:n_sources] and outside else Fraction(0)
            for y in states:
                matrix[x][y] += (1 - leave) / cluster_size
            for y in outside if leave else []:
                matrix[x][y] += leave / len(outside)
    return matrix


def mean_hitting_times(matrix: Matrix, targets: Collection[int]) -> list[Fraction]:
    """The mean number of steps to the targets from each state, all of which can reach them: h_i = 1 + sum p_ij h_j."""
    unknown = [i for i in range(len(matrix)) if i not in targets]
    rows = [[Fraction(int(i == j)) - matrix[i][j] for j in unknown] + [Fraction(1)] for i in unknown]
    for k in range(len(unknown)):
        pivot = next(r for r in range(k, len(unknown)) if rows[r][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for r in range(len(unknown)):
            if r != k and rows[r][k]:
                factor = rows[r][k]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[k], strict=True)]
    times = [Fraction(0)] * len(matrix)
    for i, row in zip(unknown, rows, strict=True):
        times[i] = row[-1]
    return times


def meta_chain(matrix: Matrix, labels: Sequence[int]) -> Matrix:
    """q(l | k): the sum over x in cluster k of mu_k(x) times the probability of a step from x to cluster l.

    mu_k solves mu_k = mu_k P_k, where P_k are the rows within the cluster over their sums. Clusters are irreducible.
    """
    n_clusters = max(labels) + 1
    result = []
    for k in range(n_clusters):
        states = [x for x, label in enumerate(labels) if label == k]
        inside = [[matrix[x][y] / sum(matrix[x][z] for z in states) for y in states] for x in states]
        # The time between visits of a state: 1 + the mean time to it from where the first step leads.
        law = []
        for x in range(len(states)):
            times = mean_hitting_times(inside, [x])
            law.append(1 / (1 + sum((p * time for p, time in zip(inside[x], times, strict=True)), Fraction(0))))
        result.append(
            [
                sum(
                    (
                        weight * matrix[x][y]
                        for weight, x in zip(law, states, strict=True)
                        for y in range(len(labels))
                        if labels[y] == to
                    ),
                    Fraction(0),
                )
                for to in range(n_clusters)
            ]
        )
    return result
