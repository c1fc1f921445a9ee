"""How many digits are right on a metastable chain: slowthink beside what solves `(I - P) x = b`.

    python benches/peers/exact_accuracy.py [--markdown]

Three clusters of four states, joined by transitions of probability epsilon: the largest relative error over all entries
against exact rationals. "not finite" and "negative" say what came out where that has no meaning, "refused" that an
exception did. Packages that are not installed are left out.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import spsolve
from slowthink.chains import MarkovChain
from slowthink.reference import first_passage as slow
from slowthink.reference import hitting

Matrix = npt.NDArray[np.float64]
Ask = Callable[[Matrix], Any]

EPSILONS = (1e-3, 1e-8, 1e-12, 1e-16, 1e-20, 1e-50, 1e-100)
CLUSTERS, SIZE = 3, 4
N = CLUSTERS * SIZE
SOURCE, TARGET = 0, N - 1


def chain(epsilon: float) -> Matrix:
    rng = np.random.default_rng(1)
    cluster = np.arange(N) // SIZE
    weight = rng.uniform(0.1, 1, (N, N)) * np.where(cluster[:, None] == cluster, 1.0, epsilon)
    return weight / weight.sum(axis=1, keepdims=True)


def linear(solve: Callable[[Any, Any], Any], matrix: Callable[[Matrix], Any]) -> dict[str, Ask]:
    """The textbook: `(I - P) x = b` with the rows and columns of the targets left out."""

    def inside(p: Matrix, targets: list[int], right: Callable[[Matrix, npt.NDArray[np.intp]], Any]) -> Matrix:
        rest = np.setdiff1d(np.arange(N), targets)
        out = np.zeros(N)
        out[rest] = solve(matrix(np.eye(len(rest)) - p[np.ix_(rest, rest)]), right(p, rest))
        return out

    def hitting_times(p: Matrix, target: int = TARGET) -> Matrix:
        return inside(p, [target], lambda p, rest: np.ones(len(rest)))

    def committor(p: Matrix) -> Matrix:
        return inside(p, [SOURCE, TARGET], lambda p, rest: p[rest, TARGET]) + (np.arange(N) == TARGET)

    def stationary(p: Matrix) -> Any:
        system = (np.eye(N) - p).T
        system[-1] = 1
        return solve(matrix(system), np.arange(N) == N - 1)

    def all_pairs(p: Matrix) -> Matrix:
        return np.stack([hitting_times(p, target) for target in range(N)], axis=1)

    return {
        "hitting times": hitting_times,
        "stationary law": stationary,
        "committor": committor,
        "first passage, all pairs": all_pairs,
    }


def deeptime() -> dict[str, Ask]:
    from deeptime.markov.tools import analysis

    return {
        "hitting times": lambda p: analysis.mfpt(p, TARGET),
        "stationary law": analysis.stationary_distribution,
        "committor": lambda p: analysis.committor(p, [SOURCE], [TARGET]),
        "first passage, all pairs": lambda p: np.stack([analysis.mfpt(p, j) for j in range(N)], axis=1),
    }


def pydtmc() -> dict[str, Ask]:
    from pydtmc import MarkovChain as Theirs

    return {
        "hitting times": lambda p: Theirs(p).mean_first_passage_times_to([TARGET]),
        "stationary law": lambda p: Theirs(p).pi[0],
        "committor": lambda p: Theirs(p).committor_probabilities("forward", [SOURCE], [TARGET]),
        "first passage, all pairs": lambda p: Theirs(p).mean_first_passage_times_to(),
    }


def quantecon() -> dict[str, Ask]:
    from quantecon import MarkovChain as Theirs

    return {"stationary law": lambda p: Theirs(p).stationary_distributions[0]}


def slowthink() -> dict[str, Ask]:
    return {
        "hitting times": lambda p: MarkovChain(p).mean_hitting_times(TARGET),
        "stationary law": lambda p: MarkovChain(p).stationary_distribution(),
        "committor": lambda p: MarkovChain(p).committor(SOURCE, TARGET),
        "first passage, all pairs": lambda p: MarkovChain(p).mean_first_passage_times(),
    }


PEERS: dict[str, Callable[[], dict[str, Ask]]] = {
    "scipy spsolve": lambda: linear(spsolve, sparse.csc_matrix),
    "numpy solve": lambda: linear(np.linalg.solve, np.asarray),
    "deeptime": deeptime,
    "PyDTMC": pydtmc,
    "quantecon": quantecon,
    "slowthink": slowthink,
}


def truth(p: Matrix) -> dict[str, Any]:
    """In exact rationals; a state is left with the sum of its other entries, rows made to sum to 1 exactly."""
    rows = [[Fraction(x) for x in row] for row in p.tolist()]
    for i, row in enumerate(rows):
        row[i] = 1 - sum(x for j, x in enumerate(row) if j != i)
    times = slow.mean_first_passage_times(rows)
    return {
        "hitting times": [row[TARGET] for row in times],
        "stationary law": [1 / (back or Fraction(1)) for back in slow.mean_return_times(rows)],
        "committor": hitting.first_hit(rows, {SOURCE, TARGET}, TARGET),
        "first passage, all pairs": [x for row in times for x in row],
    }


def verdict(ask: Ask, p: Matrix, exact: list[Fraction]) -> str:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = ask(p)
    except Exception as error:  # whatever a package may raise is what its user sees
        return f"refused ({type(error).__name__})"
    values = np.asarray(np.nan if found is None else found, dtype=np.float64).ravel()
    if found is None or not np.isfinite(values).all():
        return "not finite"
    if (values < -1e-300).any():
        return "negative"
    pairs = zip(values.tolist(), exact, strict=True)
    return f"{max(abs(float(Fraction(x) / y - 1)) if y else abs(x) for x, y in pairs):.0e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="tables for the documentation")
    options = parser.parse_args()
    asks: dict[str, dict[str, Ask]] = {}
    for name, make in PEERS.items():
        try:
            asks[name] = make()
        except ImportError:
            print(f"{name} is not installed")
    matrices = {epsilon: chain(epsilon) for epsilon in EPSILONS}
    truths = {epsilon: truth(matrix) for epsilon, matrix in matrices.items()}
    for quantity in truths[EPSILONS[0]]:
        names = [name for name in asks if quantity in asks[name]]
        rows = [["epsilon", *names]]
        for epsilon, matrix in matrices.items():
            errors = [verdict(asks[name][quantity], matrix, truths[epsilon][quantity]) for name in names]
            rows.append([f"{epsilon:.0e}", *errors])
        print(f"\n{quantity}: largest relative error\n")
        for at, row in enumerate(rows):
            if options.markdown:
                print(f"| {' | '.join(row)} |" + ("\n|" + "---|" * len(row) if at == 0 else ""))
            else:
                print(f"{row[0]:>8}" + "".join(f"{cell:>24}" for cell in row[1:]))


if __name__ == "__main__":
    main()
