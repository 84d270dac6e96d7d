import numpy as np
import pytest

from jointalign.numerics.normalize import recentred
from jointalign.subwords import SubwordTable, hash_ngrams, ngram_hashes


def fnv(data):
    """32-bit FNV-1a, each byte taken as signed, as in fastText."""
    value = 2166136261
    for byte in data:
        value = (value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619 % 2**32
    return value


def brute_force(word, minimum, maximum):
    """Hashes of all pieces of the marked word, one after the other."""
    marked = f"<{word}>"
    pieces = [
        marked[start : start + length]
        for start in range(len(marked))
        for length in range(max(1, minimum), maximum + 1)
        if start + length <= len(marked)
    ]
    singles = "<", ">"
    return [fnv(piece.encode()) for piece in pieces if piece not in singles]


@pytest.mark.parametrize(
    ("data", "expected"),
    # Published test vectors of 32-bit FNV-1a.
    [(b"", 0x811C9DC5), (b"a", 0xE40C292C), (b"foobar", 0xBF9CF968)],
)
def test_hash_is_fnv_1a(data, expected):
    assert fnv(data) == expected


def test_ngrams_are_all_substrings_of_the_marked_word():
    expected = ["<c", "<ca", "ca", "cas", "as", "as>", "s>"]
    # Single characters are left out by the minimum; "<" and ">" alone never count.
    assert ngram_hashes("cas", 2, 3, 2**32) == [fnv(gram.encode()) for gram in expected]


def test_single_limits_are_no_ngrams():
    assert ngram_hashes("ab", 1, 1, 2**32) == [fnv(b"a"), fnv(b"b")]


def test_characters_not_bytes_are_counted():
    assert len(ngram_hashes("ñu", 3, 3, 1000)) == len(ngram_hashes("nu", 3, 3, 1000)) == 2


WORDS = ["casa", "", "ñu", "日本語", "a", "new york", "x" * 40, "👍🏽", "пёс"]


@pytest.mark.parametrize(("minimum", "maximum"), [(3, 6), (1, 1), (0, 3), (2, 2), (5, 4), (0, 0), (4, 99)])
def test_many_words_at_once(minimum, maximum):
    counts, hashes = hash_ngrams(WORDS, minimum, maximum, 2**32 - 5)
    expected = [[h % (2**32 - 5) for h in brute_force(word, minimum, maximum)] for word in WORDS]
    assert counts.tolist() == [len(one) for one in expected]
    assert hashes.tolist() == [h for one in expected for h in one]
    assert hash_ngrams([], minimum, maximum, 7)[0].tolist() == []


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


def test_sums_are_those_of_known_ngrams(table, monkeypatch):
    monkeypatch.setattr("jointalign.subwords._ROWS_AT_ONCE", 3)  # a word's n-grams are cut apart
    words = ["zzzz", "cat", "", "cats", "cat"]
    sums, known, counts = table.sums(words)
    at = {bucket: row for row, bucket in enumerate(table.buckets_used.tolist())}
    for word, total, found, count in zip(words, sums, known, counts, strict=True):
        hashes = ngram_hashes(word, 3, 6, 1000)
        rows = [at[h] for h in hashes if h in at]
        assert (found, count) == (len(rows), len(hashes))
        np.testing.assert_array_equal(total, table.vectors[rows].sum(axis=0))
    assert 0 < known[3] < counts[3]
