"""What all scores share: which there are, and the hubness that lowers them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from array_api_compat import array_namespace

from jointalign.checks import check_fields
from jointalign.errors import JointalignError
from jointalign.numerics.normalize import unit
from jointalign.numerics.topk import Array, Best, log_sums, row_means, top, zeros


class Retrieval(StrEnum):
    """How the translation of a word is found among the target words."""

    NEAREST = "nn"
    CSLS = "csls"
    INVERTED_SOFTMAX = "isf"


@dataclass(frozen=True)
class Score:
    """How a candidate is scored; a function that takes one takes the name of a `Retrieval`, too.

    Args:
        retrieval: Which score.
        neighbourhood: Neighbours in CSLS's `r`; default 10, as in Conneau et al. (2018).
        temperature: Inverse temperature `b` of the inverted softmax; default 30, as in MUSE.

    Raises:
        JointalignError: If there is no such score, or a setting is not positive.

    Example:
        >>> print(Score(), Score("nn"), Score("csls", neighbourhood=5), Score("isf"))
        csls10 nn csls5 isf30
    """

    retrieval: Retrieval | str = Retrieval.CSLS
    neighbourhood: int = 10
    temperature: float = 30.0

    def __post_init__(self) -> None:
        check_fields(self)
        if self.retrieval not in list(Retrieval):
            raise JointalignError(
                f"there is no retrieval '{self.retrieval}'; there are {', '.join(Retrieval)}"
            )
        if not (self.neighbourhood > 0 and self.temperature > 0):
            raise JointalignError(
                "numbers of neighbours and the temperature must be positive, got "
                f"{self.neighbourhood} and {self.temperature}"
            )

    @classmethod
    def of(cls, score: Score | str) -> Score:
        """A score as users name it."""
        return score if isinstance(score, Score) else cls(score)

    @property
    def is_csls(self) -> bool:
        """Whether it is CSLS, of which hubness and density are mean cosines."""
        return self.retrieval is Retrieval.CSLS

    @property
    def scale(self) -> float:
        """What it multiplies the cosine by."""
        if self.retrieval is Retrieval.INVERTED_SOFTMAX:
            return self.temperature
        return 2.0 if self.is_csls else 1.0

    def __str__(self) -> str:
        """The score and the setting that matters to it, as signatures name it."""
        if self.retrieval is Retrieval.INVERTED_SOFTMAX:
            return f"{self.retrieval}{self.temperature:g}"
        return f"{self.retrieval}{self.neighbourhood if self.is_csls else ''}"


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The best candidates of each query, best first.

    Args:
        rows: Rows of the candidates, int64 `(n, k)`.
        scores: Their scores, float32 `(n, k)`.
    """

    rows: Array
    scores: Array


def as_defined(best: Best, score: Score, density: Array) -> Neighbours:
    """What `top` finds, with the scores as the papers define them."""
    scores, rows = best
    xp = array_namespace(scores)
    if score.retrieval is Retrieval.INVERTED_SOFTMAX:
        scores = xp.exp(scores)
    elif score.is_csls:
        scores = scores - density[:, None]
    return Neighbours(rows, xp.astype(scores, xp.float32))


def mean_similarity(x: Array, others: Array, k: int = 10) -> Array:
    """Mean of the `k` highest cosines of each row of `x` and the rows of `others`: CSLS's r.

    Args:
        x: Vectors, `(n, d)`.
        others: Vectors, `(m, d)`; the whole vocabulary of the other language.
        k: How many; default 10, as in Conneau et al. (2018). All of them if there are fewer.

    Returns:
        Means, `(n,)`, of the type of `x`; zeros if there are no others.

    Raises:
        JointalignError: If `k` is not positive or the numbers of dimensions differ.

    Example:
        >>> import numpy as np
        >>> mean_similarity(np.eye(2), np.array([[5.0, 0.0], [0.0, 1.0], [0.0, -1.0]]), k=2)
        array([0.5, 0.5])
    """
    check(x, others, k)
    best, _ = top(unit(x), unit(others), k)
    return row_means(best)


def hubness(candidates: Array, sources: Array, score: Score | str = Retrieval.CSLS) -> Array:
    """What lowers the score of each candidate; keep it to search the same candidates again.

    Args:
        candidates: Target vectors, `(m, d)`.
        sources: Vectors of the whole source vocabulary, `(s, d)`.
        score: That it lowers.

    Returns:
        `(m,)`: `r_S(y)` for CSLS, the logarithm of the denominator for inverted softmax, or
        zeros.

    Raises:
        JointalignError: If the numbers of dimensions differ.
    """
    check(candidates, sources)
    score = Score.of(score)
    if score.retrieval is Retrieval.NEAREST or sources.shape[0] == 0:
        return zeros(candidates)
    if score.is_csls:
        return mean_similarity(candidates, sources, score.neighbourhood)
    return log_sums(unit(candidates) * score.temperature, unit(sources))


def check(x: Array, others: Array, *counts: int) -> None:
    """Refuse vectors of two spaces, and numbers of neighbours that are not positive."""
    if x.ndim != 2 or others.ndim != 2 or x.shape[1] != others.shape[1]:
        raise JointalignError(
            f"expected vectors of one space, (n, d) and (m, d); got {x.shape} and {others.shape}"
        )
    for count in counts:
        if not count > 0:
            raise JointalignError(f"numbers of neighbours must be positive, got {count}")
