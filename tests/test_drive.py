"""Forests driven by coroutines: slots, budgets, failures and slow replies; by a clock of our own and a real server."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import numpy as np
import pytest
import virtual_clock
from llm_server import Server, answer, post
from slowthink.trees import DriveReport, Expansion, Forest, Leaf, Uct
from test_trees import assert_sound, same

BRANCHES = 3


def value(leaf: Leaf) -> float:
    return (hash((leaf.tree, *leaf.path())) % 1000) / 1000


class Model:
    """A coroutine that takes time, and counts what is in flight."""

    def __init__(self, seconds: float = 1.0, spread: float = 0.5) -> None:
        self.rng = np.random.default_rng(1)
        self.seconds, self.spread = seconds, spread
        self.in_flight: Counter[int] = Counter()
        self.most: Counter[int] = Counter()
        self.most_at_once = 0

    async def __call__(self, leaf: Leaf) -> Expansion:
        self.in_flight[leaf.tree] += 1
        self.most[leaf.tree] = max(self.most[leaf.tree], self.in_flight[leaf.tree])
        self.most_at_once = max(self.most_at_once, self.in_flight.total())
        try:
            await asyncio.sleep(self.seconds * self.rng.lognormal(-(self.spread**2) / 2, self.spread))
        finally:
            self.in_flight[leaf.tree] -= 1
        return Expansion(value=value(leaf), n_children=BRANCHES, cost=10)


def drive(forest: Forest, expand: Any, *args: Any, **options: Any) -> DriveReport:
    return virtual_clock.run(forest.drive(expand, *args, **options))


def assert_at_rest(forest: Forest) -> None:
    assert forest.n_in_flight == 0
    for i in range(forest.n_trees):
        assert_sound(forest.tree(i))
        assert not forest.tree(i).in_flight.any()


def test_all_of_the_budget_is_spent() -> None:
    model, forest = Model(), Forest(10, Uct(), n_simulations=25)
    report = drive(forest, model, concurrency=8)
    assert (report.reason, report.n_simulations, report.n_calls, report.cost) == ("done", 250, 250, 2500)
    assert (report.n_retries, report.n_timeouts, report.n_cancelled, report.failures) == (0, 0, 0, [])
    assert forest.simulations.tolist() == [25] * 10
    assert forest.costs.tolist() == [250] * 10
    assert model.most_at_once == 8
    assert_at_rest(forest)


def test_one_at_a_time_is_the_serial_search() -> None:
    forest, serial = (Forest(3, Uct(), n_simulations=40) for _ in range(2))
    drive(forest, Model(), concurrency=1)
    while len(leaves := serial.ask(1)):
        code = hash((int(leaves.tree[0]), *leaves.path(0)))
        serial.tell(leaves, (code % 1000) / 1000, n_children=BRANCHES)
    assert all(same(forest.tree(i), serial.tree(i)) for i in range(3))


def test_a_tree_has_one_leaf_in_flight_while_there_are_more_trees_than_slots() -> None:
    model, forest = Model(), Forest(64, Uct(), n_simulations=10)
    report = drive(forest, model, concurrency=8)
    assert sorted(model.most.values())[:50] == [1] * 50
    assert report.utilisation > 0.95


def test_few_trees_share_the_slots() -> None:
    model, forest = Model(), Forest(4, Uct(), n_simulations=200)
    report = drive(forest, model, concurrency=16)
    assert report.utilisation > 0.85
    assert all(4 <= most <= 16 for most in model.most.values())
    model, forest = Model(), Forest(4, Uct(), n_simulations=200)
    drive(forest, model, concurrency=16, per_tree=2)
    assert set(model.most.values()) == {2}


def test_the_server_is_kept_full() -> None:
    """The model of a server: 256 slots, 256 trees of 20 to 59 steps, lognormal durations."""
    steps = np.floor(40 * np.random.default_rng(3).uniform(0.5, 1.5, 256)).astype(int)
    forest = Forest(256, Uct())
    forest.set_budget(steps)
    report = drive(forest, Model(), concurrency=256)
    assert report.utilisation > 0.9
    assert forest.simulations.tolist() == steps.tolist()


def test_budgets() -> None:
    forest = Forest(5, Uct())
    report = drive(forest, Model(), concurrency=7, n_simulations=33)
    assert (report.reason, report.n_simulations, int(forest.simulations.sum())) == ("n_simulations", 33, 33)
    report = drive(forest, Model(), concurrency=7, max_cost=100)
    assert report.reason == "max_cost"
    assert 100 <= report.cost <= 100 + 7 * 10
    report = drive(forest, Model(), concurrency=7, max_seconds=20.5)
    assert (report.reason, report.seconds) == ("max_seconds", 20.5)
    assert report.n_cancelled == 7
    assert_at_rest(forest)


def test_a_solved_tree_is_left_alone() -> None:
    forest = Forest(6, Uct(), n_simulations=50)
    report = drive(forest, Model(), concurrency=24, stop=lambda leaf, expansion: leaf.tree < 3 and leaf.depth == 2)
    assert sorted(report.stopped) == [0, 1, 2]
    assert report.n_cancelled > 0
    assert (forest.simulations[:3] < 50).all()
    assert (forest.simulations[3:] == 50).all()
    before = forest.simulations
    assert drive(forest, Model(), concurrency=4).n_calls == 0
    assert (forest.simulations == before).all()
    assert_at_rest(forest)


def test_children_first_value_later() -> None:
    asked: list[tuple[int, ...]] = []

    async def expand(leaf: Leaf) -> dict[str, Any]:
        asked.append(tuple(leaf.path()))
        await asyncio.sleep(1)
        return {"n_children": BRANCHES, "payload": f"<{leaf.depth}>", "cost": 3}

    async def evaluate(leaf: Leaf, expansion: Expansion) -> float:
        assert expansion.payload == f"<{leaf.depth}>"
        await asyncio.sleep(10)
        assert leaf.depth > 0 or len(asked) > 1, "the children of the root are asked for before its value is known"
        return value(leaf)

    forest = Forest(1, Uct(), n_simulations=30)
    report = drive(forest, expand, evaluate, concurrency=8)
    assert (report.n_simulations, report.n_calls, report.cost) == (30, 60, 90)
    assert_at_rest(forest)
    tree = forest.tree(0)
    nodes = np.flatnonzero(tree.visits)
    assert [tree.payload[node] for node in nodes] == [f"<{tree.depth[node]}>" for node in nodes]


def test_a_leaf_knows_the_texts_above_it() -> None:
    async def expand(leaf: Leaf) -> Expansion:
        assert list(leaf.payloads) == ["prompt", *(f"step {a}" for a in leaf.path())][: leaf.depth]
        text = f"step {leaf.action}" if leaf.depth else "prompt"
        return Expansion(value=value(leaf), n_children=2, payload=text)

    assert drive(Forest(2, Uct(), n_simulations=40), expand, concurrency=4).n_simulations == 80


def test_calls_that_fail_are_made_again() -> None:
    failed: Counter[tuple[int, ...]] = Counter()
    model = Model()

    async def expand(leaf: Leaf) -> Expansion:
        key = (leaf.tree, *leaf.path())
        failed[key] += 1
        if failed[key] <= hash(key) % 3:
            raise OSError("no connection")
        return await model(leaf)

    forest = Forest(4, Uct(), n_simulations=30)
    report = drive(forest, expand, concurrency=4, retries=2, backoff=5.0)
    assert report.n_simulations == 120
    assert report.n_retries == report.n_calls - 120 == sum(failed.values()) - 120 > 0
    assert report.seconds > 30  # pauses
    assert_at_rest(forest)


def test_calls_that_dawdle_are_ended() -> None:
    async def expand(leaf: Leaf) -> Expansion:
        seen[(leaf.tree, *leaf.path())] += 1
        await asyncio.sleep(1000 if seen[(leaf.tree, *leaf.path())] == 1 and leaf.depth == 1 else 1)
        return Expansion(value=0.5, n_children=2)

    seen: Counter[tuple[int, ...]] = Counter()
    forest = Forest(3, Uct(), n_simulations=9)
    report = drive(forest, expand, concurrency=4, timeout=5.0)
    assert report.n_timeouts == report.n_retries == 6
    assert (report.n_simulations, report.failures) == (27, [])
    assert report.seconds < 100


def test_what_fails_to_the_last_is_taken_back() -> None:
    model = Model()

    async def expand(leaf: Leaf) -> Expansion:
        if leaf.tree == 1 and leaf.depth == 2:
            raise OSError("this one never works")
        return await model(leaf)

    forest = Forest(3, Uct(), n_simulations=30)
    report = drive(forest, expand, concurrency=6, retries=2)
    assert {failure.tree for failure in report.failures} == {1}
    assert all(len(failure.path) == 2 and isinstance(failure.error, OSError) for failure in report.failures)
    assert forest.simulations[[0, 2]].tolist() == [30, 30]
    assert forest.simulations[1] < 30
    assert_at_rest(forest)
    # Another drive may have more luck.
    assert drive(forest, model, concurrency=6).n_simulations == 90 - report.n_simulations
    assert forest.simulations.tolist() == [30] * 3
    forest = Forest(3, Uct(), n_simulations=30)
    with pytest.raises(OSError, match="never works"):
        drive(forest, expand, concurrency=6, retries=0, on_failure="raise")
    assert_at_rest(forest)


def test_a_drive_that_is_cancelled_leaves_nothing_in_flight() -> None:
    async def main() -> None:
        task = asyncio.ensure_future(forest.drive(Model(), concurrency=10))
        await asyncio.sleep(20)
        assert forest.n_in_flight == 10
        told.append(int(forest.simulations.sum()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1

    told: list[int] = []
    forest = Forest(4, Uct(), n_simulations=1000)
    virtual_clock.run(main())
    assert forest.simulations.sum() == told[0] > 100
    assert_at_rest(forest)


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (0.5, TypeError, "expand must return an Expansion or a dict, got float"),
        ({"valeu": 0.5}, TypeError, "expand returned an unknown key, 'valeu'"),
        ({"value": float("nan"), "n_children": 2}, ValueError, "values must be finite in single precision"),
        ({"value": 0.5}, ValueError, "n_children"),
        ({"value": 0.5, "n_children": 2, "priors": [1, 2, 3]}, ValueError, "priors must have 2 values"),
    ],
)
def test_a_wrong_expansion_ends_the_drive(returned: Any, error: type[Exception], message: str) -> None:
    async def expand(leaf: Leaf) -> Any:
        return returned if leaf.depth == 1 else {"value": 0.5, "n_children": 2}

    forest = Forest(2, n_simulations=9)
    with pytest.raises(error, match=message):
        drive(forest, expand, concurrency=2)
    assert_at_rest(forest)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "n_simulations must be given"),
        ({"concurrency": 0}, ValueError, "concurrency must be at least 1"),
        ({"concurrency": 1.5}, TypeError, "concurrency must be an int"),
        ({"timeout": -1.0}, ValueError, "timeout must be at least 0"),
        ({"max_seconds": "1"}, TypeError, "max_seconds must be"),
        ({"on_failure": "ignore"}, ValueError, "on_failure must be 'skip' or 'raise'"),
        ({"retry_on": 3}, TypeError, "retry_on must be a type of exception"),
        ({"stop": 3}, TypeError, "stop must be callable"),
        ({"evaluate": 3}, TypeError, "evaluate must be callable"),
    ],
)
def test_options_are_checked(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        drive(Forest(2), Model(), **({"n_simulations": 5} if options else {}), **options)


def prompt_of(leaf: Leaf) -> str:
    return f"Problem {leaf.tree}:" + "".join(text or "" for text in leaf.payloads) + f" ({leaf.action})"


def expansion_of(text: str, leaf: Leaf, usage: Any) -> Expansion:
    return Expansion(value=value(leaf), n_children=BRANCHES, payload=text, cost=usage)


@pytest.mark.parametrize("path", ["/chat/completions", "/completions"])
def test_a_server(path: str) -> None:
    async def expand(leaf: Leaf) -> Expansion:
        prompt = prompt_of(leaf)
        body = {"model": "words", "messages": [{"role": "user", "content": prompt}], "prompt": prompt}
        reply = await post(server, path, body)
        choice = reply["choices"][0]
        text = choice["text"] if path == "/completions" else choice["message"]["content"]
        assert text == answer(prompt)
        return expansion_of(text, leaf, reply["usage"]["total_tokens"])

    forest = Forest(12, Uct(), n_simulations=12)
    with Server() as server:
        report = asyncio.run(forest.drive(expand, concurrency=16))
    assert (report.n_simulations, server.n_requests, report.failures) == (144, 144, [])
    assert 8 < server.most_at_once <= 16
    assert report.cost == forest.costs.sum() > 144 * 10
    assert_at_rest(forest)


def test_a_server_that_fails_and_dawdles() -> None:
    async def expand(leaf: Leaf) -> Expansion:
        body = {"model": "words", "prompt": prompt_of(leaf)}
        reply = await post(server, "/completions", body)
        return expansion_of(reply["choices"][0]["text"], leaf, reply["usage"]["total_tokens"])

    def fault(number: int, prompt: str) -> str:
        return {0: "500", 1: "429", 2: "drop", 3: "slow"}.get(hash((number, prompt.count("w"))) % 16, "ok")

    forest = Forest(8, Uct(), n_simulations=10)
    with Server(fault) as server:
        report = asyncio.run(forest.drive(expand, concurrency=16, retries=9, timeout=0.3, backoff=0.01))
    assert report.n_simulations == 80
    assert set(server.faults) == {"ok", "500", "429", "drop", "slow"}
    assert report.n_retries == sum(fault != "ok" for fault in server.faults)
    assert report.n_timeouts == server.faults.count("slow")
    assert report.failures == []
    assert_at_rest(forest)


def test_the_client_of_openai() -> None:
    openai = pytest.importorskip("openai")

    async def main() -> DriveReport:
        async with openai.AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:

            async def expand(leaf: Leaf) -> Expansion:
                messages = [{"role": "user", "content": prompt_of(leaf)}]
                reply = await client.chat.completions.create(model="words", messages=messages)
                return expansion_of(reply.choices[0].message.content, leaf, reply.usage.total_tokens)

            return await forest.drive(expand, concurrency=8, backoff=0.01, retry_on=openai.APIError)

    forest = Forest(4, Uct(), n_simulations=8)
    with Server(lambda number, prompt: "429" if number % 9 == 4 else "ok") as server:
        report = asyncio.run(main())
    assert (report.n_simulations, report.failures) == (32, [])
    assert report.n_retries == server.faults.count("429") > 0
    assert_at_rest(forest)
