"""Two small languages whose translations are known, with vectors that a rotation takes apart."""

import numpy as np

from jointalign import BilingualEmbedding, Embedding, Lexicon, Vocabulary

LETTERS = "abcdefghijklmnop"


def words(rng, size, ending):
    found = {}
    while len(found) < size:
        stem = "".join(rng.choice(list(LETTERS), 5))
        found[stem + ending[len(found) % len(ending)]] = None
    return tuple(found)


def language_pair(size=400, dimensions=20, noise=0.8, seed=0, signal=True, rotated=True):
    """Words of rank i translate each other; endings `ly`/`mente` and `s`/`os` go together."""
    rng = np.random.default_rng(seed)
    source, target = words(rng, size, ("ly", "s")), words(rng, size, ("mente", "os"))
    x = rng.standard_normal((size, dimensions)).astype(np.float32)
    z = x + noise * rng.standard_normal(x.shape) if signal else rng.standard_normal(x.shape)
    rotation = (
        np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0] if rotated else np.eye(dimensions)
    )
    counts = (10_000 / np.arange(1, size + 1)).astype(np.int64) + 1
    sides = (
        Embedding(Vocabulary(source, counts), x),
        Embedding(Vocabulary(target, counts), (z @ rotation).astype(np.float32)),
    )
    lexicon = Lexicon(tuple(zip(source, target, strict=True)))
    return BilingualEmbedding.separate(*sides), lexicon
