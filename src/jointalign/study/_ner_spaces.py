"""What the rows of Table 3 look words up in, with a dictionary and without."""

from __future__ import annotations

import json
from typing import Any

from jointalign.alignment.api import align, apply, first
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.storage import read_mapping, write_mapping
from jointalign.alignment.unsupervised import align_unsupervised
from jointalign.embedding import BilingualEmbedding
from jointalign.reallocation import reallocate
from jointalign.selection.base import described
from jointalign.storage.files import atomic
from jointalign.study._cells import Cells
from jointalign.study._ner_rows import NERRow
from jointalign.study._rows import Space
from jointalign.study.base import Pair
from jointalign.version import __version__


class NERSpaces:
    """Spaces of the rows of a table.

    With a training dictionary, spaces are aligned by Procrustes, as in the paper. A pair without
    one is aligned by the first way of `align_unsupervised` that works, once for each space and
    seed, and gamma is the paper's 0.9. Rows that are trained with a dictionary are absent then.

    Args:
        cells: Whose trainings and choice of gamma are used.
    """

    def __init__(self, cells: Cells) -> None:
        self._cells, self._trainings, self._folder = cells, cells.trainings, cells.folder

    def missing(self, row: NERRow, pair: Pair) -> str | None:
        """What a row needs that is not there; `None` if all is."""
        taught = row.space in (Space.SUPERVISED_JOINT, Space.REPLACED)
        return "needs a dictionary" if taught and not self._has_dictionary(pair) else None

    def stages(self, row: NERRow, pair: Pair, seed: int) -> list[str]:
        """Make sure that what a row's space is made of is there; the names of those stages."""
        names = self._trainings.names(pair, seed, _trained_as(row))
        if row.space is Space.REALLOCATED:
            names.append(self._cells.choose_gamma(pair))
        if row.aligned and not self._has_dictionary(pair):
            names.append(self._align_without(row, pair, seed, names))
        return names

    def space(self, row: NERRow, pair: Pair, seed: int) -> BilingualEmbedding:
        """The words of both languages."""
        space = self._unaligned(row, pair, seed)
        if not row.aligned:
            return space
        if self._has_dictionary(pair):
            return align(space, Procrustes(), self._trainings.dictionaries(pair).training)
        mapping = read_mapping(self._folder / f"{_title(row, pair, seed)}.safetensors")
        return apply(mapping, space)

    def alignment(self, row: NERRow, pair: Pair, seed: int) -> dict[str, Any]:
        """How the space of a row was aligned: with how many pairs, or in which ways without any."""
        if self._has_dictionary(pair):
            return {"dictionary": len(self._trainings.dictionaries(pair).training)}
        facts = (self._folder / f"{_title(row, pair, seed)}.json").read_text("utf-8")
        return {"dictionary": None, **json.loads(facts)}

    def gamma(self, row: NERRow, pair: Pair) -> float | None:
        """Gamma of a row's space; `None` where nothing is reallocated."""
        return self._cells.gamma(pair) if row.space is Space.REALLOCATED else None

    def _has_dictionary(self, pair: Pair) -> bool:
        return len(self._trainings.dictionaries(pair).training) > 0

    def _unaligned(self, row: NERRow, pair: Pair, seed: int) -> BilingualEmbedding:
        trainings = self._trainings
        if row.space is Space.SEPARATE:
            return trainings.separate(pair, seed)
        if row.space is Space.SUPERVISED_JOINT:
            return trainings.supervised_joint(pair, seed)
        joint = trainings.joint(pair, seed, _trained_as(row))
        gamma = self.gamma(row, pair) or 1.0
        return reallocate(joint, *trainings.counts(pair), gamma, pair.source, pair.target)

    def _align_without(self, row: NERRow, pair: Pair, seed: int, after: list[str]) -> str:
        """Make sure that a space is aligned without a dictionary; the name of that stage."""
        name = _title(row, pair, seed)
        mapping, facts = f"{name}.safetensors", f"{name}.json"
        most = self._trainings.settings.max_vocabulary

        def work() -> None:
            frequent = first(self._unaligned(row, pair, seed), most)
            found = align_unsupervised(frequent, seed=seed, progress=self._trainings.progress)
            write_mapping(found.mapping, self._folder / mapping)
            told = {
                "method": described(found.method),
                "worked": found.worked,
                "attempts": [str(attempt) for attempt in found.attempts],
            }
            with atomic(self._folder / facts, "w") as file:
                json.dump(told, file)

        stages = self._trainings.stages
        if name not in stages.records:
            settings = [__version__, self.gamma(row, pair), most]
            stages.do(name, settings, [mapping, facts], work, after)
        return name


def _trained_as(row: NERRow) -> Space:
    return Space.JOINT if row.space is Space.REALLOCATED else row.space


def _title(row: NERRow, pair: Pair, seed: int) -> str:
    return f"unsupervised.{row.space}.{pair}.seed{seed}"
