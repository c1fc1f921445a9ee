"""Problems for a search: what a problem is, and some that run without Python and whose answers are known.

Games (:class:`TicTacToe`, :class:`ConnectFour`), puzzles (:class:`GameOf24`, :class:`FifteenPuzzle`,
:class:`KeysMaze`), reasoning whose law is known (:class:`Categorical`, :class:`SnowballChain`,
:class:`MetastableReasoning`, :class:`Reachability`) and trees made of hashes (:class:`SyntheticTree`,
:class:`AdditiveTree`). A class of your own is a problem if it has the methods of :class:`Problem`. :class:`TwoHop` and
:class:`BigramBackcopy` make sequences of tokens to be learned.
"""

from slowthink.problems._backcopy import BigramBackcopy
from slowthink.problems._categorical import Categorical
from slowthink.problems._connect_four import ConnectFour
from slowthink.problems._fifteen_puzzle import FifteenPuzzle
from slowthink.problems._game_of_24 import GameOf24
from slowthink.problems._keys_maze import KeysMaze
from slowthink.problems._metastable_reasoning import MetastableReasoning
from slowthink.problems._protocol import Problem
from slowthink.problems._reachability import Reachability
from slowthink.problems._snowball_chain import SnowballChain
from slowthink.problems._synthetic import AdditiveTree, SyntheticTree
from slowthink.problems._tic_tac_toe import TicTacToe
from slowthink.problems._two_hop import TwoHop

__all__ = [
    "AdditiveTree",
    "BigramBackcopy",
    "Categorical",
    "ConnectFour",
    "FifteenPuzzle",
    "GameOf24",
    "KeysMaze",
    "MetastableReasoning",
    "Problem",
    "Reachability",
    "SnowballChain",
    "SyntheticTree",
    "TicTacToe",
    "TwoHop",
]
