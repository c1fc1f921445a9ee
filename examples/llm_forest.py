"""Search with a language model behind any OpenAI-compatible server: 24 problems at once, no barrier between them.

    python examples/llm_forest.py --base-url http://localhost:8000/v1 --model my-model
    python examples/llm_forest.py --fake

Each problem is a sum to work out. A node of its tree is a line of the model's reasoning; its value is how sure the
model was of that line (the mean probability of its tokens, where the server gives it). A line with "Answer:" ends a
path. In the end the paths of each problem vote. `--fake` starts a server in this process that knows some arithmetic.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import re
from collections import Counter

import numpy as np
from fake_server import fake_server
from slowthink.trees import Expansion, Forest, Leaf, Puct

PROBLEMS = [(17 * i % 50, 31 * i % 50, 7 * i % 50) for i in range(1, 25)]
BRANCHES = 3


async def search(base_url: str, model: str, api_key: str) -> Forest:
    try:
        import openai
    except ImportError:
        raise SystemExit("this example needs the package openai: pip install openai") from None
    client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0)

    async def expand(leaf: Leaf) -> Expansion:
        if leaf.depth == 0:
            return Expansion(value=0.5, n_children=BRANCHES)
        problem = (
            f"Work out {' + '.join(map(str, PROBLEMS[leaf.tree]))}. One short line at a time; end with 'Answer: n'."
        )
        lines = "\n".join(text for text in leaf.payloads if text)
        reply = await client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": problem}, {"role": "assistant", "content": lines}],
            temperature=1.0,
            stop=["\n"],
            logprobs=True,
        )
        choice = reply.choices[0]
        tokens = choice.logprobs.content if choice.logprobs and choice.logprobs.content else []
        sure = math.exp(sum(token.logprob for token in tokens) / len(tokens)) if tokens else 0.5
        text = (choice.message.content or "").strip()
        ended = "Answer:" in text
        return Expansion(
            value=sure,
            n_children=0 if ended else BRANCHES,
            payload=text,
            cost=reply.usage.total_tokens if reply.usage else 0,
        )

    forest = Forest(len(PROBLEMS), Puct(), n_simulations=40, max_depth=6, rng=1)
    async with client:
        report = await forest.drive(expand, concurrency=32, timeout=60, retries=5, backoff=0.05)
    print(f"{report.n_simulations} lines, {report.cost:,.0f} tokens, {report.n_retries} calls made again")
    print(f"{report.utilisation:.0%} of 32 slots in use for {report.seconds:.1f} s")
    return forest


def show(forest: Forest) -> None:
    right = 0
    for i, problem in enumerate(PROBLEMS):
        tree = forest.tree(i)
        votes: Counter[int] = Counter()
        for node in np.flatnonzero(tree.visits):
            found = re.search(r"Answer: *(-?\d+)", tree.payload[node] or "")
            if found:
                votes[int(found[1])] += int(tree.visits[node])
        right += bool(votes) and votes.most_common(1)[0][0] == sum(problem)
    print(f"{right} of {len(PROBLEMS)} problems right")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", default="http://localhost:8000/v1")
    parser.add_argument("--model", default="default")
    parser.add_argument("--api-key", default="none")
    parser.add_argument("--fake", action="store_true", help="start a server in this process and use it")
    arguments = parser.parse_args()
    if arguments.fake:
        with fake_server() as url:
            show(asyncio.run(search(url, "fake", "none")))
    else:
        show(asyncio.run(search(arguments.base_url, arguments.model, arguments.api_key)))


if __name__ == "__main__":
    main()
