"""Repeated sampling: what many attempts at each problem say about pass@k, maj@k, best-of-k and their uncertainty."""

from slowthink.samples._battles import win_matrix
from slowthink.samples._best_of import best_of_k
from slowthink.samples._curves import Curve, CurvePoint
from slowthink.samples._experts import HedgeResult, hedge
from slowthink.samples._extrapolate import Extrapolation, extrapolate_pass_at_k
from slowthink.samples._intervals import Comparison, ComparisonPoint, bootstrap_means, compare, holm, mcnemar
from slowthink.samples._log import SampleLog
from slowthink.samples._majority import maj_at_k
from slowthink.samples._pass import g_pass_at_k, mean_pass_at_k, mg_pass_at_k, pass_at_k, pass_hat_k
from slowthink.samples._planning import best_of_n_probability, plurality_probability, samples_needed
from slowthink.samples._rating import BradleyTerry, bradley_terry
from slowthink.samples._reward_models import RewardModelMetrics, reward_model_metrics, roc_auc
from slowthink.samples._stopping import should_stop, stopping_probability
from slowthink.samples._weighted import weighted_maj_at_k

__all__ = [
    "BradleyTerry",
    "Comparison",
    "ComparisonPoint",
    "Curve",
    "CurvePoint",
    "Extrapolation",
    "HedgeResult",
    "RewardModelMetrics",
    "SampleLog",
    "best_of_k",
    "best_of_n_probability",
    "bootstrap_means",
    "bradley_terry",
    "compare",
    "extrapolate_pass_at_k",
    "g_pass_at_k",
    "hedge",
    "holm",
    "maj_at_k",
    "mcnemar",
    "mean_pass_at_k",
    "mg_pass_at_k",
    "pass_at_k",
    "pass_hat_k",
    "plurality_probability",
    "reward_model_metrics",
    "roc_auc",
    "samples_needed",
    "should_stop",
    "stopping_probability",
    "weighted_maj_at_k",
    "win_matrix",
]
