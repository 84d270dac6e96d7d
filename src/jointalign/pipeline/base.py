"""What a run is told, and what it tells."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jointalign.selection.api import training_seconds
from jointalign.selection.base import FAILED
from jointalign.selection.wishes import Wishes
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.tables import frame
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
        rank: Whether `dictionary.tsv` is the ranked one.
        precision: List as many words as are right so often, e.g. 0.9; `None`: those of probability 0.3.
        keep_marks: Whether a ranked dictionary lists punctuation and digits, too.
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
    precision: float | None = None
    keep_marks: bool = False
    seed: int = 0

    @property
    def stages(self) -> tuple[str, ...]:
        """Names of all stages, in order."""
        apart = ("train_apart",) if self.compares_spaces else ()
        ranked = ("rank", "list") if self.rank else ()
        return ("count", "train", *apart, "align", "induce", *ranked, "evaluate")

    def expected_seconds(self) -> dict[str, float]:
        """Rough time of each stage on one processor, from the sizes of the files and no clock."""
        tokens = sum(_tokens(path) for path in (self.source, self.target))
        words = 20 * tokens**0.5  # both vocabularies
        training = training_seconds(round(tokens), self.trainer.epochs, self.trainer.dimensions)
        fits = 2 if self.test is not None else 1
        known = {
            "count": tokens / 500_000,
            "train": training,
            "train_apart": training,
            "align": 3 * training if self.wishes.automatic else 0.1 * training,
            "induce": words**2 * self.trainer.dimensions / 1e11,
            "rank": fits * words / 800,
            "list": 1.0,
            "evaluate": 5.0 + tokens / 1e6,
        }
        return {name: known[name] for name in self.stages}

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


def _tokens(path: Path) -> float:
    """About how many words a text has: six bytes each, half as many compressed; none if it is no file."""
    if not path.is_file():
        return 0.0
    return path.stat().st_size / (2 if path.suffix in COMPRESSIONS else 6)


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
        listed: The dictionary.
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
    listed: DictionarySize
    ranking: dict[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    def to_frame(self) -> Any:
        """All scores as a pandas data frame, a row for each direction, rule and way of ranking.

        Raises:
            JointalignError: If pandas is not installed.
        """
        return frame(self._rows())

    def _rows(self) -> list[dict[str, Any]]:
        ranking = self.ranking or {}
        ranked = {
            "source_to_target": ranking.get("scores"),
            "target_to_source": ranking.get("scores_reversed"),
        }
        return [
            {"direction": direction, "by": by, "identical": kind.removeprefix("identical_"), "rule": rule}
            | {name: value for name, value in facts.items() if not isinstance(value, list)}
            | {"low": facts["ci"][0], "high": facts["ci"][1]}
            for by, directions in (("csls", self.scores), ("ranked", ranked))
            for direction, kinds in (directions or {}).items()
            for kind, rules in (kinds or {}).items()
            for rule, facts in rules.items()
        ]

    def metrics(self) -> dict[str, float]:
        """Scores and seconds as one flat dict of numbers, as trackers of experiments take them.

        `mlflow.log_metrics(result.metrics())`, `wandb.log(result.metrics())`: names are such as
        `source_to_target.ranked.kept.muse.p_at_1` and `seconds.train`.
        """
        found = {f"seconds.{stage}": seconds for stage, seconds in self.seconds.items()}
        for row in self._rows():
            place = ".".join(row.pop(name) for name in ("direction", "by", "identical", "rule"))
            found |= {
                f"{place}.{name}": value for name, value in row.items() if isinstance(value, int | float)
            }
        return found

    def to_json(self) -> dict[str, Any]:
        """The object that `jointalign run --json` prints."""
        forward = None if self.scores is None else self.scores["source_to_target"]
        return {
            "bli": None if forward is None else forward["identical_kept"],
            "bli_identical_removed": None if forward is None else forward["identical_removed"],
            "bli_reversed": None if self.scores is None else self.scores["target_to_source"],
            **self._ranked(),
            "entries": self.listed.entries,
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
            # What was measured on other pairs of languages says nothing of this one.
            names = ("calibration_error", "candidate_recall")
            ranking = {name: held_out[name] if held_out["own"] else None for name in names}
            ranking["seconds"] = self.seconds["rank"]
        return {
            "bli_ranked": None if scores is None else scores["identical_kept"],
            "bli_ranked_identical_removed": None if scores is None else scores["identical_removed"],
            "bli_ranked_reversed": facts["scores_reversed"],
            "ranking": ranking,
        }

    def table(self) -> str:
        """Five lines for people: what was chosen, how good it is, how long the list, where, what next."""
        aligned = self.folder / "aligned.safetensors"
        following = f"jointalign review {self.folder}; jointalign translate --embedding {aligned} WORD"
        if self.worked is False:
            following = FAILED
        elif self.scores is None and (self.ranking is None or not self.ranking["held_out"]["own"]):
            following += "; a dictionary given by --lexicon or --test would say how good it is"
        return "\n".join(
            [
                f"chosen:   {self._chosen()}",
                f"quality:  {quality(self.scores, self.ranking)}",
                f"entries:  {self._entries()}",
                f"files:    {self.folder}: report.html, dictionary.tsv, aligned.safetensors",
                f"next:     {following}",
            ]
        )

    def _chosen(self) -> str:
        if self.reason.startswith("chosen: "):
            best, _, others = self.reason.removeprefix("chosen: ").partition("; not tried")[0].partition(";")
            precision, *made = best.split()
            joint = "joint training, " if made[0] == "gamma" else ""
            return f"{joint}{' '.join(made)}: P@1 {precision} on held-out pairs{others and ';'}{others}"
        space = self.space if self.gamma is None else f"{self.space}, gamma {self.gamma:g}"
        return f"{space}; {self.method['name']} ({self.reason})"

    def _entries(self) -> str:
        found = f"{self.listed.entries:,} in dictionary.tsv"
        if self.listed.expected is not None:
            found += f", about {self.listed.expected:.0f} in 100 of those not given right, says the ranking"
        return found


def quality(scores: dict[str, Any] | None, ranking: dict[str, Any] | None) -> str:
    """P@1 under the rule that is usually quoted, ranked where it was, and where it was not, why.

    Args:
        scores: As in `RunResult`.
        ranking: Likewise.
    """
    if scores is not None or ranking is None:
        return _quoted(scores, ranking and ranking["scores"])
    held_out = ranking["held_out"]
    if not held_out["own"]:
        return "ranked by what other pairs of languages teach; no test dictionary, so no scores"
    return (
        f"ranked, P@1 {held_out['p_at_1']:.1f} on {held_out['words']:,} training words that nothing had seen "
        f"(CSLS alone {held_out['p_at_1_unranked']:.1f}); no test dictionary"
    )


def _quoted(scores: dict[str, Any] | None, ranked: dict[str, Any] | None) -> str:
    if scores is None:
        return "no test dictionary, so no scores"
    plain = scores["source_to_target"]["identical_kept"]["muse"]
    facts = plain if ranked is None else ranked["identical_kept"]["muse"]
    if facts["p_at_1"] is None:
        return "no test word to count"
    low, high = facts["ci"]
    found = f"P@1 {facts['p_at_1']:.1f} [{low:.1f}, {high:.1f}] on {facts['n']} test words (rule muse)"
    return found if ranked is None else f"{found}, ranked; CSLS alone {plain['p_at_1']:.1f}"


@dataclass(frozen=True)
class DictionarySize:
    """The dictionary of a run.

    Args:
        entries: How many.
        expected: Percentage of entries right, of those not given, by their probabilities; `None`
            where it is not ranked, or all were given.
    """

    entries: int
    expected: float | None
