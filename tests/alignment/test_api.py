import dataclasses

import numpy as np
import pytest

from jointalign.alignment import api
from jointalign.alignment.api import PairReport, align, apply, fit, method_named, training_pairs
from jointalign.alignment.base import Aligner, Mapping, Supervision
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.rcsls import RCSLS
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.subwords import SubwordTable, ngram_hashes
from jointalign.vocabulary import Vocabulary

D = 6


def rotation(seed):
    rng = np.random.default_rng(seed)
    return np.linalg.qr(rng.standard_normal((D, D)))[0].astype(np.float32)


def lengths(vectors):
    return np.linalg.norm(vectors, axis=1)


def subwords_of(words, seed):
    used = sorted({h for word in words for h in ngram_hashes(word, 3, 6, 2_000_000)})
    vectors = np.random.default_rng(seed).standard_normal((len(used), D)).astype(np.float32)
    return SubwordTable(np.array(used, np.uint32), vectors)


@pytest.fixture
def bilingual():
    """Target words are source words turned; rows of all lengths; s0-t0, s1-t1, ... translate."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, D)).astype(np.float32)
    z = (x @ rotation(1)) * rng.uniform(0.1, 9, (40, 1)).astype(np.float32)
    shared = rng.standard_normal((5, D)).astype(np.float32)
    count = np.arange(40, 0, -1)
    ngrams = subwords_of(["s0", "s1", "t0", "t1", "u0"], 2)
    return BilingualEmbedding(
        Embedding(Vocabulary(tuple(f"s{i}" for i in range(40)), count), x, ngrams, {"gamma": 0.9}),
        Embedding(Vocabulary(tuple(f"t{i}" for i in range(40)), count), z, ngrams),
        Embedding(Vocabulary(tuple(f"u{i}" for i in range(5)), np.full(5, 20)), shared, ngrams),
        np.full(5, 8),
        np.full(5, 12),
        "en",
        "es",
    )


@pytest.fixture
def lexicon():
    return Lexicon(tuple((f"s{i}", f"t{i}") for i in range(20)))


@dataclasses.dataclass(frozen=True)
class TwoSided(Aligner):
    """Moves both sides, and notes what it was given."""

    given: list = dataclasses.field(default_factory=list)

    @property
    def supervision(self):
        return Supervision.OPTIONAL

    def fit(self, x, z, pairs=None, *, seed=0):
        self.given.append((x, z, pairs, seed))
        return Mapping(2 * rotation(5), 3 * rotation(6))


def test_words_outside_the_dictionary_meet_their_translations(bilingual, lexicon):
    aligned = align(bilingual, "procrustes", lexicon)
    for i in range(40):
        source, target = aligned.source.vector(f"s{i}"), aligned.target.vector(f"t{i}")
        np.testing.assert_allclose(source, target, atol=1e-5)


def test_only_the_source_moves_and_all_rows_have_length_one(bilingual, lexicon):
    aligned = align(bilingual, RCSLS(), lexicon)
    for before, after in ((bilingual.target_only, aligned.target_only), (bilingual.shared, aligned.shared)):
        expected = before.vectors / lengths(before.vectors)[:, None]
        np.testing.assert_allclose(after.vectors, expected, atol=1e-6)
    for part in (aligned.source_only, aligned.target_only, aligned.shared):
        np.testing.assert_allclose(lengths(part.vectors), 1, atol=1e-6)


def test_words_counts_and_languages_stay(bilingual, lexicon):
    aligned = align(bilingual, "procrustes", lexicon)
    for name in ("source_only", "target_only", "shared"):
        before, after = getattr(bilingual, name), getattr(aligned, name)
        assert after.vocabulary is before.vocabulary
    assert aligned.source.words == bilingual.source.words
    assert (aligned.source_language, aligned.target_language) == ("en", "es")


def test_the_input_is_left_alone(bilingual, lexicon):
    parts = (bilingual.source_only, bilingual.target_only, bilingual.shared)
    before = [part.vectors.copy() for part in parts]
    align(bilingual, "rcsls", lexicon)
    for part, copy in zip(parts, before, strict=True):
        np.testing.assert_array_equal(part.vectors, copy)


def test_shared_words_move_with_the_target(bilingual, lexicon):
    aligned = align(bilingual, TwoSided(), lexicon)
    for name, turn in (("source_only", 5), ("target_only", 6), ("shared", 6)):
        before, after = getattr(bilingual, name).vectors, getattr(aligned, name).vectors
        expected = before @ rotation(turn) / lengths(before)[:, None]
        np.testing.assert_allclose(after, expected, atol=1e-5)


def test_the_method_gets_unit_rows_pairs_and_the_seed(bilingual, lexicon):
    method = TwoSided()
    align(bilingual, method, lexicon, seed=7)
    align(bilingual, method, None)
    (x, z, pairs, seed), (_, _, no_pairs, _) = method.given
    np.testing.assert_allclose(lengths(x), 1, atol=1e-6)
    np.testing.assert_allclose(lengths(z), 1, atol=1e-6)
    np.testing.assert_array_equal(pairs, np.stack([np.arange(20)] * 2, axis=1))
    assert seed == 7 and no_pairs is None


def test_max_vocabulary_limits_what_is_learnt_from_not_what_moves(bilingual, lexicon):
    method = TwoSided()
    aligned = align(bilingual, method, lexicon, max_vocabulary=12)
    x, z, pairs, _ = method.given[0]
    assert len(x) == len(z) == len(pairs) == 12
    assert len(aligned.source_only) == len(aligned.target_only) == 40


def test_unseen_words_move_like_the_rest(bilingual, lexicon):
    mapping = fit(bilingual, "procrustes", lexicon)
    aligned = apply(mapping, bilingual)
    before, after = bilingual.source_only.subwords, aligned.source_only.subwords
    np.testing.assert_allclose(after.vector("s0s1"), before.vector("s0s1") @ mapping.source, atol=1e-5)
    for part in (aligned.target_only, aligned.shared):
        np.testing.assert_allclose(part.subwords.vector("t0t1"), before.vector("t0t1"), atol=1e-6)


def test_blocks_change_nothing(bilingual):
    mapping = Mapping(rotation(3), rotation(4))
    whole = api._moved(bilingual.source_only, mapping.source, (), {})
    pieces = api._moved(bilingual.source_only, mapping.source, (), {}, block=7)
    np.testing.assert_allclose(whole.vectors, pieces.vectors, atol=1e-6)


def test_how_it_was_made_is_noted(bilingual, lexicon):
    aligned = align(bilingual, RCSLS(steps=3), lexicon, seed=4)
    settings = aligned.source_only.settings
    assert settings["gamma"] == 0.9
    assert settings["align.method"] == "rcsls" and settings["align.steps"] == 3
    assert settings["align.seed"] == 4
    assert aligned.shared.settings["align.method"] == "rcsls"


def test_separate_embeddings_may_have_one_spelling_twice(bilingual):
    words = bilingual.source_only.words
    target = dataclasses.replace(bilingual.target_only, vocabulary=Vocabulary(words))
    separate = BilingualEmbedding.separate(bilingual.source_only, target)
    aligned = align(
        separate,
        Procrustes(),
        Lexicon.identical_strings(*[part.vocabulary for part in (separate.source, separate.target)]),
    )
    np.testing.assert_allclose(aligned.source.vectors, aligned.target.vectors, atol=1e-5)


def test_what_became_of_each_pair_is_reported(bilingual):
    lexicon = Lexicon(
        (
            ("s3", "t5"),
            ("s4", "t2"),
            ("u0", "u0"),  # shared
            ("s1", "u1"),  # shared
            ("t1", "t1"),  # a target word on the source side
            ("s1", "nowhere"),
            ("nowhere", "nothing"),
        )
    )
    pairs, report = training_pairs(bilingual, lexicon)
    assert pairs.tolist() == [[3, 5], [4, 2]]
    assert report == PairReport(given=7, used=2, shared=2, source_unknown=2, target_unknown=2)
    assert str(report) == (
        "2 of 7 dictionary pairs used; left out: 2 with a shared word, "
        "2 with an unknown source word, 2 with an unknown target word"
    )


def test_no_usable_pair_is_an_error_with_numbers_and_a_cure(bilingual, lexicon):
    message = "none of the 20 .* 20 source words and 20 target words are unknown, 0 .* order source"
    with pytest.raises(JointalignError, match=message):
        align(bilingual, "procrustes", lexicon.reversed())


@pytest.mark.parametrize("name", ["procrustes", "rcsls"])
def test_a_supervised_method_without_dictionary_is_an_error(bilingual, name):
    with pytest.raises(JointalignError, match="pass a Lexicon to `align`"):
        align(bilingual, name)


def test_an_unknown_method_is_an_error_that_names_the_known(bilingual, lexicon):
    with pytest.raises(JointalignError, match="no method 'procrustse'; choose from procrustes, .*rcsls"):
        align(bilingual, "procrustse", lexicon)
    assert method_named("rcsls") == RCSLS()


def test_means_are_subtracted_from_their_side_and_shared_words_go_with_the_target(bilingual):
    means = {side: np.full(D, size, np.float32) for side, size in (("source", 0.1), ("target", -0.2))}
    mapping = Mapping(
        rotation(5), rotation(6), source_means=(means["source"],), target_means=(means["target"],) * 2
    )
    moved = apply(mapping, bilingual)

    def by_hand(vector, mean, times, matrix):
        vector = vector.astype(np.float64)
        for _ in range(times):
            vector = vector / np.linalg.norm(vector) - mean
        vector = vector @ matrix
        return vector / np.linalg.norm(vector)

    for word, part, mean, times, matrix in (
        ("s3", "source_only", 0.1, 1, rotation(5)),
        ("t3", "target_only", -0.2, 2, rotation(6)),
        ("u3", "shared", -0.2, 2, rotation(6)),
    ):
        expected = by_hand(getattr(bilingual, part).vector(word), mean, times, matrix)
        np.testing.assert_allclose(getattr(moved, part).vector(word), expected, atol=1e-5)
    unseen = bilingual.source_only.subwords.vector("s0")
    expected = by_hand(unseen, 0.1, 1, rotation(5))
    found = moved.source_only.subwords.vector("s0")
    np.testing.assert_allclose(found / np.linalg.norm(found), expected, atol=1e-5)


def test_settings_of_a_method_inside_another_are_noted():
    facts = api.noted(api.method_named("rcsls_iterative"), 3)
    assert facts["align.method"] == "iterativenormalization"
    assert facts["align.method.learning_rate"] == 10.0
    assert facts["align.rounds"] == 5 and facts["align.seed"] == 3
