"""Biased walks on a graph, ready for gensim or PyTorch, and what they show of it without either.

python examples/walk_graph.py            # networkx's karate club: 34 members, and the split that came later
python examples/walk_graph.py EDGES      # lines of "node node" or "node node weight", undirected
"""

import sys

import networkx as nx
import numpy as np
from slowthink.chains import MarkovChain

N_STEPS, WINDOW = 40, 5


def main(path: str | None) -> None:
    graph = nx.karate_club_graph() if path is None else read(path)
    nodes = np.array(list(graph), dtype=object)
    chain = MarkovChain.from_networkx(graph)
    print(chain)

    # 200 walks from each node. A low q leads outwards, as in node2vec; the seed makes them the same everywhere.
    start = np.repeat(np.arange(chain.n_states), 200)
    walks = chain.walk(start, N_STEPS, p=1.0, q=0.5, rng=1)

    # gensim.models.Word2Vec takes sentences; torch.from_numpy(walks) takes the array itself, without a copy.
    sentences = nodes[walks].astype(str).tolist()
    print(f"{len(sentences):,} sentences, the first: {' '.join(sentences[0][:8])} ...")

    # What such a model learns first is which nodes stand near each other on walks more often than their numbers say.
    together = np.zeros((chain.n_states, chain.n_states))
    for distance in range(1, WINDOW + 1):
        np.add.at(together, (walks[:, :-distance], walks[:, distance:]), 1.0)
    together += together.T
    share = together / together.sum()
    expected = share.sum(axis=0) * share.sum(axis=1, keepdims=True)
    surplus = (share - expected) / np.sqrt(expected)
    side = np.linalg.eigh(surplus)[1][:, -1] > 0
    print(f"two sides of {side.sum()} and {(~side).sum()} nodes")
    if path is None:
        club = np.array([graph.nodes[node]["club"] == "Mr. Hi" for node in graph])
        agree = max((side == club).sum(), (side != club).sum())
        print(f"the sides tell where {agree} of {len(club)} members went when the club split")


def read(path: str) -> nx.Graph:
    """An edge list, with weights if lines have a third column."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split() for line in file if line.strip() and not line.startswith("#")]
    graph = nx.Graph()
    graph.add_weighted_edges_from((row[0], row[1], float(row[2]) if len(row) > 2 else 1.0) for row in rows)
    return graph


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
