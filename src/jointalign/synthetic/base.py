"""What a pair of artificial languages is made from, and what it consists of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ranges import check_ranges, within

Lines = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PairSettings:
    """What the two languages and their texts are like.

    The paper has no such data. The defaults were chosen so that the vectors of one language are
    fine enough to tell words apart, not only topics.

    Args:
        concepts: Concepts named by content words; 40 % of the nouns have a plural besides.
        function_words: Words such as "the" and "of".
        topics: Groups of related concepts.
        scenes: Different things that a line can be about, the same in both languages.
        lines: Lines of text in each language.
        draws: Mean number of content words drawn for a line; one drawn twice is written once.
        names: Share of the concepts that are spelt alike; never among the most frequent.
        near_cognates: Share of the concepts with the same stem and another suffix.
        false_friends: Spellings that mean a frequent thing in one language, a rare one in the
            other.
        synonyms: Share of the concepts for which each language has a second word.
        quotations: Share of the lines that quote some words of the other language.
        divergence: How far each language's idea of a concept is from the common one; concepts
            themselves have spread 1.
        focus: How much a scene prefers some concepts: standard deviation of their log weights.
        dimensions: Length of the latent vectors of concepts and scenes.
        train_words: Source words in the training dictionary.
        test_words: Source words in the test dictionary.

    Raises:
        JointalignError: If a share is not in 0..1 or a number cannot be met.
    """

    concepts: int = within(2400, least=1)
    function_words: int = within(60, least=1)
    topics: int = within(50, least=1)
    scenes: int = within(1000, least=1)
    lines: int = within(22_000, least=1)
    draws: float = 13.0
    names: float = within(0.33, least=0, most=1)
    near_cognates: float = within(0.35, least=0, most=1)
    false_friends: int = 40
    synonyms: float = within(0.08, least=0, most=1)
    quotations: float = within(0.04, least=0, most=1)
    divergence: float = 0.2
    focus: float = 4.0
    dimensions: int = within(24, least=1)
    train_words: int = 800
    test_words: int = 500

    def __post_init__(self) -> None:
        check_ranges(self)
        if self.names + max(self.near_cognates, self.synonyms) > 0.8:
            raise JointalignError(
                "names and near cognates (or synonyms) together must leave a fifth of the concepts"
            )
        if self.false_friends * 60 > self.concepts:
            raise JointalignError(
                f"{self.concepts} concepts allow {self.concepts // 60} false friends, "
                f"got {self.false_friends}"
            )


DEMO = PairSettings()
"""About 300,000 words of text in each language."""

TINY = PairSettings(
    concepts=320,
    function_words=12,
    topics=10,
    scenes=160,
    lines=3_500,
    false_friends=5,
    quotations=0.02,
    dimensions=10,
    train_words=150,
    test_words=100,
)
"""About 45,000 words of text in each language, for tests."""


@dataclass(frozen=True)
class SyntheticPair:
    """Text in two languages, and the dictionary behind it.

    Args:
        source_lines: Words of each line of the source text.
        target_lines: Words of each line of the target text, which is no translation.
        lexicon: All translations, the most frequent source word first.
        train: Part of the lexicon; has no source word in common with `test`.
        test: Another part; both are drawn at random from the most frequent source words.
        cognates: Spellings that mean the same in both languages.
        false_friends: Spellings that mean different things.
    """

    source_lines: Lines
    target_lines: Lines
    lexicon: Lexicon
    train: Lexicon
    test: Lexicon
    cognates: tuple[str, ...]
    false_friends: tuple[str, ...]


@dataclass(frozen=True)
class PairFiles:
    """Where the parts of a pair were written: text a line, dictionaries a pair a line."""

    source: Path
    target: Path
    train: Path
    test: Path
    lexicon: Path
