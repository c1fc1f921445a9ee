"""A task that local information cannot solve: composing hidden group actions along sparse edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import _starts
from slowthink.metastable import _groups
from slowthink.metastable._family import metastable_chain
from slowthink.metastable._search import sparse_edge_search

_Floats = npt.NDArray[np.float64]

LEVELS = ("none", "path", "local", "global")
"""What a learner has access to, from the least to the most."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class LocalInformation:
    """How often each learner was right; from :func:`local_information_task`.

    Attributes
    ----------
    levels : tuple of str
        "none", "path", "local", "global": the four learners, in the order of the columns.
    correct : (W, 4) ndarray of bool
        Whether the learner was right in each world.
    n_unread : (W, 4) ndarray of int64
        How many of the K - 1 actions it had not read.
    accuracy : (4,) ndarray of float
        Share of the worlds in which it was right.
    low, high : (4,) ndarrays of float
        Clopper-Pearson interval of its probability.
    confidence : float
        Level of the intervals.
    expected : (4,) ndarray of float
        The exact probability of being right, given how many actions were unread in each world, on average.
    n_elements : int
        Elements of the group, m; chance is 1 / m.
    """

    levels: tuple[str, ...]
    correct: npt.NDArray[np.bool_]
    n_unread: npt.NDArray[np.int64]
    accuracy: _Floats
    low: _Floats
    high: _Floats
    confidence: float
    expected: _Floats
    n_elements: int

    @property
    def chance(self) -> float:
        """The probability of being right for one who knows nothing: 1 / m."""
        return 1.0 / self.n_elements

    @property
    def correlation(self) -> _Floats:
        """(4,) the mean of |c|^u over the worlds, c = -1 / (m - 1), u the unread actions: see :func:`correlation`."""
        return np.asarray(correlation(self.n_unread, self.n_elements).mean(axis=0))

    def __repr__(self) -> str:
        shares = ", ".join(f"{name}={share:.3f}" for name, share in zip(self.levels, self.accuracy, strict=True))
        return f"LocalInformation(n_worlds={len(self.correct)}, chance={self.chance:.3f}, {shares})"


def correlation(n_unread: npt.ArrayLike, n_elements: int) -> _Floats:
    """How much is left of the label in what a learner has read, with u of the actions unread: 1 / (m - 1)^u.

    The law of the label is, given all that was read, 1/m + c^u ([it is the product of what was read] - 1/m) with c = -1
    / (m - 1). So the mean of a function of the label, in standard deviations from what it is without any knowledge,
    moves by |c|^u times what full knowledge would move it: no statistic of what was read is correlated with it more.

    Parameters
    ----------
    n_unread : array_like of int
        u, at least 0.
    n_elements : int
        m, at least 3.

    Returns
    -------
    ndarray of float

    Examples
    --------
    >>> from slowthink.metastable import correlation
    >>> correlation([0, 1, 2, 10], 5)
    array([1.00000000e+00, 2.50000000e-01, 6.25000000e-02, 9.53674316e-07])
    """
    unread = _arrays.integers(n_unread, "n_unread", low=0)
    m = _starts.count(n_elements, "n_elements", low=3)
    return np.asarray(float(m - 1) ** -unread.astype(np.float64))


def local_information_task(
    n_clusters: int,
    cluster_size: int = 16,
    epsilon: float = 0.1,
    *,
    group: int | npt.ArrayLike = 5,
    n_worlds: int = 1000,
    path_steps: int | None = None,
    radius: int = 2,
    confidence: float = 0.99,
    rng: _run.RNG = None,
    first: int = 0,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> LocalInformation:
    """Guesses the composed action of a hidden path of sparse edges, with access to more and more of the world.

    A world is a directed ring of K clusters with one source each (:func:`metastable_chain`), so that there is one way
    from cluster 0 to the last: K - 1 sparse edges. Each acts on a hidden value by an element of a group, drawn
    uniformly from all but the identity, anew in each world; transitions within clusters act by the identity. The
    question is the product of all K - 1. Four learners know the group and how the actions were drawn, and read the
    actions of

    * "none": no edge;
    * "path": the sparse edges that a path from the start takes within ``path_steps`` steps;
    * "local": the sparse edges out of all states within ``radius`` steps of that path;
    * "global": the sparse edges that :func:`sparse_edge_search` finds.

    Each then makes the best guess that there is.

    Parameters
    ----------
    n_clusters, cluster_size, epsilon
        K, M and epsilon of the ring.
    group : int or (m, m) array of int
        The order of a cyclic group, or the table of a group, of at least 3 elements: with 2 there is one action only.
    n_worlds : int
        W, at least 1.
    path_steps : int, optional
        Length of the generated path; ceil(M / epsilon) by default, in which one sparse edge is taken on average.
    radius : int
        Two steps lead from a state to the next cluster, so that each pair of them reads one action more.
    confidence : float
        Level of the intervals, each by itself.
    rng : None, int, SeedSequence or Generator
    first : int
        The number of the first world: shards (``first=``) make up the whole.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the worlds searched and their number.

    Returns
    -------
    LocalInformation

    Notes
    -----
    With u actions unread, the label has the law 1/m + c^u ([label = product of those read] - 1/m), c = -1 / (m - 1), in
    any group. The best guess is that product for even u, any other element for odd u, right with probability 1/m +
    |c|^u (1 - 1/m) or 1/m + |c|^u / m. No learner that reads the same edges does better, with whatever computation:
    what is bounded here is information. A path of bounded length leaves Omega(K) actions unread, so that its gain over
    chance falls exponentially in K.

    This is a construction of our own, in the spirit of section 5 of Kim, Wu, Lee and Suzuki 2025 (arXiv 2502.01694).
    The paper has no experiments. Its theorem is about learners that ask statistical queries about one fixed world, and
    bounds their number; we had no access to its details.

    Examples
    --------
    >>> from slowthink.metastable import local_information_task
    >>> result = local_information_task(8, 8, 0.2, n_worlds=200, rng=1)
    >>> result.accuracy[3] > 0.9, (result.high[:2] > result.chance).all()
    (np.True_, np.True_)
    """
    ring = metastable_chain(n_clusters, cluster_size, epsilon)
    table = _groups.table(group)
    if len(table) < 3:
        raise ValueError("group must have at least 3 elements: with 2 there is one action only")
    worlds = _starts.count(n_worlds, "n_worlds", low=1, high=2**40)
    steps = math.ceil(cluster_size / epsilon) if path_steps is None else _starts.count(path_steps, "path_steps")
    near = _starts.count(radius, "radius", high=2**31)
    level = float(_arrays.floats(confidence, "confidence", ndim=0))
    if not 0 < level < 1:
        raise ValueError(f"confidence must be above 0 and below 1, got {confidence}")
    begin = _starts.count(first, "first", high=2**64 - 1)
    n_threads, report = _run.options(threads, progress)
    seed = _run.seed(rng)
    hidden = ring.sparse_edges[:-1]  # all but that from the last cluster to cluster 0
    out = _arrays.empty((worlds, 2 * len(LEVELS)), np.int64)
    found = _arrays.empty((worlds, len(hidden)), np.bool_)
    for world in range(worlds):
        if report is not None:
            report(world, worlds)
        stream = np.random.SeedSequence([*seed.tolist(), (begin + world) % 2**64])
        found[world] = _read(sparse_edge_search(ring, rng=stream, threads=n_threads).edges, hidden)
    paths = (ring.start, steps, near)
    _slowthink.guess_actions(ring.chain._chain, hidden, paths, table, found, seed, begin, out, (n_threads, None))
    correct = out[:, 1::2] > 0
    shares = correct.mean(axis=0)
    m = len(table)
    left, even = correlation(out[:, ::2], m), out[:, ::2] % 2 == 0
    ends = [_slowthink.binomial_interval(int(right), worlds, level) for right in correct.sum(axis=0)]
    return LocalInformation(
        levels=LEVELS,
        correct=correct,
        n_unread=out[:, ::2].copy(),
        accuracy=shares,
        low=np.array([low for low, _ in ends]),
        high=np.array([high for _, high in ends]),
        confidence=level,
        expected=(1 / m + left * np.where(even, 1 - 1 / m, 1 / m)).mean(axis=0),
        n_elements=m,
    )


def _read(edges: npt.NDArray[np.uint32], hidden: npt.NDArray[np.uint32]) -> npt.NDArray[np.bool_]:
    """Which of the hidden edges are among those that were found."""
    found = {(source, target) for source, target in edges.tolist()}
    return np.array([(source, target) in found for source, target in hidden.tolist()])
