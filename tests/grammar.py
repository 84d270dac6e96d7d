"""Two tiny languages whose entities can be told from their words: taggers with a known answer."""

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.ner.base import Sentence
from jointalign.vocabulary import Vocabulary

ROLES = {"PER": 12, "LOC": 12, "verb": 8, "filler": 8}
DIMENSIONS = 12


def word(language, role, number):
    return f"{language}{role.lower()}{number}"


def space(noise=0.05, seed=0):
    """Words of one role have like vectors, in both languages: what alignment gives."""
    rng = np.random.default_rng(seed)
    centres = {role: rng.standard_normal(DIMENSIONS) for role in ROLES}
    sides = []
    for language in ("en", "es"):
        words, vectors = [], []
        for role, size in ROLES.items():
            for number in range(size):
                words.append(word(language, role, number))
                vectors.append(centres[role] + noise * rng.standard_normal(DIMENSIONS))
        sides.append(Embedding(Vocabulary(tuple(words)), np.array(vectors, np.float32)))
    return BilingualEmbedding.separate(*sides, "en", "es")


def sentences(language, count, seed):
    """PERSON [PERSON] verb [filler] PLACE, or the other way round: the place tells nothing."""
    rng = np.random.default_rng(seed)

    def pick(role):
        return word(language, role, rng.integers(0, ROLES[role]))

    found = []
    for _ in range(count):
        person = [(pick("PER"), "B-PER")] + [(pick("PER"), "I-PER")] * int(rng.integers(0, 2))
        place = [(pick("filler"), "O")] * int(rng.integers(0, 3)) + [(pick("LOC"), "B-LOC")]
        parts = [person, [(pick("verb"), "O")], place]
        pairs = [pair for part in parts[:: rng.choice((1, -1))] for pair in part]
        words, tags = zip(*pairs, strict=True)
        found.append(Sentence(words, tags))
    return found
