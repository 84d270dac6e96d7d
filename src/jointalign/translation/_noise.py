"""Noise on whole words: shuffled, dropped, blanked (Lample et al. 2018a, section 2.3)."""

from __future__ import annotations

import numpy as np

from jointalign.translation._sentences import Sentences
from jointalign.translation.base import BLANK, NoiseSettings


def add_noise(sentences: Sentences, settings: NoiseSettings, random: np.random.Generator) -> Sentences:
    """Shuffle, drop, then blank words; the pieces of a word stay together and in order.

    Every sentence keeps one word at least.

    Args:
        sentences: Left as they are.
        settings: How much of each.
        random: The only source of randomness.

    Example:
        >>> one = Sentences.of([np.arange(10, 16)])
        >>> add_noise(one, NoiseSettings(0, 0, 0.5), np.random.default_rng(0)).tokens.tolist()
        [10, 2, 12, 2, 14, 15]
    """
    owners = np.repeat(np.arange(len(sentences)), sentences.lengths)
    word, first = _words(sentences.words, owners)
    count = len(first)
    owner, place = owners[first], sentences.words[first].astype(np.float64)
    keys = place + random.random(count) * settings.shuffle
    kept = _kept(owner, random.random(count), settings.drop, len(sentences))
    blank = random.random(count) < settings.blank
    # Tokens of one word have one key, and the sort is stable: they stay together.
    order = np.lexsort((keys[word], owners)) if settings.shuffle else np.arange(len(word))
    order = order[kept[word[order]]]
    tokens = np.where(blank[word[order]], BLANK, sentences.tokens[order])
    lengths = np.bincount(owners[order], minlength=len(sentences))
    return Sentences(tokens.astype(np.int32), sentences.words[order], np.cumsum(lengths))


def _words(words: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number of each token's word among all words, and where each of these begins."""
    begins = np.ones(len(words), bool)
    begins[1:] = (words[1:] != words[:-1]) | (owners[1:] != owners[:-1])
    return np.cumsum(begins) - 1, np.flatnonzero(begins)


def _kept(owner: np.ndarray, luck: np.ndarray, drop: float, sentences: int) -> np.ndarray:
    """Words that stay: those that are lucky, and the luckiest of each sentence."""
    best = np.zeros(sentences)
    np.maximum.at(best, owner, luck)
    return (luck >= drop) | (luck == best[owner])
