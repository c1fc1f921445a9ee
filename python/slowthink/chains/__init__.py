"""Markov chains: storage, walks on all cores, observables, and fitting from data."""

from slowthink.chains._chain import MarkovChain
from slowthink.chains._rare import HittingProbability
from slowthink.chains._transition_counts import TransitionCounts

__all__ = ["HittingProbability", "MarkovChain", "TransitionCounts"]
