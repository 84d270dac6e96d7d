"""One number of a table each: a system in one direction, from one seed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jointalign.alignment.api import apply, fit, looks_failed, method_named
from jointalign.alignment.base import Aligner
from jointalign.bli import BLIResult, Conditions, Identical, OutOfVocabulary, evaluate_parts
from jointalign.embedding import BilingualEmbedding
from jointalign.lexicon import Lexicon
from jointalign.ranking.api import FittedRanker, Ranker
from jointalign.reallocation import reallocate
from jointalign.selection.api import FIRST_GAMMA, choose
from jointalign.selection.base import Choice, Spaces, described
from jointalign.storage.facts import REMOVE, read_json
from jointalign.storage.files import atomic
from jointalign.storage.stages import Stages
from jointalign.study._rows import Anchors, Row, Space, rows_named
from jointalign.study._trainings import Trainings
from jointalign.study.base import Pair, StudySettings
from jointalign.version import __version__

RULES = (OutOfVocabulary.PAPER, OutOfVocabulary.MUSE)


@dataclass(frozen=True)
class Place:
    """A column of a table and a seed.

    Args:
        pair: Source and target.
        seed: Of the trainings and the method.
    """

    pair: Pair
    seed: int

    def __str__(self) -> str:
        return f"{self.pair}.seed{self.seed}"


def kept(
    stages: Stages,
    name: str,
    settings: Mapping[str, Any],
    work: Callable[[], dict[str, Any]],
    after: Sequence[str] = (),
    more: Sequence[str] = (),
) -> dict[str, Any]:
    """What a stage has found, as plain types: made and written to `cells/NAME.json`, or read there.

    Args:
        stages: Of the folder.
        name: Of the stage.
        settings: All that it depends on besides earlier stages.
        work: Finds it.
        after: Earlier stages.
        more: Other files that the work leaves, below the folder.
    """
    path = f"cells/{name}.json"

    def write() -> None:
        result = work()
        with atomic(stages.folder / path, "w") as file:
            json.dump(result, file)

    stages.do(name, settings, [path, *more], write, after)
    return found(stages.folder, name)


def found(folder: Path, name: str) -> dict[str, Any]:
    """What a stage has found, which is made."""
    return read_json(folder / "cells" / f"{name}.json", dict[str, Any], "a result of the study", REMOVE)


class Cells:
    """Makes the cells in a folder, each once; what was chosen for them, likewise.

    Gamma and all settings are chosen once for each direction, on three folds of the training
    dictionary with the vectors of seed 0, and are then the same for all seeds. Gamma is chosen
    with Procrustes, so that the rows of a column share one vocabulary; alignment that sees no
    dictionary takes 0.9. The pairs that Table 4 leaves out are those of the chosen gamma.

    Args:
        settings: Of the study.
        trainings: What the spaces are made of.
        folder: Where the cells go; that of the trainings.
    """

    def __init__(self, settings: StudySettings, trainings: Trainings, folder: Path) -> None:
        self.settings, self.trainings, self.folder = settings, trainings, folder
        self.stages = trainings.stages
        self._whole = cache(self._without_torn)  # the same for all rows of a column

    def cell(self, row: Row, place: Place) -> dict[str, Any]:
        """Scores of a system, made unless they are there."""
        upstream = self._trained(row, place)
        upstream += [self.choose_gamma(place.pair)]
        if row.supervised and row.method:
            upstream += [self._choose_method(row, place.pair)]
        method = described(method_named(row.method)) if row.method else None
        facts = {
            **self._facts(place.pair),
            "max_vocabulary": self.settings.max_vocabulary,
            "method": method,
            "anchors": row.anchors,
        }
        if row.ranked:
            facts["ranked"] = row.ranked
        name = f"cell.{row.name}.{place}"
        return kept(self.stages, name, facts, lambda: self._make(row, place), upstream)

    def _trained(self, row: Row, place: Place) -> list[str]:
        names = self.trainings.names(place.pair, place.seed, Space.JOINT)
        for space in (row.space, *row.ranked):
            if space is not Space.JOINT:
                names += self.trainings.names(place.pair, place.seed, space)
        return list(dict.fromkeys(names))

    def _facts(self, pair: Pair) -> dict[str, Any]:
        """What all choices and scores of a direction depend on besides the trainings."""
        both = self.trainings.dictionaries(pair)
        pairs = {"training_dictionary": both.training.pairs, "test_dictionary": both.test.pairs}
        return {"version": __version__, **pairs}

    def choose_gamma(self, pair: Pair) -> str:
        """Make sure that gamma is chosen for a direction; the name of that stage.

        Without a training dictionary nothing can be held out: it is the paper's 0.9 then.
        """

        def work() -> dict[str, Any]:
            training = self.trainings.dictionaries(pair).training
            if not len(training):
                return {"gamma": FIRST_GAMMA, "trials": []}
            joint, counts = self.trainings.joint(pair, 0), self.trainings.counts(pair)
            choice = choose(
                Spaces((joint, *counts)), training, "procrustes", progress=self.trainings.progress
            )
            return {"gamma": choice.gamma, "trials": _trials(choice)}

        name = f"gamma.{pair}"
        if name not in self.stages.records:
            kept(self.stages, name, self._facts(pair), work, self.trainings.names(pair, 0, Space.JOINT))
        return name

    def _choose_method(self, row: Row, pair: Pair) -> str:
        if row.settings_of:
            return self._choose_method(rows_named((row.settings_of,))[0], pair)
        method = method_named(row.method)

        def work() -> dict[str, Any]:
            if not method.chosen:
                return {"settings": {}, "trials": []}
            choice = choose(
                self.space(row, Place(pair, 0)),
                self.trainings.dictionaries(pair).training,
                method,
                progress=self.trainings.progress,
            )
            return {"settings": choice.method.chosen, "trials": _trials(choice)}

        name = f"settings.{row.name}.{pair}"
        if name not in self.stages.records:
            after = [*self._trained(row, Place(pair, 0)), self.choose_gamma(pair)]
            kept(self.stages, name, {**self._facts(pair), "method": described(method)}, work, after)
        return name

    def gamma(self, pair: Pair) -> float:
        """Gamma of a direction, as `choose_gamma` has chosen it."""
        return found(self.folder, self.choose_gamma(pair))["gamma"]

    def space(self, row: Row, place: Place) -> BilingualEmbedding:
        """What a row's mapping is learnt in."""
        return self._space(row, row.space, place)

    def _space(self, row: Row, space: Space, place: Place) -> BilingualEmbedding:
        if space is Space.SEPARATE:
            return self.trainings.separate(place.pair, place.seed)
        if space is Space.SUPERVISED_JOINT:
            return self.trainings.supervised_joint(place.pair, place.seed)
        if space is Space.REPLACED:
            return self._split(place, 1.0, Space.REPLACED)
        return self._split(place, self._gamma_of(row, place.pair))

    def _gamma_of(self, row: Row, pair: Pair) -> float:
        """1 where everything seen in both texts stays shared."""
        if row.space is not Space.REALLOCATED:
            return 1.0
        takes_none = row.anchors is Anchors.NONE and row.method
        return FIRST_GAMMA if takes_none else self.gamma(pair)

    def _split(self, place: Place, gamma: float, space: Space = Space.JOINT) -> BilingualEmbedding:
        pair = place.pair
        joint = self.trainings.joint(pair, place.seed, space)
        return reallocate(joint, *self.trainings.counts(pair), gamma, pair.source, pair.target)

    def _make(self, row: Row, place: Place) -> dict[str, Any]:
        space = self.space(row, place)
        method = self._method(row, place.pair)
        begun, failed = time.monotonic(), False
        if method is not None:
            anchors = self._anchors(row, place.pair, space)
            mapping = fit(space, method, anchors, seed=place.seed)
            space, failed = apply(mapping, space), looks_failed(mapping)
        ranker = self._ranker(row, place) if row.ranked else None
        seconds = time.monotonic() - begun
        return {
            "row": row.name,
            "direction": str(place.pair),
            "seed": place.seed,
            "method": None if method is None else described(method),
            "gamma": self._gamma_of(row, place.pair) if row.space is Space.REALLOCATED else None,
            "seconds": round(seconds, 2),
            "failed": failed,
            "scores": self._scores(space, place, ranker),
        }

    def _ranker(self, row: Row, place: Place) -> FittedRanker:
        spaces = [self._space(row, space, place) for space in row.ranked]
        training = self.trainings.dictionaries(place.pair).training
        return Ranker(max_vocabulary=self.settings.max_vocabulary).fit(
            spaces, training, seed=place.seed, progress=self.trainings.progress
        )

    def _method(self, row: Row, pair: Pair) -> Aligner | None:
        if not row.method:
            return None
        method = method_named(row.method)
        if not row.supervised:
            return method
        return method.changed(found(self.folder, self._choose_method(row, pair))["settings"])

    def _anchors(self, row: Row, pair: Pair, space: BilingualEmbedding) -> Lexicon | None:
        if row.anchors is Anchors.DICTIONARY:
            return self.trainings.dictionaries(pair).training
        if row.anchors is Anchors.IDENTICAL:
            source, target = space.source_only.vocabulary, space.target_only.vocabulary
            return Lexicon.identical_strings(source, target)
        return None

    def _scores(
        self, space: BilingualEmbedding, place: Place, ranker: FittedRanker | None = None
    ) -> dict[str, Any]:
        tests = self.trainings.dictionaries(place.pair).test, self._whole(place)
        conditions = Conditions(max_vocabulary=self.settings.max_vocabulary, seed=place.seed)
        if ranker is None:
            whole, part = evaluate_parts(space, tests, conditions)
        else:
            whole, part = (ranker.evaluate(test, conditions) for test in tests)
        scored = {
            "table1": (whole, Identical.KEPT),
            "table2": (whole, Identical.REMOVED),
            "table4": (part, Identical.KEPT),
        }
        return {
            table: {str(rule): _words(results[rule, identical]) for rule in RULES}
            for table, (results, identical) in scored.items()
        }

    def _without_torn(self, place: Place) -> Lexicon:
        """The test dictionary of Table 4."""
        test = self.trainings.dictionaries(place.pair).test
        after = self._split(place, self.gamma(place.pair))
        return without_torn_pairs(test, self._split(place, 1.0), after)


def without_torn_pairs(test: Lexicon, before: BilingualEmbedding, after: BilingualEmbedding) -> Lexicon:
    """The test pairs but for those that reallocation left out (appendix B of the paper, Table 4).

    Args:
        test: The whole test dictionary.
        before: The joint space with all words seen in both texts shared.
        after: The same after reallocation.
    """
    kept = [
        (source, target)
        for source, target in test
        if not (source in before.source and target in before.target)
        or (source in after.source and target in after.target)
    ]
    return Lexicon(tuple(kept))


def _trials(choice: Choice) -> list[dict[str, Any]]:
    return [
        {"gamma": trial.gamma, "method": described(trial.method), "precision": trial.precision}
        for trial in choice.trials
    ]


def _words(result: BLIResult) -> dict[str, Any]:
    """Scores, and what became of each word, which comparisons need."""
    facts = result.to_json()
    del facts["bands"], facts["overlap"]
    right = "".join("1" if rank == 1 else "0" for rank in result.reciprocal_ranks.tolist())
    return facts | {"words": list(result.words), "right": right}
