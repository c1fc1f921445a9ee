"""Chain of thought as a metastable process: dense clusters of easy steps, joined by sparse edges.

After Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694).
"""

from slowthink.metastable._family import MetastableChain, metastable_chain
from slowthink.metastable._policy import SoftmaxPolicy
from slowthink.metastable._ppo import PpoResult, ppo
from slowthink.metastable._pretraining import PretrainResult, pretrain

__all__ = [
    "MetastableChain",
    "PpoResult",
    "PretrainResult",
    "SoftmaxPolicy",
    "metastable_chain",
    "ppo",
    "pretrain",
]
