"""Alignment of embeddings with words: the layer that turns words into rows for the methods."""

from __future__ import annotations

import logging
from collections.abc import Mapping as MappingType
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from jointalign.alignment._verdict import is_chance, looks_failed
from jointalign.alignment.base import Aligner, Mapping, as_numpy
from jointalign.alignment.registry import METHODS, check_extras, method_named, method_names
from jointalign.checks import checked
from jointalign.embedding import BilingualEmbedding, Embedding, Setting
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.numerics.normalize import recentred, unit

__all__ = [
    "METHODS",
    "PairReport",
    "align",
    "apply",
    "check_extras",
    "first",
    "fit",
    "flat",
    "is_chance",
    "looks_failed",
    "method_named",
    "method_names",
    "noted",
    "training_arrays",
    "training_pairs",
    "usable_pairs",
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairReport:
    """What became of a dictionary's pairs when an alignment was learnt from it.

    Args:
        given: Pairs in the dictionary.
        used: Pairs of a word of the source alone and a word of the target alone.
        shared: Pairs with both words known, one of them at least in the shared part: it has one
            vector in both languages and nothing to learn from, as in the authors' code.
        source_unknown: Pairs whose source word has no vector on the source side.
        target_unknown: Pairs whose target word has none on the target side; a pair may be in both.
        respelt: Of the used pairs, those that the vectors spell in another way, as in capitals.
    """

    given: int
    used: int
    shared: int
    source_unknown: int
    target_unknown: int
    respelt: int = 0

    def to_json(self) -> dict[str, int]:
        """All of it as plain types."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        respelt = f" ({self.respelt} in the vectors' other spelling)" if self.respelt else ""
        return (
            f"{self.used} of {self.given} dictionary pairs used{respelt}; left out: {self.shared} with a "
            f"shared word, {self.source_unknown} with an unknown source word, "
            f"{self.target_unknown} with an unknown target word"
        )


def training_pairs(bilingual: BilingualEmbedding, lexicon: Lexicon) -> tuple[np.ndarray, PairReport]:
    """Find a dictionary's pairs among the words that alignment can move against each other.

    Returns:
        Row numbers into `source_only` and `target_only`, int64 `(k, 2)`, and what was left out.
    """
    own = bilingual.source_only.vocabulary, bilingual.target_only.vocabulary
    source_rows, target_rows = lexicon.rows_of(*own)
    source_shared, target_shared = lexicon.rows_of(bilingual.shared.vocabulary, bilingual.shared.vocabulary)
    used = shared = source_unknown = target_unknown = respelt = 0
    for source, target in lexicon:
        in_source, in_target = source in source_rows, target in target_rows
        source_known = in_source or source in source_shared
        target_known = in_target or target in target_shared
        used += in_source and in_target
        shared += source_known and target_known and not (in_source and in_target)
        source_unknown += not source_known
        target_unknown += not target_known
        if in_source and in_target:
            found = own[0].words[source_rows[source]], own[1].words[target_rows[target]]
            respelt += found != (source, target)
    report = PairReport(len(lexicon), used, shared, source_unknown, target_unknown, respelt)
    return lexicon.rows(*own), report


@checked
def align(
    bilingual: BilingualEmbedding,
    method: Aligner | str,
    lexicon: Lexicon | None = None,
    *,
    seed: int = 0,
    max_vocabulary: int | None = None,
) -> BilingualEmbedding:
    """Bring source and target into one space: learn from the dictionary, then move all words.

    Shared words keep their place relative to the target's (section 3.1 of the paper: they are left
    untouched; methods that move both sides move them along with the target). All rows of the result
    have length one. The authors' released code normalises the source side only, so that its merged
    table has mixed lengths; cosines do not see that, NER and translation models do.

    N-gram tables move too, so unseen words stay comparable.

    Args:
        bilingual: The parts, from `reallocate` or `BilingualEmbedding.separate`.
        method: A method, or its name for its default settings.
        lexicon: Seed dictionary; `None` for methods that need none.
        seed: The only source of randomness.
        max_vocabulary: Learn from so many of the most frequent words of each side only; all words
            move. `None`: all.

    Raises:
        JointalignError: If the method is unknown, needs a dictionary and has none, or no pair of
            the dictionary is in the vocabulary.

    Example:
        >>> from jointalign.vocabulary import Vocabulary
        >>> spanish = Embedding(Vocabulary(("gato", "perro")), np.eye(2, dtype=np.float32))
        >>> english = Embedding(Vocabulary(("cat", "dog")), np.eye(2, dtype=np.float32)[::-1])
        >>> lexicon = Lexicon((("cat", "gato"), ("dog", "perro")))
        >>> separate = BilingualEmbedding.separate(english, spanish, "en", "es")
        >>> align(separate, "procrustes", lexicon).source.vector("cat")
        array([1., 0.], dtype=float32)
    """
    chosen = method_named(method) if isinstance(method, str) else method
    mapping = fit(bilingual, chosen, lexicon, seed=seed, max_vocabulary=max_vocabulary)
    return apply(mapping, bilingual, noted(chosen, seed))


@checked
def fit(
    bilingual: BilingualEmbedding,
    method: Aligner | str,
    lexicon: Lexicon | None = None,
    *,
    seed: int = 0,
    max_vocabulary: int | None = None,
) -> Mapping:
    """The first half of `align`: learn a mapping, move nothing. Arguments and errors as there."""
    chosen = method_named(method) if isinstance(method, str) else method
    return chosen.fit(*training_arrays(first(bilingual, max_vocabulary), lexicon), seed=seed)


def training_arrays(
    bilingual: BilingualEmbedding, lexicon: Lexicon | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """What a method's `fit` takes: unit rows `(n, d)` and `(m, d)`, and pairs `(k, 2)`.

    Raises:
        JointalignError: If there is a dictionary, but none of its pairs is in the vocabulary.
    """
    pairs = None if lexicon is None else usable_pairs(bilingual, lexicon)
    return unit(bilingual.source_only.vectors), unit(bilingual.target_only.vectors), pairs


def first(bilingual: BilingualEmbedding, max_vocabulary: int | None) -> BilingualEmbedding:
    """The same with only the most frequent words of either language alone; shared words stay."""
    return replace(
        bilingual,
        source_only=bilingual.source_only.first(max_vocabulary),
        target_only=bilingual.target_only.first(max_vocabulary),
    )


def usable_pairs(bilingual: BilingualEmbedding, lexicon: Lexicon) -> np.ndarray:
    """Row numbers as `training_pairs` finds them, int64 `(k, 2)`, of which there are some.

    Raises:
        JointalignError: If no pair can be learnt from.
    """
    pairs, report = training_pairs(bilingual, lexicon)
    logger.info("%s", report)
    if not len(pairs):
        raise JointalignError(
            f"none of the {report.given} dictionary pairs can be learnt from: "
            f"{report.source_unknown} source words and {report.target_unknown} target words are "
            f"unknown, {report.shared} pairs have a shared word; check that the dictionary is in "
            "the order source, target, and lower-cased like the embeddings, or raise "
            "max_vocabulary or lower gamma"
        )
    return pairs


@checked
def apply(
    mapping: Mapping, bilingual: BilingualEmbedding, settings: MappingType[str, Any] | None = None
) -> BilingualEmbedding:
    """The second half of `align`: move all words and n-grams by a mapping.

    Args:
        mapping: Learnt by `fit`, or by a method on arrays.
        bilingual: What to move; need not be what the mapping was learnt from.
        settings: Noted in the settings of all three parts.
    """
    source = as_numpy(mapping.source), tuple(map(as_numpy, mapping.source_means))
    target = as_numpy(mapping.target), tuple(map(as_numpy, mapping.target_means))
    noted = settings or {}
    return replace(
        bilingual,
        source_only=_moved(bilingual.source_only, *source, noted),
        target_only=_moved(bilingual.target_only, *target, noted),
        shared=_moved(bilingual.shared, *target, noted),
    )


def _moved(
    part: Embedding,
    matrix: np.ndarray,
    means: tuple[np.ndarray, ...],
    settings: MappingType[str, Setting],
    block: int = 16384,
) -> Embedding:
    vectors = np.empty((len(part), matrix.shape[1]), np.float32)
    for start in range(0, len(part), block):
        rows = slice(start, start + block)
        vectors[rows] = unit(recentred(part.vectors[rows], means) @ matrix)
    subwords = None if part.subwords is None else part.subwords.moved(matrix, means)
    settings = {**part.settings, **settings}
    return replace(part, vectors=vectors, subwords=subwords, settings=settings)


def flat(facts: MappingType[str, Any], prefix: str = "") -> dict[str, Setting]:
    """Settings of a method, those of a method inside it too: `method.learning_rate`."""
    found: dict[str, Setting] = {}
    for name, value in facts.items():
        if isinstance(value, MappingType):
            found |= flat(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value if isinstance(value, str | int | float | None) else str(value)
    return found


def noted(method: Aligner, seed: int) -> dict[str, Setting]:
    """How a result was made, for the native file: the method's name and fields, and the seed."""
    name = type(method).__name__.lower()
    fields = {f"align.{k}": v for k, v in flat(asdict(method)).items()}  # type: ignore[call-overload]
    return {"align.method": name} | fields | {"align.seed": seed}
