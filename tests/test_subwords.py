import numpy as np
import pytest

from jointalign.numerics.normalize import recentred
from jointalign.subwords import SubwordTable, _fnv, ngram_hashes


@pytest.mark.parametrize(
    ("data", "expected"),
    # Published test vectors of 32-bit FNV-1a.
    [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)],
)
def test_hash_is_fnv_1a(data, expected):
    assert _fnv(data) == expected


def test_ngrams_are_all_substrings_of_the_marked_word():
    expected = ["<c", "<ca", "ca", "cas", "as", "as>", "s>"]
    # Single characters are left out by the minimum; "<" and ">" alone never count.
    assert ngram_hashes("cas", 2, 3, 2**32) == [_fnv(gram.encode()) for gram in expected]


def test_single_limits_are_no_ngrams():
    assert ngram_hashes("ab", 1, 1, 2**32) == [_fnv(b"a"), _fnv(b"b")]


def test_characters_not_bytes_are_counted():
    assert len(ngram_hashes("ñu", 3, 3, 1000)) == len(ngram_hashes("nu", 3, 3, 1000)) == 2


@pytest.fixture
def table():
    buckets = 1000
    used = np.unique(np.array(ngram_hashes("cat", 3, 6, buckets), np.uint32))
    vectors = np.arange(len(used) * 2, dtype=np.float32).reshape(-1, 2)
    return SubwordTable(used, vectors, 3, 6, buckets)


def test_vector_is_the_mean_of_known_ngrams(table):
    rows = [table.buckets_used.tolist().index(h) for h in ngram_hashes("cat", 3, 6, 1000)]
    np.testing.assert_allclose(table.vector("cat"), table.vectors[rows].mean(axis=0))


def test_word_without_a_known_ngram_has_no_vector(table):
    assert table.vector("zzzz") is None
    assert table.vector("") is None


def test_mappings_are_put_one_after_the_other(table):
    first, second = np.array([[0.0, 1], [2, 0]]), np.array([[1.0, 1], [0, 1]])
    twice = table.moved(first).moved(second)
    np.testing.assert_allclose(twice.vector("cat"), table.vector("cat") @ first @ second)
    assert len(twice.moves) == 1


def test_a_move_with_means_is_that_of_words(table):
    first, second = np.array([[0.0, 1], [2, 0]]), np.array([[1.0, 1], [0, 1]])
    means = [np.array([0.1, 0.2]), np.array([-0.3, 0.1])]
    moved = table.moved(first).moved(second, means).moved(first)
    expected = recentred((table.vector("cat") @ first)[None], means)[0] @ second @ first
    np.testing.assert_allclose(moved.vector("cat"), expected, rtol=1e-5)
    assert len(moved.moves) == 2
