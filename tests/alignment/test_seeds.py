"""Pairs without a dictionary."""

import numpy as np
import pytest

from jointalign.alignment.seeds import Seeds, pairs_of
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.vocabulary import Vocabulary


def space(source, target):
    sides = [Embedding(Vocabulary(w), np.ones((len(w), 2), np.float32)) for w in (source, target)]
    return BilingualEmbedding.separate(*sides)


def test_identical_words_are_those_of_both():
    found = pairs_of(Seeds.IDENTICAL, space(("a", "1", "b2", "c"), ("c", "1", "b2")))
    assert found.pairs == (("1", "1"), ("b2", "b2"), ("c", "c"))


def test_numerals_are_digits_of_any_script_and_nothing_else():
    words = ("1789", "12", "x1", "1,5", "٣", "iii", "1.0")
    found = pairs_of(Seeds.NUMERALS, space(words, words))
    assert found.sources == ("1789", "12", "٣")


def test_none_is_none():
    assert pairs_of(Seeds.NONE, space(("a",), ("a",))) is None


def test_no_pair_is_an_error_that_says_what_to_do():
    with pytest.raises(JointalignError, match="no numeral.*give a dictionary"):
        pairs_of(Seeds.NUMERALS, space(("a",), ("a",)))
    with pytest.raises(JointalignError, match="no word"):
        pairs_of(Seeds.IDENTICAL, space(("a",), ("b",)))
