"""Oracle: eq. (6) of the paper word by word, in exact fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.reallocation import belonging, reallocate
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Counts, Vocabulary


def embedding_of(words, subwords=None):
    vectors = np.random.default_rng(0).standard_normal((len(words), 3)).astype(np.float32)
    return Embedding(Vocabulary(tuple(words)), vectors, subwords)


def counts_of(table):
    return Counts.from_pairs([(word, count) for word, count in table.items() if count])


def by_equation(c1, c2, t1, t2, gamma):
    """Part of a word by eqs. (5)-(6); gamma is a Fraction below 1."""
    if c2 == 0:
        return "source"
    if c1 == 0:
        return "target"
    r = Fraction(t2, t1) * Fraction(c1, c2)
    if (1 - gamma) / gamma <= r <= gamma / (1 - gamma):
        return "shared"
    return "source" if r > 1 else "target"


def parts(split):
    named = (("source", split.source_only), ("target", split.target_only), ("shared", split.shared))
    return {word: name for name, part in named for word in part.words}


pairs_of_counts = st.tuples(st.integers(0, 40), st.integers(0, 40)).filter(any)


@settings(deadline=None, max_examples=200)
@given(
    table=st.lists(pairs_of_counts, min_size=2, max_size=30),
    gamma=st.sampled_from(["0.5", "0.6", "0.7", "0.75", "0.8", "0.9", "0.95", "0.99"]),
    scale=st.sampled_from([1, 10**9]),
)
def test_every_word_goes_where_the_equation_says(table, gamma, scale):
    table = [(c1 * scale, c2 * scale) for c1, c2 in [*table, (1, 1)]]
    words = [f"w{i}" for i in range(len(table))]
    source = counts_of({w: c1 for w, (c1, _) in zip(words, table, strict=True)})
    target = counts_of({w: c2 for w, (_, c2) in zip(words, table, strict=True)})
    split = reallocate(embedding_of(words), source, target, float(gamma))
    expected = {
        word: by_equation(c1, c2, source.total, target.total, Fraction(gamma))
        for word, (c1, c2) in zip(words, table, strict=True)
    }
    assert parts(split) == expected


@pytest.mark.parametrize("gamma", [0.55, 0.6, 0.65, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("size", [1, 7, 10**12])
def test_both_limits_are_inclusive_and_exact(gamma, size):
    much, little = (round(share * 100) * size for share in (gamma, 1 - gamma))
    table = {
        "upper": (much, little),
        "lower": (little, much),
        "over": (much + 1, little),
        "under": (little, much + 1),
    }
    source = counts_of({word: count for word, (count, _) in table.items()})
    target = counts_of({word: count for word, (_, count) in table.items()})
    assert source.total == target.total  # so that the share is the share of the counts
    found = parts(reallocate(embedding_of(list(table)), source, target, gamma))
    assert found == {"upper": "shared", "lower": "shared", "over": "source", "under": "target"}


whole_numbers = st.integers(1, 2**62)


@settings(deadline=None, max_examples=200)
@given(
    counts=st.lists(st.tuples(whole_numbers | st.just(0), whole_numbers), max_size=8),
    totals=st.tuples(whole_numbers, whole_numbers),
    gamma=st.sampled_from(["0.5", "0.7", "0.9", "0.95", "1.0"]),
)
def test_products_beyond_64_bits_decide_as_the_shares_do(counts, totals, gamma):
    # On the limit, and one occurrence to either side of it.
    limit, (t1, t2) = Fraction(gamma), totals
    t1, t2 = t1 - t1 % 40 + 40, t2 - t2 % 40 + 40
    edge = (limit * t1 // 2, (1 - limit) * t2 // 2)
    counts += [(int(edge[0]) + step, int(edge[1])) for step in (-1, 0, 1) if edge[0] > 1]
    for swapped in (False, True):
        rows = [(c2, c1) if swapped else (c1, c2) for c1, c2 in counts]
        found = belonging(np.array(rows, np.int64).reshape(-1, 2), (t1, t2), float(gamma))
        for (c1, c2), belongs in zip(rows, found.tolist(), strict=True):
            f1, f2 = Fraction(c1, t1), Fraction(c2, t2)
            in_both = c1 > 0 and c2 > 0
            shared = in_both and 1 - limit <= f1 / (f1 + f2) <= limit
            expected = [True, True] if shared else [f1 > f2, f2 > f1] if in_both else [c1 > 0, c2 > 0]
            assert belongs == expected


def test_relative_frequencies_count_not_absolute_ones():
    source = counts_of({"word": 10, "x": 90})
    target = counts_of({"word": 1000, "y": 9000})
    split = reallocate(embedding_of(["word", "x", "y"]), source, target, gamma=0.5)
    assert split.shared.words == ("word",)


def test_at_gamma_one_exactly_the_words_of_both_corpora_are_shared():
    source = counts_of({"the": 1_000_000, "radio": 1, "tea": 5})
    target = counts_of({"the": 1, "radio": 1_000_000, "sopa": 5})
    split = reallocate(embedding_of(["the", "radio", "tea", "sopa"]), source, target, gamma=1.0)
    assert set(split.shared.words) == {"the", "radio"}
    assert (split.source_only.words, split.target_only.words) == (("tea",), ("sopa",))


def test_rows_are_by_falling_count_of_the_own_language_with_those_counts():
    # Joint order: by both counts added.
    source = counts_of({"the": 50, "of": 60, "radio": 8, "gas": 9})
    target = counts_of({"the": 3, "casa": 30, "que": 40, "radio": 10, "gas": 7, "of": 1})
    joint = embedding_of(["of", "the", "que", "casa", "radio", "gas"])
    split = reallocate(joint, source, target, 0.9, "en", "es")
    assert split.source_only.words == ("of", "the")
    assert split.source_only.vocabulary.counts.tolist() == [60, 50]
    assert split.target_only.words == ("que", "casa")
    assert split.target_only.vocabulary.counts.tolist() == [40, 30]
    assert split.shared.words == ("radio", "gas")
    assert split.shared.vocabulary.counts.tolist() == [18, 16]
    assert split.shared_source_counts.tolist() == [8, 9]
    assert split.shared_target_counts.tolist() == [10, 7]
    assert split.source.words == ("of", "the", "gas", "radio")
    assert split.target.words == ("que", "casa", "radio", "gas")
    assert (split.source_language, split.target_language) == ("en", "es")


def test_vectors_and_ngrams_stay_as_they_are():
    subwords = SubwordTable(np.array([3], np.uint32), np.ones((1, 3), np.float32))
    joint = embedding_of(["the", "casa", "radio"], subwords)
    source, target = counts_of({"the": 9, "radio": 1}), counts_of({"casa": 9, "radio": 1})
    split = reallocate(joint, source, target)
    for part in (split.source_only, split.target_only, split.shared):
        assert part.subwords is subwords
        assert part.settings["gamma"] == 0.9
        for word in part.words:
            np.testing.assert_array_equal(part.vector(word), joint.vector(word))
    assert len(parts(split)) == 3


@pytest.mark.parametrize("gamma", [0.49, 1.01, float("nan")])
def test_gamma_out_of_range_is_refused(gamma):
    counts = counts_of({"a": 1})
    with pytest.raises(JointalignError, match="gamma must be from 0.5 to 1"):
        reallocate(embedding_of(["a"]), counts, counts, gamma)


def test_a_word_of_neither_corpus_is_an_error_that_names_it():
    counts = counts_of({"a": 1})
    with pytest.raises(JointalignError, match="1 words .* none of the corpora, e.g. 'castle'"):
        reallocate(embedding_of(["a", "castle"]), counts, counts)


def test_empty_counts_are_an_error_that_names_the_side():
    counts = counts_of({"a": 1})
    with pytest.raises(JointalignError, match="target corpus are empty"):
        reallocate(embedding_of(["a"]), counts, counts_of({}))
