"""slowthink: fast kernels for slow thinking.

The same compute spent in each way, side by side: :mod:`slowthink.strategies`. Exact pass@k, maj@k and best-of-k,
weighted votes, honest intervals, ratings and sample logs: :mod:`slowthink.samples`. Markov chains, that is walks by the
million, hitting times, rare events, fitting from data: :mod:`slowthink.chains`. Chain of thought as a metastable
process: :mod:`slowthink.metastable`. Tree search over language models, games and code of yours: :mod:`slowthink.trees`;
games, puzzles and reasoning problems: :mod:`slowthink.problems`. The kernels are compiled (Rust), run on all cores and
need NumPy alone; :mod:`slowthink.plots` draws with matplotlib.
"""

from slowthink import chains, metastable, problems, samples, strategies, trees
from slowthink._slowthink import build_info as _build_info

__all__ = ["__version__", "build_info", "chains", "metastable", "problems", "samples", "strategies", "trees"]

__version__: str = _build_info()[0]


def build_info() -> dict[str, str]:
    """How the compiled module was built and which instruction set it uses on this machine.

    Examples
    --------
    >>> import slowthink
    >>> sorted(slowthink.build_info())
    ['instruction_set', 'profile', 'target', 'version']
    """
    return dict(zip(("version", "profile", "target", "instruction_set"), _build_info(), strict=True))
