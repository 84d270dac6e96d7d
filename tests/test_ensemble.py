"""Two spaces as one: planted halves, brute force for the components, unseen words."""

import numpy as np
import pytest

import jointalign as ja
from jointalign.alignment.api import apply
from jointalign.alignment.base import Mapping
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.ensemble import reduced, side_by_side
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.subwords import SubwordTable, ngram_hashes
from jointalign.vocabulary import Vocabulary


def embedding(words, vectors, counts=None, subwords=None):
    counts = np.arange(len(words), 0, -1) if counts is None else np.array(counts)
    return Embedding(Vocabulary(tuple(words), counts), np.float32(vectors), subwords)


def test_halves_have_length_one_and_missing_ones_are_zeros():
    first = embedding(["a", "b"], [[3, 4], [0, 2]], [9, 5])
    second = embedding(["c", "a"], [[5], [-2]], [7, 9])
    space = side_by_side(*(BilingualEmbedding.separate(side, side) for side in (first, second)))
    assert space.source.words == ("a", "c", "b")
    assert space.source.vocabulary.counts.tolist() == [9, 7, 5]
    np.testing.assert_allclose(space.source.vectors, [[0.6, 0.8, -1], [0, 0, 1], [0, 1, 0]])
    assert not len(space.shared)


def test_shared_words_have_their_half_in_both_languages():
    shared = embedding(["radio"], [[0, 1]], [6])
    counts = np.array([4]), np.array([2])
    joint = BilingualEmbedding(embedding("a", [[1, 0]]), embedding("b", [[1, 0]]), shared, *counts)
    apart = BilingualEmbedding.separate(
        embedding(["radio", "a"], [[1], [1]], [4, 1]), embedding(["radio", "b"], [[-1], [1]], [2, 1])
    )
    space = side_by_side(joint, apart)
    assert space.source.vector("radio").tolist() == [0, 1, 1]
    assert space.target.vector("radio").tolist() == [0, 1, -1]


def halves(seed=0, words=400, dimensions=6):
    """Two spaces, each of which sees one half of what words mean, and noise where the other sees."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((words, 2 * dimensions))
    names = [[f"{side}{number}" for number in range(words)] for side in "st"]
    found = []
    for columns in (slice(dimensions), slice(dimensions, None)):
        turn = np.linalg.qr(rng.standard_normal((dimensions, dimensions)))[0]
        x = meaning[:, columns] + 0.7 * rng.standard_normal((words, dimensions))
        z = meaning[:, columns] @ turn + 0.7 * rng.standard_normal((words, dimensions))
        found.append(BilingualEmbedding.separate(embedding(names[0], x), embedding(names[1], z)))
    pairs = tuple(zip(*names, strict=True))
    return *found, Lexicon(pairs[:200]), Lexicon(pairs[200:])


def precision(space, training, test):
    return ja.bli.evaluate(ja.align(space, "procrustes", training), test).p_at_1


def test_together_they_know_what_neither_knows():
    first, second, training, test = halves()
    alone = [precision(space, training, test) for space in (first, second)]
    assert precision(side_by_side(first, second), training, test) > 2 * max(alone)


def test_the_components_are_those_of_all_words():
    rng = np.random.default_rng(3)
    basis = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    sizes = np.array([5, 4, 3, 0.2, 0.1, 0.1, 0.1, 0.1])
    sides = [
        embedding([str(row) for row in range(n)], rng.standard_normal((n, 8)) * sizes @ basis)
        for n in (30, 50)
    ]
    space = BilingualEmbedding.separate(*sides)
    found = reduced(space, 3)
    rows = np.concatenate([side.vectors / np.linalg.norm(side.vectors, axis=1)[:, None] for side in sides])
    _, _, axes = np.linalg.svd(rows.astype(np.float64), full_matrices=False)
    expected = rows @ axes[:3].T
    expected /= np.linalg.norm(expected, axis=1)[:, None]
    ours = np.concatenate([found.source.vectors, found.target.vectors])
    np.testing.assert_allclose(ours @ ours.T, expected @ expected.T, atol=1e-5)
    assert reduced(space, 8) is space and reduced(space, 99) is space
    with pytest.raises(JointalignError, match="expected 1 dimension or more, got 0"):
        reduced(space, 0)


def table(words, vectors_of, seed):
    """N-grams of these words, whose rows are random."""
    buckets = np.unique([bucket for word in words for bucket in ngram_hashes(word, 3, 6, 2000)])
    rows = np.random.default_rng(seed).standard_normal((len(buckets), vectors_of)).astype(np.float32)
    return SubwordTable(buckets.astype(np.uint32), rows, buckets=2000)


def with_ngrams(words, dimensions, seed, length):
    known = table(words, dimensions, seed)
    vectors = length * np.array([known.vector(word) for word in words])
    return embedding(
        words, vectors, subwords=SubwordTable(known.buckets_used, length * known.vectors, buckets=2000)
    )


def test_an_unseen_word_lies_where_it_would_if_it_were_known():
    words = ["walking", "walked", "talking", "talked", "parking", "barked"]
    first, second = with_ngrams(words, 4, 1, 3.0), with_ngrams(words, 5, 2, 0.1)
    apart = [BilingualEmbedding.separate(side, side) for side in (first, second)]
    space = side_by_side(*apart)
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((9, 6)).astype(np.float32)
    moved = reduced(apply(Mapping(matrix, matrix), space), 4).source
    for word in words:  # as if it had not been seen: from n-grams alone
        made, known = moved.subwords.vector(word), moved.vector(word)
        assert (
            made @ known / np.linalg.norm(made) > 0.9
        )  # halves weigh by their mean length, not by each word's
    assert space.source.vector("xyzxyz") is None


def test_what_cannot_be_put_together_is_refused():
    plain = with_ngrams(["walking"], 4, 1, 1.0)
    one = BilingualEmbedding.separate(plain, plain)
    aligned = apply(Mapping(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)), one)
    with pytest.raises(JointalignError, match="before they are aligned"):
        side_by_side(one, aligned)
    longer = SubwordTable(plain.subwords.buckets_used, plain.subwords.vectors, 3, 5, 2000)
    other = embedding(["walking"], plain.vectors, subwords=longer)
    with pytest.raises(JointalignError, match="train them alike"):
        side_by_side(one, BilingualEmbedding.separate(other, other))
