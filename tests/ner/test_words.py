"""Look-up by language and word, lengths, and tables that destroy what there is to learn."""

import numpy as np
import pytest

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.ner import WordTable
from jointalign.vocabulary import Vocabulary


def embedding(words, seed, scale=1.0):
    vectors = scale * np.random.default_rng(seed).standard_normal((len(words), 4))
    return Embedding(Vocabulary(words), vectors.astype(np.float32))


@pytest.fixture
def split():
    """`once` is in both languages as two words; `radio` is shared."""
    one = np.ones(1, np.int64)
    return BilingualEmbedding(
        embedding(("house", "once", "1900"), 0, 5.0),
        embedding(("casa", "once", "avion"), 1),
        embedding(("radio",), 2),
        one,
        one,
        "en",
        "es",
    )


def test_a_spelling_is_looked_up_by_its_language(split):
    table = WordTable.of(split)
    assert table.row("once", "en") != table.row("once", "es")
    assert table.row("radio", "en") == table.row("radio", "es") > 0
    assert table.row("casa", "en") == table.row("house", "es") == 0
    with pytest.raises(JointalignError, match=r"\(en, es\), got 'fr'"):
        table.row("radio", "fr")


def test_forms_of_a_word_are_tried_in_order(split):
    table = WordTable.of(split)
    assert table.row("HOUSE", "en") == table.row("house", "en")
    assert table.row("Avión", "es") == table.row("avion", "es") > 0
    assert table.row("1987", "en") == 0
    zeros = BilingualEmbedding.separate(embedding(("0000", "1987"), 0), embedding(("a",), 1), "en")
    table = WordTable.of(zeros)
    assert table.row("1234", "en") == table.row("0000", "en") > 0
    assert table.row("1987", "en") != table.row("0000", "en")


def test_all_vectors_are_equally_long_and_point_where_they_did(split):
    table = WordTable.of(split, length=2.0)
    assert not table.vectors[0].any()
    np.testing.assert_allclose(np.linalg.norm(table.vectors[1:], axis=1), 2.0, rtol=1e-5)
    found, given = table.vectors[table.row("house", "en")], split.source_only.vector("house")
    np.testing.assert_allclose(found, 2.0 * given / np.linalg.norm(given), rtol=1e-5)


def test_more_than_two_languages_have_a_table_too():
    parts = {code: embedding(("a", code), seed) for seed, code in enumerate(("en", "es", "nl"))}
    table = WordTable.of_languages(parts)
    assert table.languages == ("en", "es", "nl")
    assert len({table.row("a", code) for code in parts}) == 3
    with pytest.raises(JointalignError, match="one number of dimensions"):
        wide = Embedding(Vocabulary(("a",)), np.ones((1, 5), np.float32))
        WordTable.of_languages({**parts, "de": wide})


def test_exchanging_moves_one_language_alone(split):
    table = WordTable.of(split)
    other = table.permuted("es", seed=3)

    def vectors(which, code):
        return np.stack([which.vectors[which.row(word, code)] for word in table.rows[code]])

    np.testing.assert_array_equal(vectors(other, "en"), vectors(table, "en"))
    before, after = vectors(table, "es"), vectors(other, "es")
    assert (before != after).any()
    np.testing.assert_array_equal(np.sort(before, axis=0), np.sort(after, axis=0))
    assert other.digest != table.digest


def test_random_vectors_are_one_a_spelling(split):
    table = WordTable.of(split)
    random = table.random(seed=1)
    assert random.row("once", "en") == random.row("once", "es") > 0
    assert np.linalg.norm(random.vectors[1:], axis=1) == pytest.approx(0.2)
    assert not random.vectors[0].any()
    assert random.digest == table.random(seed=1).digest != table.random(seed=2).digest
