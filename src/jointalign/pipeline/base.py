"""What a run is told, and what it tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jointalign.selection.base import FAILED
from jointalign.selection.wishes import Wishes
from jointalign.training.skipgram import SkipGram


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides the result of a run.

    Args:
        source: Text of the source language, one sentence or paragraph a line.
        target: Text of the target language.
        lexicon: Training dictionary, "source target" a line; `None` to align without one.
        test: Test dictionary; `None` for no scores.
        source_language: Code, e.g. `en`; decides how words are cut.
        target_language: Code.
        wishes: Alignment method, its settings, and gamma; what is left open is chosen on a
            held-out slice of the training dictionary.
        trainer: Settings of the joint training.
        tokenized: Whether the words of both texts are already cut, at white space.
        lowercase: Whether to lower-case text and dictionaries.
        max_vocabulary: Words of each language that queries are answered from (200,000: MUSE).
        rank: Whether `dictionary.tsv` is the ranked one, where there is something to learn that from.
        seed: The only source of randomness.
    """

    source: Path
    target: Path
    lexicon: Path | None
    test: Path | None = None
    source_language: str = "en"
    target_language: str = "es"
    wishes: Wishes = field(default_factory=Wishes)
    trainer: SkipGram = field(default_factory=SkipGram)
    tokenized: bool = False
    lowercase: bool = True
    max_vocabulary: int = 200_000
    rank: bool = True
    seed: int = 0

    @property
    def ranks(self) -> bool:
        """Whether the dictionary is ranked: that is learnt from one."""
        return self.rank and self.lexicon is not None

    @property
    def compares_spaces(self) -> bool:
        """Whether two separate trainings are tried, too; a gamma that is given asks for a joint."""
        open_wish = self.wishes.automatic and self.wishes.gamma is None
        return open_wish and self.lexicon is not None

    def described(self) -> dict[str, Any]:
        """All settings as plain types, those of the trainer and the method among them."""
        facts = asdict(self)
        facts |= {f"trainer.{name}": value for name, value in facts.pop("trainer").items()}
        facts |= {f"wishes.{name}": value for name, value in facts.pop("wishes").items()}
        facts |= {f"method.{name}": value for name, value in facts.pop("wishes.settings").items()}
        return {
            name: str(value.resolve()) if isinstance(value, Path) else value for name, value in facts.items()
        }


@dataclass(frozen=True)
class RunResult:
    """What a run found.

    Args:
        folder: Where its files are.
        space: `joint`, `separate`, or `joint and separate` for both side by side.
        gamma: Used for reallocation; `None` where two separate trainings were better.
        method: The alignment method with its settings.
        reason: Why both, in words.
        worked: Whether the alignment can be trusted: without a dictionary, whether two ways to it agree, and
            with one, whether held-out words are translated better than by chance; `None` where nothing
            was held out.
        scores: Scores by direction, identical pairs kept or removed, and rule; `None` without test.
        seconds: Time of each stage when it was done.
        peak_memory_mb: Largest memory of all stages; `None` where the system cannot say.
        ranking: Held-out figures and scores of the ranking, or why there is none; `None` if not asked for.
        warnings: Why its figures can't carry much weight: little text, few pairs, low coverage.
    """

    folder: Path
    space: str
    gamma: float | None
    method: dict[str, Any]
    reason: str
    worked: bool | None
    scores: dict[str, Any] | None
    seconds: dict[str, float]
    peak_memory_mb: float | None
    ranking: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The object that `jointalign run --json` prints."""
        forward = None if self.scores is None else self.scores["source_to_target"]
        return {
            "bli": None if forward is None else forward["identical_kept"],
            "bli_identical_removed": None if forward is None else forward["identical_removed"],
            "bli_reversed": None if self.scores is None else self.scores["target_to_source"],
            **self._ranked(),
            "space": self.space,
            "gamma": self.gamma,
            "method": self.method,
            "reason": self.reason,
            "worked": self.worked,
            "seconds": self.seconds,
            "peak_memory_mb": self.peak_memory_mb and round(self.peak_memory_mb, 1),
            "out": str(self.folder),
        }

    def _ranked(self) -> dict[str, Any]:
        facts = self.ranking or {"scores": None, "scores_reversed": None, "held_out": None}
        scores, held_out = facts["scores"], facts["held_out"]
        ranking = None
        if held_out is not None:
            figures = {name: held_out[name] for name in ("calibration_error", "candidate_recall")}
            ranking = figures | {"seconds": self.seconds["rank"]}
        return {
            "bli_ranked": None if scores is None else scores["identical_kept"],
            "bli_ranked_identical_removed": None if scores is None else scores["identical_removed"],
            "bli_ranked_reversed": facts["scores_reversed"],
            "ranking": ranking,
        }

    def table(self) -> str:
        """Scores for people, a line a rule."""
        space = self.space if self.gamma is None else f"{self.space}, gamma {self.gamma:g}"
        lines = [f"{space}, {self.method['name']}", self.reason]
        if self.worked is False:
            lines.append(FAILED)
        if self.scores is None:
            lines.append("no test dictionary, so no scores")
        for direction, tables in (self.scores or {}).items():
            lines.append(f"{direction.replace('_', ' ')}, CSLS")
            for identical, rules in tables.items():
                lines += [_line(identical, rule, facts) for rule, facts in rules.items()]
        if self.ranking is not None:
            lines.append(ranked_line(self.ranking, self.scores))
        lines.append(f"{self.folder}: aligned.safetensors, dictionary.tsv, report.html")
        return "\n".join(lines)


def _line(identical: str, rule: str, facts: dict[str, Any]) -> str:
    if facts["p_at_1"] is None:
        return f"  {rule:<9} {identical.replace('_', ' '):<18} no word to count"
    low, high = facts["ci"]
    return (
        f"  {rule:<9} {identical.replace('_', ' '):<18} P@1 {facts['p_at_1']:5.1f} "
        f"[{low:.1f}, {high:.1f}]  P@5 {facts['p_at_5']:5.1f}  P@10 {facts['p_at_10']:5.1f}  "
        f"MRR {facts['mrr']:5.1f}  n {facts['n']}  coverage {facts['coverage']:.1f}"
    )


def ranked_line(ranking: dict[str, Any], scores: dict[str, Any] | None) -> str:
    """What ranking gives beside CSLS.

    Args:
        ranking: As in `RunResult`.
        scores: Those of CSLS.
    """
    held_out, ranked = ranking["held_out"], ranking["scores"]
    if held_out is None:
        return f"not ranked: {ranking['reason']}"
    if scores is None or ranked is None:
        first, plain, where = held_out["p_at_1"], held_out["p_at_1_unranked"], "held-out training words"
    else:
        tables = ranked, scores["source_to_target"]
        first, plain = (table["identical_kept"]["muse"]["p_at_1"] for table in tables)
        where = "test words, rule muse"
    if first is None or plain is None:
        return "ranked: no test word to count"
    return f"ranked: P@1 {first:.1f} (CSLS {plain:.1f}), {where}"
