from dataclasses import replace

import numpy as np
import pytest

from jointalign.errors import JointalignError
from jointalign.training.base import Noise
from jointalign.training.cbow import CBOW

TRAINER = CBOW(dimensions=24, epochs=5, minimum_count=2, subsampling=0.0)


def neighbours_on_the_ring(embedding, letter):
    """Share of words whose nearest neighbour of their language is at most two places away."""
    words = [word for word in embedding.words if word.startswith(letter)]
    vectors = np.array([embedding.vector(word) for word in words])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1)
    places = np.array([int(word[1:]) for word in words])
    gaps = (places - places[scores.argmax(axis=1)]) % len(words)
    return np.mean(np.minimum(gaps, len(words) - gaps) <= 2)


@pytest.mark.parametrize("noise", list(Noise))
@pytest.mark.parametrize("threads", [1, 2])
def test_words_of_one_place_come_together(ring, noise, threads):
    trained = replace(TRAINER, noise=noise).fit(ring.corpora, threads=threads)
    assert trained.subwords is None
    assert neighbours_on_the_ring(trained, "a") > 0.9
    assert neighbours_on_the_ring(trained, "b") > 0.9


def test_untrained_words_do_not(ring):
    lazy = replace(TRAINER, epochs=1, learning_rate=1e-6).fit(ring.corpora, threads=1)
    assert neighbours_on_the_ring(lazy, "a") < 0.3


def test_one_thread_and_one_seed_give_the_same_bytes(ring):
    quick = replace(TRAINER, epochs=1)
    first, again, other = (quick.fit(ring.corpora, threads=1, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.vectors, again.vectors)
    assert not np.array_equal(first.vectors, other.vectors)
    assert first.settings["trainer"] == "cbow"


def test_a_stopped_training_goes_on_to_the_same_bytes(ring, interrupted):
    longer = replace(TRAINER, epochs=25)
    undisturbed = longer.fit(ring.corpora, threads=1)
    np.testing.assert_array_equal(undisturbed.vectors, interrupted(longer, ring.corpora, None).vectors)


def test_it_takes_no_lexicon(ring):
    with pytest.raises(JointalignError, match="CBOW learns from text alone"):
        TRAINER.fit(ring.corpora, ring.lexicon)


def test_settings_out_of_range():
    with pytest.raises(JointalignError, match="noise must be joint or language, got 'both'"):
        CBOW(noise="both")
    with pytest.raises(JointalignError, match="epochs must be at least 1, got 0"):
        CBOW(epochs=0)
