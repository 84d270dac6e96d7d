"""Invents two languages, has each tell of the same world, and writes the dictionaries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, pairwise
from pathlib import Path

import numpy as np

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.storage.files import atomic
from jointalign.synthetic._meaning import NAME, Text, imagine, tell
from jointalign.synthetic._spelling import spell
from jointalign.synthetic.base import DEMO, Lines, PairFiles, PairSettings, SyntheticPair

_SECOND_WORD = 0.35  # how often a concept with two words is called by the second


def make_languages(settings: PairSettings = DEMO, seed: int = 0) -> SyntheticPair:
    """Invent two languages and write text in both.

    Args:
        settings: What they are like; default `DEMO`.
        seed: The only source of randomness.

    Raises:
        JointalignError: If there are too few words for the dictionaries asked for.

    Example:
        >>> from jointalign.synthetic import TINY
        >>> pair = make_languages(TINY, seed=0)
        >>> len(pair.source_lines), len(pair.train.sources), len(pair.test.sources)
        (3500, 150, 100)
    """
    streams = np.random.default_rng(seed).spawn(5)
    for_world, for_spelling, for_source, for_target, for_split = streams
    world = imagine(settings, for_world)
    spelling = spell(world, settings, for_spelling)
    source, target = spelling.source, spelling.target
    source_text, target_text = (tell(world, settings, rng) for rng in (for_source, for_target))
    source_lines = _written(source_text, source, target, for_source)
    target_lines = _written(target_text, target, source, for_target)
    counts = Counter(chain.from_iterable(source_lines))
    lexicon = _lexicon(source, target, counts)
    train, test = _dictionaries(lexicon, settings, for_split)
    return SyntheticPair(
        source_lines=source_lines,
        target_lines=target_lines,
        lexicon=lexicon,
        train=train,
        test=test,
        cognates=tuple(source[world.classes == NAME, 0].tolist()),
        false_friends=spelling.false_friends,
    )


def write(pair: SyntheticPair, folder: str | Path) -> PairFiles:
    """Write the texts and dictionaries as UTF-8 files: `source.txt`, `train.txt` and so on.

    Args:
        pair: What to write.
        folder: Where to; made if it is not there.

    Raises:
        JointalignError: If a file cannot be written.

    Example:
        >>> import tempfile
        >>> from jointalign.synthetic import TINY
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write(make_languages(TINY), folder)
        ...     len(Lexicon.read(files.test).sources)
        100
    """
    folder = Path(folder)
    return PairFiles(
        source=_write_rows(folder / "source.txt", pair.source_lines),
        target=_write_rows(folder / "target.txt", pair.target_lines),
        train=_write_rows(folder / "train.txt", pair.train.pairs),
        test=_write_rows(folder / "test.txt", pair.test.pairs),
        lexicon=_write_rows(folder / "lexicon.txt", pair.lexicon.pairs),
    )


def _write_rows(path: Path, rows: Iterable[Iterable[str]]) -> Path:
    with atomic(path, "w") as file:
        file.writelines(" ".join(row) + "\n" for row in rows)
    return path


def _written(text: Text, own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> Lines:
    """Spell a text in one language, its quotations in the other."""
    choice = (rng.random(len(text.concepts)) < _SECOND_WORD).astype(np.int64)
    words = np.where(text.quoted, other[text.concepts, choice], own[text.concepts, choice]).tolist()
    limits = [0, *text.line_ends.tolist()]
    return tuple(tuple(words[start:end]) for start, end in pairwise(limits))


def _lexicon(source: np.ndarray, target: np.ndarray, counts: Mapping[str, int]) -> Lexicon:
    """All pairs of words for one concept, the most frequent source word first."""
    pairs = [
        (source_word, target_word)
        for source_words, target_words in zip(source.tolist(), target.tolist(), strict=True)
        for source_word in dict.fromkeys(source_words)
        for target_word in dict.fromkeys(target_words)
    ]
    return Lexicon(tuple(sorted(pairs, key=lambda pair: (-counts[pair[0]], pair[0]))))


def _dictionaries(
    lexicon: Lexicon, settings: PairSettings, rng: np.random.Generator
) -> tuple[Lexicon, Lexicon]:
    """Training and test pairs, from the most frequent source words, still in their order."""
    wanted = settings.train_words + settings.test_words
    if wanted > len(lexicon.sources):
        raise JointalignError(
            f"{settings.train_words} + {settings.test_words} words wanted in the dictionaries, "
            f"but the source language has {len(lexicon.sources)}; ask for fewer or raise concepts"
        )
    chosen = lexicon.sources[:wanted]
    tested = {chosen[row] for row in rng.choice(wanted, settings.test_words, replace=False)}
    trained = set(chosen) - tested
    train = tuple(pair for pair in lexicon.pairs if pair[0] in trained)
    test = tuple(pair for pair in lexicon.pairs if pair[0] in tested)
    return Lexicon(train), Lexicon(test)
