"""Chain of thought as a metastable process: dense clusters of easy steps, joined by sparse edges.

After Kim, Wu, Lee and Suzuki 2025, "Metastable Dynamics of Chain-of-Thought Reasoning" (arXiv 2502.01694).
"""

from slowthink.metastable._family import MetastableChain, metastable_chain

__all__ = ["MetastableChain", "metastable_chain"]
