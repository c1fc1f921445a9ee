"""Markov chains: storage, walks on all cores, observables, and fitting from data."""

from slowthink.chains._chain import MarkovChain

__all__ = ["MarkovChain"]
