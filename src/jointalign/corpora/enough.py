"""Whether there is text enough for vectors that can be trusted."""

from __future__ import annotations

from collections.abc import Iterable

from jointalign.vocabulary import Counts

ENOUGH_TOKENS = 1_000_000
"""Of a language. Two trainings on English and Spanish novels, and Procrustes, translate 4 of 100 test
words that have vectors from the first million tokens, 26 from the first five million (`studies/`)."""


def little_text(texts: Iterable[tuple[str, Counts]]) -> list[str]:
    """Warnings for texts that are too small for vectors of more than the most frequent words.

    Args:
        texts: The language of each, and its counts.

    Example:
        >>> little_text([("es", Counts.from_pairs([("el", 1200)]))])
        ["little text in 'es': 1,200 tokens. Below about 1,000,000 few words get vectors that can be
        trusted; more text helps more than any setting"]
    """
    return [
        f"little text in '{language}': {counts.total:,} tokens. Below about {ENOUGH_TOKENS:,} few words get "
        "vectors that can be trusted; more text helps more than any setting"
        for language, counts in texts
        if counts.total < ENOUGH_TOKENS
    ]
