"""Scores of translations, by sacreBLEU: of tests, of epochs, and of what translations have to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import regex

from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read_bilingual
from jointalign.retrieval.api import neighbours
from jointalign.translation._text import Segmentation
from jointalign.translation._translator import Translator
from jointalign.translation.base import SPECIAL, MTResult

_TOKENS = regex.compile(r"[\p{L}\p{M}\p{N}]+|[^\s\p{L}\p{M}\p{N}]")


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    direction: str,
    *,
    lowercase: bool = False,
    seconds: float = 0.0,
) -> MTResult:
    """All scores of a test set.

    Args:
        hypotheses: Translations, plain text.
        references: One for each.
        direction: Such as `en-de`.
        lowercase: Whether case is ignored; sacreBLEU's signature says so.
        seconds: Time that the translation took, to be noted.

    Raises:
        JointalignError: If the numbers of lines differ or there is none.

    Example:
        >>> result = score(["the cat sat on the mat"], ["the cat sat on the mat"], "de-en")
        >>> round(result.bleu), round(result.chrf)
        (100, 100)
    """
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if len(hypotheses) != len(references) or not references:
        raise JointalignError(
            f"expected one reference a translation, got {len(references)} and {len(hypotheses)}; "
            "the two files must have the same number of lines"
        )
    bleu, chrf = BLEU(lowercase=lowercase), CHRF(lowercase=lowercase)
    found = bleu.corpus_score(hypotheses, [references])
    characters = chrf.corpus_score(hypotheses, [references])
    words = [[tokenised(line, lowercase) for line in lines] for lines in (hypotheses, references)]
    return MTResult(
        direction,
        found.score,
        tokenised_bleu(*words),
        characters.score,
        len(references),
        str(bleu.get_signature()),
        str(chrf.get_signature()),
        seconds,
    )


def tokenised_bleu(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """BLEU as `multi-bleu.perl` computes it: of text that is cut already, without smoothing.

    It depends on how the text was cut, so it can only be compared with itself.

    Args:
        hypotheses: Tokens with blanks between.
        references: One for each.

    Example:
        >>> tokenised_bleu(["a b c d e"], ["a b c d f"]) < 100
        True
    """
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", force=True, smooth_method="none")
    return metric.corpus_score(hypotheses, [references]).score


def tokenised(line: str, lowercase: bool = False) -> str:
    """A line cut into words and signs.

    Example:
        >>> tokenised("A man, a plan.")
        'A man , a plan .'
    """
    return " ".join(_TOKENS.findall(line.lower() if lowercase else line))


@dataclass(frozen=True)
class Validation:
    """Held-out lines of the two languages.

    Args:
        source: Of the source language.
        target: Of the target language.
        parallel: Whether they are translations of each other, line by line. They then give a BLEU,
            which the paper selects by; it is no longer unsupervised.

    Raises:
        JointalignError: If parallel texts differ in length.
    """

    source: tuple[str, ...] = ()
    target: tuple[str, ...] = ()
    parallel: bool = False

    def __post_init__(self) -> None:
        if self.parallel and len(self.source) != len(self.target):
            raise JointalignError(
                f"validation texts must have one line for each other's, got {len(self.source)} and "
                f"{len(self.target)}"
            )

    @classmethod
    def of(cls, source: Sequence[str], target: Sequence[str]) -> Validation:
        """Translations of each other."""
        return cls(tuple(source), tuple(target), True)


def measured(translator: Translator, validation: Validation) -> dict[str, Any]:
    """The round trip of Lample et al. (2018a, section 3.5), and BLEU where there are references.

    The round trip is the BLEU of a sentence, translated there and back, against itself; mean of
    both languages.
    """
    sides = validation.source, validation.target
    if not all(sides):
        return {}
    names, lowercase = translator.languages, translator.segmentation.lowercase
    ways = [f"{names[0]}-{names[1]}", f"{names[1]}-{names[0]}"]
    there = [translator.translate(lines, way) for lines, way in zip(sides, ways, strict=True)]
    back = [translator.translate(lines, way) for lines, way in zip(there, reversed(ways), strict=True)]
    trips = {
        name: score(found, lines, name, lowercase=lowercase).bleu
        for name, found, lines in zip(names, back, sides, strict=True)
    }
    facts: dict[str, Any] = {
        "round_trip": sum(trips.values()) / 2,
        "round_trips": trips,
        "kept": {way: _kept(*texts) for way, *texts in zip(ways, sides, there, strict=True)},
    }
    if validation.parallel:
        scores = {
            way: score(found, references, way, lowercase=lowercase)
            for way, found, references in zip(ways, there, reversed(sides), strict=True)
        }
        facts["bleu"] = sum(result.bleu for result in scores.values()) / 2
        facts["validation"] = {way: result.to_json() for way, result in scores.items()}
    return facts


def _kept(sources: Sequence[str], translations: Sequence[str]) -> float:
    """Share of the words of the translations that are copied from their source."""
    copied = total = 0
    for source, translation in zip(sources, translations, strict=True):
        known, words = set(source.split()), translation.split()
        copied += sum(word in known for word in words)
        total += len(words)
    return round(copied / total, 4) if total else 0.0


def word_by_word(
    lines: Sequence[str], segmentation: Segmentation, embedding: BilingualEmbedding
) -> list[str]:
    """Each piece becomes its nearest by CSLS; a piece without a vector is copied.

    Args:
        lines: Source text.
        segmentation: Cuts it into pieces.
        embedding: Vectors of the pieces of both languages, in one space.
    """
    source, target = embedding.sides()
    sentences = segmentation.encode(lines)
    rows = {piece: number + SPECIAL for number, piece in enumerate(segmentation.pieces)}
    table = np.arange(segmentation.vocabulary)
    known = [(rows[word], place) for place, word in enumerate(source.words) if word in rows]
    wanted = np.isin([row for row, _ in known], sentences.tokens)
    asked = [pair for pair, kept in zip(known, wanted, strict=True) if kept]
    if asked:
        vectors = source.vectors[[place for _, place in asked]]
        found = neighbours(vectors, target.vectors, 1, sources=source.vectors).rows[:, 0]
        for (row, _), best in zip(asked, found.tolist(), strict=True):
            table[row] = rows.get(target.words[best], row)
    return segmentation.decode([table[tokens] for tokens in sentences])


def baselines(
    translator: Translator, lines: Sequence[str], references: Sequence[str], direction: str, folder: Path
) -> dict[str, MTResult]:
    """Scores of both, for a model and the vectors that lie beside it.

    Args:
        translator: The model.
        lines: Source text.
        references: Its translations.
        direction: Such as `en-de`.
        folder: Where `jointalign mt train` left the vectors; without them there are no words one
            by one.

    Raises:
        JointalignError: If the numbers of lines differ, or the model has not these languages.
    """
    lowercase = translator.segmentation.lowercase
    turned = translator.direction(direction)[0] == 1
    found = {"copied": score(lines, references, direction, lowercase=lowercase)}
    for path in sorted(folder.glob("space.*.safetensors")):
        space = read_bilingual(path)
        space = space.reversed() if turned else space
        words = word_by_word(lines, translator.segmentation, space)
        name = f"word by word, {path.name.split('.')[1]}"
        found[name] = score(words, references, direction, lowercase=lowercase)
    return found
