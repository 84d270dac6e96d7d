"""What the loops read: against counting word by word, and against the vocabulary's own counts."""

import dataclasses
from collections import Counter

import numpy as np
import pytest

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.training._model import alias_table, joint_vocabulary, keep_probabilities
from jointalign.training._reading import Choices, readings, replacing, rows_of_types
from jointalign.training._schedule import Schedule
from jointalign.training.base import Noise, Replacement
from jointalign.vocabulary import Counts, Vocabulary


def corpus(text, language):
    counted = Counts.from_pairs(Counter(text.split()).items())
    lines = [line.split() for line in text.splitlines()]
    tokens = np.array([counted.rows[word] for line in lines for word in line], np.int32)
    ends = np.cumsum([len(line) for line in lines]).astype(np.int64)
    return EncodedCorpus(counted, tokens, ends, language)


ENGLISH = corpus("the cat saw the bar\nthe cat ran\nodd bar\n" * 3, "en")
SPANISH = corpus("el gato vio el bar\nun gato\n" * 5, "es")
BOTH = [ENGLISH, SPANISH]


def read(corpora, repeats, noise, subsampling=0.1, exponent=0.5):
    vocabulary = joint_vocabulary([c.counts for c in corpora], repeats, 5)
    schedule = Schedule.plan(corpora, repeats, 1, 0)
    rows = [rows_of_types(c, vocabulary) for c in corpora]
    found = readings(
        corpora,
        schedule,
        repeats,
        rows,
        len(vocabulary),
        noise=noise,
        exponent=exponent,
        subsampling=subsampling,
        seed=0,
    )
    return vocabulary, schedule, found


def implied(noise):
    """Probability of each row under an alias table."""
    share, other = noise
    size = len(share)
    return share / size + np.bincount(other, (1 - share.astype(np.float64)) / size, size)


@pytest.mark.parametrize("repeats", [[1.0, 1.0], [1.3, 1.0], [1.0, 2.7]])
def test_joint_noise_is_that_of_the_vocabulary_to_the_bit(repeats):
    vocabulary, schedule, found = read(BOTH, repeats, Noise.JOINT)
    keep = keep_probabilities(vocabulary.counts, schedule.epoch_tokens, 0.1)
    share, other = alias_table(np.sqrt(vocabulary.counts))
    for reading in found:
        np.testing.assert_array_equal(reading.keep, keep)
        np.testing.assert_array_equal(reading.noise[0], share)
        np.testing.assert_array_equal(reading.noise[1], other)
    assert found[0].share_key != found[1].share_key


def test_noise_by_language_draws_words_of_that_language_by_its_own_counts():
    vocabulary, _, found = read(BOTH, [1.0, 2.0], Noise.LANGUAGE, exponent=0.75)
    for reading, each, repeat in zip(found, BOTH, (1.0, 2.0), strict=True):
        weights = (repeat * each.counts.of(vocabulary.words)) ** 0.75
        np.testing.assert_allclose(implied(reading.noise), weights / weights.sum(), atol=1e-6)
        frequency = each.counts.of(vocabulary.words) / each.counts.total
        known = frequency > 0
        ratio = 0.1 / frequency[known]
        expected = np.minimum(1, np.sqrt(ratio) + ratio)
        np.testing.assert_allclose(reading.keep[known], expected, rtol=1e-6)


def test_noise_by_language_does_not_hang_on_the_codes_of_the_languages():
    unnamed = [dataclasses.replace(each, language="und") for each in BOTH]
    _, _, expected = read(BOTH, [1.0, 2.0], Noise.LANGUAGE)
    _, _, found = read(unnamed, [1.0, 2.0], Noise.LANGUAGE)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.keep, other.keep)
        np.testing.assert_array_equal(implied(one.noise), implied(other.noise))


def test_choices_are_the_known_translations_in_both_directions():
    lexicon = Lexicon((("the", "el"), ("the", "un"), ("cat", "gato"), ("odd", "gato"), ("cat", "minino")))
    vocabulary = joint_vocabulary([c.counts for c in BOTH], [1, 1], 5)
    source, target = replacing(BOTH, Replacement(lexicon, 0.25), vocabulary)

    def words(choices, each):
        starts, rows = choices.starts.tolist(), choices.rows.tolist()
        return {
            word: [vocabulary.words[row] for row in rows[starts[number] : starts[number + 1]]]
            for number, word in enumerate(each.counts.words)
            if starts[number] < starts[number + 1]
        }

    # "odd" is too rare for the vocabulary but can be replaced; "minino" is nowhere.
    assert words(source, ENGLISH) == {"the": ["el", "un"], "cat": ["gato"], "odd": ["gato"]}
    assert words(target, SPANISH) == {"el": ["the"], "un": ["the"], "gato": ["cat"]}
    assert source.chance == target.chance == 0.25


def test_expected_counts_are_those_of_replaced_text():
    vocabulary = Vocabulary(("a", "b", "c", "d"), np.array([4, 3, 2, 1]))
    choices = Choices.of(
        ("a", "rare", "b"), Lexicon((("a", "c"), ("a", "d"), ("rare", "d"))), vocabulary, 0.5
    )
    found = choices.expected(np.array([0, -1, 1]), np.array([100.0, 10.0, 7.0]), 4)
    np.testing.assert_allclose(found, [50, 7, 25, 25 + 5])
    none = Choices.none(3).expected(np.array([0, -1, 1]), np.array([100.0, 10.0, 7.0]), 4)
    np.testing.assert_array_equal(none, [100, 7, 0, 0])


def test_what_a_lexicon_needs():
    vocabulary = joint_vocabulary([c.counts for c in BOTH], [1, 1], 5)
    wrong = Replacement(Lexicon((("gato", "cat"),)))
    with pytest.raises(JointalignError, match="none of the 1 pairs of the lexicon has both"):
        replacing(BOTH, wrong, vocabulary)
    with pytest.raises(JointalignError, match="expected two corpora.*got 1"):
        replacing([ENGLISH], wrong, vocabulary)
    for probability in (0.0, 1.1, float("nan")):
        with pytest.raises(JointalignError, match="must lie in"):
            Replacement(wrong.lexicon, probability)
