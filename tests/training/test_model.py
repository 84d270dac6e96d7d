import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.errors import JointalignError
from jointalign.subwords import ngram_hashes
from jointalign.training._model import (
    alias_table,
    initial_inputs,
    joint_vocabulary,
    keep_probabilities,
    padded,
    units,
)
from jointalign.vocabulary import Counts, Vocabulary

words = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1, max_size=8),
    min_size=1,
    max_size=20,
    unique=True,
)


@given(words, st.integers(1, 3), st.integers(3, 6))
def test_units_are_the_word_and_its_ngrams(texts, minimum, maximum):
    buckets = 101  # few, so that n-grams collide
    vocabulary = Vocabulary(tuple(texts), np.arange(len(texts), 0, -1))
    unit = units(vocabulary, minimum, maximum, buckets)
    for row, word in enumerate(texts):
        own, *grams = unit.rows[unit.starts[row] : unit.starts[row + 1]].tolist()
        assert own == row
        found = [int(unit.buckets[gram - len(texts)]) for gram in grams]
        assert found == ngram_hashes(word, minimum, maximum, buckets)
    assert len(set(unit.buckets.tolist())) == len(unit.buckets)


def test_no_ngrams_when_the_maximum_is_zero():
    unit = units(Vocabulary(("a", "b"), np.array([2, 1])), 3, 0, 100)
    assert unit.rows.tolist() == [0, 1]
    assert unit.total == 2


def test_frequent_ngrams_come_first():
    vocabulary = Vocabulary(("abc", "xyz"), np.array([1, 50]))
    unit = units(vocabulary, 5, 5, 10_000)  # one n-gram each, the whole marked word
    assert unit.buckets.tolist() == [
        ngram_hashes("xyz", 5, 5, 10_000)[0],
        ngram_hashes("abc", 5, 5, 10_000)[0],
    ]


@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50))
def test_alias_table_draws_by_weight(weights):
    weights = np.array(weights)
    share, other = alias_table(weights)
    size = len(weights)
    implied = share / size + np.bincount(other, (1 - share) / size, size)
    np.testing.assert_allclose(implied, weights / weights.sum(), atol=1e-6)


def test_keep_probability_is_the_formula_of_fasttext():
    kept = keep_probabilities(np.array([1000, 1]), 10_000, 1e-4)
    ratio = 1e-4 / 0.1
    np.testing.assert_allclose(kept, [np.sqrt(ratio) + ratio, 1.0], rtol=1e-6)
    assert keep_probabilities(np.array([1000]), 10_000, 0).tolist() == [1.0]


def test_minimum_count_is_of_the_text_and_order_of_the_balanced_counts():
    english = Counts.from_pairs([("the", 10), ("radio", 3), ("odd", 4)])
    spanish = Counts.from_pairs([("el", 6), ("radio", 2)])
    vocabulary = joint_vocabulary([english, spanish], [1.0, 3.0], 5)
    assert vocabulary.words == ("el", "the", "radio")
    assert vocabulary.counts.tolist() == [18, 10, 9]


def test_too_little_text_is_said():
    with pytest.raises(JointalignError, match="no word occurs 5 times or more in the 3 tokens"):
        joint_vocabulary([Counts.from_pairs([("a", 3)])], [1.0], 5)


def test_inputs_are_uniform_and_padding_is_zero():
    inputs = initial_inputs(70_000, 20, seed=1)
    assert inputs.shape == (70_000, padded(20)) == (70_000, 32)
    used = inputs[:, :20]
    assert not inputs[:, 20:].any()
    assert abs(used).max() <= 1 / 20
    # No part of the matrix is left out: the variance of a uniform variable everywhere.
    np.testing.assert_allclose(used.var(axis=0), (2 / 20) ** 2 / 12, rtol=0.05)
    np.testing.assert_allclose(used[66_000:].var(), (2 / 20) ** 2 / 12, rtol=0.05)
