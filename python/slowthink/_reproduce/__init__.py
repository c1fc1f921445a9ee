"""The work of ``slowthink reproduce``: what papers claim, beside what comes out here."""

from slowthink._reproduce._claims import Claim, Reproduction, Request
from slowthink._reproduce._metastable import reproduce as metastable

PAPERS = {"metastable": metastable}
"""What can be reproduced, by the name that the command line takes."""

__all__ = ["PAPERS", "Claim", "Reproduction", "Request"]
