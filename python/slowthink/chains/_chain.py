"""The chain: what it takes, what it gives, and its methods, each written in the module of its subject."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from slowthink import _run
from slowthink._slowthink import Chain
from slowthink.chains import (
    _build,
    _exact,
    _export,
    _first_passage,
    _fit,
    _hitting,
    _lump,
    _metastable_sets,
    _mixing,
    _observables,
    _propagate,
    _rare,
    _reversal,
    _spectrum,
    _stationary,
    _structure,
    _transition_paths,
    _walks,
)


class MarkovChain:
    """A Markov chain on the states 0 to S - 1, checked once and then walked at full speed.

    Parameters
    ----------
    transition_matrix : (S, S) array, scipy.sparse matrix or (indptr, indices, probabilities)
        Entry (i, j) is the probability of the transition from i to j. Each row must sum to 1 within 1e-9; the numbers
        are kept as they are. Rows of a sparse matrix need not be sorted, duplicates add up, zeros are left out.
        In the tuple, probabilities may be None: each row is then uniform over its indices.

    Raises
    ------
    ValueError
        Naming the row (and column) of a number that is negative, NaN or infinite, of a target that is no state, or
        of a row with another sum.

    Notes
    -----
    Takes 8 bytes a state and 4 a transition where every row is uniform, else 12 a transition, and 28 once walks have
    made their tables.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> weather = MarkovChain([[0.9, 0.1], [0.5, 0.5]])
    >>> weather
    MarkovChain(n_states=2, n_transitions=4)
    >>> weather.walk(0, 5, n_walks=2, rng=1)
    array([[0, 0, 0, 0, 0, 0],
           [0, 0, 1, 1, 0, 0]], dtype=uint32)
    """

    __slots__ = ("__weakref__", "_chain")

    _chain: Chain

    def __init__(self, transition_matrix: Any) -> None:
        self._chain = _build.chain(transition_matrix, "transition_matrix")

    @classmethod
    def _of(cls, chain: Chain) -> MarkovChain:
        """The public form of a compiled chain."""
        self = cls.__new__(cls)
        self._chain = chain
        return self

    from_weights = classmethod(_build.from_weights)
    from_edges = classmethod(_build.from_edges)
    from_networkx = classmethod(_build.from_networkx)
    from_trajectories = classmethod(_fit.from_trajectories)

    @property
    def n_states(self) -> int:
        """Number of states, S."""
        return self._chain.n_states

    @property
    def n_transitions(self) -> int:
        """Number of transitions of positive probability, T."""
        return self._chain.n_transitions

    @property
    def indptr(self) -> npt.NDArray[np.int64]:
        """(S + 1,) where the row of each state begins in :attr:`indices`; a new array."""
        out = np.empty(self.n_states + 1, dtype=np.int64)
        self._chain.export(out, None, _run.options(1))
        return out

    @property
    def indices(self) -> npt.NDArray[np.uint32]:
        """(T,) targets of the transitions, row after row, ascending within each; a new array."""
        return self._chain.indices()

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """(T,) probabilities of the transitions, in the order of :attr:`indices`; a new array."""
        out = np.empty(self.n_transitions, dtype=np.float64)
        self._chain.export(None, out, _run.options(1))
        return out

    @property
    def nbytes(self) -> int:
        """Bytes that the chain takes: 8 a state and 4 a transition; 12 where rows are not uniform, 28 once walked.

        Walks on a chain whose tables fit 2 MB keep a copy of them besides, which is counted too.
        """
        return self._chain.bytes

    def __repr__(self) -> str:
        return f"MarkovChain(n_states={self.n_states}, n_transitions={self.n_transitions})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Tables are made anew where they are needed, and equal probabilities are not written down.
        probabilities = None if self._chain.is_uniform else self.probabilities
        return type(self), ((self.indptr, self.indices, probabilities),)

    def __copy__(self) -> MarkovChain:
        return self  # it never changes

    def __deepcopy__(self, memo: dict[int, Any]) -> MarkovChain:
        return self

    row = _export.row
    to_dense = _export.to_dense
    to_scipy = _export.to_scipy
    to_networkx = _export.to_networkx

    communicating_classes = _structure.communicating_classes
    recurrent_classes = property(_structure.recurrent_classes)
    transient_states = property(_structure.transient_states)
    absorbing_states = property(_structure.absorbing_states)
    is_irreducible = property(_structure.is_irreducible)
    is_aperiodic = property(_structure.is_aperiodic)
    period = property(_structure.period)
    is_reversible = _reversal.is_reversible
    time_reversal = _reversal.time_reversal

    propagate = _propagate.propagate
    mixing_time = _mixing.mixing_time
    lump = _lump.lump

    first_passage_distribution = _first_passage.first_passage_distribution
    kemeny_constant = _first_passage.kemeny_constant
    mean_first_passage_times = _first_passage.mean_first_passage_times

    walk = _walks.walk
    iter_walks = _walks.iter_walks
    count_visits = _observables.count_visits
    count_transitions = _observables.count_transitions
    endpoints = _observables.endpoints
    occupancy = _observables.occupancy
    sample_hitting_probability = _rare.sample_hitting_probability
    sample_hitting_times = _hitting.sample_hitting_times
    sample_escape_times = _hitting.sample_escape_times

    absorption_probabilities = _exact.absorption_probabilities
    committor = _exact.committor
    hitting_probabilities = _exact.hitting_probabilities
    mean_escape_times = _exact.mean_escape_times
    mean_hitting_times = _exact.mean_hitting_times
    stationary_distribution = _stationary.stationary_distribution
    stationary_distributions = _stationary.stationary_distributions

    rates = _spectrum.rates
    eigenvalues = _spectrum.eigenvalues
    timescales = _spectrum.timescales
    spectral_gap = _spectrum.spectral_gap
    pseudo_spectral_gap = _spectrum.pseudo_spectral_gap
    metastable_sets = _metastable_sets.metastable_sets
    transition_paths = _transition_paths.transition_paths
