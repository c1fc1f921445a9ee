"""A problem of your own in ten lines, and one call that says which way of slow thinking wins on it.

    python examples/own_problem.py [figure.png]
    slowthink compare examples/own_problem.py:Sum --trials 200

Eight numbers are added up, one a step, and one step in four is wrong by one: the chain of thought of someone who
cannot concentrate. The process reward knows whether the sum can still come out right.
"""

import sys

import numpy as np
from slowthink.strategies import Verifier, compare


class Sum:
    max_steps, n_instances = 7, 100

    def root(self, instance):
        return instance, tuple(np.random.default_rng(instance).integers(10, 100, 8).tolist())

    def step(self, state, rng):
        instance, (first, second, *rest) = state
        return instance, (first + second + int(rng.choice([-1, 0, 1], p=[0.125, 0.75, 0.125])), *rest)

    def answer(self, state):
        return state[1][0] if len(state[1]) == 1 else None

    def correct(self, answer, instance):
        return answer == sum(self.root(instance)[1])

    def score(self, state):
        return float(sum(state[1]) == sum(self.root(state[0])[1]))


def main() -> None:
    judge = Verifier(false_positive=0.02, false_negative=0.1, process_noise=0.5)
    found = compare(Sum(), budgets=[1, 4, 16, 64], n_trials=200, verifier=judge, rng=1)
    print(found.table())
    if len(sys.argv) > 1:
        found.plot().figure.savefig(sys.argv[1], dpi=150)


if __name__ == "__main__":
    main()
