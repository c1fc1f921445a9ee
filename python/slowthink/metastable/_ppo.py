"""Proximal policy optimisation with the advantage on sparse edges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.chains import MarkovChain, _starts
from slowthink.metastable import _inputs
from slowthink.metastable._policy import SoftmaxPolicy

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class PpoResult:
    """A policy that takes the edges it was rewarded for more often; from :func:`ppo`.

    Attributes
    ----------
    base : MarkovChain
        The policy before, S states.
    chain : MarkovChain
        The policy after.
    edges : (E, 2) ndarray of uint32
        The edges that were rewarded.
    edge_probability : (n_iterations + 1, E) ndarray of float
        The probability of each edge before, and after each iteration.
    reached : (E,) ndarray of bool
        Whether the edge has come to ``epsilon_max``, or was above from the start, which leaves it alone.
    total_variation : (S,) ndarray of float
        Half the sum of the differences between the two rows of each state: at most ``epsilon_max`` for each edge out of
        it, and 0 for all states without one.
    n_iterations : int
        Iterations taken.
    epsilon_max : float
        The probability to which edges were raised.
    """

    base: MarkovChain
    chain: MarkovChain
    edges: npt.NDArray[np.uint32]
    edge_probability: _Floats
    reached: npt.NDArray[np.bool_]
    total_variation: _Floats
    n_iterations: int
    epsilon_max: float

    @property
    def mean_total_variation(self) -> float:
        """The mean of :attr:`total_variation` over the states: with one source in each cluster of M states, about
        ``epsilon_max`` / M, which is o(1/M) where ``epsilon_max`` is o(1)."""
        return float(self.total_variation.mean())

    @property
    def policy(self) -> SoftmaxPolicy:
        """The policy as logits, normalised to logarithms of probabilities."""
        return SoftmaxPolicy(self.chain)

    def mean_hitting_times(self, targets: Any) -> tuple[_Floats, _Floats]:
        """Exact mean hitting times before and after.

        Parameters
        ----------
        targets : int, array of states, or (S,) array of bool
            As for :meth:`MarkovChain.mean_hitting_times <slowthink.chains.MarkovChain.mean_hitting_times>`.

        Returns
        -------
        before, after : (S,) ndarrays of float
            Steps from each state.
        """
        return self.base.mean_hitting_times(targets), self.chain.mean_hitting_times(targets)

    def __repr__(self) -> str:
        return (
            f"PpoResult(n_edges={len(self.edges)}, n_reached={int(self.reached.sum())}, "
            f"n_iterations={self.n_iterations}, mean_total_variation={self.mean_total_variation:.3g})"
        )


def ppo(
    chain: Any,
    edges: npt.ArrayLike,
    *,
    epsilon_max: float,
    clip: float = 0.2,
    learning_rate: float | None = None,
    sign_gradient: bool = True,
    n_epochs: int = 4,
    n_iterations: int = 10_000,
    state_distribution: npt.ArrayLike | None = None,
    batch_size: int | None = None,
    rng: _run.RNG = None,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> PpoResult:
    """Raises the probability of sparse edges by PPO-Clip on a tabular softmax policy.

    The reward of a transition is 1 if it is one of ``edges`` and 0 otherwise, and is taken as its advantage. An
    iteration climbs, from the policy p_old, the objective E[min(r A, clip(r, 1 - c, 1 + c) A)], r = p / p_old, by at
    most ``n_epochs`` steps of gradient ascent on the logits, of which there is one for each transition of the chain.

    Parameters
    ----------
    chain : MarkovChain or MetastableChain
        The policy to begin with.
    edges : SparseEdges or (E, 2) array of int
        Source and target of transitions of the chain, each once, such as a search found them.
    epsilon_max : float
        Each edge by itself is raised to this probability, and then kept there (:func:`reweight_edges` gives it to
        those out of a state together). The step that would carry it past ends there, so that it is met to the last
        digits. An edge that has as much already, such as one that a search took for sparse by mistake, is let alone.
        Above 0, and below 1/k for a state with k edges to be raised.
    clip : float
        c: an edge has no gradient where its probability exceeds 1 + c times the old one.
    learning_rate : float, optional
        Step of the logits; 0.05 by default for signs, and to be given for gradients.
    sign_gradient : bool
        Whether a logit moves by ``learning_rate`` in the direction of its derivative (the default), or by
        ``learning_rate`` times the derivative. The derivative is about the probability of the state times that of the
        edge: plain ascent needs some 1 / (``learning_rate`` x the product) steps to begin, and moves what is not
        rewarded by amounts that differ. Signs need about ln(``epsilon_max`` / epsilon) / ln(1 + c) iterations, and keep
        the ratios among all other transitions of a state.
    n_epochs : int
        Steps in an iteration at most, at least 1; the clip acts from the second on.
    n_iterations : int
        Iterations at most. All ends when each edge has come to ``epsilon_max``.
    state_distribution : (S,) array of float, optional
        How often each state is met; equal by default. Only whether it is 0 matters for signs without batches.
    batch_size : int, optional
        Draws of a state by this law, and of a transition by p_old, in each iteration, which then estimate the
        objective. By default its expectation is exact: a batch meets an edge of probability 1e-9 hardly ever.
    rng : None, int, SeedSequence or Generator
        For batches.
    threads : int, optional
        Number of threads; all by default.
    progress : bool or callable
        True shows a bar; a callable is given the states with edges done and their number (for batches: blocks of 4,096
        draws).

    Returns
    -------
    PpoResult

    Raises
    ------
    ValueError
        Naming an edge that is no transition or comes twice, an argument out of its range, or a learning rate so large
        that transitions vanish.

    Notes
    -----
    Rows of states without edges stay what they are, to the bit. A row with edges costs two exponentials for each of its
    transitions and steps, shared out to threads by rows. The probabilities of the edges are kept for each iteration: a
    MemoryError says beforehand that they would not fit. Logarithms throughout: an edge of probability 1e-300 rises as
    one of 1e-3, in more iterations.

    References
    ----------
    Kim, Wu, Lee and Suzuki 2025 (arXiv 2502.01694), Algorithm 3; Schulman et al. 2017, "Proximal policy optimization
    algorithms". The paper's constants are not used; the stop at ``epsilon_max`` is ours.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> from slowthink.metastable import ppo
    >>> chain = MarkovChain([[0.5, 0.5 - 1e-12, 1e-12], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
    >>> better = ppo(chain, [[0, 2]], epsilon_max=0.01)
    >>> better
    PpoResult(n_edges=1, n_reached=1, n_iterations=116, mean_total_variation=0.00333)
    >>> better.chain.to_dense()
    array([[0.495, 0.495, 0.01 ],
           [0.5  , 0.5  , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    base = _inputs.markov_chain(chain)
    wanted = _inputs.pairs(edges, "edges", base.n_states)
    signs = _arrays.flag(sign_gradient, "sign_gradient")
    if learning_rate is None and not signs:
        raise ValueError("learning_rate must be given where sign_gradient is False, got None")
    rate = 0.05 if learning_rate is None else _number(learning_rate, "learning_rate")
    settings = (
        _number(epsilon_max, "epsilon_max"),
        _number(clip, "clip"),
        rate,
        signs,
        _starts.count(n_epochs, "n_epochs", low=1),
        _starts.count(n_iterations, "n_iterations"),
    )
    law = None
    if state_distribution is not None:
        law = _inputs.law(state_distribution, "state_distribution", base.n_states)
    size = None if batch_size is None else _starts.count(batch_size, "batch_size", low=1, high=2**32)
    options = _run.options(threads, progress)
    longest = settings[5]
    if signs and size is None and settings[0] > 0 and rate > 0:
        # Each iteration moves the odds of an edge by twice the rate at least.
        way = math.log(settings[0]) - math.log(base.probabilities.min()) + 40
        longest = min(longest, math.ceil(min(max(way, 1) / (2 * rate), 2**62)))
    _arrays.fits((longest + 1, len(wanted), 2), np.float64, "the probabilities of the edges")
    batch = None if size is None else (size, _run.seed(rng))
    found = _slowthink.ppo_clip(base._chain, wanted, law, settings, batch, options)
    compiled, probabilities, taken, total_variation, reached = found
    return PpoResult(
        base=base,
        chain=MarkovChain._of(compiled),
        edges=wanted,
        edge_probability=probabilities.reshape(taken + 1, len(wanted)),
        reached=reached,
        total_variation=total_variation,
        n_iterations=taken,
        epsilon_max=settings[0],
    )


def _number(value: Any, name: str) -> float:
    return float(_arrays.floats(value, name, ndim=0))
