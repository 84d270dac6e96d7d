"""Alignment without a dictionary: what works is found, what fails is called a failure."""

import logging

import numpy as np
import pytest

from jointalign.alignment.api import apply
from jointalign.alignment.unsupervised import AGREEMENT, _from_own, _mutual, align_unsupervised
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.retrieval.api import neighbours
from jointalign.vocabulary import Vocabulary

N, D = 240, 16


def space(alike, related=True, seed=0):
    """Two languages of which the first `alike` words are spelt alike; or two that say nothing."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(30, D)) * rng.gamma(1, 1, D)
    x = centres[rng.integers(0, 30, N)] + 0.4 * rng.normal(size=(N, D))
    turn = np.linalg.qr(rng.normal(size=(D, D)))[0]
    z = x @ turn + 0.05 * rng.normal(size=(N, D)) if related else rng.normal(size=(N, D))
    source = tuple(f"w{i}" if i < alike else f"s{i}" for i in range(N))
    target = tuple(f"w{i}" if i < alike else f"t{i}" for i in range(N))
    sides = [
        Embedding(Vocabulary(names), vectors.astype(np.float32))
        for names, vectors in ((source, x), (target, z))
    ]
    return BilingualEmbedding.separate(*sides)


def precision(bilingual, mapping):
    moved = apply(mapping, bilingual)
    x, z = moved.source_only.vectors, moved.target_only.vectors
    return float((neighbours(x, z, 1, sources=x).rows[:, 0] == np.arange(N)).mean())


def test_words_spelt_alike_are_enough():
    bilingual = space(alike=120)
    found = align_unsupervised(bilingual)
    assert found.worked
    assert [attempt.name for attempt in found.attempts] == ["identical"]
    assert found.attempts[0].pairs == 120
    assert precision(bilingual, found.mapping) > 0.8


def test_two_unrelated_sides_are_a_failure_and_said_to_be(caplog):
    with caplog.at_level(logging.WARNING):
        found = align_unsupervised(space(alike=120, related=False))
    assert not found.worked
    assert [attempt.name for attempt in found.attempts] == ["identical", "similarity"]
    assert all(attempt.agreement < AGREEMENT for attempt in found.attempts)
    assert "do not trust the result" in caplog.text
    assert "failed" in str(found)


def test_without_words_spelt_alike_similarities_are_tried():
    found = align_unsupervised(space(alike=0))
    assert found.attempts[0].name == "similarity"


def test_the_same_seed_gives_the_same_map():
    first, second = (align_unsupervised(space(alike=120), seed=4).mapping for _ in "ab")
    np.testing.assert_array_equal(first.source, second.source)


def test_words_that_joint_training_has_brought_together_come_first():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, D)).astype(np.float32)
    near = (x + 0.05 * rng.normal(size=x.shape)).astype(np.float32)
    shared = Embedding(Vocabulary(("both",)), np.ones((1, D), np.float32))
    bilingual = BilingualEmbedding(
        Embedding(Vocabulary(tuple(f"s{i}" for i in range(N))), x),
        Embedding(Vocabulary(tuple(f"t{i}" for i in range(N))), near),
        shared,
        np.ones(1, np.int64),
        np.ones(1, np.int64),
    )
    found = align_unsupervised(bilingual)
    assert found.attempts[0].name == "own" and found.worked
    assert precision(bilingual, found.mapping) > 0.9


def test_mutual_translations_of_noise_are_no_success():
    rng = np.random.default_rng(0)
    noise = [rng.normal(size=(N, D)).astype(np.float32) for _ in "st"]
    sides = [
        Embedding(Vocabulary(tuple(f"{letter}{i}" for i in range(N))), vectors)
        for letter, vectors in zip("st", noise, strict=True)
    ]
    shared = Embedding(Vocabulary(("both",)), np.ones((1, D), np.float32))
    one = np.ones(1, np.int64)
    bilingual = BilingualEmbedding(*sides, shared, one, one)
    attempt, _ = _from_own(bilingual, _mutual(bilingual), 0)
    assert not attempt.worked
    assert attempt.agreement == pytest.approx(attempt.bound, abs=0.2)  # and no small number


@pytest.mark.parametrize("alike", [0, 120])
def test_progress_is_told_of_every_attempt(alike):
    told = []
    found = align_unsupervised(space(alike), progress=lambda done, total, note="": told.append(note))
    assert told == [str(attempt) for attempt in found.attempts]
