"""Slow twin of the strategies: plain NumPy, all trials at once, written from the definitions.

For problems whose walks are all equally long. A budget is a number N of answers, worth N walks; tree search is a loop
over single trials. What is returned is which trials end with a right answer.

For walks of different lengths, fractions: all sequences of walks that a budget of steps pays for (`accuracy_within`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from slowthink.reference import problems

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Problem(Protocol):
    """States are whole numbers; arrays of them take steps together."""

    length: int

    def roots(self, instances: Ints) -> Ints: ...
    def step(self, states: Ints, rng: np.random.Generator) -> Ints: ...
    def answers(self, states: Ints) -> Ints: ...
    def is_right(self, states: Ints) -> Bools: ...
    def success(self, states: Ints) -> Floats: ...


class SnowballChain:
    """Step l is right with probability ``success[l]``; the first wrong one decides which wrong answer is given.

    A state is ``answer (length + 1) + step``.
    """

    def __init__(self, success: npt.ArrayLike, n_wrong: int = 9) -> None:
        self.p = np.asarray(success, dtype=np.float64)
        self.length, self.n_wrong = len(self.p), n_wrong
        self.left = np.append(np.cumprod(self.p[::-1])[::-1], 1.0)

    def roots(self, instances: Ints) -> Ints:
        return np.zeros(instances.shape, dtype=np.int64)

    def step(self, states: Ints, rng: np.random.Generator) -> Ints:
        answer, step = np.divmod(states, self.length + 1)
        wrong = rng.random(states.shape) >= self.p[step]
        fresh = wrong & (answer == 0)
        answer[fresh] = rng.integers(1, self.n_wrong + 1, int(fresh.sum()))
        return answer * (self.length + 1) + step + 1

    def answers(self, states: Ints) -> Ints:
        return states // (self.length + 1)

    def is_right(self, states: Ints) -> Bools:
        right: Bools = self.answers(states) == 0
        return right

    def success(self, states: Ints) -> Floats:
        answer, step = np.divmod(states, self.length + 1)
        return np.where(answer == 0, self.left[step], 0.0)


class GameOf24:
    """The states of all puzzles, numbered; a row of cumulative probabilities and one of successors for each.

    An action's weight is exp(-d / temperature), where d counts the numbers left that are no natural numbers, and is 3
    for a last number other than 24.
    """

    length = 3

    def __init__(self, puzzles: Sequence[Sequence[int]], temperature: float = 1.0) -> None:
        game = problems.GameOf24([tuple(puzzle) for puzzle in puzzles])
        number: dict[Any, int] = {}
        rows: list[list[int]] = []
        weights: list[list[float]] = []

        def known(state: Any) -> int:
            if state in number:
                return number[state]
            place = number[state] = len(rows)
            rows.append([])
            weights.append([])
            if len(state) > 1:
                after = list(game.moves(state))
                rows[place] = [known(next_state) for next_state in after]
                weights[place] = [math.exp(-_distance(next_state) / temperature) for next_state in after]
            return place

        self._roots = np.array([known(game.root(tree)) for tree in range(len(puzzles))])
        self.children = rows
        width = max(map(len, rows))
        self._cumulative = np.full((len(rows), width), 2.0)
        self._after = np.zeros((len(rows), width), dtype=np.int64)
        self._right = np.zeros(len(rows), dtype=bool)
        self._success = np.zeros(len(rows))
        for state, place in number.items():
            self._right[place] = state == (24,)
        for _ in range(self.length + 1):
            for place, row in enumerate(rows):
                p = np.array(weights[place]) / np.sum(weights[place]) if row else np.zeros(0)
                self._success[place] = p @ self._success[row] if row else self._right[place]
                self._cumulative[place, : max(len(row) - 1, 0)] = np.cumsum(p)[:-1]
                self._after[place, : len(row)] = row

    def roots(self, instances: Ints) -> Ints:
        return self._roots[instances % len(self._roots)]

    def step(self, states: Ints, rng: np.random.Generator) -> Ints:
        action = (rng.random(states.shape)[..., None] >= self._cumulative[states]).sum(axis=-1)
        after: Ints = self._after[states, action]
        return after

    def answers(self, states: Ints) -> Ints:
        return states

    def is_right(self, states: Ints) -> Bools:
        return self._right[states]

    def success(self, states: Ints) -> Floats:
        return self._success[states]


def _distance(state: Sequence[Any]) -> float:
    if len(state) == 1:
        return 0.0 if state[0] == 24 else 3.0
    return float(sum(number.denominator != 1 or number < 0 for number in state))


def walks(problem: Problem, instances: Ints, n: int, rng: np.random.Generator) -> Ints:
    """(T, n): where n independent walks of each trial end."""
    states = np.repeat(problem.roots(instances)[:, None], n, axis=1)
    for _ in range(problem.length):
        states = problem.step(states, rng)
    return states


def verdicts(
    right: Bools, rng: np.random.Generator, false_positive: float = 0.0, false_negative: float = 0.0
) -> Floats:
    """1 where an answer is accepted, else 0."""
    errs = rng.random(right.shape) < np.where(right, false_negative, false_positive)
    accepted: Bools = right != errs
    return accepted.astype(np.float64)


def best(scores: Floats, right: Bools, rng: np.random.Generator) -> Bools:
    """Whether the answer of the best score is right, ties drawn."""
    top = scores == scores.max(axis=1, keepdims=True)
    chosen = np.where(top, rng.random(scores.shape), -1.0).argmax(axis=1)
    taken: Bools = right[np.arange(len(right)), chosen]
    return taken


def vote(answers: Ints, weights: Floats, right: Bools, rng: np.random.Generator) -> Bools:
    """Whether the answer with the greatest sum of weights, none below 0, is right; ties are drawn."""
    order = np.argsort(answers, axis=1, kind="stable")
    rows = np.arange(len(answers))[:, None]
    ordered = answers[rows, order]
    # The running sum at the end of each run of equal answers, less that at the end of the run before.
    last = np.ones(answers.shape, dtype=bool)
    last[:, :-1] = ordered[:, 1:] != ordered[:, :-1]
    running = np.where(last, np.cumsum(weights[rows, order], axis=1), 0.0)
    before = np.maximum.accumulate(running, axis=1)
    before[:, 1:], before[:, 0] = before[:, :-1].copy(), 0.0
    totals = np.where(last, running - before, -1.0)
    return best(totals, right[rows, order], rng)


def repeated(
    problem: Problem, select: str, instances: Ints, n: int, rng: np.random.Generator, **errors: float
) -> Bools:
    """Of n walks the "first", the "best" by the verifier, or the winner of a vote: "majority" or "weighted"."""
    ends = walks(problem, instances, 1 if select == "first" else n, rng)
    right = problem.is_right(ends)
    if select == "first":
        return right[:, 0]
    if select == "majority":
        return vote(problem.answers(ends), np.ones(ends.shape), right, rng)
    scores = verdicts(right, rng, **errors)
    return best(scores, right, rng) if select == "best" else vote(problem.answers(ends), scores, right, rng)


def shares(n: int, k: int) -> Ints:
    """Whose of k turn it is for each of n: as equally as can be, in order."""
    return np.repeat(np.arange(k), n // k + (np.arange(k) < n % k))


def beam(
    problem: Problem,
    instances: Ints,
    n: int,
    expand: int,
    rng: np.random.Generator,
    process_noise: float = 0.0,
    **errors: float,
) -> Bools:
    """n candidates a level, of which the n / expand with the greatest process reward go on."""
    kept = problem.roots(instances)[:, None]
    for level in range(problem.length):
        states = problem.step(kept[:, shares(n, kept.shape[1])], rng)
        if level + 1 < problem.length:
            reward = problem.success(states) + process_noise * rng.standard_normal(states.shape)
            order = np.argsort(-reward, axis=1, kind="stable")[:, : max(1, n // expand)]
            kept = np.take_along_axis(states, order, axis=1)
    right = problem.is_right(states)
    return best(verdicts(right, rng, **errors), right, rng)


def dvts(
    problem: Problem,
    instances: Ints,
    n: int,
    expand: int,
    rng: np.random.Generator,
    process_noise: float = 0.0,
    **errors: float,
) -> Bools:
    """n / expand trees apart from each other; of the candidates of each the one with the greatest reward goes on."""
    n_trees = max(1, n // expand)
    owner = shares(n, n_trees)
    first = np.searchsorted(owner, np.arange(n_trees))
    kept = np.repeat(problem.roots(instances)[:, None], n_trees, axis=1)
    for level in range(problem.length):
        states = problem.step(kept[:, owner], rng)
        if level + 1 < problem.length:
            reward = problem.success(states) + process_noise * rng.standard_normal(states.shape)
            most = np.maximum.reduceat(reward, first, axis=1)[:, owner]
            place = np.where(reward == most, np.arange(n), n)
            kept = np.take_along_axis(states, np.minimum.reduceat(place, first, axis=1), axis=1)
    right = problem.is_right(states)
    return best(verdicts(right, rng, **errors), right, rng)


class _Node:
    """A state, what came back from it, and what is below it."""

    def __init__(self, state: int) -> None:
        self.state = state
        self.visits = 0
        self.total = 0.0
        self.children: list[_Node] = []
        self.closed = False
        """Whether all below it was seen, and was wrong."""


def tree_search(problem: GameOf24, instances: Ints, n: int, c: float, rng: np.random.Generator) -> tuple[Bools, Ints]:
    """UCT with rollouts and a verifier that never errs, until n walks' worth of steps: what was found, and the steps.

    A new node costs its step and the steps of a walk to the end; the search ends at the first right answer.
    """
    found = np.zeros(len(instances), dtype=bool)
    spent = np.zeros(len(instances), dtype=np.int64)
    for trial, state in enumerate(problem.roots(instances)):
        root, budget = _Node(int(state)), n * problem.length
        while not root.closed and not found[trial]:
            path = [root]
            while path[-1].children:
                path.append(_select(path[-1], c))
            leaf, depth = path[-1], len(path) - 1
            end = np.array([leaf.state])
            for _ in range(problem.length - depth):
                end = problem.step(end, rng)
            cost = (depth > 0) + problem.length - depth
            if spent[trial] + cost > budget:
                spent[trial] = budget
                break
            spent[trial] += cost
            right = bool(problem.is_right(end)[0])
            found[trial] = right
            leaf.children = [_Node(after) for after in problem.children[leaf.state]]
            leaf.closed = not leaf.children and not right
            for node in reversed(path):
                node.visits += 1
                node.total += right
                if node.children:
                    node.closed = all(child.closed for child in node.children)
    return found, spent


def _select(node: _Node, c: float) -> _Node:
    open_children = [child for child in node.children if not child.closed]
    for child in open_children:
        if child.visits == 0:
            return child
    return max(
        open_children,
        key=lambda child: child.total / child.visits + c * math.sqrt(math.log(node.visits) / child.visits),
    )


Walks = Mapping[tuple[int, "int | None"], Fraction]
"""The probability of each number of steps with each answer; 0 is right, None is no answer."""


def chain_walks(
    matrix: Sequence[Sequence[Fraction]], answers: Sequence[int | None], start: int, max_steps: int
) -> dict[tuple[int, int | None], Fraction]:
    """Walks on a chain from `start` to a state that answers, by following every path; cut off after `max_steps`."""
    walks: dict[tuple[int, int | None], Fraction] = {}
    paths = [(start, 0, Fraction(1))]
    while paths:
        state, steps, p = paths.pop()
        if answers[state] is not None or steps == max_steps:
            end = (max(steps, 1), answers[state])
            walks[end] = walks.get(end, Fraction(0)) + p
        else:
            paths += [(after, steps + 1, p * q) for after, q in enumerate(matrix[state]) if q]
    return walks


def accuracy_within(
    walks: Walks,
    budget: int,
    select: str,
    stop: bool = False,
    false_positive: Fraction = Fraction(0),
    false_negative: Fraction = Fraction(0),
) -> Fraction:
    """The chance to be right within `budget` steps, over all sequences of walks and verdicts.

    A walk that would take more than what is left of the budget is not heard, and is the last. With `stop` the first
    accepted answer ends the sequence.
    """

    def on(left: int, heard: list[tuple[int | None, bool]]) -> Fraction:
        if stop and heard and heard[-1][1]:
            return Fraction(heard[-1][0] == 0)
        under_way = sum((p for (length, _), p in walks.items() if length > left), Fraction(0))
        total = under_way * _chosen(heard, select) if under_way else Fraction(0)
        for (length, answer), p in walks.items():
            if length <= left:
                accepts = Fraction(0) if answer is None else (false_positive if answer else 1 - false_negative)
                for accepted, q in ((True, accepts), (False, 1 - accepts)):
                    if q:
                        total += p * q * on(left - length, [*heard, (answer, accepted)])
        return total

    return on(budget, [])


def _chosen(heard: Sequence[tuple[int | None, bool]], select: str) -> Fraction:
    """How probable it is that a right answer is taken, of answers with verdicts in the order in which they came."""
    if select == "first":
        return Fraction(bool(heard) and heard[0][0] == 0)
    answers = [(answer, accepted) for answer, accepted in heard if answer is not None]
    if not answers:
        return Fraction(0)
    if select == "best":
        equals = [answer for answer, accepted in answers if accepted] or [answer for answer, _ in answers]
    else:
        sums = {answer: 0 for answer, _ in answers}
        for answer, accepted in answers:
            sums[answer] += accepted or select == "majority"
        equals = [answer for answer, weight in sums.items() if weight == max(sums.values())]
    return Fraction(equals.count(0), len(equals))
