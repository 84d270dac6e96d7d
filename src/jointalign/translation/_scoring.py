"""Scores of translations; sacreBLEU does the counting."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from jointalign.errors import JointalignError
from jointalign.translation.base import MTResult

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
