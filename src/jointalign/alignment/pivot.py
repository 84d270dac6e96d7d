"""Several languages in one space: each is aligned to one of them, the pivot."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from dataclasses import replace

import numpy as np

from jointalign.alignment.api import apply, fit, method_named, noted
from jointalign.alignment.base import Aligner, Mapping, as_numpy
from jointalign.checks import checked
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.multilingual import MultilingualEmbedding, Part
from jointalign.numerics.normalize import unit


@checked
def align_languages(
    space: MultilingualEmbedding,
    method: Aligner | str | MappingType[str, Aligner],
    lexicons: MappingType[str, Lexicon],
    pivot: str,
    *,
    seed: int = 0,
    max_vocabulary: int | None = None,
) -> MultilingualEmbedding:
    """Move each language onto the pivot, which stays where it is.

    Each language is aligned with the pivot as two languages are by `align`: its words that the
    pivot does not have move by its own map; those shared with the pivot stay. So the pair of a
    language and the pivot is the same, to the bit, as if there were no other language.

    A word shared by languages without the pivot cannot stay and cannot move with two maps: it
    becomes a word of each of them, moved by that language's map. It is then no longer shared.

    Args:
        space: The parts, from `reallocate_languages`.
        method: A method that moves the source only (Procrustes, refined Procrustes, RCSLS, MUSE),
            its name for its default settings, or a method for each language but the pivot.
        lexicons: For each language but the pivot, translations of pivot words into it.
        pivot: Code of the language that all others are aligned to.
        seed: The only source of randomness.
        max_vocabulary: Learn from so many of the most frequent words of each language only.

    Returns:
        The same languages; all rows have length one.

    Raises:
        JointalignError: If the pivot is not among the languages, a lexicon is missing or of no use,
            or a method moves the target too.

    Example:
        >>> from jointalign.embedding import Embedding
        >>> from jointalign.vocabulary import Vocabulary
        >>> def part(language, words, vectors):
        ...     embedding = Embedding(Vocabulary(words), np.array(vectors, np.float32))
        ...     return Part((language,), embedding, np.ones((len(words), 1), np.int64))
        >>> space = MultilingualEmbedding(("en", "es", "de"), (
        ...     part("en", ("cat", "dog"), [[1, 0], [0, 1]]),
        ...     part("es", ("gato", "perro"), [[0, 1], [1, 0]]),
        ...     part("de", ("katze", "hund"), [[-1, 0], [0, 1]]),
        ... ))
        >>> lexicons = {"es": Lexicon((("cat", "gato"), ("dog", "perro"))),
        ...             "de": Lexicon((("cat", "katze"), ("dog", "hund")))}
        >>> aligned = align_languages(space, "procrustes", lexicons, pivot="en")
        >>> aligned.pair("es", "de").source.vector("gato").round(3).tolist()
        [1.0, 0.0]
        >>> aligned.pair("es", "de").target.vector("katze").round(3).tolist()
        [1.0, 0.0]
    """
    others = others_than(pivot, space.languages, lexicons)
    methods = {code: _method(method, code) for code in others}
    for chosen in methods.values():
        check_pivot_method(chosen)
    parts = [_pivot_part(part) for part in space.parts if pivot in part.languages]
    for language in others:
        chosen = methods[language]
        pair = space.pair(language, pivot)
        mapping = fit(pair, chosen, lexicons[language].reversed(), seed=seed, max_vocabulary=max_vocabulary)
        _check_one_sided(mapping, chosen)
        own = apply(mapping, pair, noted(chosen, seed) | {"align.pivot": pivot}).source_only
        parts.append(Part((language,), own, own.vocabulary.counts[:, np.newaxis]))
    return MultilingualEmbedding(space.languages, tuple(parts))


def others_than(
    pivot: str, languages: tuple[str, ...], lexicons: MappingType[str, Lexicon]
) -> tuple[str, ...]:
    """The languages to be moved.

    Raises:
        JointalignError: If the pivot is not among the languages, or they and the lexicons differ.
    """
    if pivot not in languages:
        raise JointalignError(f"the pivot '{pivot}' is not among {', '.join(languages)}")
    others = tuple(code for code in languages if code != pivot)
    if set(others) != set(lexicons):
        raise JointalignError(
            f"expected one lexicon from '{pivot}' into each of {', '.join(others)}; "
            f"got lexicons for {', '.join(sorted(lexicons)) or 'none'}"
        )
    return others


def check_pivot_method(method: Aligner) -> None:
    """Find out before any learning whether a method can leave the pivot where it is.

    Its map is looked at again when it has learnt.

    Raises:
        JointalignError: If it moves the target.
    """
    if method.moves_target:
        raise _two_sided(method)


def _method(method: Aligner | str | MappingType[str, Aligner], language: str) -> Aligner:
    if isinstance(method, MappingType):
        if language not in method:
            raise JointalignError(f"there is no method for '{language}'; name one for each")
        return method[language]
    return method_named(method) if isinstance(method, str) else method


def _pivot_part(part: Part) -> Part:
    # Twice, as `apply` does before and after a map, so that the bits are those of two languages.
    vectors = unit(unit(np.asarray(part.embedding.vectors)))
    return replace(part, embedding=replace(part.embedding, vectors=vectors))


def _check_one_sided(mapping: Mapping, method: Aligner) -> None:
    target = as_numpy(mapping.target)
    if mapping.target_means or not np.array_equal(target, np.eye(len(target), dtype=target.dtype)):
        raise _two_sided(method)


def _two_sided(method: Aligner) -> JointalignError:
    return JointalignError(
        f"{type(method).__name__} moves the target too, for each language elsewhere, and the "
        "pivot can be in one place only; take procrustes, refined, rcsls or muse"
    )
