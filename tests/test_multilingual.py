"""More than two languages: against the two-language functions, and eq. (6) set by set."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jointalign.alignment.api import align
from jointalign.alignment.pivot import align_languages
from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read_bilingual, read_multilingual, write
from jointalign.lexicon import Lexicon
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.multilingual_reallocation import reallocate_languages
from jointalign.reallocation import reallocate
from jointalign.subwords import SubwordTable
from jointalign.vocabulary import Counts, Vocabulary

GAMMAS = ["0.5", "0.6", "0.7", "0.75", "0.8", "0.9", "0.95", "0.99", "1.0"]
LANGUAGES = ("en", "es", "de")


def embedding_of(words, subwords=None, dimensions=6):
    vectors = np.random.default_rng(0).standard_normal((len(words), dimensions))
    return Embedding(Vocabulary(tuple(words)), vectors.astype(np.float32), subwords)


def counts_of(words, column):
    return Counts.from_pairs((w, int(c)) for w, c in zip(words, column, strict=True) if c)


def equal(one, other):
    assert one.words == other.words
    np.testing.assert_array_equal(one.vocabulary.counts, other.vocabulary.counts)
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert one.settings == other.settings


def equal_pairs(one, other):
    for name in ("source_only", "target_only", "shared", "source", "target"):
        equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.shared_source_counts, other.shared_source_counts)
    np.testing.assert_array_equal(one.shared_target_counts, other.shared_target_counts)
    assert one.source_language == other.source_language
    assert one.target_language == other.target_language


def table(k):
    row = st.tuples(*[st.integers(0, 40)] * k).filter(any)
    return st.lists(row, min_size=2, max_size=30)


@settings(deadline=None, max_examples=200)
@given(rows=table(2), gamma=st.sampled_from(GAMMAS), scale=st.sampled_from([1, 10**9]))
def test_two_languages_are_split_as_by_the_equation_of_the_paper(rows, gamma, scale):
    numbers = np.array([*rows, (1, 1)]) * scale
    words = [f"w{number}" for number in range(len(numbers))]
    english, spanish = (counts_of(words, column) for column in numbers.T)
    joint = embedding_of(words)
    many = reallocate_languages(joint, {"en": english, "es": spanish}, float(gamma))
    equal_pairs(many.pair("en", "es"), reallocate(joint, english, spanish, float(gamma), "en", "es"))


@settings(deadline=None, max_examples=200)
@given(rows=table(4), gamma=st.sampled_from(GAMMAS))
def test_a_word_belongs_where_it_is_nearly_as_frequent_as_anywhere(rows, gamma):
    numbers = np.array([*rows, (1, 1, 1, 1)])
    words = [f"w{number}" for number in range(len(numbers))]
    counts = {code: counts_of(words, col) for code, col in zip("abcd", numbers.T, strict=True)}
    split = reallocate_languages(embedding_of(words), counts, float(gamma))
    found = {word: set(part.languages) for part in split.parts for word in part.embedding.words}
    limit = 1 - Fraction(gamma)
    for word, row in zip(words, numbers.tolist(), strict=True):
        shares = [Fraction(c, int(total)) for c, total in zip(row, numbers.sum(0), strict=True)]
        highest = max(shares)
        expected = {
            code
            for code, share in zip("abcd", shares, strict=True)
            if share > 0 and share / (share + highest) >= limit
        }
        assert found[word] == expected


def test_gamma_one_shares_all_that_is_seen_and_half_what_is_equally_frequent():
    words = ["x", "y", "a", "b", "c"]
    numbers = np.array([(9, 1, 0), (3, 3, 2), (8, 0, 0), (0, 16, 0), (0, 0, 18)])
    counts = {code: counts_of(words, col) for code, col in zip(LANGUAGES, numbers.T, strict=True)}
    joint = embedding_of(words)
    all_shared = reallocate_languages(joint, counts, 1.0)
    assert all_shared.sizes == {"en": 1, "es": 1, "de": 1, "en+es": 1, "en+es+de": 1}
    assert reallocate_languages(joint, counts, 0.5).sizes == {"en": 2, "es": 1, "de": 1, "en+es": 1}


@pytest.fixture
def planted():
    """Three languages of 30 meanings, each turned another way, with words of every set."""
    rng = np.random.default_rng(5)
    meanings = rng.standard_normal((30, 6)).astype(np.float32)
    turns = {code: np.linalg.qr(rng.standard_normal((6, 6)))[0] for code in ("es", "de")}
    turns["en"] = np.eye(6)
    table = SubwordTable(np.array([3], np.uint32), np.ones((1, 6), np.float32), buckets=10)
    sets = [("en",), ("es",), ("de",), ("en", "es"), ("es", "de"), ("en", "es", "de")]
    parts = []
    for number, codes in enumerate(sets):
        alone = len(codes) == 1
        meaning = range(20) if alone else range(18 + 2 * number, 20 + 2 * number)
        words = tuple(f"{'-'.join(codes)}{m}" for m in meaning)
        vectors = (meanings[list(meaning)] @ turns[codes[0]]).astype(np.float32)
        counts = rng.integers(5, 50, (len(words), len(codes)))
        order = np.argsort(-counts.sum(axis=1), kind="stable")
        vocabulary = Vocabulary(words, counts.sum(axis=1))
        part = Embedding(vocabulary, vectors, table).take(order)
        parts.append(Part(codes, part, counts[order]))
    lexicons = {code: Lexicon(tuple((f"en{m}", f"{code}{m}") for m in range(15))) for code in ("es", "de")}
    return MultilingualEmbedding(LANGUAGES, tuple(parts)), lexicons


def test_the_pair_of_a_language_and_the_pivot_is_aligned_as_if_there_were_no_other(planted):
    space, lexicons = planted
    aligned = align_languages(space, "procrustes", lexicons, "en")
    for code in ("es", "de"):
        alone = align(space.pair(code, "en"), "procrustes", lexicons[code].reversed())
        pair = aligned.pair(code, "en")
        for name in ("source_only", "target_only", "shared"):
            assert getattr(pair, name).words == getattr(alone, name).words
            np.testing.assert_array_equal(getattr(pair, name).vectors, getattr(alone, name).vectors)
        np.testing.assert_array_equal(pair.source.vector("zz3"), alone.source.vector("zz3"))


def test_languages_that_are_not_the_pivot_come_together_through_it(planted):
    space, lexicons = planted
    pair = align_languages(space, "procrustes", lexicons, "en").pair("es", "de")
    for meaning in range(20):  # 15 of which the lexicons have
        cosine = pair.source.vector(f"es{meaning}") @ pair.target.vector(f"de{meaning}")
        assert cosine == pytest.approx(1, abs=1e-5)


def test_words_shared_without_the_pivot_become_a_word_of_each_language(planted):
    space, lexicons = planted
    assert space.sizes["es+de"] == 2
    aligned = align_languages(space, "procrustes", lexicons, "en")
    assert aligned.sizes == {"en": 20, "es": 22, "de": 22, "en+es": 2, "en+es+de": 2}
    spanish, german = (aligned.language(code).vector("es-de26") for code in ("es", "de"))
    assert not np.allclose(spanish, german)
    stayed = space.language("en").vector("en-es24")
    np.testing.assert_allclose(
        aligned.language("es").vector("en-es24"), stayed / np.linalg.norm(stayed), rtol=1e-6
    )


def test_files_keep_everything(planted, tmp_path):
    space, lexicons = planted
    path = tmp_path / "three.safetensors"
    for written in (space, align_languages(space, "procrustes", lexicons, "en")):
        write(written, path)
        found = read_multilingual(path)
        assert found.languages == written.languages
        assert found.sizes == written.sizes
        for one, other in zip(found.parts, written.parts, strict=True):
            equal(one.embedding, other.embedding)
            np.testing.assert_array_equal(one.counts, other.counts)
            np.testing.assert_array_equal(one.embedding.vector("zz"), other.embedding.vector("zz"))
    with pytest.raises(JointalignError, match="expected a bilingual embedding, got an embedding of"):
        read_bilingual(path)
    write(space.pair("en", "es"), path)
    with pytest.raises(JointalignError, match="of several languages, got a bilingual embedding"):
        read_multilingual(path)


def test_what_does_not_fit_together(planted):
    space, lexicons = planted
    with pytest.raises(JointalignError, match="the pivot 'fr' is not among en, es, de"):
        align_languages(space, "procrustes", lexicons, "fr")
    with pytest.raises(JointalignError, match="one lexicon from 'en' into each of es, de; got .* es"):
        align_languages(space, "procrustes", {"es": lexicons["es"]}, "en")
    with pytest.raises(JointalignError, match="GeoMM moves the target too"):
        align_languages(space, "geomm", lexicons, "en")
    with pytest.raises(JointalignError, match="there is no language 'fr'; there are en, es, de"):
        space.language("fr")
    with pytest.raises(JointalignError, match="two languages, got 'en' twice"):
        space.pair("en", "en")
    with pytest.raises(JointalignError, match="'de' has no part of its own"):
        MultilingualEmbedding(LANGUAGES, space.parts[:2])
    with pytest.raises(JointalignError, match="at most once and in this order"):
        MultilingualEmbedding(LANGUAGES, (*space.parts, space.parts[0]))
    double = Part(("en", "de"), space.parts[0].embedding, np.ones((20, 2), np.int64))
    with pytest.raises(JointalignError, match="'en0' is in two parts of 'en'"):
        MultilingualEmbedding(LANGUAGES, (*space.parts, double))
    with pytest.raises(JointalignError, match="two or more languages"):
        reallocate_languages(embedding_of(["a"]), {"en": counts_of(["a"], [3])})
