from collections.abc import Sequence
from typing import Any, final

import numpy as np
import numpy.typing as npt

from slowthink._run import Options

__all__ = [
    "LogReader",
    "best_of_k",
    "best_of_k_variance",
    "bootstrap_curves",
    "bootstrap_means",
    "bradley_terry",
    "build_info",
    "compare_curves",
    "distinct_counts",
    "extrapolate_pass",
    "hedge",
    "kendall_tau",
    "maj_at_k",
    "maj_variance",
    "pass_at_k_mean",
    "pass_at_k_rows",
    "pass_at_k_variance",
    "plurality_probability",
    "reward_model_correctness",
    "reward_model_max_scores",
    "roc_auc",
    "samples_for_majority",
    "sign_test",
    "spearman",
    "spin",
    "stopping_probability",
    "student_quantile",
    "student_two_sided",
    "summarise_curves",
    "weighted_maj_at_k",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Matrix = npt.NDArray[Any]

def build_info() -> tuple[str, str, str, str]: ...
def spin(n_items: int, milliseconds: float, options: Options, panic_at: int | None = None) -> list[int]: ...

# samples.best_of
def best_of_k(
    scores: npt.NDArray[Any],
    values: npt.NDArray[Any],
    k: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
    options: Options,
    worst: bool = False,
) -> None: ...
def best_of_k_variance(
    scores: npt.NDArray[Any],
    values: npt.NDArray[Any],
    k: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
    options: Options,
    worst: bool = False,
) -> None: ...

# samples.experts

def hedge(
    losses: npt.NDArray[np.generic],
    n_runs: int,
    runs_named: bool,
    learning_rate: float,
    weights: npt.NDArray[np.float64] | None,
    expected_loss: npt.NDArray[np.float64],
    regret: npt.NDArray[np.float64],
    options: Options,
) -> None: ...

# samples.extrapolation
def extrapolate_pass(
    n: npt.NDArray[np.int64],
    c: npt.NDArray[np.int64],
    k: npt.NDArray[np.int64],
    inflated: bool,
    out: npt.NDArray[np.float64],
    options: Options,
) -> tuple[float, float, float, float, float]: ...

# samples.intervals
def bootstrap_curves(
    rows: npt.NDArray[np.float64],
    index: npt.NDArray[np.int64],
    cluster: npt.NDArray[np.int64] | None,
    n_resamples: int,
    seed: list[int],
    probabilities: list[float],
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
def bootstrap_means(
    rows: npt.NDArray[np.float64],
    index: npt.NDArray[np.int64],
    cluster: npt.NDArray[np.int64] | None,
    first: int,
    seed: list[int],
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
def summarise_curves(
    rows: npt.NDArray[np.float64],
    index: npt.NDArray[np.int64],
    cluster: npt.NDArray[np.int64] | None,
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
def compare_curves(
    rows_a: npt.NDArray[np.float64],
    index_a: npt.NDArray[np.int64],
    rows_b: npt.NDArray[np.float64],
    index_b: npt.NDArray[np.int64],
    cluster: npt.NDArray[np.int64] | None,
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
def student_two_sided(t: float, df: float) -> float: ...
def student_quantile(confidence: float, df: float) -> float: ...
def sign_test(k: int, n: int) -> float: ...

# samples.log
@final
class LogReader:
    def __new__(cls, fields: Sequence[tuple[str, Sequence[str], str, bool]], skip: bool) -> LogReader: ...
    def feed(self, lines: npt.NDArray[np.uint8], options: Options) -> tuple[int, str] | None: ...
    def feed_documents(self, documents: list[bytes], options: Options) -> tuple[int, str] | None: ...
    def counts(self) -> tuple[int, int, int, tuple[int, str] | None]: ...
    def finish(self) -> list[Any]: ...

# samples.majority
def maj_at_k(answers: Matrix, gold: Ints, k: Ints, ties: str, replace: bool, out: Floats, options: Options) -> None: ...
def maj_variance(answers: Matrix, gold: Ints, k: Ints, ties: str, out: Floats, options: Options) -> None: ...

# samples.pass
def distinct_counts(
    n: npt.NDArray[np.int64], c: npt.NDArray[np.int64], options: Options
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]: ...
def pass_at_k_mean(
    n: npt.NDArray[np.int64],
    c: npt.NDArray[np.int64],
    k: npt.NDArray[np.int64],
    options: Options,
    metric: str = "pass@k",
    tau: float = 0.0,
) -> npt.NDArray[np.float64]: ...
def pass_at_k_rows(
    n: npt.NDArray[np.int64],
    c: npt.NDArray[np.int64],
    k: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
    options: Options,
    metric: str = "pass@k",
    tau: float = 0.0,
) -> None: ...
def pass_at_k_variance(
    n: npt.NDArray[np.int64],
    c: npt.NDArray[np.int64],
    k: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
    options: Options,
    metric: str = "pass@k",
) -> None: ...

# samples.planning
def plurality_probability(p: Floats, n: Ints, target: int, ties: str, out: Floats, options: Options) -> None: ...
def samples_for_majority(p: Floats, target: int, confidence: float, options: Options) -> int: ...

# samples.rating
def bradley_terry(
    wins: npt.NDArray[np.float64],
    ties: npt.NDArray[np.float64] | None,
    names: list[str],
    ridge: float,
    covariance: npt.NDArray[np.float64] | None,
    resamples: npt.NDArray[np.float64] | None,
    seed: list[int],
    first: int,
    options: Options,
) -> tuple[npt.NDArray[np.float64], int, float, int]: ...

# samples.reward_models
def kendall_tau(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], options: Options) -> float: ...
def reward_model_correctness(
    scores: npt.NDArray[Any],
    correct: npt.NDArray[Any],
    k: npt.NDArray[np.int64],
    curve: npt.NDArray[np.float64],
    oracle: npt.NDArray[np.float64],
    options: Options,
) -> tuple[float, float, float, int, int]: ...
def reward_model_max_scores(
    scores: npt.NDArray[Any],
    correct: npt.NDArray[Any],
    k: npt.NDArray[np.int64],
    seed: list[int],
    first: int,
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
def roc_auc(
    scores: npt.NDArray[Any], correct: npt.NDArray[Any], out: npt.NDArray[np.float64], options: Options
) -> None: ...
def spearman(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], options: Options) -> float: ...

# samples.stopping

def stopping_probability(
    counts: npt.NDArray[np.generic], e_value: bool, out: npt.NDArray[np.float64], options: Options
) -> None: ...

# samples.weighted
def weighted_maj_at_k(
    answers: npt.NDArray[Any],
    weights: npt.NDArray[Any],
    gold: npt.NDArray[np.int64],
    k: npt.NDArray[np.int64],
    method: int,
    n_resamples: int,
    control_variates: bool,
    seed: list[int],
    first: int,
    out: npt.NDArray[np.float64],
    options: Options,
) -> None: ...
