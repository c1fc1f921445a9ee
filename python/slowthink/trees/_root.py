"""What a searched tree says about the actions at its root."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import numpy as np

from slowthink import _arrays
from slowthink.trees._nodes import Floats, Integers


class Root(NamedTuple):
    """What the engine knows of the root's actions: their weights, and under Gumbel its action and noise."""

    weights: Floats
    gumbel_action: int | None
    noise: Floats | None


class RootPolicies:
    """Policies at the root of a tree."""

    visits: Integers
    n_children: Integers
    root: Root | None

    @abstractmethod
    def children(self, node: int = 0) -> Integers:
        """The children of ``node``."""

    def visit_policy(self, temperature: float = 1.0) -> Floats:
        """Probabilities of the root's actions, proportional to ``visits ** (1 / temperature)``.

        Parameters
        ----------
        temperature : float
            1 for the shares of completed visits; towards 0 the most visited action takes all. At 0 the most visited
            share all.

        Returns
        -------
        ndarray of float64, shape (n_children[0],)
            Sums to 1. NaN before any action was visited.

        References
        ----------
        Silver et al. 2017, "Mastering the game of Go without human knowledge", Methods.

        Examples
        --------
        >>> from slowthink.trees import Forest, Uct
        >>> forest = Forest(1, Uct())
        >>> for value in [0.0, 1.0, 0.0, 1.0]:
        ...     _ = forest.tell(forest.ask(1), value, n_children=2)
        >>> forest.tree(0).visit_policy()
        array([0.66666667, 0.33333333])
        >>> forest.tree(0).visit_policy(0)
        array([1., 0.])
        """
        temperature = float(_arrays.floats(temperature, "temperature", ndim=0, low=0.0))
        visits = self.visits[self.children(0)].astype(np.float64)
        if len(visits) == 0:
            return np.full(int(self.n_children[0]), np.nan)
        with np.errstate(invalid="ignore"):
            shares = visits / visits.max()
            weights = np.floor(shares) if temperature == 0 else shares ** (1 / temperature)
            return np.asarray(weights / weights.sum())

    def action_weights(self) -> Floats:
        """Probabilities of the root's actions after the search, to train a policy on.

        Under :class:`Gumbel` the improved policy: proportional to prior times exp(completed value), where an action
        without a value of its own takes the mixed value of the root, and values are scaled by
        ``value_scale (maxvisit_init + most visits)``. Under any other policy the shares of completed visits.

        Returns
        -------
        ndarray of float64, shape (n_children[0],)
            Sums to 1; 0 for actions whose prior is 0. NaN before any action was visited, except under Gumbel.

        References
        ----------
        Danihelka et al. 2022, "Policy improvement by planning with Gumbel", section 4 and appendix D.

        Examples
        --------
        >>> from slowthink.trees import Forest, Gumbel
        >>> forest = Forest(1, Gumbel(gumbel_scale=0.0), n_simulations=9)
        >>> while len(leaves := forest.ask(1)):
        ...     _ = forest.tell(leaves, leaves.path(0)[:1] == [1], n_children=2, priors=[[0.8, 0.2]])
        >>> tree = forest.tree(0)
        >>> tree.action_weights().round(3), tree.gumbel_action()
        (array([0.018, 0.982]), 1)
        """
        return self.visit_policy() if self.root is None else self.root.weights

    def gumbel_action(self) -> int | None:
        """The action that Gumbel MuZero takes; None before any was visited.

        Of the most visited, it is the one with the greatest noisy logit plus completed value.

        Raises
        ------
        ValueError
            If the tree was not searched under :class:`Gumbel`.

        See Also
        --------
        Tree.action_weights : with an example.
        """
        return self._under_gumbel().gumbel_action

    def gumbel_noise(self) -> Floats:
        """The noise that Gumbel MuZero added to the root's logits, ``gumbel_scale`` times Gumbel numbers, by action.

        Raises
        ------
        ValueError
            If the tree was not searched under :class:`Gumbel`.
        """
        noise = self._under_gumbel().noise
        assert noise is not None
        return noise

    def _under_gumbel(self) -> Root:
        if self.root is None or self.root.noise is None:
            raise ValueError("policy must be Gumbel for this, and the tree one of its forest")
        return self.root
