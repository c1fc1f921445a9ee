from collections.abc import Sequence
from os import PathLike
from typing import Any, final

import numpy as np
import numpy.typing as npt
from typing_extensions import Self, disjoint_base

from slowthink._run import Options

__all__ = [
    "Chain",
    "Forest",
    "Leaves",
    "LogReader",
    "Problem",
    "State",
    "absorption_probabilities",
    "backcopy_sequences",
    "backward_committor",
    "best_of_k",
    "best_of_k_variance",
    "best_value",
    "binomial_interval",
    "bootstrap_curves",
    "bootstrap_means",
    "bradley_terry",
    "build_info",
    "chain_rates",
    "check_policy",
    "communicating_classes",
    "compare_curves",
    "connect_four_scores",
    "count_pairs",
    "count_trajectories",
    "count_transitions",
    "count_visits",
    "distinct_counts",
    "dominant_pathways",
    "endpoints",
    "exact_curves",
    "extrapolate_pass",
    "fifteen_puzzle_distance",
    "fifteen_puzzle_solution",
    "first_passage_from",
    "first_passage_of_each",
    "fit_reversible",
    "forest_child",
    "forest_compact",
    "forest_keep",
    "forest_load",
    "forest_outstanding",
    "forest_reroot",
    "forest_resume",
    "forest_save",
    "game_of_24_puzzles",
    "game_of_24_solutions",
    "generate_graphs",
    "generate_text",
    "graph_depths",
    "graph_distances",
    "graph_ends",
    "graph_horizon",
    "graph_mean_steps",
    "graph_paths",
    "graph_sizes",
    "graph_thoughts",
    "guess_actions",
    "hedge",
    "hitting_probabilities",
    "hitting_probability",
    "is_reversible",
    "kemeny_constant",
    "kendall_tau",
    "keys_maze_failure",
    "keys_maze_layout",
    "keys_maze_plan",
    "keys_maze_size",
    "keys_maze_success",
    "keys_maze_trace",
    "learner_choices",
    "lump_states",
    "maj_at_k",
    "maj_variance",
    "mean_costs",
    "mean_first_passage_times",
    "mean_hitting_times",
    "meta_chain",
    "metastable_chain",
    "metastable_sets",
    "mixing_matrices",
    "mixing_time",
    "occupancy",
    "pass_at_k_mean",
    "pass_at_k_rows",
    "pass_at_k_variance",
    "plurality_probability",
    "ppo_clip",
    "pretrain_bigram",
    "propagate_vectors",
    "pseudo_spectral_gap",
    "reasoning_traits",
    "recurrent_classes",
    "rescale_time",
    "reward_model_correctness",
    "reward_model_max_scores",
    "roc_auc",
    "run_strategies",
    "sample_hitting_times",
    "sample_reversible",
    "sample_rows",
    "samples_for_majority",
    "sign_test",
    "softmax_log_probabilities",
    "softmax_policy",
    "sparse_edge_search",
    "spearman",
    "spin",
    "stationary_distribution",
    "steps_to_mix",
    "stopping_probability",
    "strong_components",
    "student_quantile",
    "student_two_sided",
    "summarise_curves",
    "time_reversal",
    "transition_paths",
    "two_hop_contexts",
    "walk_chain",
    "walk_graphs",
    "walk_second_order",
    "weighted_maj_at_k",
]

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]
_Matrix = npt.NDArray[Any]  # of any number type, strides as they are

def build_info() -> tuple[str, str, str, str]: ...
def spin(n_items: int, milliseconds: float, options: Options, panic_at: int | None = None) -> list[int]: ...

# chains
_States = npt.NDArray[np.uint32]
_Starts = int | _States | _Floats

@final
class Chain:
    @staticmethod
    def from_csr(
        indptr: _Ints, indices: npt.NDArray[Any], values: _Floats | None, weights: bool, absorb: bool, options: Options
    ) -> Chain: ...
    @staticmethod
    def from_edges(
        source: npt.NDArray[Any],
        target: npt.NDArray[Any],
        weight: _Floats | None,
        n_states: int | None,
        directed: bool,
        absorb: bool,
        options: Options,
    ) -> Chain: ...
    @staticmethod
    def from_dense(matrix: _Matrix, weights: bool, absorb: bool, options: Options) -> Chain: ...
    @property
    def n_states(self) -> int: ...
    @property
    def n_transitions(self) -> int: ...
    @property
    def is_uniform(self) -> bool: ...
    @property
    def bytes(self) -> int: ...
    @property
    def bytes_to_come(self) -> int: ...
    def export(self, indptr: _Ints | None, probabilities: _Floats | None, options: Options) -> None: ...
    def fill_dense(self, out: _Floats, options: Options) -> None: ...
    def row(self, state: int) -> tuple[_States, _Floats]: ...
    def indices(self) -> _States: ...

_Walks = tuple[_Starts, int, int, npt.NDArray[np.uint64], int]

# chains.hitting
def sample_hitting_times(
    chain: Chain, walks: _Walks, targets: _States, jumps: bool | _Ints, out: _Ints, options: Options
) -> None: ...

# chains.metastable_sets
def metastable_sets(
    chain: Chain, k: int, options: Options
) -> tuple[_Floats, _Floats, _Floats, float, _Floats | None]: ...

# chains.observe

def count_pairs(
    chain: Chain, walks: _Walks, from_step: int, lag: int, options: Options
) -> tuple[_Ints, _States, _Ints]: ...
def count_transitions(chain: Chain, walks: _Walks, from_step: int, out: _Ints, options: Options) -> None: ...
def count_visits(chain: Chain, walks: _Walks, from_step: int, out: _Ints, options: Options) -> None: ...
def endpoints(chain: Chain, walks: _Walks, out: _States, options: Options) -> None: ...
def occupancy(chain: Chain, walks: _Walks, labels: _States | None, out: _Ints, options: Options) -> None: ...

# chains.passage
_Request = tuple[str, float, int | None]
_Found = tuple[str, float, int]

def absorption_probabilities(
    chain: Chain, labels: _States, n_sets: int, request: _Request, out: _Floats, options: Options
) -> _Found: ...
def backward_committor(
    chain: Chain, source: _States, target: _States, request: _Request, out: _Floats, options: Options
) -> _Found: ...
def hitting_probabilities(
    chain: Chain, targets: _States, avoid: _States, request: _Request, out: _Floats, options: Options
) -> _Found: ...
def mean_hitting_times(
    chain: Chain, targets: _States, costs: _Floats | None, request: _Request, out: _Floats, options: Options
) -> _Found: ...
def recurrent_classes(chain: Chain, options: Options) -> _States: ...
def stationary_distribution(
    chain: Chain, classes: _States, number: int, request: _Request, out: _Floats, options: Options
) -> _Found: ...

# chains.first_passage
def first_passage_from(chain: Chain, targets: _States, law: _Floats, out: _Floats, options: Options) -> float: ...
def first_passage_of_each(
    chain: Chain, targets: _States, starts: _States, out: _Floats, left: _Floats, options: Options
) -> None: ...
def kemeny_constant(chain: Chain, room: int | None, options: Options) -> float: ...
def mean_first_passage_times(chain: Chain, returns: bool, out: _Floats, options: Options) -> None: ...

# chains.structure
def communicating_classes(
    chain: Chain, options: Options
) -> tuple[_States, _States, _Ints, npt.NDArray[np.bool_], _Ints]: ...

# chains.reversal
def is_reversible(chain: Chain, rtol: float, options: Options) -> bool: ...
def time_reversal(chain: Chain, stationary: _Floats, options: Options) -> Chain: ...

# chains.propagate
def propagate_vectors(
    chain: Chain, values: _Floats, n_steps: int, backward: bool, every: bool, out: _Floats, options: Options
) -> None: ...

# chains.mixing
def mixing_time(
    chain: Chain, stationary: _Floats, epsilon: float, start: _Floats | None, options: Options
) -> float: ...
def steps_to_mix(
    chain: Chain, stationary: _Floats, epsilon: float, start: _Floats, max_steps: int, options: Options
) -> int | None: ...
def mixing_matrices(n_states: int) -> int: ...

# chains.lump
_Difference = tuple[float, float, int, int, int]

def lump_states(
    chain: Chain, labels: _States, n_blocks: int, weights: _Floats, options: Options
) -> tuple[Chain, _Difference, _Difference]: ...

# chains.rare
def hitting_probability(
    chain: Chain,
    targets: _States,
    avoid: _States,
    start: _Starts,
    max_steps: int | None,
    method: str,
    n_walks: int | None,
    levels: _Floats | None,
    seed: npt.NDArray[np.uint64],
    first: int,
    options: Options,
) -> tuple[str, int, int, int, _Floats]: ...

# chains.fitting
_Trajectories = tuple[_States, _Ints, int]
_Table = tuple[_Ints, _States, _Floats]

def count_trajectories(
    trajectories: _Trajectories, lag: int, strided: bool, effective: bool, options: Options
) -> tuple[_Ints, _States, _Ints, _Floats | None]: ...
def strong_components(indptr: _Ints, indices: _States, options: Options) -> _States: ...
def fit_reversible(counts: _Table, options: Options) -> tuple[_Ints, _States, _Floats, _Floats]: ...
def sample_rows(counts: _Table, seed: npt.NDArray[np.uint64], first: int, out: _Floats, options: Options) -> None: ...
def sample_reversible(
    counts: _Table,
    n_samples: int,
    burn_in: int,
    thinning: int,
    seed: npt.NDArray[np.uint64],
    first: int,
    options: Options,
) -> tuple[_Ints, _States, _Floats]: ...

# chains.spectrum
def chain_rates(chain: Chain, k: int, slow: bool, options: Options) -> tuple[_Floats, _Floats, bool]: ...
def pseudo_spectral_gap(chain: Chain, max_power: int, options: Options) -> tuple[float, int]: ...

# chains.text
def generate_text(
    chain: Chain, walks: _Walks, texts: tuple[npt.NDArray[Any], npt.NDArray[Any]], options: Options
) -> None: ...

# chains.transition_paths
def transition_paths(
    chain: Chain, source: _States, target: _States, options: Options
) -> tuple[_Floats, _Floats, _Floats, _Ints, _States, _Floats, _Floats, float, float]: ...
def dominant_pathways(
    indptr: _Ints,
    indices: _States,
    net: _Floats,
    source: _States,
    target: _States,
    most: int,
    fraction: float,
    options: Options,
) -> list[tuple[_States, float]]: ...

# chains.second_order
def walk_second_order(
    chain: Chain,
    start: _Starts,
    p: float,
    q: float,
    seed: npt.NDArray[np.uint64],
    first: int,
    out: _States,
    options: Options,
) -> None: ...

# chains.walk
def walk_chain(
    chain: Chain, start: _Starts, seed: npt.NDArray[np.uint64], first: int, out: _States, options: Options
) -> None: ...

# metastable.family
def metastable_chain(
    sizes: tuple[int, int, int, int],
    epsilon: float,
    meta_graph: _States | tuple[str, int],
    within: tuple[str, int],
    entries: _States | str,
    n_actions: int,
    seed: npt.NDArray[np.uint64],
    options: Options,
) -> tuple[Chain, _States, _States, _States, _States]: ...

# metastable.meta_chain
def meta_chain(chain: Chain, labels: _States, n_clusters: int, options: Options) -> Chain: ...

# metastable.oracle
def mean_costs(meta_edges: _States, costs: _Floats, target: int, options: Options) -> _Floats: ...

# metastable.search
def sparse_edge_search(
    chain: Chain,
    starts: _Starts | None,
    plan: tuple[int, int, int, int],
    stop: tuple[int | None, int | None],
    seed: npt.NDArray[np.uint64],
    first: int,
    options: Options,
) -> tuple[_States, _Ints, _Ints, int, int, int]: ...

# problems
@final
class State: ...

@final
class Problem:
    @staticmethod
    def synthetic_tree(branching: int, depth: int, seed: int) -> Problem: ...
    @staticmethod
    def additive_tree(branching: int, depth: int, seed: int, rewards: bool) -> Problem: ...
    @staticmethod
    def tic_tac_toe(moves: str) -> Problem: ...
    @staticmethod
    def connect_four(moves: str) -> Problem: ...
    @staticmethod
    def game_of_24(puzzles: _Ints | None, temperature: float, options: Options) -> Problem: ...
    @staticmethod
    def fifteen_puzzle(states: _Ints, rewards: bool) -> Problem: ...
    @staticmethod
    def keys_maze(
        size: tuple[int, int, int],
        n_instances: int,
        greed: _Floats,
        max_steps: int | None,
        seed: int,
        first: int,
        options: Options,
    ) -> Problem: ...
    @staticmethod
    def snowball_chain(success: _Floats, n_wrong: int, n_instances: int) -> Problem: ...
    @staticmethod
    def categorical(probabilities: _Floats, targets: Sequence[int]) -> Problem: ...
    @staticmethod
    def metastable_reasoning(
        chain: Chain,
        start: int,
        answers: Sequence[int],
        max_steps: int,
        experts: Sequence[float],
        options: Options,
    ) -> Problem: ...
    @staticmethod
    def reachability(
        edges: _Ints,
        weights: _Floats | None,
        questions: Sequence[_Ints],
        n_nodes: _Ints | None,
        guess: bool,
        max_steps: int | None,
        symbols: Sequence[str],
        options: Options,
    ) -> Problem: ...
    def root(self, tree: int) -> State: ...
    def n_actions(self, state: State) -> int: ...
    def step(self, state: State, action: int) -> tuple[State, float]: ...
    def value(self, state: State, seed: npt.NDArray[np.uint64]) -> float: ...
    def player(self, state: State) -> int: ...
    def key(self, state: State) -> int | None: ...
    def describe(self, state: State) -> str: ...
    def actions(self, state: State) -> list[str]: ...
    def traits(self) -> tuple[int, int | None, int | None, bool, tuple[float, float]]: ...

# problems.answers
def best_value(problem: Problem, state: State, options: Options) -> float: ...
def connect_four_scores(state: State, of_actions: bool, max_nodes: int | None, options: Options) -> list[int]: ...
def fifteen_puzzle_distance(state: State) -> int: ...
def fifteen_puzzle_solution(state: State, max_nodes: int | None, options: Options) -> list[str]: ...
def game_of_24_puzzles(problem: Problem) -> _Ints: ...
def game_of_24_solutions(numbers: list[int], options: Options) -> list[str]: ...

# problems.generators
def backcopy_sequences(
    bigram: _Floats,
    first_law: _Floats,
    triggers: npt.NDArray[np.bool_],
    copy_probability: float,
    seed: npt.NDArray[np.uint64],
    first: int,
    out: npt.NDArray[np.uint8],
    options: Options,
) -> None: ...
def two_hop_contexts(
    size: tuple[int, int, int], seed: npt.NDArray[np.uint64], first: int, out: _States, options: Options
) -> None: ...

# problems.keys_maze
def keys_maze_failure(problem: Problem, state: State, plan: list[str]) -> tuple[int, str] | None: ...
def keys_maze_layout(
    problem: Problem, instance: int
) -> tuple[int, int, list[int], list[tuple[int, int, int | None]]]: ...
def keys_maze_plan(problem: Problem, state: State) -> list[str]: ...
def keys_maze_size(problem: Problem) -> tuple[int, float]: ...
def keys_maze_success(problem: Problem, state: State, options: Options) -> float | None: ...
def keys_maze_trace(problem: Problem, state: State, options: Options) -> str: ...

# problems.reachability
def generate_graphs(
    n: int,
    law: tuple[int, float, tuple[float, float], float, int],
    seed: npt.NDArray[np.uint64],
    first: int,
    options: Options,
) -> tuple[_Ints, _Ints, _Ints, _Ints, int]: ...
def graph_depths(problem: Problem, options: Options) -> _Ints: ...
def graph_distances(problem: Problem, out: _Ints, options: Options) -> None: ...
def graph_ends(problem: Problem, options: Options) -> _Floats: ...
def graph_horizon(problem: Problem) -> tuple[int, bool]: ...
def graph_mean_steps(problem: Problem, options: Options) -> _Floats: ...
def graph_paths(problem: Problem, options: Options) -> _Floats: ...
def graph_sizes(problem: Problem) -> _Ints: ...
def graph_thoughts(
    problem: Problem,
    n_steps: int,
    width: int,
    noise: tuple[float, float] | None,
    seed: npt.NDArray[np.uint64],
    first: int,
    out: _Floats,
    options: Options,
) -> None: ...
def walk_graphs(
    problem: Problem,
    plan: tuple[str, bool, int],
    n_walks: int,
    seed: npt.NDArray[np.uint64],
    first: int,
    out: npt.NDArray[np.uint64],
    options: Options,
) -> None: ...

# samples.best_of
def best_of_k(
    scores: _Matrix, values: _Matrix, k: _Ints, out: _Floats, options: Options, worst: bool = False
) -> None: ...
def best_of_k_variance(
    scores: _Matrix, values: _Matrix, k: _Ints, out: _Floats, options: Options, worst: bool = False
) -> None: ...

# samples.experts
def hedge(
    losses: _Matrix,
    n_runs: int,
    runs_named: bool,
    learning_rate: float,
    weights: _Floats | None,
    expected_loss: _Floats,
    regret: _Floats,
    options: Options,
) -> None: ...

# samples.extrapolation
def extrapolate_pass(
    n: _Ints, c: _Ints, k: _Ints, inflated: bool, out: _Floats, options: Options
) -> tuple[float, float, float, float, float]: ...

# samples.intervals
def bootstrap_curves(
    rows: _Floats,
    index: _Ints,
    cluster: _Ints | None,
    n_resamples: int,
    seed: list[int],
    probabilities: list[float],
    out: _Floats,
    options: Options,
) -> None: ...
def bootstrap_means(
    rows: _Floats, index: _Ints, cluster: _Ints | None, first: int, seed: list[int], out: _Floats, options: Options
) -> None: ...
def summarise_curves(rows: _Floats, index: _Ints, cluster: _Ints | None, out: _Floats, options: Options) -> None: ...
def compare_curves(
    rows_a: _Floats,
    index_a: _Ints,
    rows_b: _Floats,
    index_b: _Ints,
    cluster: _Ints | None,
    out: _Floats,
    options: Options,
) -> None: ...
def student_two_sided(t: float, df: float) -> float: ...
def student_quantile(confidence: float, df: float) -> float: ...
def sign_test(k: int, n: int) -> float: ...
def binomial_interval(k: int, n: int, confidence: float) -> tuple[float, float]: ...

# samples.log
@final
class LogReader:
    def __new__(cls, fields: Sequence[tuple[str, Sequence[str], str, bool]], skip: bool) -> LogReader: ...
    def feed(self, lines: npt.NDArray[np.uint8], options: Options) -> tuple[int, str] | None: ...
    def feed_documents(self, documents: list[bytes], options: Options) -> tuple[int, str] | None: ...
    def counts(self) -> tuple[int, int, int, tuple[int, str] | None]: ...
    def finish(self) -> list[Any]: ...

# samples.majority
def maj_at_k(
    answers: _Matrix, gold: _Ints, k: _Ints, ties: str, replace: bool, out: _Floats, options: Options
) -> None: ...
def maj_variance(answers: _Matrix, gold: _Ints, k: _Ints, ties: str, out: _Floats, options: Options) -> None: ...

# samples.pass
def distinct_counts(n: _Ints, c: _Ints, options: Options) -> tuple[_Ints, _Ints, _Ints, _Ints]: ...
def pass_at_k_mean(
    n: _Ints, c: _Ints, k: _Ints, options: Options, metric: str = "pass@k", tau: float = 0.0
) -> _Floats: ...
def pass_at_k_rows(
    n: _Ints, c: _Ints, k: _Ints, out: _Floats, options: Options, metric: str = "pass@k", tau: float = 0.0
) -> None: ...
def pass_at_k_variance(
    n: _Ints, c: _Ints, k: _Ints, out: _Floats, options: Options, metric: str = "pass@k"
) -> None: ...

# samples.planning
def plurality_probability(p: _Floats, n: _Ints, target: int, ties: str, out: _Floats, options: Options) -> None: ...
def samples_for_majority(p: _Floats, target: int, confidence: float, options: Options) -> int: ...

# samples.rating
def bradley_terry(
    wins: _Floats,
    ties: _Floats | None,
    names: list[str],
    ridge: float,
    covariance: _Floats | None,
    resamples: _Floats | None,
    seed: list[int],
    first: int,
    options: Options,
) -> tuple[_Floats, int, float, int]: ...

# samples.reward_models
def kendall_tau(x: _Floats, y: _Floats, options: Options) -> float: ...
def reward_model_correctness(
    scores: _Matrix, correct: _Matrix, k: _Ints, curve: _Floats, oracle: _Floats, options: Options
) -> tuple[float, float, float, int, int]: ...
def reward_model_max_scores(
    scores: _Matrix, correct: _Matrix, k: _Ints, seed: list[int], first: int, out: _Floats, options: Options
) -> None: ...
def roc_auc(scores: _Matrix, correct: _Matrix, out: _Floats, options: Options) -> None: ...
def spearman(x: _Floats, y: _Floats, options: Options) -> float: ...

# samples.stopping
def stopping_probability(counts: _Matrix, e_value: bool, out: _Floats, options: Options) -> None: ...

# samples.weighted
def weighted_maj_at_k(
    answers: _Matrix,
    weights: _Matrix,
    gold: _Ints,
    k: _Ints,
    method: int,
    n_resamples: int,
    control_variates: bool,
    seed: list[int],
    first: int,
    out: _Floats,
    options: Options,
) -> None: ...

# metastable.distill
def rescale_time(chain: Chain, beta: float, options: Options) -> Chain: ...

# metastable.local
def guess_actions(
    chain: Chain,
    hidden: _States,
    paths: tuple[int, int, int],
    table: _States,
    found: npt.NDArray[np.bool_],
    seed: npt.NDArray[np.uint64],
    first: int,
    out: _Ints,
    options: Options,
) -> None: ...

# metastable.ppo
def ppo_clip(
    chain: Chain,
    edges: _States,
    law: _Floats | None,
    settings: tuple[float, float, float, bool, int, int],
    batch: tuple[int, npt.NDArray[np.uint64]] | None,
    options: Options,
) -> tuple[Chain, _Floats, int, _Floats, npt.NDArray[np.bool_]]: ...

# metastable.pretraining
def pretrain_bigram(
    chain: Chain,
    law: _Floats,
    learning_rate: float,
    threshold: float,
    first: npt.NDArray[np.uint64],
    second: npt.NDArray[np.uint64],
    options: Options,
) -> tuple[Chain, _Floats, _Floats, _Floats, int, int]: ...

# metastable.softmax
def softmax_log_probabilities(chain: Chain, logits: _Floats, out: _Floats, options: Options) -> None: ...
def softmax_policy(chain: Chain, logits: _Floats, options: Options) -> Chain: ...

# trees
@final
class Leaves:
    @property
    def ticket(self) -> npt.NDArray[np.uint64]: ...
    @property
    def tree(self) -> npt.NDArray[np.uint32]: ...
    @property
    def node(self) -> npt.NDArray[np.uint32]: ...
    @property
    def parent(self) -> _Ints: ...
    @property
    def action(self) -> _Ints: ...
    @property
    def depth(self) -> npt.NDArray[np.uint32]: ...
    @property
    def kind(self) -> npt.NDArray[np.uint8]: ...
    def path(self, i: int) -> list[int]: ...
    def __len__(self) -> int: ...

_Policy = tuple[str, Sequence[float]]
_Pair = tuple[float, float]
_Budget = tuple[float | None, bool, int | None, float | None, float | None]
_Rules = tuple[float, str, float | None, int | None, int | None, _Pair | None, _Pair | None, bool, bool, _Budget]

@disjoint_base
class Forest:
    def __new__(
        cls, n_trees: int, policy: _Policy, rules: _Rules, seed: npt.NDArray[np.uint64], first: int
    ) -> Self: ...
    def ask(self, n: int, *, per_tree: int | None = None) -> Leaves: ...
    def tell(
        self,
        tickets: Leaves | npt.ArrayLike,
        values: npt.ArrayLike | None = None,
        *,
        rewards: npt.ArrayLike | None = None,
        n_children: npt.ArrayLike | None = None,
        priors: npt.ArrayLike | None = None,
        terminal: npt.ArrayLike | None = None,
        players: npt.ArrayLike | None = None,
        cost: npt.ArrayLike | None = None,
        keys: npt.ArrayLike | None = None,
        payload: Sequence[str | None] | None = None,
    ) -> int: ...
    def cancel(self, tickets: Leaves | npt.ArrayLike) -> int: ...
    @property
    def n_trees(self) -> int: ...
    @property
    def discount(self) -> float: ...
    @property
    def n_in_flight(self) -> int: ...
    @property
    def simulations(self) -> _Ints: ...
    @property
    def costs(self) -> _Floats: ...
    @property
    def done(self) -> npt.NDArray[np.bool_]: ...
    def _run(self, problem: Problem, n_simulations: int, options: Options) -> None: ...
    def _columns(self, i: int) -> tuple[dict[str, npt.NDArray[Any]], tuple[int, int, float]]: ...
    def _root(self, i: int) -> tuple[_Floats, int | None, _Floats | None]: ...
    def _payload(self, i: int) -> dict[int, str]: ...
    def _limits(self) -> list[int]: ...
    def _set_limits(self, limits: Sequence[int]) -> None: ...
    def _stop(self, trees: Sequence[int]) -> None: ...
    def _set_priority(self, trees: Sequence[int], priority: int) -> None: ...
    def _set_limit(self, i: int, limit: int) -> int: ...
    def _texts(self, ticket: int) -> list[str | None] | None: ...

def forest_child(forest: Forest, tree: int, action: int) -> int | None: ...
def forest_compact(forest: Forest) -> None: ...
def forest_keep(forest: Forest, path: str | PathLike[str], note: str, fsync: bool) -> None: ...
def forest_load(forest: Forest, path: str | PathLike[str]) -> str: ...
def forest_outstanding(forest: Forest) -> Leaves: ...
def forest_reroot(forest: Forest, tree: int, node: int) -> _Ints: ...
def forest_resume(forest: Forest, path: str | PathLike[str], fsync: bool, same_seed: bool | None = None) -> str: ...
def forest_save(forest: Forest, path: str | PathLike[str], note: str, fsync: bool) -> None: ...
def check_policy(policy: _Policy) -> None: ...

# strategies
_Strategy = tuple[str, str, bool, list[float], tuple[str, list[float]] | None]
_Verifier = tuple[float, float, float, float, bool, float, float, float]

def run_strategies(
    problem: Problem,
    strategies: list[_Strategy],
    budgets: list[int],
    n_trials: int,
    first: int,
    seed: list[int],
    judge: _Verifier,
    options: Options,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint64]]: ...
def exact_curves(
    problem: Problem, strategies: list[_Strategy], budgets: list[int], judge: _Verifier, options: Options
) -> _Floats: ...
def reasoning_traits(problem: Problem) -> tuple[int, int, int, float, bool]: ...
def learner_choices(
    means: list[float],
    numbers: list[float],
    n_rounds: int,
    first: int,
    seed: list[int],
    chosen: npt.NDArray[np.uint32],
    options: Options,
) -> None: ...
