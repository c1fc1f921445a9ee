"""Markov chains: storage, walks on all cores, observables, and fitting from data."""

from slowthink.chains._chain import MarkovChain
from slowthink.chains._chapman_kolmogorov import ChapmanKolmogorov, chapman_kolmogorov
from slowthink.chains._first_passage import FirstPassageDistribution
from slowthink.chains._fit import FittedChain, count_trajectories, fit_chain, largest_connected_set, log_likelihood
from slowthink.chains._hitting_times import HittingTimes, Survival
from slowthink.chains._lump import Lumping
from slowthink.chains._metastable_sets import MetastableSets
from slowthink.chains._posterior import ChainSamples, sample_posterior
from slowthink.chains._rare import HittingProbability
from slowthink.chains._solve import SolveInfo
from slowthink.chains._structure import CommunicatingClasses
from slowthink.chains._text import TextChain, ngram_chain
from slowthink.chains._transition_counts import TransitionCounts
from slowthink.chains._transition_paths import TransitionPaths

__all__ = [
    "ChainSamples",
    "ChapmanKolmogorov",
    "CommunicatingClasses",
    "FirstPassageDistribution",
    "FittedChain",
    "HittingProbability",
    "HittingTimes",
    "Lumping",
    "MarkovChain",
    "MetastableSets",
    "SolveInfo",
    "Survival",
    "TextChain",
    "TransitionCounts",
    "TransitionPaths",
    "chapman_kolmogorov",
    "count_trajectories",
    "fit_chain",
    "largest_connected_set",
    "log_likelihood",
    "ngram_chain",
    "sample_posterior",
]
