"""Reachability in graphs beside its slow twin: all walks, breadth-first search, files, the validation set of ProsQA."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slowthink import _run, samples
from slowthink.problems import Reachability
from slowthink.reference import reachability as slow
from slowthink.reference.random import Stream
from slowthink.reference.random import seed as seed_of

MANNERS = ("policy", "no-revisit", "depth-first")


@st.composite
def graphs(draw: st.DrawFn, acyclic: bool = False) -> tuple[list[tuple[int, int]], int, int, int, int]:
    """Edges, root, target, wrong candidate and number of nodes."""
    n = draw(st.integers(3, 8))
    root, target, other = draw(st.permutations(range(n)))[:3]
    edge = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = draw(st.lists(edge, max_size=12))
    if acyclic:
        edges = [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]]
    return edges, root, target, other, n


def array(edges: list[tuple[int, int]]) -> np.ndarray:
    return np.array(edges, np.int64).reshape(-1, 2)


def check(problem: Reachability, twin: slow.Graph) -> None:
    """What is exact equals what all walks say."""
    law, mean = twin.law(problem.max_steps, problem.guess)
    assert problem.answer_probabilities()[0] == pytest.approx(list(map(float, law)), abs=1e-14)
    assert problem.mean_steps()[0] == pytest.approx(float(mean), abs=1e-12)
    moves = twin.moves(problem.max_steps, problem.guess)
    hit = sum(p for end, _, p in twin.all_walks(moves) if end == slow.RIGHT)
    assert problem.hit_probability()[0] == pytest.approx(float(hit), abs=1e-14)
    assert problem.n_paths()[0] == twin.n_paths()
    distances = twin.distances()
    assert problem.distances()[0].tolist() == distances
    assert problem.depth()[0] == distances[twin.target]
    thoughts = problem.superposition(4).weights[0]
    assert thoughts == pytest.approx(twin.thoughts(4), abs=1e-15)
    silent = problem.superposition(4, noise=1e-300, rng=1).weights[0]
    assert silent == pytest.approx(thoughts, abs=1e-15)


@given(graphs(), st.booleans(), st.integers(1, 6), st.data())
def test_bounded_walks_on_any_graph(graph, guess, max_steps, data):
    edges, root, target, other, n = graph
    weights = None
    if edges and data.draw(st.booleans()):
        weights = data.draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=len(edges), max_size=len(edges)))
    problem = Reachability(
        array(edges), root, target, other, n_nodes=n, weights=weights, guess=guess, max_steps=max_steps
    )
    check(problem, slow.Graph(edges, root, target, other, n_nodes=n, weights=weights))


@given(graphs(acyclic=True), st.booleans())
def test_walks_without_bounds_where_there_is_no_cycle(graph, guess):
    edges, root, target, other, n = graph
    problem = Reachability(array(edges), root, target, other, n_nodes=n, guess=guess)
    twin = slow.Graph(edges, root, target, other, n_nodes=n)
    assert not any(end == slow.CUT_OFF for end, _, _ in twin.all_walks(problem.max_steps))
    longest = max(steps + (guess and end == slow.NOWHERE) for end, steps, _ in twin.all_walks(n))
    assert problem.max_steps == max(longest, 1)
    check(problem, twin)


@given(graphs(), st.sampled_from(MANNERS), st.booleans(), st.integers(1, 30), st.integers(0, 2**60), st.data())
def test_every_walk_is_that_of_the_twin(graph, manner, restart, max_steps, rng, data):
    edges, root, target, other, n = graph
    weights = None
    if edges and data.draw(st.booleans()):
        weights = data.draw(st.lists(st.floats(0.1, 9.0), min_size=len(edges), max_size=len(edges)))
    # The same graph twice: each has its own streams.
    both = np.concatenate([np.column_stack([np.full(len(edges), i), array(edges)]) for i in (0, 1)])
    problem = Reachability(
        both, [root] * 2, [target] * 2, [other] * 2, n_nodes=[n] * 2, weights=None if weights is None else weights * 2
    )
    walks = problem.walk(manner, n_walks=3, restart=restart, max_steps=max_steps, rng=rng, first=5)
    twin, words = slow.Graph(edges, root, target, other, n_nodes=n, weights=weights), seed_of(_run.seed(rng))
    for i in range(2):
        for w in range(3):
            found = int(walks.end[i, w]), int(walks.steps[i, w]), int(walks.tries[i, w])
            assert found == twin.walk(manner, restart, max_steps, Stream(slow.child(words, i), 5 + w))


@given(st.integers(3, 14), st.integers(1, 3), st.integers(0, 2**60))
def test_every_generated_instance_is_that_of_the_twin(n_nodes, min_depth, rng):
    n_nodes += 4 * min_depth  # fewer nodes seldom lie so deep
    problem = Reachability.generate(2, n_nodes=n_nodes, min_depth=min_depth, rng=rng, first=3)
    for i in range(2):
        twin = slow.generate(seed_of(_run.seed(rng)), 3 + i, n_nodes=n_nodes, min_depth=min_depth)
        assert problem.edges(i).tolist() == list(map(list, twin["edges"]))
        assert problem.questions[i].tolist() == twin["question"]
        assert problem.n_nodes[i] == twin["n_nodes"]


def test_the_same_bytes_for_any_threads_and_shards(same_bytes):
    problem = same_bytes(lambda threads: Reachability.generate(200, rng=3, threads=threads))
    for policy in MANNERS:
        whole = same_bytes(
            lambda threads, policy=policy: problem.walk(policy, n_walks=40, restart=True, rng=1, threads=threads)
        )
        parts = [problem.walk(policy, n_walks=20, restart=True, rng=1, first=first) for first in (0, 20)]
        assert np.array_equal(whole.steps, np.concatenate([part.steps for part in parts], axis=1))
    noisy = same_bytes(lambda threads: problem.superposition(5, noise=0.1, rng=1, threads=threads))
    assert not np.array_equal(noisy.weights, problem.superposition(5, noise=0.1, rng=2).weights)
    later = problem.take(np.arange(50, 200)).superposition(5, noise=0.1, rng=1, first=50)
    width = later.weights.shape[2]
    assert np.array_equal(later.weights, noisy.weights[50:, :, :width])
    for method in ("depth", "distances", "n_paths", "hit_probability", "answer_probabilities", "mean_steps"):
        same_bytes(lambda threads, method=method: getattr(problem, method)(threads=threads))


def test_values_are_stable():
    problem = Reachability.generate(20, rng=1)
    walks = problem.walk("depth-first", n_walks=5, rng=1)
    thoughts = problem.superposition(4, noise=0.15, rng=1)
    assert int((problem.n_edges * np.arange(1, 21)).sum()) == PINNED[0]
    assert walks.steps[:3].tolist() == PINNED[1]
    assert thoughts.n_nodes[:3].tolist() == PINNED[2]
    assert problem.record(0)["answer"] == PINNED[3]


PINNED = (
    7912,
    [[16, 20, 18, 20, 16], [14, 14, 10, 15, 14], [8, 10, 10, 10, 7]],
    [[1, 7, 10, 16, 19], [1, 5, 12, 16, 19], [1, 3, 6, 12, 13]],
    "Olga is a miffon.",
)


def test_walks_come_to_the_target_as_often_as_they_should():
    problem = Reachability.generate(60, rng=2)
    p, n = problem.hit_probability(), 4000
    counts = problem.walk(n_walks=n, rng=1).n_hits
    open_ = (p > 0) & (p < 1)
    z = (counts - n * p)[open_] / np.sqrt(n * p * (1 - p))[open_]
    assert np.abs(z).max() < 5
    assert z.std() == pytest.approx(1, abs=0.4)
    assert (counts[~open_] == n * p[~open_]).all()
    # A walk that begins again and again succeeds at last, after 1/p tries on average.
    again = problem.walk(restart=True, n_walks=n, rng=1)
    assert again.hit.all()
    error = (again.tries.mean(axis=1) * p - 1)[open_]
    assert np.abs(error / np.sqrt((1 - p[open_]) / n)).max() < 5
    assert (problem.walk("depth-first", n_walks=50, rng=1).end == 1).all()


def test_no_revisit_is_the_same_walk_where_there_is_no_cycle():
    problem = Reachability.generate(20, rng=2)
    first, second = (problem.walk(policy, n_walks=50, rng=1) for policy in MANNERS[:2])
    assert np.array_equal(first.end, second.end)
    assert np.array_equal(first.steps, second.steps)


def test_what_noise_does_to_a_thought():
    problem = Reachability.generate(2000, rng=1)
    depth = problem.depth()
    shares = []
    for noise in (0.0, 0.05, 0.1, 0.2):
        answers = problem.superposition(noise=noise, rng=1).measure()
        shares.append((np.take_along_axis(answers, depth[:, None], axis=1) == 1).mean())
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.5
    # In the first step the root alone is in the thought, with weight 1: a node that no edge leads to comes in where
    # noise passes the threshold of 1/2, with probability P(Z > 0.5 / 0.25) = 0.02275.
    first = problem.superposition(1, noise=0.25, rng=2).weights[:, 1] > 0
    known = problem.superposition(1).weights[:, 1] > 0
    real = np.arange(known.shape[1]) < problem.n_nodes[:, None]
    came = first[~known & real].mean()
    assert came == pytest.approx(0.02275, abs=5 * np.sqrt(0.02275 / (~known & real).sum()))
    assert not first[~real].any()


def test_superposition_says_when_it_settled():
    # The other candidate is reached by the same step, later: undecided from then on.
    edges = [(0, 1), (1, 2), (2, 3)]
    assert Reachability(edges, 0, 1, 3).superposition(3).measure().tolist() == [[0, 1, 1, 0]]
    assert Reachability(edges, 0, 1, 3).superposition(3).solved_at().tolist() == [-1]
    assert Reachability(edges, 0, 1, 3).superposition(2).solved_at().tolist() == [1]
    assert Reachability(edges, 0, 3, 1).superposition(3).measure().tolist() == [[0, -1, -1, 0]]
    assert Reachability(edges, 0, 3, 4).superposition().solved_at().tolist() == [3]
    assert Reachability(edges, 3, 0, 1).superposition().weights.shape == (1, 1, 4)


def test_states_are_what_a_search_sees():
    problem = Reachability([[0, 1], [0, 2], [1, 3], [2, 3], [3, 4]], 0, 4, 5, symbols=[list("abcdef")])
    state = problem.root(7)
    assert problem.actions(state) == ["b", "c"]
    [one, other] = [problem.step(problem.step(state, action)[0], 0)[0] for action in (0, 1)]
    assert problem.describe(one) == problem.describe(other) == "d"
    assert problem.key(one) == problem.key(other) != problem.key(state)
    end, reward = problem.step(one, 0)
    assert (problem.n_actions(end), problem.value(end), reward) == (0, 1.0, 0.0)
    guess = Reachability([[0, 1]], 0, 3, 2)
    sink, _ = guess.step(guess.root(), 0)
    assert guess.actions(sink) == ["2", "3"]
    assert [guess.value(guess.step(sink, action)[0]) for action in (0, 1)] == [0.0, 1.0]
    silent = Reachability([[0, 1]], 0, 3, 2, guess=False)
    assert silent.n_actions(silent.step(silent.root(), 0)[0]) == 0
    assert silent.answer_probabilities().tolist() == [[0.0, 0.0, 1.0]]


def test_pass_at_k_is_that_of_independent_walks():
    problem = Reachability([[0, 1], [0, 2], [0, 3]], 0, 1, 2)
    assert problem.pass_at_k(2).tolist() == pytest.approx([5 / 9])
    assert problem.pass_at_k([1, 3]).tolist() == [pytest.approx([1 / 3, 1 - (2 / 3) ** 3])]
    sure = Reachability([[0, 1]], 0, 1, 2)
    assert sure.pass_at_k([1, 5]).tolist() == [[1.0, 1.0]]


def test_a_problem_is_pickled_with_all_it_knows():
    problem = Reachability.generate(5, rng=1, guess=False)
    again = pickle.loads(pickle.dumps(problem))
    assert (again.guess, again.max_steps) == (False, problem.max_steps)
    assert [again.record(i) for i in range(5)] == [problem.record(i) for i in range(5)]


@pytest.mark.parametrize("name", ["some.json", "some.jsonl"])
def test_files_hold_all_there_is(tmp_path, name):
    problem = Reachability.generate(20, rng=1)
    problem.write(tmp_path / name)
    again = Reachability.read(str(tmp_path / name))
    assert [again.record(i) for i in range(20)] == [problem.record(i) for i in range(20)]
    for i in range(20):
        record = problem.record(i)
        assert len(record["steps"]) == problem.depth()[i]
        assert record["question"].count(".") == len(record["edges"])
        assert record["steps"][0].startswith(record["idx_to_symbol"][record["root"]])
        assert record["answer"].split()[-1] == record["steps"][-1].split()[-1]
        assert len(set(record["idx_to_symbol"])) == len(record["idx_to_symbol"])


def test_numbers_serve_where_a_file_has_no_names(tmp_path):
    file = tmp_path / "bare.jsonl"
    line = {"edges": [[0, 1], [1, 2]], "root": 0, "target": 2, "neg_target": 4}
    file.write_text(json.dumps(line) + "\n\n" + json.dumps(line | {"idx_to_symbol": list("abcdef"), "extra": 1}))
    problem = Reachability.read(file)
    assert problem.n_nodes.tolist() == [5, 6]
    assert [problem.record(i)["answer"] for i in (0, 1)] == ["0 is a 2.", "a is a c."]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no instance"),
        ("[]", "holds no instance"),
        ("[1", "is not JSON"),
        ('{"edges": []', "line 1 is not JSON"),
        ("[3]", "entry 0: must be an object, got int"),
        ('{"edges": [], "root": 0, "target": 1}', "line 1: neg_target must be the number of a node, got None"),
        ('{"edges": [[0]], "root": 0, "target": 1, "neg_target": 2}', "line 1: edges must be a list of pairs"),
        ('{"edges": [[0, -1]], "root": 0, "target": 1, "neg_target": 2}', r"edges\[0\] must be the number of a node"),
        ('{"edges": [[0, true]], "root": 0, "target": 1, "neg_target": 2}', "got True"),
        ('{"edges": [], "root": 0, "target": 1, "neg_target": 2, "idx_to_symbol": ["a"]}', "node 2 is named"),
        ('{"edges": [], "root": 0, "target": 1, "neg_target": 2, "idx_to_symbol": "abc"}', "must be a list of str"),
        ('{"edges": [], "root": 0, "target": 1, "neg_target": 1}', r"neg_target\[0\] must be another node"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path, text, message):
    file = tmp_path / "wrong.jsonl"
    file.write_text(text)
    with pytest.raises(ValueError, match=message):
        Reachability.read(file)


def test_names_of_files_that_are_none():
    with pytest.raises(TypeError, match="path"):
        Reachability.read(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="path"):
        Reachability.read("")
    with pytest.raises(OSError, match="nowhere"):
        Reachability.read("nowhere.json")


# --- the validation set of ProsQA


@pytest.fixture(scope="module")
def valid(shared_data):
    return Reachability.read(shared_data / "prosqa" / "prosqa_valid.compact.jsonl")


def test_the_validation_set_is_what_is_known_of_it(valid, shared_data):
    lines = (shared_data / "prosqa" / "prosqa_valid.compact.jsonl").read_text().splitlines()
    assert valid.depth().tolist() == [json.loads(line)["n_steps"] for line in lines]
    assert valid.n_instances == 300
    assert np.bincount(valid.depth()).tolist() == [0, 0, 0, 124, 133, 36, 7]
    assert int((valid.depth() <= 4).sum()) == 257
    neg = valid.questions[:, 2]
    assert (np.take_along_axis(valid.distances(), neg[:, None], axis=1) == -1).all()
    for i, line in enumerate(lines):
        assert valid.record(i)["answer"] == json.loads(line)["answer"]


def test_superposition_solves_the_set_in_depth_steps(valid):
    thoughts = valid.superposition()
    assert np.array_equal(thoughts.solved_at(), valid.depth())
    assert not (thoughts.measure() == -1).any()


def test_the_uniform_walk_on_the_set(valid):
    p = valid.hit_probability()
    for i in range(300):
        root, target, other = valid.questions[i].tolist()
        twin = slow.Graph(list(map(tuple, valid.edges(i).tolist())), root, target, other)
        exact = sum(probability for end, _, probability in twin.all_walks(50) if end == slow.RIGHT)
        assert p[i] == pytest.approx(float(exact), rel=1e-12)
    # Of the test set, which is not here: mean 0.1584, median 0.0833; by depth 0.221, 0.134, 0.075, 0.022.
    assert p.mean() == pytest.approx(0.16231191764, abs=1e-10)
    assert np.median(p) == pytest.approx(0.09355709877, abs=1e-10)
    means = [p[valid.depth() == depth].mean() for depth in (3, 4, 5, 6)]
    assert means == pytest.approx([0.22364, 0.13886, 0.06807, 0.00617], abs=1e-5)
    assert valid.n_paths().mean() == pytest.approx(5.13666667)
    assert (np.median(valid.n_paths()), valid.n_paths().max()) == (3, 37)


def test_pass_at_k_of_walks_follows_the_exact_curve(valid):
    k = np.array([1, 4, 16, 64, 256])
    exact = valid.pass_at_k(k)
    assert exact.mean(axis=0) == pytest.approx([0.16231, 0.39596, 0.67829, 0.88037, 0.97237], abs=1e-5)
    walks = valid.walk(n_walks=1024, rng=1)
    z = (walks.n_hits - 1024 * valid.hit_probability()).sum()
    p = valid.hit_probability()
    assert abs(z) < 4 * np.sqrt(1024 * (p * (1 - p)).sum())
    found = samples.pass_at_k(np.full(300, 1024), walks.n_hits, k)
    error = (found - exact).mean(axis=0)
    # The standard error of the mean over instances, from the spread of shards of the walks.
    shards = np.stack(
        [
            samples.pass_at_k(np.full(300, 1024), valid.walk(n_walks=1024, rng=rng).n_hits, k).mean(axis=0)
            for rng in range(2, 12)
        ]
    )
    assert (np.abs(error) < 5 * shards.std(axis=0, ddof=1)).all()


def test_generated_instances_are_like_the_set(valid):
    made = Reachability.generate(4000, rng=1)

    def compare(mine, theirs, allowed):
        """Means differ by less than the error of the smaller sample, and a share of its standard deviation."""
        error = np.std(theirs) / np.sqrt(len(theirs))
        assert abs(np.mean(mine) - np.mean(theirs)) < 3 * error + allowed * np.std(theirs)

    compare(made.n_nodes, valid.n_nodes, 0.1)
    compare(made.n_edges, valid.n_edges, 0.1)
    compare(made.depth(), valid.depth(), 0.05)
    for problem in (made, valid):
        assert problem.n_nodes.min() >= 13
        assert problem.n_nodes.max() <= 28
    reach = [(problem.distances() >= 0).sum(axis=1) for problem in (made, valid)]
    compare(*reach, 0.1)
    frontier = [np.stack([(p.distances() == d).sum(axis=1) for d in range(1, 9)]).max(axis=0) for p in (made, valid)]
    compare(*frontier, 0.1)
    compare(made.hit_probability(), valid.hit_probability(), 0.1)
    compare(np.log(made.n_paths()), np.log(valid.n_paths()), 0.1)
    for one in (made.n_nodes.std() / valid.n_nodes.std(), made.n_edges.std() / valid.n_edges.std()):
        assert 0.85 < one < 1.15
    # Depths of the validation and the test set together: 326, 350, 105, 19 of 800.
    found = np.bincount(np.minimum(made.depth(), 6), minlength=7)[3:] / 4000
    known = np.array([326, 350, 105, 19])
    assert (np.abs(found - known / 800) < 0.035).all()
    assert ((known - 800 * found) ** 2 / (800 * found)).sum() < 16.3  # chi-squared(3) at 0.001
    # And the test set's means: 22.8 nodes, 35.84 edges, 13.4 nodes reached, frontiers of 5.0, 5.3 paths, 0.1584.
    means = [made.n_nodes.mean(), made.n_edges.mean(), reach[0].mean(), frontier[0].mean()]
    assert means == pytest.approx([22.8, 35.84, 13.4, 5.0], rel=0.03)
    assert made.hit_probability().mean() == pytest.approx(0.1584, abs=0.02)


def test_each_instance_has_one_right_answer():
    made = Reachability.generate(500, rng=5)
    distances = made.distances()
    assert (np.take_along_axis(distances, made.questions[:, 2:], axis=1) == -1).all()
    assert (made.depth() >= 3).all()
    for i in range(500):
        edges = made.edges(i)
        assert (edges[:, 0] < edges[:, 1]).all()
        assert len(np.unique(edges, axis=0)) == len(edges)
        assert not np.isin(made.questions[i, 1:], edges[:, 0]).any()
