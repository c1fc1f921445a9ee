"""pass@k at more samples than were drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from slowthink import _arrays, _run, _slowthink
from slowthink.samples._intervals import confidence_level

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """pass@k by a fitted law of the success rates.

    Attributes
    ----------
    k : (K,) int64
    mean, low, high : (K,) float64
        The fitted pass@k and its confidence interval; the limits are NaN at the limits of the model (see ``alpha``).
    alpha, beta : float
        Parameters of the Beta law of the success rates. Both infinite where the counts vary no more than those of
        equal rates would, and both 0 where each problem was solved always or never.
    zero_inflation : float
        Share of problems that are never solved; 0 for the model "beta-binomial".
    rate : float
        Mean success rate of the other problems.
    log_likelihood : float
        Without the binomial coefficients; NaN at the limits of the model.
    n_problems : int
    confidence : float
    model : str
    """

    k: npt.NDArray[np.int64]
    mean: Floats
    low: Floats
    high: Floats
    alpha: float
    beta: float
    zero_inflation: float
    rate: float
    log_likelihood: float
    n_problems: int
    confidence: float
    model: str
    metric: str = field(default="pass@k")

    def at(self, k: int) -> dict[str, float]:
        """``mean``, ``low`` and ``high`` at ``k``; KeyError if ``k`` was not asked for."""
        places = np.flatnonzero(self.k == k)
        if not len(places):
            raise KeyError(f"k = {k} was not asked for")
        i = int(places[0])
        return {"mean": float(self.mean[i]), "low": float(self.low[i]), "high": float(self.high[i])}

    def to_dict(self) -> dict[str, Any]:
        """The result as lists and numbers, ready for JSON; NaN and infinities become None."""
        scalars = ("alpha", "beta", "zero_inflation", "rate", "log_likelihood", "confidence")
        return {
            "metric": self.metric,
            "model": self.model,
            "n_problems": self.n_problems,
            **{name: _finite(getattr(self, name)) for name in scalars},
            "k": self.k.tolist(),
            **{name: [_finite(x) for x in getattr(self, name).tolist()] for name in ("mean", "low", "high")},
        }


def extrapolate_pass_at_k(
    num_samples: npt.ArrayLike,
    num_correct: npt.ArrayLike,
    k: npt.ArrayLike,
    *,
    model: Literal["beta-binomial", "zero-inflated-beta-binomial"] = "beta-binomial",
    confidence: float = 0.95,
    threads: int | None = None,
    progress: _run.Progress = False,
) -> Extrapolation:
    """pass@k at any k, beyond the samples at hand too, from a fitted law of the success rates.

    The success rates of the problems are taken for draws from a Beta law with parameters a and b, fitted by maximum
    likelihood; then ``pass@k = 1 - prod_{j<k} (b + j) / (a + b + j)``. Where no k exceeds the samples,
    :func:`pass_at_k` needs no model. Putting each problem's observed rate in, ``1 - (1 - c/n)^k``, is far too low:
    a problem with no correct sample stays unsolved for ever.

    Parameters
    ----------
    num_samples, num_correct : (P,) array_like of int
        Samples of each problem, at least 1, and correct ones among them.
    k : int or (K,) array_like of int
        Any size.
    model : {"beta-binomial", "zero-inflated-beta-binomial"}
        The latter allows for a share of problems that are never solved; at large k the two differ widely, and the
        samples at hand may not tell which is right.
    confidence : float
        Level of the interval, from the curvature of the likelihood (the delta method on ``ln(-ln(1 - pass@k))``). It
        covers the choice of problems and the noise of the samples, not a law of rates other than the model's.
    threads, progress
        As for all functions.

    Returns
    -------
    Extrapolation

    Raises
    ------
    ValueError
        For counts that are none, c > n, and counts that tell nothing about the law: all samples wrong, all correct, or
        one sample a problem.

    Notes
    -----
    Source: Kazdan et al. 2025, arXiv 2510.05197. Costs some 20 Newton steps over the distinct pairs of counts.

    Examples
    --------
    >>> law = extrapolate_pass_at_k([8] * 6, [0, 0, 1, 2, 5, 8], [8, 1000])
    >>> law.mean.round(2)
    array([0.64, 0.91])
    """
    confidence = confidence_level(confidence)
    _arrays.choice(model, "model", ("beta-binomial", "zero-inflated-beta-binomial"))
    n = _arrays.integers(num_samples, "num_samples", ndim=1, low=1)
    c = _arrays.integers(num_correct, "num_correct", ndim=1, low=0)
    _arrays.same_length(n, "num_samples", c, "num_correct")
    if k is None:
        raise TypeError("k must be an int or an array of ints, got None")
    ks, _ = _arrays.k_values(k, 0)
    out = np.empty((len(ks), 2))
    inflated = model == "zero-inflated-beta-binomial"
    alpha, beta, inflation, rate, likelihood = _slowthink.extrapolate_pass(
        n, c, ks, inflated, out, _run.options(threads, progress)
    )
    mean = out[:, 0].copy()
    width = NormalDist().inv_cdf(0.5 + confidence / 2) * out[:, 1]
    with np.errstate(divide="ignore"):
        hazard = -np.log1p(-mean)
    return Extrapolation(
        k=ks,
        mean=mean,
        low=-np.expm1(-hazard * np.exp(-width)),
        high=-np.expm1(-hazard * np.exp(width)),
        alpha=alpha,
        beta=beta,
        zero_inflation=inflation,
        rate=rate,
        log_likelihood=likelihood,
        n_problems=len(n),
        confidence=confidence,
        model=model,
    )


def _finite(x: float) -> float | None:
    return x if np.isfinite(x) else None
