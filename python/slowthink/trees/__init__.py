"""Tree search: forests that ask for leaves and are told what they are worth, without barriers."""

from slowthink._slowthink import Leaves
from slowthink.trees._expansion import DriveReport, Expansion, Failure, Leaf
from slowthink.trees._export import export
from slowthink.trees._forest import Forest
from slowthink.trees._import import from_arrays, read_tot_log
from slowthink.trees._paths import By
from slowthink.trees._policies import (
    Beam,
    BestFirst,
    BestOfN,
    BreadthFirst,
    DepthFirst,
    Dvts,
    Gumbel,
    Policy,
    Puct,
    Thompson,
    Uct,
)
from slowthink.trees._tree import Tree

__all__ = [
    "Beam",
    "BestFirst",
    "BestOfN",
    "BreadthFirst",
    "By",
    "DepthFirst",
    "DriveReport",
    "Dvts",
    "Expansion",
    "Failure",
    "Forest",
    "Gumbel",
    "Leaf",
    "Leaves",
    "Policy",
    "Puct",
    "Thompson",
    "Tree",
    "Uct",
    "export",
    "from_arrays",
    "read_tot_log",
]
