"""The work of ``slowthink reproduce``: what papers claim, beside what comes out here."""

from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink._reproduce._metastable import reproduce as metastable
from slowthink._reproduce._sample_complexity import reproduce as sample_complexity
from slowthink._reproduce._snowball import reproduce as snowball
from slowthink._reproduce._superposition import reproduce as superposition
from slowthink._reproduce._two_hop import reproduce as two_hop

PAPERS = {
    "metastable": metastable,
    "sample-complexity": sample_complexity,
    "snowball": snowball,
    "superposition": superposition,
    "two-hop": two_hop,
}
"""What can be reproduced, by the name that the command line takes."""

__all__ = ["PAPERS", "Claim", "Reproduction", "Request"]
