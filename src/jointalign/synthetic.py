"""Two small artificial languages with a known dictionary, for demonstrations and tests.

Both languages talk about the same concepts, in texts drawn independently of each other:

* Meaning. Each concept has a latent vector near the centre of its topic. A line of text tells a scene, also a
  vector, and a concept comes up in it with probability proportional to `frequency * exp(scene . concept)`: the
  model of text under which skip-gram vectors recover the latent ones (Arora et al. 2016). Frequencies follow
  Zipf's law. Function words go with the content words that suit them.
* Form. Each language builds its words from its own syllables, ends each word class in its own suffixes and
  has its own plural, so that character n-grams mean something.
* Contact. Names are spelt the same in both languages (true cognates), other concepts share only the stem (near
  cognates), a few spellings mean different things (false friends), and each text quotes the other language now
  and then, so that its frequent words leak: the oversharing that section 2.3 of the paper describes.

The paper has no such data; every default here was chosen so that the embeddings of one language hold enough detail to
tell single words, not only topics, apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign.errors import JointalignError
from jointalign.files import atomic

Pairs = tuple[tuple[str, str], ...]

NOUN, VERB, ADJECTIVE, NAME, PLURAL, FUNCTION = range(6)


@dataclass(frozen=True)
class PairSettings:
    """What the two languages and their texts are like.

    Args:
        concepts: Content concepts; some nouns have a plural besides.
        function_words: Words like "the" and "of".
        topics: Groups of concepts.
        scenes: What a line can be about; each belongs to a topic.
        lines: Lines of text in each language.
        content_words: Mean number of content words a line; there are about 1.5 times as many words.
        names: Share of the concepts that are spelt the same in both languages.
        near_cognates: Share of the concepts with the same stem but another suffix.
        false_friends: Spellings that mean one thing in one language and another in the other.
        synonyms: Share of the concepts for which a language has a second word.
        quotations: Share of the lines that quote the other language.
        divergence: How much the concepts of the two languages differ, relative to how much they vary.
        latent_dimensions: Length of the latent vectors.
        train_words: Source words in the training dictionary.
        test_words: Source words in the test dictionary.
    """

    concepts: int = 2400
    function_words: int = 60
    topics: int = 30
    scenes: int = 900
    lines: int = 26_000
    content_words: float = 8.0
    names: float = 0.15
    near_cognates: float = 0.1
    false_friends: int = 40
    synonyms: float = 0.08
    quotations: float = 0.15
    divergence: float = 0.25
    latent_dimensions: int = 24
    train_words: int = 800
    test_words: int = 500


DEMO = PairSettings()
TINY = PairSettings(
    concepts=300, function_words=15, topics=8, scenes=120, lines=4_000, latent_dimensions=10,
    false_friends=8, train_words=150, test_words=100,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _World:
    """What both languages talk about; row `i` of each array is concept `i`."""

    classes: np.ndarray  # (n,)
    singular: np.ndarray  # (n,) row of a plural's noun; other concepts: their own row
    frequency: np.ndarray  # (n,)
    latent: np.ndarray  # (n, k)
    scenes: np.ndarray  # (s, k)


def _zipf(size, offset=2.0):
    weights = 1 / (np.arange(size) + 1 + offset)
    return weights / weights.sum()


def _world(s, rng):
    n, k = s.concepts, s.latent_dimensions
    classes = rng.choice(4, size=n, p=[0.5, 0.25, 0.25, 0])
    names = rng.choice(np.arange(n // 12, n), size=round(s.names * n), replace=False)
    classes[names] = NAME
    nouns = np.flatnonzero(classes == NOUN)
    plural_of = np.sort(rng.choice(nouns, size=int(PLURALS * len(nouns)), replace=False))
    centres = rng.standard_normal((s.topics, k))
    class_vec = rng.standard_normal((6, k)) * CLASSW
    topic = rng.integers(s.topics, size=n)
    latent = TOPICW * centres[topic] + OWNW * rng.standard_normal((n, k)) + class_vec[classes]
    pl = (
        latent[plural_of]
        + class_vec[PLURAL]
        - class_vec[NOUN]
        + 0.3 * rng.standard_normal((len(plural_of), k))
    )
    freq = _zipf(n, 8)
    fl = FUNW * rng.standard_normal((s.function_words, k))
    f = s.function_words
    m = len(plural_of)
    return _World(
        np.concatenate([classes, np.full(m, PLURAL), np.full(f, FUNCTION)]),
        np.concatenate([np.arange(n), plural_of, np.arange(n + m, n + m + f)]),
        np.concatenate([freq, freq[plural_of] * 0.5, _zipf(f)]),
        np.concatenate([latent, pl, fl]),
        TOPICW * centres[np.arange(s.scenes) % s.topics]
        + SCENEW * rng.standard_normal((s.scenes, k)),
    )


TOPICW, OWNW, CLASSW, FUNW, SCENEW, SHARP, PLURALS = 0.7, 0.7, 0.3, 1.0, 0.9, 0.5, 0.4
