import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.vocabulary import Counts, Vocabulary


def test_counts_are_sorted_by_count_then_word():
    counts = Counts.from_pairs([("b", 2), ("c", 7), ("a", 2)], lines=3)
    assert counts.words == ("c", "a", "b")
    assert counts.total == 11
    assert counts["a"] == 2
    assert counts["unseen"] == 0
    assert list(counts) == ["c", "a", "b"]


def test_counts_of_many_words():
    counts = Counts.from_pairs([("a", 2), ("c", 7)])
    assert counts.of(["c", "x", "a"]).tolist() == [7, 0, 2]
    assert Counts.from_pairs([]).of(["c"]).tolist() == [0]


def test_double_words_are_refused():
    with pytest.raises(JointalignError, match="more than once"):
        Vocabulary(("a", "a"))
    with pytest.raises(JointalignError, match="twice"):
        Counts(("a", "a"), np.array([1, 1]))


def test_lengths_must_agree():
    with pytest.raises(JointalignError, match="1 words but 2 counts"):
        Vocabulary(("a",), np.array([1, 2]))


def test_arrays_cannot_be_changed_by_accident():
    vocabulary = Vocabulary(("a",), np.array([1]))
    with pytest.raises(ValueError, match="read-only"):
        vocabulary.counts[0] = 5


@pytest.mark.parametrize("holder", [Vocabulary, Counts])
def test_the_array_of_the_caller_stays_writable(holder):
    mine = np.array([3, 1])
    held = vars(holder(("a", "b"), mine))
    array = held.get("counts", held.get("values"))
    assert np.shares_memory(array, mine)
    assert not array.flags.writeable
    mine[0] = 5
