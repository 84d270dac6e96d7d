"""What a study is told: languages, methods and seeds, and where its data lies."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from jointalign.errors import JointalignError
from jointalign.training.skipgram import SkipGram


@dataclass(frozen=True)
class Pair:
    """Two languages.

    Example:
        >>> Pair.parse("en-es").reversed()
        Pair(source='es', target='en')
    """

    source: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Pair:
        """Read `en-es`.

        Raises:
            JointalignError: If it is no pair of two language codes.
        """
        codes = text.strip().split("-")
        if len(codes) != 2 or not all(re.fullmatch("[a-z]{2,3}", code) for code in codes):
            raise JointalignError(f"expected two language codes such as 'en-es', got '{text}'")
        if codes[0] == codes[1]:
            raise JointalignError(f"expected two different languages, got '{text}'")
        return cls(*codes)

    def reversed(self) -> Pair:
        """The other direction."""
        return Pair(self.target, self.source)

    def __str__(self) -> str:
        return f"{self.source}-{self.target}"


@dataclass(frozen=True)
class StudySettings:
    """Everything that decides the numbers of a study.

    Args:
        data: Folder with `mono/NAME.LANGUAGE.txt`, compressed or not, and `lexicons/` with MUSE's
            `en-es.0-5000.txt` (training) and `en-es.5000-6500.txt` (test).
        pairs: Languages; both directions of each are studied.
        methods: Names of the rows' methods; empty for all.
        seeds: Number of trainings of everything, with the seeds 0, 1, ...
        corpus: NAME of the texts; `None` where a pair has only one.
        tokens: Read only about so many tokens of each language; `None` for all.
        trainer: Settings of all trainings.
        max_vocabulary: Words of each language that queries are answered from (200,000: MUSE).
    """

    data: Path
    pairs: tuple[Pair, ...]
    methods: tuple[str, ...] = ()
    seeds: int = 3
    corpus: str | None = None
    tokens: int | None = None
    trainer: SkipGram = field(default_factory=SkipGram)
    max_vocabulary: int = 200_000

    def __post_init__(self) -> None:
        if not self.pairs:
            raise JointalignError("there is no pair of languages to study; name one, e.g. en-es")
        for name in ("seeds", "tokens", "max_vocabulary"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise JointalignError(f"{name} must be at least 1, got {value}")
