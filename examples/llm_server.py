"""Strategies of slow thinking compared on a language model behind any OpenAI-compatible server.

    python examples/llm_server.py --base-url http://localhost:8000/v1 --model my-model
    python examples/llm_server.py --fake

Each problem is a sum to work out. A step is a line of the model's reasoning, and a line with "Answer:" ends it. The
process reward of a line is how sure the model was of all lines so far (the least of the mean probabilities of their
tokens, where the server gives them): a judge that knows no more than the model. Everything that was finished is kept in
a file as it goes, so that the command can be stopped and run again. `--fake` starts a server in this process that knows
some arithmetic.
"""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass, replace

from fake_server import fake_server
from slowthink.strategies import compare

SUMS = [(17 * i % 50, 31 * i % 50, 7 * i % 50, 23 * i % 50) for i in range(1, 25)]


@dataclass(frozen=True)
class Thought:
    """Lines so far, how sure the model was of the least sure one, and what the last one took."""

    instance: int
    lines: tuple[str, ...] = ()
    sure: float = 1.0
    tokens: int = 0


class Sums:
    """The problem: what `compare` asks of it."""

    max_steps, n_instances, tokens_per_step = 6, len(SUMS), 30

    def __init__(self, base_url: str, model: str, api_key: str) -> None:
        try:
            import openai
        except ImportError:
            raise SystemExit("this example needs the package openai: pip install openai") from None
        self._client = openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0)
        self._model = model

    async def __aenter__(self):
        await self._client.__aenter__()

    async def __aexit__(self, *error):
        await self._client.__aexit__(*error)

    def root(self, instance):
        return Thought(instance)

    async def step(self, state, rng):
        problem = (
            f"Work out {' + '.join(map(str, SUMS[state.instance]))}. One short line at a time; end with 'Answer: n'."
        )
        reply = await self._client.chat.completions.create(
            model=self._model,
            messages=[
                {"role": "user", "content": problem},
                {"role": "assistant", "content": "\n".join(state.lines)},
            ],
            temperature=1.0,
            stop=["\n"],
            logprobs=True,
            seed=int(rng.integers(2**31)),
        )
        choice = reply.choices[0]
        tokens = choice.logprobs.content if choice.logprobs and choice.logprobs.content else []
        sure = math.exp(sum(token.logprob for token in tokens) / len(tokens)) if tokens else 0.5
        return replace(
            state,
            lines=(*state.lines, (choice.message.content or "").strip()),
            sure=min(state.sure, sure),
            tokens=reply.usage.total_tokens if reply.usage else 0,
        )

    def answer(self, state):
        found = re.search(r"Answer: *(-?\d+)", state.lines[-1]) if state.lines else None
        return int(found[1]) if found else None

    def correct(self, answer, instance):
        return answer == sum(SUMS[instance])

    def score(self, state):
        return state.sure

    def tokens(self, state):
        return state.tokens


def run(base_url: str, arguments: argparse.Namespace) -> None:
    problem = Sums(base_url, arguments.model, arguments.api_key)
    found = compare(
        problem,
        budgets=[1, 4, 8],
        n_trials=arguments.trials,
        rng=1,
        concurrency=32,
        retries=5,
        timeout=60,
        checkpoint=arguments.keep,
        resume=arguments.keep,
    )
    print(found.table())
    print(f"{found.tokens.sum() * found.n_finished:,.0f} tokens, those shared by strategies counted for each")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base-url", default="http://localhost:8000/v1")
    parser.add_argument("--model", default="default")
    parser.add_argument("--api-key", default="none")
    parser.add_argument("--trials", type=int, default=len(SUMS))
    parser.add_argument("--keep", metavar="FILE", help="where to keep what was finished")
    parser.add_argument("--fake", action="store_true", help="start a server in this process and use it")
    arguments = parser.parse_args()
    if arguments.fake:
        with fake_server() as url:
            run(url, arguments)
    else:
        run(arguments.base_url, arguments)


if __name__ == "__main__":
    main()
