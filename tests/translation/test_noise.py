"""Noise moves, drops and blanks whole words, as often as it should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jointalign.translation._text import Sentences, add_noise
from jointalign.translation.base import BLANK, NoiseSettings


def sentences(shape, seed=0):
    """Sentences with so many words each, of one to three pieces; each piece has its own number."""
    random = np.random.default_rng(seed)
    rows, words, number = [], [], 10
    for count in shape:
        pieces = np.repeat(np.arange(count), random.integers(1, 4, count))
        rows.append(np.arange(number, number + len(pieces)))
        words.append(pieces)
        number += len(pieces)
    return Sentences.of(rows, words)


def words(text, row):
    start = text.ends[row] - text.lengths[row]
    return text.words[start : text.ends[row]].tolist()


shapes = st.lists(st.integers(1, 12), min_size=1, max_size=6)


@given(shapes, st.integers(0, 99), st.sampled_from([1.5, 3.0, 5.0]))
def test_shuffled_words_stay_near_and_whole(shape, seed, k):
    text = sentences(shape, seed)
    noisy = add_noise(text, NoiseSettings(k, 0, 0), np.random.default_rng(seed))
    for row, (before, after) in enumerate(zip(text, noisy, strict=True)):
        assert sorted(before) == sorted(after)
        order = list(dict.fromkeys(words(noisy, row)))
        assert all(abs(place - word) < k for place, word in enumerate(order))
        # Pieces of a word: still together, still in order.
        starts = np.flatnonzero(np.diff(words(noisy, row), prepend=-1))
        assert len(starts) == len(order)
        for word in order:
            mine = np.array(words(noisy, row)) == word
            assert (np.diff(after[mine]) == 1).all()


@given(shapes, st.integers(0, 99))
def test_dropped_words_go_whole_and_never_all(shape, seed):
    text = sentences(shape, seed)
    noisy = add_noise(text, NoiseSettings(0, 0.9, 0), np.random.default_rng(seed))
    assert (noisy.lengths > 0).all()
    for row in range(len(text)):
        kept = set(words(noisy, row))
        before = words(text, row)
        assert words(noisy, row) == [word for word in before if word in kept]


def test_blanks_cover_whole_words():
    text = sentences([30] * 50)
    noisy = add_noise(text, NoiseSettings(0, 0, 0.4), np.random.default_rng(1))
    assert np.array_equal(noisy.ends, text.ends)
    owner = np.repeat(np.arange(50), text.lengths) * 100 + text.words
    for word in np.unique(owner):
        assert len({*(noisy.tokens[owner == word] == BLANK)}) == 1


def test_rates_are_those_asked_for():
    text = sentences([40] * 500)
    noisy = add_noise(text, NoiseSettings(3, 0.1, 0.2), np.random.default_rng(2))
    count = 500 * 40
    owner = np.repeat(np.arange(500), noisy.lengths) * 100 + noisy.words
    kept, first = np.unique(owner, return_index=True)
    # Four standard deviations of 20,000 draws.
    assert len(kept) / count == pytest.approx(0.9, abs=4 * (0.09 / count) ** 0.5)
    blank = (noisy.tokens[first] == BLANK).mean()
    assert blank == pytest.approx(0.2, abs=4 * (0.16 / len(kept)) ** 0.5)


def test_no_noise_changes_nothing():
    text = sentences([5, 1, 9])
    same = add_noise(text, NoiseSettings.none(), np.random.default_rng(0))
    assert np.array_equal(same.tokens, text.tokens) and np.array_equal(same.words, text.words)
