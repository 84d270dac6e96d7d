"""How two artificial languages spell the same concepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from jointalign.synthetic._meaning import ADJECTIVE, FUNCTION, NAME, NOUN, PLURAL, VERB, World
from jointalign.synthetic.base import PairSettings


@dataclass(frozen=True)
class Sounds:
    """What the words of a language are built from.

    Args:
        onsets: How syllables begin.
        vowels: What follows.
        codas: How stems end.
        suffixes: Possible endings of each word class; names and function words have none.
    """

    onsets: tuple[str, ...]
    vowels: tuple[str, ...]
    codas: tuple[str, ...]
    suffixes: Mapping[int, tuple[str, ...]]


SOURCE = Sounds(
    onsets=tuple("b br d dr f fl g gr h k l m n r s sk st t th v w".split()),
    vowels=tuple("a e o y ea ou".split()),
    codas=("", "", "l", "m", "n", "rd", "ld"),
    suffixes={NOUN: ("", "er", "ath"), PLURAL: ("s",), VERB: ("en",), ADJECTIVE: ("ly", "om")},
)
TARGET = Sounds(
    onsets=tuple("b ch d g j l ll m n ñ qu r s t v x z".split()),
    vowels=tuple("a a e i u á é ia".split()),
    codas=("", "", "", "n", "l", "r"),
    suffixes={NOUN: ("a", "o", "ón"), PLURAL: ("es",), VERB: ("ar", "ir"), ADJECTIVE: ("oso", "al")},
)


@dataclass(frozen=True, eq=False)
class Spelling:
    """The words of both languages.

    Args:
        source: Two source words for each concept, str objects `(n, 2)`; mostly the same twice.
        target: Likewise.
        false_friends: Spellings with two meanings.
    """

    source: np.ndarray
    target: np.ndarray
    false_friends: tuple[str, ...]


class _Speller:
    """Invents words that were never used before, by either language."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self.world = world
        self.rng = rng
        self.used: set[str] = set()

    def words(self, sounds: Sounds, stems: dict[int, str]) -> np.ndarray:
        """A word for each concept, `(n,)`; concepts missing in `stems` are added there."""
        words = np.empty(len(self.world.classes), object)
        for row, singular in enumerate(self.world.singular.tolist()):
            if row == singular:
                words[row] = self.word(sounds, row, stems)
            else:
                words[row] = words[singular] + sounds.suffixes[PLURAL][0]
                self.used.add(words[row])
        return words

    def word(self, sounds: Sounds, row: int, stems: dict[int, str]) -> str:
        """A new word for one concept, on its stem if it has one already."""
        suffixes = sounds.suffixes.get(int(self.world.classes[row]), ("",))
        for suffix in self.rng.permutation(suffixes).tolist():
            if row in stems and self.is_new(stems[row] + suffix):
                return stems[row] + suffix
        while True:
            stem = self.stem(sounds, row)
            word = stem + suffixes[self.rng.integers(len(suffixes))]
            if self.is_new(word):
                stems[row] = stem
                return word

    def stem(self, sounds: Sounds, row: int) -> str:
        """One to three syllables, fewer for frequent words."""
        classes = self.world.classes
        longer = 0.2 if classes[row] == FUNCTION else 0.3 + 0.4 * row / len(classes)
        parts = [sounds.onsets, sounds.vowels] * (1 + self.rng.binomial(2, longer))
        return "".join(part[self.rng.integers(len(part))] for part in [*parts, sounds.codas])

    def is_new(self, word: str) -> bool:
        """Whether a word was never asked for before."""
        is_new = word not in self.used
        self.used.add(word)
        return is_new


def spell(world: World, settings: PairSettings, rng: np.random.Generator) -> Spelling:
    """Name all concepts in both languages."""
    speller = _Speller(world, rng)
    ordinary = np.flatnonzero(world.classes < NAME)
    near = rng.choice(ordinary, size=round(settings.near_cognates * settings.concepts), replace=False)
    source_stems: dict[int, str] = {}
    source = speller.words(SOURCE, source_stems)
    target = speller.words(TARGET, {row: source_stems[row] for row in near.tolist()})
    names = rng.permutation(np.flatnonzero(world.classes == NAME))
    half = len(names) // 2  # half of the names come from either language
    target[names[:half]] = source[names[:half]]
    source[names[half:]] = target[names[half:]]
    false_friends = _befriend(world, source, target, settings.false_friends, rng)
    return Spelling(
        _with_synonyms(speller, SOURCE, source, settings),
        _with_synonyms(speller, TARGET, target, settings),
        false_friends,
    )


def _befriend(
    world: World, source: np.ndarray, target: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[str, ...]:
    """Give rare concepts of one language the words of frequent ones of the other."""
    # Nouns would keep the old stem in their plural.
    rows = np.flatnonzero(np.isin(world.classes, (VERB, ADJECTIVE)))
    frequent = rng.choice(rows[: len(rows) // 6], size=count, replace=False)
    rare = rng.choice(rows[-(len(rows) // 3) :], size=count, replace=False)
    half = count // 2
    target[rare[:half]] = source[frequent[:half]]
    source[rare[half:]] = target[frequent[half:]]
    return (*source[frequent[:half]].tolist(), *target[frequent[half:]].tolist())


def _with_synonyms(
    speller: _Speller, sounds: Sounds, words: np.ndarray, settings: PairSettings
) -> np.ndarray:
    """A second column of words, `(n, 2)`: the same ones but for some concepts."""
    second = words.copy()
    ordinary = np.flatnonzero(speller.world.classes < NAME)
    count = round(settings.synonyms * settings.concepts)
    for row in speller.rng.choice(ordinary, size=count, replace=False).tolist():
        second[row] = speller.word(sounds, row, {})
    return np.stack([words, second], axis=1)
