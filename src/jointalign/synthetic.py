"""Two small artificial languages with a known dictionary, for demonstrations and tests.

Both languages talk about the same concepts, in texts drawn independently of each other:

* Meaning. Concepts and scenes are latent vectors around the centres of topics. A line of text tells one scene, and a
  concept comes up in it with probability proportional to `frequency * exp(scene . concept)`: the kind of text
  from which skip-gram recovers the latent vectors (Arora et al. 2016, "RAND-WALK"). Frequencies follow Zipf's law.
  Each content word has function words that it likes to come after.
* Form. Each language builds its words from its own syllables, ends each word class in its own suffixes and has its
  own plural, so that character n-grams mean something.
* Contact. Names are spelt alike in both languages (true cognates), other concepts share only the stem (near
  cognates), some spellings mean different things (false friends), and now and then a text quotes the
  other language, so that its frequent words leak: the oversharing of section 2.3 of the paper.

Nothing here knows how the text will be used: that joint training without reallocation fails, and why, follows from
the quotations. The defaults make one language's vectors fine enough to tell words, not only topics, apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from jointalign.errors import JointalignError
from jointalign.files import atomic

Pairs = tuple[tuple[str, str], ...]
Lines = tuple[tuple[str, ...], ...]

NOUN, VERB, ADJECTIVE, NAME, PLURAL, FUNCTION = range(6)  # word classes


@dataclass(frozen=True)
class PairSettings:
    """What the two languages and their texts are like.

    Args:
        concepts: Concepts named by content words; 40 % of the nouns have a plural besides.
        function_words: Words such as "the" and "of".
        topics: Groups of related concepts.
        scenes: Different things that a line can be about, the same for both languages.
        lines: Lines of text in each language.
        draws: Mean number of content words drawn for a line; a word drawn twice is written once.
        names: Share of the concepts that are spelt alike in both languages; never the most frequent ones.
        near_cognates: Share of the concepts with the same stem and another suffix.
        false_friends: Spellings that mean a frequent thing in one language and a rare one in the other.
        synonyms: Share of the concepts for which each language has a second word.
        quotations: Share of the lines that quote some words in the other language.
        divergence: How far each language's concepts are from the common ones, their own spread being 1.
        focus: How much a scene prefers some concepts: standard deviation of `scene . concept`.
        latent_dimensions: Length of the latent vectors.
        train_words: Source words in the training dictionary.
        test_words: Source words in the test dictionary.

    Raises:
        JointalignError: If a share is not in 0..1 or a number cannot be met.
    """

    concepts: int = 2400
    function_words: int = 60
    topics: int = 30
    scenes: int = 1000
    lines: int = 22_000
    draws: float = 13.0
    names: float = 0.3
    near_cognates: float = 0.2
    false_friends: int = 40
    synonyms: float = 0.08
    quotations: float = 0.04
    divergence: float = 0.12
    focus: float = 4.0
    latent_dimensions: int = 24
    train_words: int = 800
    test_words: int = 500

    def __post_init__(self) -> None:
        for share in ("names", "near_cognates", "synonyms", "quotations"):
            if not 0 <= getattr(self, share) <= 1:
                raise JointalignError(f"`{share}` is a share in 0..1, got {getattr(self, share)}")
        if self.names + max(self.near_cognates, self.synonyms) > 0.8:
            raise JointalignError(
                "names and near cognates (or synonyms) must leave a fifth of the concepts as they are"
            )
        if 20 * self.false_friends > self.concepts:
            raise JointalignError(
                f"at most one concept in 20 can be a false friend: {self.concepts // 20} of "
                f"{self.concepts}, got {self.false_friends}"
            )
        if min(self.concepts, self.function_words, self.topics, self.scenes, self.lines) < 1:
            raise JointalignError("concepts, function words, topics, scenes and lines start at 1")


DEMO = PairSettings()
"""About 300,000 words of text in each language."""

TINY = PairSettings(
    concepts=300,
    function_words=12,
    topics=8,
    scenes=150,
    lines=3_500,
    false_friends=8,
    latent_dimensions=10,
    train_words=150,
    test_words=100,
)
"""About 45,000 words of text in each language, for tests."""


@dataclass(frozen=True)
class SyntheticPair:
    """Text in two languages and the dictionary that both were made from.

    Args:
        source_lines: Tokens of each line of the source text.
        target_lines: The same of the target text, which is no translation.
        lexicon: All pairs of translations, the most frequent source word first.
        train: Part of the lexicon; shares no source word with `test`.
        test: Another part; both were drawn at random among the most frequent source words.
        cognates: Spellings that mean the same in both languages.
        false_friends: Spellings that mean different things.
    """

    source_lines: Lines
    target_lines: Lines
    lexicon: Pairs
    train: Pairs
    test: Pairs
    cognates: tuple[str, ...]
    false_friends: tuple[str, ...]


@dataclass(frozen=True)
class PairFiles:
    """Where `write` put each part."""

    source: Path
    target: Path
    train: Path
    test: Path
    lexicon: Path


def make_languages(settings: PairSettings = DEMO, seed: int = 0) -> SyntheticPair:
    """Invent two languages and write text in both.

    Args:
        settings: What they are like; default `DEMO`.
        seed: The only source of randomness.

    Raises:
        JointalignError: If the lexicon is too small for the two dictionaries.

    Example:
        >>> pair = make_languages(TINY, seed=0)
        >>> len(pair.source_lines), len({source for source, _ in pair.test})
        (3500, 100)
    """
    for_world, for_words, for_source, for_target, for_split = np.random.default_rng(seed).spawn(5)
    world = _imagine(settings, for_world)
    source, target, false_friends = _name_concepts(world, settings, for_words)
    source_lines = _tell(world, source, target, settings, for_source)
    target_lines = _tell(world, target, source, settings, for_target)
    lexicon = _lexicon(source, target, Counter(chain.from_iterable(source_lines)))
    train, test = _split(lexicon, settings, for_split)
    cognates = tuple(source[world.classes == NAME, 0].tolist())
    return SyntheticPair(source_lines, target_lines, lexicon, train, test, cognates, false_friends)


def write(pair: SyntheticPair, folder: str | Path) -> PairFiles:
    """Write the two texts, one line each, and the dictionaries, one pair each, as UTF-8 files.

    Args:
        pair: What to write.
        folder: Where to; made if it is not there.

    Returns:
        The paths of `source.txt`, `target.txt`, `train.txt`, `test.txt` and `lexicon.txt`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "source": pair.source_lines,
        "target": pair.target_lines,
        "train": pair.train,
        "test": pair.test,
        "lexicon": pair.lexicon,
    }
    paths = {name: folder / f"{name}.txt" for name in contents}
    for name, rows in contents.items():
        _write_rows(paths[name], rows)
    return PairFiles(**paths)


def _write_rows(path: Path, rows: Iterable[tuple[str, ...]]) -> None:
    with atomic(path, "wb") as file:
        file.writelines((" ".join(row) + "\n").encode() for row in rows)
