"""Figures made to be put in a paper as they are. Needs matplotlib: ``pip install "slowthink[app]"``.

Curves over k carry their interval as a band and their name at their end; walks show where they are at each step, how
long they go without a hit, and chains their eigenvalues, time scales and metastable sets. Colours stay apart for
colour-blind readers (Okabe and Ito's) and in grey.
"""

from slowthink.plots._chains import plot_occupancy, plot_spectrum, plot_survival
from slowthink.plots._chapman_kolmogorov import plot_chapman_kolmogorov
from slowthink.plots._curves import CurveLike, figure, plot_curve, plot_curves, save
from slowthink.plots._metastability import plot_metastable_sets, plot_timescales
from slowthink.plots._search import plot_scaling

__all__ = [
    "CurveLike",
    "figure",
    "plot_chapman_kolmogorov",
    "plot_curve",
    "plot_curves",
    "plot_metastable_sets",
    "plot_occupancy",
    "plot_scaling",
    "plot_spectrum",
    "plot_survival",
    "plot_timescales",
    "save",
]
