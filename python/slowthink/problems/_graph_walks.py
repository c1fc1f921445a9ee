"""What walks and thoughts on graphs came to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class GraphWalks:
    """How walks on graphs ended: from :meth:`Reachability.walk`. n instances, W walks of each.

    Attributes
    ----------
    end : (n, W) ndarray of int8
        0: it could go no further; 1: at the target; 2: at the other candidate; 3: it was cut off.
    steps : (n, W) ndarray of int64
        Steps forth and back, all tries together.
    tries : (n, W) ndarray of int64
        How often it began at the root: 1 without restarts.
    """

    end: npt.NDArray[np.int8]
    steps: _Ints
    tries: _Ints

    @classmethod
    def of_bits(cls, bits: npt.NDArray[np.uint64]) -> GraphWalks:
        """The walks that the kernel writes: two bits of the end, 31 of steps, 31 of tries."""
        end = np.empty(bits.shape, np.int8)
        np.bitwise_and(bits, np.uint64(3), out=end, casting="unsafe")
        tries = (bits >> np.uint64(33)).view(np.int64)
        np.right_shift(bits, np.uint64(2), out=bits)
        np.bitwise_and(bits, np.uint64(2**31 - 1), out=bits)
        return cls(end, bits.view(np.int64), tries)

    @property
    def hit(self) -> npt.NDArray[np.bool_]:
        """(n, W) whether a walk ended at the target."""
        return np.asarray(self.end == 1)

    @property
    def n_hits(self) -> _Ints:
        """(n,) walks that ended at the target: ``samples.pass_at_k([W] * n, walks.n_hits)`` estimates pass@k."""
        return np.asarray(np.count_nonzero(self.end == 1, axis=1))

    def __repr__(self) -> str:
        n, w = self.end.shape
        return f"<{w} walks on each of {n} graphs; hit {self.hit.mean():.3f}, mean steps {self.steps.mean():.3f}>"


@dataclass(frozen=True, eq=False)
class Superposition:
    """Thoughts about graphs: from :meth:`Reachability.superposition`. n instances, C steps, V nodes at most.

    Attributes
    ----------
    weights : (n, C + 1, V) ndarray of float64
        The weight of each node in thoughts 0 to C; their squares sum to 1, unless noise has left no node.
    target, neg_target : (n,) ndarray of int64
        The candidates.
    """

    weights: npt.NDArray[np.float64]
    target: _Ints
    neg_target: _Ints

    @property
    def n_nodes(self) -> _Ints:
        """(n, C + 1) how many nodes each thought holds."""
        return np.asarray(np.count_nonzero(self.weights, axis=2))

    def measure(self) -> npt.NDArray[np.int8]:
        """What each thought answers, by the weights of the candidates: 1 right, -1 wrong, 0 undecided.

        Returns
        -------
        ndarray of int8, shape (n, C + 1)
        """
        right, wrong = (
            np.take_along_axis(self.weights, node[:, None, None], axis=2)[:, :, 0]
            for node in (self.target, self.neg_target)
        )
        return np.sign(right - wrong).astype(np.int8)

    def solved_at(self) -> _Ints:
        """The first step after which the answer is right and stays so, shape (n,); -1 where the last is not right."""
        right = self.measure() == 1
        # Steps at the end, in one go, at which the answer is right.
        run = np.where(right.all(axis=1), right.shape[1], np.argmin(right[:, ::-1], axis=1))
        return np.where(run > 0, right.shape[1] - run, -1)

    def __repr__(self) -> str:
        n, c, _ = self.weights.shape
        return f"<{c - 1} steps on {n} graphs; {(self.measure()[:, -1] == 1).mean():.1%} right in the end>"
