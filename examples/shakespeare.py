"""Text from the chains of its own contexts, the first thing that was ever done with a Markov chain.

    python examples/shakespeare.py FILE          # any text in UTF-8; a megabyte or more reads best

For contexts of one to six characters: how much of the last tenth of the text the first nine know, and what they write.
"""

import sys
import time

from slowthink.chains import ngram_chain


def main(path: str) -> None:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    cut = len(text) * 9 // 10
    print(f"{len(text):,} characters, {len(set(text))} different")
    for order in range(1, 7):
        chain = ngram_chain(text[:cut], order=order)
        # A context or transition that was never seen has no probability: what share of the rest is that?
        known = chain.states(text[cut:]) >= 0
        print(f"\norder {order}: {chain.chain.n_states:,} contexts, {known.mean():.1%} of those in the rest are known")
        print(chain.generate(200, rng=1))

    n_texts, length = 10_000, 1_000
    pairs = ngram_chain(text)
    pairs.generate(length, n_texts=100, rng=1)
    begin = time.perf_counter()
    pairs.generate(length, n_texts=n_texts, rng=1)
    rate = n_texts * length / (time.perf_counter() - begin)
    print(f"\nbigrams: {rate:,.0f} characters a second")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python examples/shakespeare.py FILE")
    main(sys.argv[1])
