"""A toy to translate: a small language and its cipher, with the right answers.

The first language is a grammar of scenes; the second says the same with other words, in an order
that some of its words change. Names are spelt alike in both, and a few spellings mean different
things. Models learn from disjoint scenes; the held-out sentences are translations of each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.errors import JointalignError
from jointalign.files import atomic
from jointalign.lexicon import Lexicon
from jointalign.normalize import unit
from jointalign.vocabulary import Vocabulary

_KINDS = ("noun", "verb", "adjective", "adverb", "name", "determiner", "preposition")
_SYLLABLES = (("b", "d", "f", "g", "l", "m", "n"), ("k", "p", "r", "s", "t", "v", "z"))
_VOWELS = "aeiou"


@dataclass(frozen=True)
class CipherSettings:
    """What the language and its texts are like.

    Args:
        nouns: Number of nouns; a third as many verbs and adjectives each, and a tenth adverbs.
        names: Words that both languages spell alike.
        false_friends: Nouns of one language that are spelt like a rare noun of the other.
        topics: Groups of nouns, verbs and adjectives that occur together.
        sentences: Of each language's text.
        held_out: Pairs of sentences to validate with, and as many to test with.

    Raises:
        JointalignError: If a number is out of its range.
    """

    nouns: int = 150
    names: int = 20
    false_friends: int = 6
    topics: int = 8
    sentences: int = 4000
    held_out: int = 100

    def __post_init__(self) -> None:
        for name in ("nouns", "topics", "sentences", "held_out"):
            if getattr(self, name) < 1:
                raise JointalignError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.nouns < max(30, 4 * self.false_friends, 3 * self.topics):
            raise JointalignError(
                "expected 30 nouns at least, 3 a topic and 4 a false friend; got "
                f"{self.nouns} for {self.topics} topics and {self.false_friends} false friends"
            )


Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class Cipher:
    """A language, its cipher, and texts in both.

    Args:
        source_lines: Text of the first language.
        target_lines: Text of the second, which tells of other scenes.
        validation: Held-out sentences with their translations.
        test: Others.
        lexicon: All words with their translations.
        kinds: Kind of each pair of the lexicon.
    """

    source_lines: tuple[str, ...]
    target_lines: tuple[str, ...]
    validation: Pairs
    test: Pairs
    lexicon: Lexicon
    kinds: tuple[str, ...]

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

    def write(self, folder: str | Path) -> None:
        """Write the texts, `source.txt` and so on, with LF line ends.

        Raises:
            JointalignError: If a file cannot be written.
        """
        columns = {"source": self.source_lines, "target": self.target_lines}
        for name, pairs in (("validation", self.validation), ("test", self.test)):
            columns[f"{name}.source"] = tuple(pair[0] for pair in pairs)
            columns[f"{name}.target"] = tuple(pair[1] for pair in pairs)
        columns["lexicon"] = tuple(" ".join(pair) for pair in self.lexicon)
        for name, lines in columns.items():
            with atomic(Path(folder) / f"{name}.txt", "w") as file:
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
    texts = []
    for side in (0, 1):
        scenes = (words.scene(random) for _ in range(settings.sentences))
        texts.append(tuple(words.said(scene, side) for scene in scenes))
    known = {*texts[0], *texts[1]}
    held_out: list[tuple[str, str]] = []
    while len(held_out) < 2 * settings.held_out:
        scene = words.scene(random)
        pair = words.said(scene, 0), words.said(scene, 1)
        if not known & {*pair}:
            held_out.append(pair)
    pairs = tuple(zip(words.spelt[0], words.spelt[1], strict=True))
    return Cipher(
        texts[0],
        texts[1],
        tuple(held_out[: settings.held_out]),
        tuple(held_out[settings.held_out :]),
        Lexicon(pairs),
        words.kinds,
    )


@dataclass(frozen=True, eq=False)
class _Words:
    """The words by number.

    Args:
        kinds: Kind of each.
        spelt: Spelling of each, in both languages.
        topics: Topic of each, int64 `(n,)`.
        turned: Whether the cipher says it after the word that follows, bool `(n,)`.
        count: Number of topics.
    """

    kinds: tuple[str, ...]
    spelt: tuple[tuple[str, ...], tuple[str, ...]]
    topics: np.ndarray
    turned: np.ndarray
    count: int

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
        topics = np.arange(len(kinds)) % settings.topics
        turned = random.random(len(kinds)) < 0.5
        return cls(kinds, (tuple(spelt[0]), tuple(spelt[1])), topics, turned, settings.topics)

    def scene(self, random: np.random.Generator) -> list[int]:
        """A sentence as numbers of words, in the order of the first language."""
        topic = int(random.integers(self.count))
        found = self._phrase(topic, random)
        if random.random() < 0.4:
            found.append(self._draw("adverb", topic, random))
        found += [self._draw("verb", topic, random), *self._phrase(topic, random)]
        if random.random() < 0.6:
            found += [self._draw("preposition", topic, random), *self._phrase(topic, random)]
        return found

    def said(self, scene: list[int], side: int) -> str:
        """The sentence in one of the languages."""
        order = list(scene)
        if side:
            place = 0
            while place < len(order) - 1:
                moves = self.kinds[order[place]] in ("adjective", "adverb")
                if moves and self.turned[order[place]]:
                    order[place], order[place + 1] = order[place + 1], order[place]
                    place += 1
                place += 1
        return " ".join(self.spelt[side][word] for word in order)

    def _phrase(self, topic: int, random: np.random.Generator) -> list[int]:
        if "name" in self.kinds and random.random() < 0.15:
            return [self._draw("name", topic, random)]
        found = [self._draw("determiner", topic, random)]
        if random.random() < 0.5:
            found.append(self._draw("adjective", topic, random))
        return [*found, self._draw("noun", topic, random)]

    def _draw(self, kind: str, topic: int, random: np.random.Generator) -> int:
        """A word, by Zipf's law, mostly of the topic."""
        words = np.array([n for n, k in enumerate(self.kinds) if k == kind])
        of_topic = words[self.topics[words] == topic]
        if len(of_topic) and kind not in ("determiner", "preposition") and random.random() < 0.85:
            words = of_topic
        weights = 1 / (2 + np.arange(len(words)))
        return int(random.choice(words, p=weights / weights.sum()))


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
