"""What a study is told: languages, methods and seeds, and where its data lies."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jointalign.errors import JointalignError
from jointalign.ner import TaggerFitSettings, TaggerSettings
from jointalign.storage.tables import frame
from jointalign.study._outputs import tidy
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
        max_vocabulary: Words of each language that queries are answered from (200,000: MUSE), and
            that alignment without a dictionary learns from (Table 3).
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


@dataclass(frozen=True)
class StudyResult:
    """A table.

    Args:
        table: Its name, e.g. `table1`.
        facts: All of it as plain types, as in the JSON file.
        markdown: For people.
        files: What was written.
        latex: For papers.
        csv: All numbers, a row for each cell and rule.
    """

    table: str
    facts: dict[str, Any]
    markdown: str
    files: tuple[Path, ...]
    latex: str = ""
    csv: str = ""

    def to_frame(self) -> Any:
        """All numbers as a pandas data frame, a row for each cell and rule, or epoch and direction.

        Raises:
            JointalignError: If pandas is not installed.
        """
        return frame(tidy(self.facts))


@dataclass(frozen=True)
class NERStudySettings:
    """Everything that decides the numbers of Table 3 besides the trainings.

    Args:
        source: Language that taggers learn from.
        targets: Languages that they are used in.
        rows: Names of rows; empty for all.
        sentences: Learn from so many, drawn at random; `None` for all.
        development: Decide when to stop on so many, likewise.
        tagger: The network.
        fit: Its learning.
        select_on_target: Whether the target's development text decides when to stop, as in the
            released code; otherwise the source's.

    Raises:
        JointalignError: If there is no target, or it is the source.
    """

    source: str = "en"
    targets: tuple[str, ...] = ("es", "de")
    rows: tuple[str, ...] = ()
    sentences: int | None = None
    development: int | None = None
    tagger: TaggerSettings = field(default_factory=TaggerSettings)
    fit: TaggerFitSettings = field(default_factory=TaggerFitSettings)
    select_on_target: bool = False

    def __post_init__(self) -> None:
        if not self.targets:
            raise JointalignError("there is no language to use taggers in; name one, e.g. es")
        for target in self.targets:
            Pair.parse(f"{self.source}-{target}")

    def of_a_cell(self) -> dict[str, Any]:
        """What decides the content of a cell: all but which cells there are."""
        settings = asdict(self)
        for name in ("targets", "rows"):
            del settings[name]
        return settings
