"""Strategies on problems in Python: against what is known, against the engine, with coroutines, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from own_problems import Coins, Listed, P, SlowCoins
from slowthink.problems import SnowballChain
from slowthink.strategies import (
    STRATEGIES,
    Comparison,
    SelfCorrection,
    Stepwise,
    TreeSearch,
    Verifier,
    compare,
    stepwise_success,
)
from slowthink.strategies._judge import Sample, judged
from slowthink.strategies._learners import LEARNERS
from slowthink.trees import Uct

ALL = [*STRATEGIES, SelfCorrection("thompson")]
P_ALL = P**6


def at(found: Comparison, label: str) -> int:
    return list(found.strategies).index(label)


def test_known_accuracies_and_costs() -> None:
    strategies = ["walk", "best-of-n", "weighted-vote"]
    arguments: dict[str, Any] = {"budgets": [1, 8], "verifier": Verifier(), "confidence": 0.999, "over": "trials"}
    found = compare(Coins(), strategies, n_trials=1500, rng=1, **arguments)
    of_eight = 1 - (1 - P_ALL) ** 8
    for label, budget, exact in (("walk", 1, P_ALL), ("best-of-n", 8, of_eight), ("weighted-vote", 8, of_eight)):
        i, j = at(found, label), found.budgets.index(budget)
        assert found.low[i, j] <= exact <= found.high[i, j], label
    i = at(found, "best-of-n")
    # A geometric number of walks, at most 8.
    mean = sum((1 - P_ALL) ** n for n in range(8))
    assert found.answers[i, 1] == pytest.approx(mean, rel=0.03)
    np.testing.assert_allclose(found.steps, 6 * found.answers)
    np.testing.assert_array_equal(found.calls, found.steps)
    assert found.verdicts[at(found, "walk")].tolist() == [0, 0]


def test_a_process_reward_lets_beams_win() -> None:
    """With a perfect one a level of a beam of 4 fails only where all 4 coins show tails."""
    found = compare(Coins(), ALL, budgets=[1, 4], n_trials=400, rng=2, verifier=Verifier(), confidence=0.999)
    exact = (1 - (1 - P) ** 4) ** 6
    for label in ("beam", "dvts", "stepwise"):
        i = at(found, label)
        assert found.low[i, 1] <= exact <= found.high[i, 1], label
        assert found.steps[i].tolist() == [6, 24]
    assert found.best(4).strategy in ("beam", "dvts", "stepwise")


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_agrees_with_the_engine(noise: float) -> None:
    """The same problem in Python and in Rust: accuracies and costs agree for all strategies."""
    listed = Listed()
    strategies = [
        "walk",
        "best-of-n",
        "majority",
        "weighted-vote",
        "tree-search",
        TreeSearch(Uct(), select="majority", stop=False),
    ]
    judge = Verifier(false_positive=0.05, false_negative=0.1, noise=noise)
    arguments: dict[str, Any] = {"budgets": [1, 4, 16], "verifier": judge}

    class Policy(Listed):
        """With the weights of the engine's policy: exp(-d), d the numbers left that are not natural, 3 for the last."""

        def priors(self, state: Any) -> Any:
            key = self.native.describe(state)
            if key not in self._known:
                after = [self.native.step(state, a)[0] for a in range(self.native.n_actions(state))]
                self._known[key] = np.exp([-_distance(self.native.describe(s)) for s in after])
            return self._known[key]

    own = compare(Policy(), strategies, n_trials=300, rng=1, **arguments)
    engine = compare(listed.native, strategies, n_trials=4000, rng=1, **arguments)
    np.testing.assert_array_equal(list(own.strategies), list(engine.strategies))
    deviation = np.sqrt(engine.accuracy * (1 - engine.accuracy) / 300) + 0.004
    assert (np.abs(own.accuracy - engine.accuracy) < 4 * deviation).all()
    np.testing.assert_allclose(own.steps, engine.steps, rtol=0.15)


class Shaky:
    """Three steps, each right with its probability, that tell of each state what may come of it."""

    max_steps = 3
    right = (0.7, 0.5, 0.6)

    def root(self, instance: int) -> Any:
        return ()

    def step(self, state: Any, rng: np.random.Generator) -> Any:
        return (*state, bool(rng.random() < self.right[len(state)]))

    def answer(self, state: Any) -> Any:
        return all(state) if len(state) == self.max_steps else None

    def correct(self, state: Any) -> bool:
        return all(state)

    def success_probability(self, state: Any) -> float:
        return float(np.prod(self.right[len(state) :])) if all(state) else 0.0


@pytest.mark.parametrize("accuracy", [None, 0.8])
def test_layers_agree_with_the_engine(accuracy: float | None) -> None:
    """Choices among steps: accuracies and costs of every kind."""
    strategies = ["beam", "dvts", "stepwise", Stepwise(2)]
    judge = Verifier(0.2, 0.1, process_noise=0.3, accuracy=accuracy)
    arguments: dict[str, Any] = {"budgets": [1, 2, 8], "verifier": judge}
    own = compare(Shaky(), strategies, n_trials=700, rng=1, **arguments)
    engine = compare(SnowballChain([Shaky.right]), strategies, n_trials=100_000, rng=1, **arguments)
    deviation = np.sqrt(engine.accuracy * (1 - engine.accuracy) / 700)
    assert (np.abs(own.accuracy - engine.accuracy) <= 4 * deviation + 0.004).all()
    for cost in ("steps", "calls", "answers", "verdicts"):
        np.testing.assert_allclose(getattr(own, cost), getattr(engine, cost), rtol=0.02, err_msg=cost)
    chains = own.answers[at(own, "stepwise"), 1:].tolist(), own.answers[-1].tolist()
    assert chains == ([1, 1], [0, 1, 4])


def _distance(numbers: str) -> float:
    left = numbers.split()
    if len(left) == 1:
        return 0.0 if left[0] == "24" else 3.0
    return float(sum(not number.isdecimal() for number in left))


def test_coroutines_fail_and_are_called_again() -> None:
    plain, failing = SlowCoins(), SlowCoins(failing=97)
    arguments: dict[str, Any] = {"budgets": [1, 8], "n_trials": 10, "rng": 3, "verifier": Verifier()}
    found = compare(plain, ALL, **arguments, concurrency=5)
    assert plain.most_at_once == 5
    assert (plain.entered, plain.left, plain.at_once) == (1, 1, 0)
    again = compare(SlowCoins(), ALL, **arguments, concurrency=64)
    np.testing.assert_array_equal(found.correct, again.correct)
    tried = compare(failing, ALL, **arguments, retries=20, concurrency=5, timeout=5)
    np.testing.assert_array_equal(found.correct, tried.correct)
    np.testing.assert_array_equal(found.steps, tried.steps)
    assert (tried.calls >= tried.steps).all()
    assert tried.calls.sum() > tried.steps.sum()
    whole = [i for i, label in enumerate(found.strategies) if label != "tree-search"]  # the others cut no walk off
    np.testing.assert_allclose(found.tokens[whole], 7 * found.steps[whole])
    with pytest.raises(ConnectionError):
        compare(SlowCoins(failing=23), ALL, **arguments, retries=0)
    bad = SlowCoins(failing=50)
    with pytest.raises(ConnectionError):
        compare(bad, ["majority"], **arguments, retries=0)
    assert (bad.entered, bad.left, bad.at_once) == (1, 1, 0)


def test_within_an_event_loop() -> None:
    async def main() -> Comparison:
        return compare(SlowCoins(), ["walk", "tree-search"], budgets=[1, 4], n_trials=10, rng=3)

    inside = asyncio.run(main())
    outside = compare(SlowCoins(), ["walk", "tree-search"], budgets=[1, 4], n_trials=10, rng=3)
    np.testing.assert_array_equal(inside.correct, outside.correct)


def test_blocks_shards_and_resuming() -> None:
    arguments: dict[str, Any] = {"budgets": [1, 4, 8], "rng": 4, "verifier": Verifier(0.1, 0.1, noise=0.3)}
    whole = compare(Coins(), ALL, n_trials=30, **arguments)
    parts = [compare(Coins(), ALL, n_trials=n, first=first, **arguments) for first, n in ((0, 7), (7, 23))]
    np.testing.assert_array_equal(np.concatenate([part.correct for part in parts], axis=2), whole.correct)
    np.testing.assert_array_equal(parts[0].total_cost + parts[1].total_cost, whole.total_cost)

    def press(done: int, total: int) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.warns(RuntimeWarning, match="interrupted after"):
        part = compare(Coins(), ALL, n_trials=30, progress=press, **arguments)
    assert part.interrupted
    rest = compare(Coins(), resume=Comparison.from_json(part.to_json()))
    np.testing.assert_array_equal(rest.correct, whole.correct)
    np.testing.assert_array_equal(rest.total_cost, whole.total_cost)


def test_what_a_problem_lacks() -> None:
    class Bare(Coins):
        score = None  # type: ignore[assignment]

    found = compare(Bare(), budgets=[2], n_trials=4, rng=1)
    assert set(STRATEGIES) - set(found.strategies) == {"beam", "dvts", "stepwise"}
    assert "without beam, dvts" in found.table()
    with pytest.raises(ValueError, match="strategies: beam needs score, the process reward of a state"):
        compare(Bare(), ["beam"])
    with pytest.raises(ValueError, match=r"tree-search.* needs score"):
        compare(Bare(), [TreeSearch(values="process")])


def test_the_score_is_the_verifier() -> None:
    class Biased(Coins):
        """Whose score likes tails at the end."""

        def score(self, state: Any) -> float:
            return float(state[1].count("T"))

    found = compare(Biased(), ["best-of-n"], budgets=[1, 16], n_trials=200, rng=1)
    assert found.accuracy[0, 1] == 0
    judged_right = compare(Biased(), ["best-of-n"], budgets=[1, 16], n_trials=200, rng=1, verifier=Verifier())
    assert judged_right.accuracy[0, 1] > 0.3


def test_walks_that_are_cut_off_have_no_answer() -> None:
    class Endless(Coins):
        max_steps = 4

    found = compare(Endless(), ALL, budgets=[1, 4], n_trials=10, rng=1, verifier=Verifier())
    assert not found.correct.any()
    assert not found.answers.any()


def test_a_chain_that_is_cut_off_is_not_the_last() -> None:
    """Each step ends the chain, rightly, with probability 0.3; of two at most."""

    class Ends:
        max_steps = 2

        def root(self, instance: int) -> Any:
            return 0, False

        def step(self, state: Any, rng: np.random.Generator) -> Any:
            return state[0] + 1, rng.random() < 0.3

        def answer(self, state: Any) -> Any:
            return "end" if state[1] else None

        def correct(self, answer: Any) -> bool:
            return True

        def score(self, state: Any) -> float:
            return 0.5

    found = compare(Ends(), [Stepwise(width=1)], budgets=[10], n_trials=300, rng=1, verifier=Verifier())
    # As long as there are two steps left another begins, and of ten or more 0.49^10 fail.
    assert found.steps[0, 0] > 19
    assert found.accuracy[0, 0] > 0.98


def test_budgets_of_tokens() -> None:
    class Priced(SlowCoins):
        tokens_per_step = 7.0

    found = compare(Priced(), ["best-of-n"], budgets=[42, 420], n_trials=10, rng=1, unit="tokens")
    assert (found.tokens <= found.budgets).all()
    with pytest.raises(ValueError, match="unit 'tokens' needs a problem with tokens_per_step"):
        compare(SlowCoins(), ["best-of-n"], budgets=[42], unit="tokens")


def test_experts_are_learned() -> None:
    """Of three experts one is good: all learners come to ask it most."""

    class Experts(Coins):
        n_experts = 3
        asked = np.zeros(3)

        def step(self, state: Any, rng: np.random.Generator, expert: int = 0) -> Any:
            self.asked[expert] += 1
            return state[0], state[1] + ("H" if rng.random() < (0.5, 0.6, 0.95)[expert] else "T")

    for learner in LEARNERS:
        Experts.asked[:] = 0
        compare(Experts(), [SelfCorrection(learner, stop=False)], budgets=[400], n_trials=5, rng=1, verifier=Verifier())
        assert Experts.asked.argmax() == 2, learner
        assert Experts.asked[2] > 0.45 * Experts.asked.sum(), learner


def test_systematic_errors_follow_from_the_answer() -> None:
    judge = Verifier(false_positive=0.5, noise=0.1, systematic=True)
    sample = Sample(None, "x", False, 1, 1, 0)
    verdicts = {judged(judge, sample, lambda i=i: np.random.default_rng(i), [1]) for i in range(5)}
    assert len(verdicts) == 1
    fresh = Verifier(false_positive=0.5, noise=0.1)
    assert len({judged(fresh, sample, lambda i=i: np.random.default_rng(i), [1]) for i in range(5)}) == 5


def _yields(self: Any, state: Any, rng: Any) -> Any:
    yield state


async def _awaits(self: Any, state: Any) -> Any:
    return state


@pytest.mark.parametrize(
    ("attributes", "error", "words"),
    [
        ({"max_steps": None}, TypeError, "problem must have max_steps"),
        ({"max_steps": 0}, ValueError, "problem.max_steps must be at least 1"),
        ({"n_instances": 0}, ValueError, "problem.n_instances must be at least 1"),
        ({"n_experts": 1.5}, TypeError, "problem.n_experts must be an int"),
        ({"tokens_per_step": -1.0}, ValueError, "problem.tokens_per_step must be above 0"),
        ({"root": None}, TypeError, "Broken lacks root"),
        ({"answer": None, "correct": None}, TypeError, "Broken lacks answer, correct"),
        ({"score": lambda self, state: float("nan")}, ValueError, "problem.score must give a finite number, got nan"),
        ({"answer": lambda self, state: [state]}, TypeError, "problem.answer must give something hashable, got list"),
        ({"tokens": lambda self, state: -3}, ValueError, "problem.tokens must be at least 0"),
        ({"score": lambda self, state: "high"}, ValueError, "problem.score must give a finite number, got 'high'"),
        ({"success_probability": lambda self, state: 2, "score": None}, ValueError, "must be from 0 to 1, got 2"),
        ({"correct": lambda self, state: "no"}, TypeError, "problem.correct must give True or False, got 'no'"),
        ({"correct": lambda self, state: None}, TypeError, "problem.correct must give True or False, got None"),
        ({"correct": lambda self, a, b, c: True}, TypeError, "problem.correct must take a state, or an answer and"),
        ({"step": lambda self, state, rng: None}, TypeError, "problem.step must give a state, got None"),
        ({"step": lambda self, state: state}, TypeError, r"problem.step must be called as step\(state, rng\)"),
        ({"n_experts": 2}, TypeError, r"problem.step must be called as step\(state, rng, expert\)"),
        ({"root": lambda self: ()}, TypeError, r"problem.root must be called as root\(instance\)"),
        ({"step": _yields}, TypeError, "problem.step must return what it has to say, and not yield it"),
        ({"answer": _awaits}, TypeError, "problem.answer must be a plain function: only step, score, success_prob"),
    ],
)
def test_broken_problems_are_named(attributes: dict[str, Any], error: type[Exception], words: str) -> None:
    broken = type("Broken", (Coins,), attributes)
    with pytest.raises(error, match=words):
        compare(broken(), ["walk", "beam"] if "score" in attributes else ["walk"], budgets=[1], n_trials=5)
    with pytest.raises(TypeError, match=r"problem must be an object, got the class Broken: Broken\(\) makes one"):
        compare(broken)


def test_priors_must_be_probabilities() -> None:
    class Wrong(Listed):
        def priors(self, state: Any) -> Any:
            return [1.0]

    with pytest.raises(ValueError, match=r"problem.priors must give one probability for each of"):
        compare(Wrong(), ["walk"], budgets=[1], n_trials=1)


def test_listed_actions_are_no_calls_of_a_server() -> None:
    class Wrong(Listed):
        async def step(self, state: Any, action: int) -> Any:  # type: ignore[override]
            return super().step(state, action)

    with pytest.raises(TypeError, match=r"problem.step must be a plain function"):
        compare(Wrong(), ["walk"], budgets=[1], n_trials=1)


@pytest.mark.parametrize("actions", [-1, 2.5, 2**40])
def test_numbers_of_actions_are_numbers(actions: Any) -> None:
    class Wrong(Listed):
        def n_actions(self, state: Any) -> Any:
            return actions

    with pytest.raises((TypeError, ValueError), match=r"problem.n_actions must be"):
        compare(Wrong(), ["walk"], budgets=[1], n_trials=1)


def test_listed_actions_give_a_pair() -> None:
    class Wrong(Listed):
        def step(self, state: Any, action: int) -> Any:
            return super().step(state, action)[0]

    with pytest.raises(TypeError, match=r"problem.step must give a pair of state and reward"):
        compare(Wrong(), ["walk"], budgets=[1], n_trials=1)


@pytest.mark.parametrize("wait", [False, True])
def test_a_step_that_changes_its_state_is_found_out(wait: bool) -> None:
    class Changing:
        max_steps = 3

        def root(self, instance: int) -> list[int]:
            return []

        def step(self, state: list[int], rng: np.random.Generator) -> Any:
            state.append(int(rng.integers(2)))
            return state

        def answer(self, state: list[int]) -> Any:
            return tuple(state) if len(state) == 3 else None

        def correct(self, state: list[int]) -> bool:
            return sum(state) == 3

    class Waiting(Changing):
        async def step(self, state: list[int], rng: np.random.Generator) -> Any:
            return super().step(state, rng)

    with pytest.raises(ValueError, match=r"problem.step must leave the state that it is given as it is"):
        compare((Waiting if wait else Changing)(), ["walk"], budgets=[1])


STEPS = (0.9, 0.5, 0.3)


class Chain:
    """Three steps that must all be right, whose chances are known."""

    max_steps = 3

    def root(self, instance: int) -> Any:
        return ()

    def step(self, state: Any, rng: np.random.Generator) -> Any:
        return (*state, bool(rng.random() < STEPS[len(state)]))

    def answer(self, state: Any) -> Any:
        return state if len(state) == 3 else None

    def correct(self, state: Any) -> bool:
        return all(state)

    def success_probability(self, state: Any) -> float:
        return float(np.prod(STEPS[len(state) :])) if all(state) else 0.0


def test_accuracy_is_that_of_each_choice_among_steps() -> None:
    """As in theorem 4.6 of Gan et al.: eps^L prod [1 - (1 - p)^k]; with several chains one choice more."""
    arguments: dict[str, Any] = {"budgets": [4], "n_trials": 1500, "rng": 1, "confidence": 0.999}
    judge = Verifier(accuracy=0.8)
    found = compare(Chain(), [Stepwise(), Stepwise(4)], verifier=judge, **arguments)
    exact = stepwise_success(STEPS, 4, 0.8)
    assert found.low[0, 0] <= exact <= found.high[0, 0]
    assert found.low[1, 0] <= 0.8 * exact <= found.high[1, 0]
    never = compare(Chain(), [Stepwise()], verifier=Verifier(accuracy=0.0), **{**arguments, "n_trials": 50})
    assert not never.correct.any()

    class Unknown(Chain):
        success_probability = None  # type: ignore[assignment]

        def score(self, state: Any) -> float:
            return 0.5

    with pytest.raises(ValueError, match=r"strategies: stepwise needs success_probability, .* which Unknown lacks"):
        compare(Unknown(), ["stepwise"], verifier=judge, **arguments)
    with pytest.raises(ValueError, match=r"strategies: beam needs score"):
        compare(type("Bare", (Chain,), {"success_probability": None})(), ["beam"], verifier=judge, **arguments)


def test_the_probability_of_success_is_a_process_reward() -> None:
    found = compare(Chain(), ["beam", "stepwise"], budgets=[4], n_trials=800, rng=2, confidence=0.999)
    exact = stepwise_success(STEPS, 4)
    assert found.low[1, 0] <= exact <= found.high[1, 0]
    assert found.verifier == Verifier()
    assert "without" not in found.table()


@pytest.mark.parametrize("told", ["score", "success_probability"])
def test_process_bias_is_added_where_nothing_can_be_won(told: str) -> None:
    """With a bias that makes lost states look best, a beam is worse than a single walk."""
    methods = {"score": None, "success_probability": None, told: Chain.success_probability}
    problem = type("Judged", (Chain,), methods)()
    arguments: dict[str, Any] = {"budgets": [4], "n_trials": 300, "rng": 3}
    fooled = compare(problem, ["beam", "dvts", "stepwise"], verifier=Verifier(process_bias=2.0), **arguments)
    told_right = compare(problem, ["beam", "dvts", "stepwise"], verifier=Verifier(), **arguments)
    assert (fooled.accuracy < 0.1).all()
    assert (told_right.accuracy > 0.4).all()


def test_a_score_above_zero_is_not_that_of_a_lost_state_if_more_is_known() -> None:
    class Both(Chain):
        def score(self, state: Any) -> float:
            return 1.0 + self.success_probability(state)

    class Told(Both):
        success_probability = Chain.success_probability

    found = compare(Told(), ["beam"], budgets=[4], n_trials=300, rng=3, verifier=Verifier(process_bias=2.0))
    assert found.accuracy[0, 0] < 0.1


def test_what_the_notes_say() -> None:
    noisy = Verifier(process_noise=0.1)
    found = compare(Coins(), ["self-correction", "walk"], budgets=[1], n_trials=2, rng=1, verifier=noisy)
    assert "with one policy and so nothing to learn, best-of-n by another name: self-correction" in found.table()
    assert "process_noise and process_bias change nothing: no strategy here judges unfinished states" in found.table()
    found = compare(Coins(), ["beam"], budgets=[1], n_trials=2, rng=1, verifier=noisy)
    assert not found.notes


def test_errors_of_a_problem_are_its_own() -> None:
    class Wrong(Coins):
        def step(self, state: Any, rng: np.random.Generator) -> Any:
            raise KeyError("lost")

    with pytest.raises(KeyError, match="lost") as caught:
        compare(Wrong(), ["walk"], budgets=[1])
    assert caught.value.__context__ is None

    class Slow(SlowCoins):
        async def step(self, state: Any, rng: np.random.Generator) -> Any:
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError, match=r"a call took longer than 0.01 s, 1 times"):
        compare(Slow(), ["walk"], budgets=[1], n_trials=1, timeout=0.01, retries=0)
