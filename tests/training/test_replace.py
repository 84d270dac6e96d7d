from dataclasses import replace

import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.training.replace import JointReplace
from jointalign.training.skipgram import SkipGram

BASE = SkipGram(dimensions=24, epochs=5, minimum_count=2, maximum_ngram=0, subsampling=0.0, window=3)
TRAINER = JointReplace(BASE)


def test_untaught_words_find_their_translations(ring):
    trained = TRAINER.fit(ring.corpora, ring.lexicon, threads=1)
    assert len(trained) == 2 * ring.size + 1
    assert ring.found_at_1(trained, trained) > 0.7
    alone = BASE.fit(ring.corpora, threads=1)
    assert ring.found_at_1(alone, alone) < 0.3


def test_translations_come_close(ring):
    def similarity(embedding):
        pairs = [(embedding.vector(a), embedding.vector(b)) for a, b in ring.lexicon]
        return np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs])

    never, rarely, often = (
        similarity(trainer.fit(ring.corpora, *lexicon, threads=1))
        for trainer, lexicon in (
            (BASE, ()),
            (JointReplace(BASE, 0.02), (ring.lexicon,)),
            (TRAINER, (ring.lexicon,)),
        )
    )
    assert never < rarely < often
    assert often > 0.9


def test_one_thread_and_one_seed_give_the_same_bytes(ring):
    quick = JointReplace(replace(BASE, epochs=1))
    first = quick.fit(ring.corpora, ring.lexicon, threads=1, seed=3)
    again = quick.fit(ring.corpora, ring.lexicon, threads=1, seed=3)
    np.testing.assert_array_equal(first.vectors, again.vectors)
    for other in (
        quick.fit(ring.corpora, ring.lexicon, threads=1, seed=4),
        replace(quick, probability=0.4).fit(ring.corpora, ring.lexicon, threads=1, seed=3),
        quick.base.fit(ring.corpora, threads=1, seed=3),
    ):
        assert not np.array_equal(first.vectors, other.vectors)


def test_a_stopped_training_goes_on_to_the_same_bytes(ring, interrupted):
    longer = JointReplace(replace(BASE, epochs=25))
    undisturbed = longer.fit(ring.corpora, ring.lexicon, threads=1)
    resumed = interrupted(longer, ring.corpora, ring.lexicon)
    np.testing.assert_array_equal(undisturbed.vectors, resumed.vectors)


def test_a_checkpoint_of_another_lexicon_is_refused(ring, tmp_path, monkeypatch):
    monkeypatch.setattr("jointalign.training._course.REPORT_SECONDS", 0.001)
    longer = JointReplace(replace(BASE, epochs=10))
    longer.fit(ring.corpora, ring.lexicon, threads=1, folder=tmp_path, checkpoint_seconds=0.0)
    with pytest.raises(JointalignError, match="lexicon: .*, now "):
        longer.fit(ring.corpora, ring.test, threads=1, folder=tmp_path)


def test_two_threads_learn_as_much(ring):
    trained = TRAINER.fit(ring.corpora, ring.lexicon, threads=2)
    assert ring.found_at_1(trained, trained) > 0.7


def test_ngrams_and_noise_by_language_go_along(ring):
    base = replace(BASE, maximum_ngram=6, buckets=1000, noise="language", epochs=1)
    trained = JointReplace(base).fit(ring.corpora, ring.lexicon, threads=1)
    assert trained.vector("a99").shape == (24,)


def test_settings_are_kept(ring):
    settings = JointReplace(replace(BASE, epochs=1), 0.25).fit(ring.corpora, ring.lexicon, threads=1).settings
    assert settings["trainer"] == "joint-replace"
    assert settings["replacement_probability"] == 0.25
    assert settings["replacement_pairs"] == len(ring.lexicon)
    assert settings["window"] == 3


def test_what_it_needs(ring):
    with pytest.raises(JointalignError, match="JointReplace learns from a seed dictionary"):
        TRAINER.fit(ring.corpora)
    with pytest.raises(JointalignError, match="expected two corpora"):
        TRAINER.fit(ring.corpora[0], ring.lexicon)
    with pytest.raises(JointalignError, match="none of the 1 pairs"):
        TRAINER.fit(ring.corpora, Lexicon((("cat", "gato"),)))
    with pytest.raises(JointalignError, match="probability of replacement must lie in"):
        JointReplace(BASE, 0.0)
    with pytest.raises(JointalignError, match="SkipGram learns from text alone"):
        BASE.fit(ring.corpora, ring.lexicon)
