"""Transition-path theory: how a stationary chain gets from one set of states to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from slowthink import _run, _slowthink
from slowthink.chains import _starts
from slowthink.chains._hitting import _targets

if TYPE_CHECKING:
    from slowthink.chains._chain import MarkovChain


class TransitionPaths:
    """The reactive flux from a source to a target, as :meth:`MarkovChain.transition_paths` returns it.

    A step is *reactive* if its walk was last in the source, rather than the target, and will be in the target next.

    Attributes
    ----------
    source, target : arrays of states
        The two sets.
    stationary : (S,) array of float64
        The stationary law; 0 for transient states.
    forward_committor : (S,) array of float64
        Probability that the target is visited next, rather than the source: 0 in the source, 1 in the target.
    backward_committor : (S,) array of float64
        Probability that the source was visited last, rather than the target: 1 in the source, 0 in the target; NaN for
        transient states between them, which a stationary walk is never in.
    total_flux : float
        Reactive walks a step of the chain: how often it gets from source to target.
    rate : float
        Reactive walks a step that is spent after the source and before the target: the inverse of
        :attr:`mean_first_passage_time`.
    """

    __slots__ = (
        "_gross",
        "_indices",
        "_indptr",
        "_net",
        "backward_committor",
        "forward_committor",
        "rate",
        "source",
        "stationary",
        "target",
        "total_flux",
    )

    def __init__(
        self,
        source: npt.NDArray[np.uint32],
        target: npt.NDArray[np.uint32],
        stationary: npt.NDArray[np.float64],
        forward_committor: npt.NDArray[np.float64],
        backward_committor: npt.NDArray[np.float64],
        flux: tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.float64], npt.NDArray[np.float64]],
        total_flux: float,
        rate: float,
    ) -> None:
        self.source = source
        self.target = target
        self.stationary = stationary
        self.forward_committor = forward_committor
        self.backward_committor = backward_committor
        self._indptr, self._indices, self._gross, self._net = flux
        self.total_flux = total_flux
        self.rate = rate

    @property
    def mean_first_passage_time(self) -> float:
        """Mean steps from leaving the target's influence, that is from entering the source, to the target: 1 / rate."""
        return 1.0 / self.rate if self.rate > 0 else float("inf")

    @property
    def gross_flux(self) -> Any:
        """(S, S) scipy.sparse CSR array: reactive steps from i to j, a step of the chain. Needs scipy."""
        return self._matrix(self._gross)

    @property
    def net_flux(self) -> Any:
        """(S, S) scipy.sparse CSR array: what the gross flux from i to j exceeds the way back by, or 0. Needs scipy."""
        kept = self._net > 0
        indptr = np.concatenate([[0], np.cumsum(kept)])[self._indptr]
        return self._matrix(self._net[kept], self._indices[kept], indptr)

    def dominant_pathways(
        self,
        n: int | None = None,
        *,
        fraction: float = 1.0,
        threads: int | None = None,
        progress: _run.Progress = False,
    ) -> tuple[list[npt.NDArray[np.uint32]], npt.NDArray[np.float64]]:
        """Takes the net flux apart into pathways, the one with the widest bottleneck first.

        Parameters
        ----------
        n : int, optional
            How many at most; by default 1000.
        fraction : float
            Ends when the pathways carry this share of the total flux, above 0 and at most 1.
        threads, progress
            As for all methods; the work is done on one thread.

        Returns
        -------
        pathways : list of arrays of states
            Each from a state of the source to one of the target.
        capacities : array of float64
            The flux that each carries, at most that of its narrowest step in what the ones before it left.

        References
        ----------
        Metzner, Schuette and Vanden-Eijnden 2009, "Transition path theory for Markov jump processes", Multiscale Model.
        Simul. 7, section 3.

        Examples
        --------
        >>> from slowthink.chains import MarkovChain
        >>> chain = MarkovChain([[0, 0.75, 0.25, 0], [0.5, 0, 0, 0.5], [0.5, 0, 0, 0.5], [0, 0.75, 0.25, 0]])
        >>> pathways, capacities = chain.transition_paths(0, 3).dominant_pathways()
        >>> [pathway.tolist() for pathway in pathways], capacities.round(6).tolist()
        ([[0, 1, 3], [0, 2, 3]], [0.09375, 0.03125])
        """
        most = 1000 if n is None else _starts.count(n, "n", low=1, high=1 << 40)
        if isinstance(fraction, (bool, np.bool_)) or not isinstance(fraction, (int, float, np.integer, np.floating)):
            raise TypeError(f"fraction must be a number, got {fraction!r}")
        if not 0 < fraction <= 1:
            raise ValueError(f"fraction must be above 0 and at most 1, got {fraction}")
        options = _run.options(threads, progress)
        found = _slowthink.dominant_pathways(
            self._indptr, self._indices, self._net, self.source, self.target, most, float(fraction), options
        )
        return [states for states, _ in found], np.array([flux for _, flux in found])

    def _matrix(
        self,
        data: npt.NDArray[np.float64],
        indices: npt.NDArray[np.uint32] | None = None,
        indptr: npt.NDArray[np.int64] | None = None,
    ) -> Any:
        try:
            from scipy.sparse import csr_array
        except ImportError:
            raise ImportError("sparse arrays need scipy: pip install scipy") from None
        n_states = len(self.stationary)
        indices = (self._indices if indices is None else indices).astype(np.int64)
        indptr = self._indptr if indptr is None else indptr
        return csr_array((data.copy(), indices, indptr.copy()), shape=(n_states, n_states))

    def __repr__(self) -> str:
        n_states = len(self.stationary)
        return f"TransitionPaths(n_states={n_states}, total_flux={self.total_flux:.6g}, rate={self.rate:.6g})"


def transition_paths(
    self: MarkovChain,
    source: Any,
    target: Any,
    *,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> TransitionPaths:
    """How the stationary chain gets from one set of states to another: transition-path theory.

    Parameters
    ----------
    source, target : int, array of states, or (S,) array of bool
        The two sets; no state is in both, and each holds a recurrent state.
    threads, progress
        As for all methods; the work is done on one thread.

    Returns
    -------
    TransitionPaths
        Committors, fluxes, rate and the dominant pathways.

    Raises
    ------
    ValueError
        If a set is empty, the two share a state, one has no recurrent state, or the chain has several recurrent classes
        (its stationary law is not unique).

    Notes
    -----
    Works with and without detailed balance: what arrives from the source and is passed on gives the stationary law
    times the backward committor, with no time reversal. Committors and gross fluxes come from an elimination without
    subtractions, with a relative error of some 1e-14 however seldom the target is reached.

    Net fluxes are differences. With detailed balance, and at most 1000 states between the sets, they come from
    differences of the committor that are computed as such, so that currents within a metastable set on the way keep
    their digits (O(S^3) operations). With more states, or without detailed balance, they err by some 1e-16 times the
    gross flux.

    References
    ----------
    E and Vanden-Eijnden 2006, "Towards a theory of transition paths", J. Stat. Phys. 123. Metzner, Schuette and
    Vanden-Eijnden 2009, "Transition path theory for Markov jump processes", Multiscale Model. Simul. 7.

    Examples
    --------
    >>> from slowthink.chains import MarkovChain
    >>> chain = MarkovChain([[0.5, 0.5, 0], [0.25, 0.5, 0.25], [0, 0.5, 0.5]])
    >>> paths = chain.transition_paths(0, 2)
    >>> paths
    TransitionPaths(n_states=3, total_flux=0.0625, rate=0.125)
    >>> paths.forward_committor, paths.mean_first_passage_time
    (array([0. , 0.5, 1. ]), 8.0)
    """
    first = _targets(source, "source", self.n_states)
    second = _targets(target, "target", self.n_states)
    options = _run.options(threads, progress)
    found = _slowthink.transition_paths(self._chain, first, second, options)
    stationary, forward, backward, indptr, indices, gross, net, total, rate = found
    first, second = np.unique(first), np.unique(second)
    return TransitionPaths(first, second, stationary, forward, backward, (indptr, indices, gross, net), total, rate)
