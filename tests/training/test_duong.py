from dataclasses import replace

import numpy as np
import pytest

from jointalign import bli
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.training._bag_course import Entries
from jointalign.training.duong import SupervisedJoint

TRAINER = SupervisedJoint(dimensions=24, window=5, epochs=5, negatives=5, subsampling=0.0, learning_rate=0.05)


def found(space, ring):
    """P@1 of the untaught words among all words of the target language, in per cent."""
    return bli.evaluate(space, ring.test).p_at_1


# Two threads never train alike.
@pytest.mark.parametrize(("threads", "least"), [(1, 70.0), (2, 50.0)])
def test_untaught_words_find_their_translations_among_all_words(ring, threads, least):
    assert found(TRAINER.fit(ring.corpora, ring.lexicon, threads=threads), ring) > least


def test_noise_of_the_other_language_parts_untaught_words_from_their_translations(ring):
    space = replace(TRAINER, noise="joint").fit(ring.corpora, ring.lexicon, threads=1)
    assert found(space, ring) < 10
    # It is the taught words that come first, which are seen in the text of either language.
    assert ring.found_at_1(space.source, space.target) > 0.6


def test_it_is_the_dictionary_that_brings_the_languages_together(ring):
    one_pair = Lexicon(ring.lexicon.pairs[:1])
    space = TRAINER.fit(ring.corpora, one_pair, threads=1)
    assert found(space, ring) < 30


def test_noise_is_drawn_by_how_often_words_are_to_be_predicted():
    # Rows 0 and 1 mean 2 and 3; 1 means 4 too.
    entries = Entries.of(np.array([(0, 2), (1, 3), (1, 4)]), 6)
    read = np.array([8.0, 6.0, 0.0, 0.0, 0.0, 0.0])
    assert entries.predicted(read).tolist() == [8.0, 6.0, 8.0, 3.0, 3.0, 0.0]
    other = np.array([0.0, 0.0, 1.0, 4.0, 2.0, 5.0])
    assert entries.predicted(other).tolist() == [1.0, 6.0, 1.0, 4.0, 2.0, 5.0]


def test_nothing_is_shared(ring):
    space = replace(TRAINER, epochs=1).fit(ring.corpora, ring.lexicon, threads=1)
    assert len(space.source) == len(space.target) == ring.size + 1
    assert len(space.shared) == 0
    assert (space.source_language, space.target_language) == ("aa", "bb")
    # The one spelling of both languages is two words.
    assert not np.array_equal(space.source.vector("common"), space.target.vector("common"))
    assert space.source.vocabulary.counts[space.source.vocabulary.row("common")] == 3000
    assert space.source.settings["trainer"] == "supervised-joint"
    assert space.target.settings["pairs"] == len(ring.lexicon)


def test_one_thread_and_one_seed_give_the_same_bytes(ring):
    quick = replace(TRAINER, epochs=1)
    first = quick.fit(ring.corpora, ring.lexicon, threads=1, seed=3)
    again = quick.fit(ring.corpora, ring.lexicon, threads=1, seed=3)
    other = quick.fit(ring.corpora, ring.lexicon, threads=1, seed=4)
    for side in ("source", "target"):
        vectors = [getattr(space, side).vectors for space in (first, again, other)]
        np.testing.assert_array_equal(vectors[0], vectors[1])
        assert not np.array_equal(vectors[0], vectors[2])


def test_a_stopped_training_goes_on_to_the_same_bytes(ring, interrupted):
    longer = replace(TRAINER, epochs=25)
    undisturbed = longer.fit(ring.corpora, ring.lexicon, threads=1)
    resumed = interrupted(longer, ring.corpora, ring.lexicon)
    np.testing.assert_array_equal(undisturbed.source.vectors, resumed.source.vectors)
    np.testing.assert_array_equal(undisturbed.target.vectors, resumed.target.vectors)


def test_regularisation_pulls_the_two_vectors_of_a_word_together(ring):
    # Without it the result is another; how far, the loops' own tests say.
    free = replace(TRAINER, epochs=1, regularisation=0.0)
    held = replace(free, regularisation=0.5)
    lengths = [
        np.linalg.norm(trainer.fit(ring.corpora, ring.lexicon, threads=1).source.vectors)
        for trainer in (free, held)
    ]
    assert lengths[1] < 0.9 * lengths[0]


def test_what_it_needs(ring):
    with pytest.raises(JointalignError, match="SupervisedJoint learns from a seed dictionary"):
        TRAINER.fit(ring.corpora)
    with pytest.raises(JointalignError, match="expected two corpora"):
        TRAINER.fit(ring.corpora[:1], ring.lexicon)
    with pytest.raises(JointalignError, match="none of the 20 pairs"):
        TRAINER.fit(ring.corpora, ring.test.reversed())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must lie in"),
        ({"regularisation": -1.0}, "regularisation must lie in"),
        ({"noise": "words"}, "noise must be joint or language, got 'words'"),
        ({"balance": "words"}, "balance must be tokens, lines or none, got 'words'"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(JointalignError, match=message):
        SupervisedJoint(**changes)
