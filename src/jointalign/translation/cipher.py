"""A toy to translate: a small language and its cipher, with the right answers.

The first language is a grammar of scenes; the second says the same with other words, in an order
that some of its words change; its verbs can come last. Names are spelt alike in both, and a few
spellings mean different things. Models learn from disjoint scenes; the held-out sentences are
translations of each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.numerics.normalize import unit
from jointalign.ranges import check_ranges, within
from jointalign.storage.files import atomic
from jointalign.vocabulary import Vocabulary

_KINDS = ("noun", "verb", "adjective", "adverb", "name", "determiner", "preposition")
_MOVABLE = ("determiner", "adjective", "adverb", "preposition")
_SYLLABLES = (("b", "d", "f", "g", "l", "m", "n"), ("k", "p", "r", "s", "t", "v", "z"))
_VOWELS = "aeiou"


@dataclass(frozen=True)
class CipherSettings:
    """What the language and its texts are like.

    Args:
        nouns: Number of nouns; a third as many verbs, as many adjectives, and a tenth adverbs.
        names: Words that both languages spell alike.
        false_friends: Nouns of one language that are spelt like a rare noun of the other.
        verb_last: Whether the cipher's verb ends the sentence, as in Turkish.
        focus: How much words prefer each other: standard deviation of their log weights.
        sentences: Of each language's text.
        held_out: Pairs of sentences to validate with, and as many to test with.

    Raises:
        JointalignError: If a number is out of its range.
    """

    nouns: int = within(150, least=1)
    names: int = 20
    false_friends: int = 6
    verb_last: bool = False
    focus: float = 1.5
    sentences: int = within(4000, least=1)
    held_out: int = within(100, least=1)

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.nouns < max(30, 4 * self.false_friends):
            raise JointalignError(
                "expected 30 nouns at least and 4 a false friend; got "
                f"{self.nouns} for {self.false_friends} false friends"
            )


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Cipher:
    """A language, its cipher, and texts in both.

    Args:
        train: Sentences of both languages, translations of each other; learning without
            supervision sees `source_lines` and `target_lines` alone, which are not.
        validation: Held-out sentences with their translations.
        test: Others.
        lexicon: All words with their translations.
        kinds: Kind of each pair of the lexicon.
    """

    train: Pairs
    validation: Pairs
    test: Pairs
    lexicon: Lexicon
    kinds: tuple[str, ...]

    @property
    def source_lines(self) -> tuple[str, ...]:
        """Text of the first language: the first half of its sentences."""
        return tuple(pair[0] for pair in self.train[: len(self.train) // 2])

    @property
    def target_lines(self) -> tuple[str, ...]:
        """Text of the second language: the second half, which tells of other scenes."""
        return tuple(pair[1] for pair in self.train[len(self.train) // 2 :])

    def vectors(self, dimensions: int, noise: float = 0.5, seed: int = 0) -> BilingualEmbedding:
        """Vectors as a good alignment would give them: those of a word and its translation differ.

        Args:
            dimensions: Length of the vectors.
            noise: Length of the difference of each from the common one, of length one.
            seed: The only source of randomness.
        """
        random = np.random.default_rng(seed)
        size = len(self.lexicon), dimensions
        common = unit(random.standard_normal(size))
        sides = []
        for words in zip(*self.lexicon.pairs, strict=True):
            moved = common + noise * unit(random.standard_normal(size))
            sides.append(Embedding(Vocabulary(words), unit(moved).astype(np.float32)))
        return BilingualEmbedding.separate(*sides)

    def write(self, folder: str | Path, languages: tuple[str, str] = ("one", "two")) -> None:
        """Write texts and dictionaries, in folders as `jointalign study` looks for them.

        Args:
            folder: Where to; made if it is not there.
            languages: Codes of the two languages.

        Raises:
            JointalignError: If a file cannot be written.
        """
        pair = "-".join(languages)
        parts = {"train": self.train, "val": self.validation, "test": self.test}
        for name, lines in parts.items():
            for side, code in enumerate(languages):
                path = Path(folder) / f"translation/cipher.{pair}/{name}.{code}"
                _write(path, (line[side] for line in lines))
        for name in ("0-5000", "5000-6500"):
            path = Path(folder) / f"lexicons/{pair}.{name}.txt"
            _write(path, (" ".join(words) for words in self.lexicon))


def _write(path: Path, lines: Iterable[str]) -> None:
    with atomic(path, "w") as file:
        file.writelines(line + "\n" for line in lines)


def make_cipher(settings: CipherSettings | None = None, seed: int = 0) -> Cipher:
    """Make a language and its cipher.

    Args:
        settings: Default: 300 words, 4,000 sentences.
        seed: The only source of randomness.

    Example:
        >>> cipher = make_cipher(CipherSettings(sentences=10, held_out=2))
        >>> cipher.test[0]
        ('...', '...')
    """
    settings = settings or CipherSettings()
    random = np.random.default_rng(seed)
    words = _Words.invent(settings, random)
    train = [words.pair(random) for _ in range(2 * settings.sentences)]
    known = {line for pair in train for line in pair}
    held_out: list[tuple[str, str]] = []
    while len(held_out) < 2 * settings.held_out:
        pair = words.pair(random)
        if not known & {*pair}:
            held_out.append(pair)
    return Cipher(
        tuple(train),
        tuple(held_out[: settings.held_out]),
        tuple(held_out[settings.held_out :]),
        Lexicon(tuple(zip(*words.spelt, strict=True))),
        words.kinds,
    )


@dataclass(frozen=True, eq=False)
class _Words:
    """The words by number.

    Args:
        kinds: Kind of each.
        spelt: Spelling of each, in both languages.
        weights: How likely each is after a word that it depends on, float64 `(n + 1, n)`; the last
            row is for words that depend on none.
        turned: Whether the cipher says it after the word that follows, bool `(n,)`.
        of_kind: Numbers of the words of each kind.
        verb_last: Whether the cipher says the verb at the end.
    """

    kinds: tuple[str, ...]
    spelt: tuple[tuple[str, ...], tuple[str, ...]]
    weights: np.ndarray
    turned: np.ndarray
    of_kind: dict[str, np.ndarray]
    verb_last: bool

    @classmethod
    def invent(cls, settings: CipherSettings, random: np.random.Generator) -> _Words:
        third, tenth = settings.nouns // 3, max(3, settings.nouns // 10)
        sizes = settings.nouns, third, third, tenth, settings.names, 4, 6
        kinds = tuple(k for k, size in zip(_KINDS, sizes, strict=True) for _ in range(size))
        spelt = [_spellings(len(kinds), syllables, random) for syllables in _SYLLABLES]
        alike = _spellings(settings.names, _SYLLABLES[0][:3] + _SYLLABLES[1][:3], random, "x")
        first = kinds.index("name") if settings.names else 0
        for side in spelt:
            side[first : first + settings.names] = alike
        # A frequent noun of the first language is spelt like a rare one of the second.
        for number in range(settings.false_friends):
            spelt[1][settings.nouns - 1 - number] = spelt[0][2 * number]
        rank = np.concatenate([np.arange(size) for size in sizes])
        liking = random.standard_normal((len(kinds) + 1, len(kinds)))
        liking[-1] = 0
        turned = (random.random(len(kinds)) < 0.5) & np.isin(kinds, _MOVABLE)
        of_kind = {kind: np.flatnonzero(np.array(kinds) == kind) for kind in _KINDS}
        weights = np.exp(settings.focus * liking) / (2 + rank)
        return cls(kinds, (tuple(spelt[0]), tuple(spelt[1])), weights, turned, of_kind, settings.verb_last)

    def pair(self, random: np.random.Generator) -> tuple[str, str]:
        """A sentence in both languages."""
        scene = self._scene(random)
        return self._said(scene, 0), self._said(scene, 1)

    def _scene(self, random: np.random.Generator) -> list[int]:
        """A sentence as numbers of words, in the order of the first language."""
        verb = self._draw("verb", -1, random)
        found = self._phrase(verb, random)
        if random.random() < 0.4:
            found.append(self._draw("adverb", verb, random))
        found += [verb, *self._phrase(verb, random)]
        if random.random() < 0.6:
            preposition = self._draw("preposition", verb, random)
            found += [preposition, *self._phrase(verb, random)]
        return found

    def _said(self, scene: list[int], side: int) -> str:
        """The sentence in one of the languages."""
        order, place = list(scene), 0
        while side and place < len(order) - 1:
            if self.turned[order[place]]:
                order[place], order[place + 1] = order[place + 1], order[place]
                place += 1
            place += 1
        if side and self.verb_last:
            order.sort(key=lambda word: self.kinds[word] == "verb")
        return " ".join(self.spelt[side][word] for word in order)

    def _phrase(self, verb: int, random: np.random.Generator) -> list[int]:
        if len(self.of_kind["name"]) and random.random() < 0.15:
            return [self._draw("name", verb, random)]
        noun = self._draw("noun", verb, random)
        found = [self._draw("determiner", noun, random)]
        if random.random() < 0.5:
            found.append(self._draw("adjective", noun, random))
        return [*found, noun]

    def _draw(self, kind: str, head: int, random: np.random.Generator) -> int:
        """A word, by Zipf's law and by the liking of the word that it depends on."""
        words = self.of_kind[kind]
        shares = np.cumsum(self.weights[head, words])
        return int(words[np.searchsorted(shares, random.random() * shares[-1])])


def _spellings(
    count: int, consonants: tuple[str, ...], random: np.random.Generator, end: str = ""
) -> list[str]:
    """Different words of two or three syllables."""
    found: dict[str, None] = {}
    while len(found) < count:
        syllables = [
            consonants[random.integers(len(consonants))] + _VOWELS[random.integers(5)]
            for _ in range(int(random.integers(2, 4)))
        ]
        found["".join(syllables) + end] = None
    return list(found)
