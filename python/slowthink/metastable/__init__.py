"""Chain of thought as a metastable process: dense clusters of easy steps, joined by sparse edges.

After Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694).
"""

from slowthink.metastable._budget import SearchBudget, search_budget
from slowthink.metastable._distill import DistillResult, distill
from slowthink.metastable._family import MetastableChain, metastable_chain
from slowthink.metastable._local import LocalInformation, correlation, local_information_task
from slowthink.metastable._policy import SoftmaxPolicy
from slowthink.metastable._ppo import PpoResult, ppo
from slowthink.metastable._pretraining import PretrainResult, pretrain
from slowthink.metastable._reweight import meta_chain, reweight_edges
from slowthink.metastable._scaling import Scaling, scaling
from slowthink.metastable._search import SparseEdges, sparse_edge_search

__all__ = [
    "DistillResult",
    "LocalInformation",
    "MetastableChain",
    "PpoResult",
    "PretrainResult",
    "Scaling",
    "SearchBudget",
    "SoftmaxPolicy",
    "SparseEdges",
    "correlation",
    "distill",
    "local_information_task",
    "meta_chain",
    "metastable_chain",
    "ppo",
    "pretrain",
    "reweight_edges",
    "scaling",
    "search_budget",
    "sparse_edge_search",
]
