"""One number of Table 3 each: a tagger of a row, used in one language, from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.alignment.api import align, apply, first
from jointalign.alignment.procrustes import Procrustes
from jointalign.alignment.storage import read_mapping, write_mapping
from jointalign.alignment.unsupervised import align_unsupervised
from jointalign.dictionary.api import Translations
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.ner import StaticInputs, Text, WordTable, carry_over, counted, distinct_words
from jointalign.ner.api import NERModel, coverage, sentence_counts, tagged, train
from jointalign.ranking.api import rank
from jointalign.selection.base import described
from jointalign.storage.files import file_facts
from jointalign.study._cells import Cells, Place, found, kept
from jointalign.study._data import PARTS, TaggedTexts, text_of
from jointalign.study._rows import Kind, Row, Space
from jointalign.study.base import NERStudySettings, Pair
from jointalign.version import __version__

NEEDS_DICTIONARY = "needs a dictionary"


class Taggers:
    """Makes the cells of Table 3 in a folder, each once.

    Gamma is that of Tables 1 and 2: chosen on a held-out fifth of the training dictionary, not on
    anything that has to do with names; 0.9 without a dictionary.

    Args:
        settings: Of the table.
        cells: Whose trainings and choice of gamma are used.
    """

    def __init__(self, settings: NERStudySettings, cells: Cells) -> None:
        self.settings, self._trainings = settings, cells.trainings
        self.spaces = NERSpaces(cells)
        self._texts, self._folder = TaggedTexts(settings, cells.settings.data), cells.folder

    def cell(self, row: Row, target: str, seed: int) -> dict[str, Any]:
        """Scores of a row's tagger, made unless they are there."""
        pair = Pair(self.settings.source, target)
        name = f"ner.{row.name}.{pair}.seed{seed}"
        checkpoint = self._folder / "checkpoints" / name
        after = self.spaces.stages(row, pair, seed)
        made = kept(
            self._trainings.stages,
            name,
            self._facts(row, pair),
            lambda: self._made(row, pair, seed, checkpoint),
            after,
        )
        checkpoint.unlink(missing_ok=True)
        return made

    def missing(self, row: Row, target: str) -> str | None:
        """What a row needs of a language that is not there; `None` if all is."""
        if row.kind is Kind.UPPER:
            lacking = [part for part in PARTS if self._texts.path(target, part) is None]
            if lacking:
                return f"needs ner/{target}/{lacking[0]}.txt"
        if row.ranked and not self.spaces.has_dictionary(Pair(self.settings.source, target)):
            return NEEDS_DICTIONARY
        return self.spaces.missing(row, Pair(self.settings.source, target))

    def check(self, target: str) -> None:
        """Make sure that there are texts, before hours of training.

        Raises:
            JointalignError: If a language has no text, or the tagged text that decides or is scored
                is not there.
        """
        pair = Pair(self.settings.source, target)
        text_of(self._trainings.settings, pair, target)
        for place in self._texts.places(target):
            self._texts.needed(*place)

    def _facts(self, row: Row, pair: Pair) -> dict[str, Any]:
        places = self._texts.places(pair.target, row.kind is Kind.UPPER)
        texts = [file_facts(self._texts.needed(*place)) for place in places]
        lexicon = self._trainings.dictionaries(pair).training.pairs
        return {
            "version": __version__,
            **self.settings.of_a_cell(),
            "row": asdict(row),
            "texts": texts,
            "training_dictionary": lexicon,
        }

    def _made(self, row: Row, pair: Pair, seed: int, checkpoint: Path) -> dict[str, Any]:
        learnt, decides, test = self._texts.drawn(pair.target, seed, row.kind is Kind.UPPER)
        space = self.spaces.space(row, pair, seed)
        table = WordTable.of(space)
        if row.kind is Kind.FLOOR:
            table = table.random(seed)
        about = {}
        if row.kind is Kind.TRANSLATED:
            words = distinct_words((learnt.sentences, decides.sentences))
            translations = self.spaces.translations(row, pair, seed, space, words)
            carried = carry_over(learnt.sentences, translations)
            about = {"translated": carried.translated, "kept": carried.kept}
            learnt = Text(carried.sentences, pair.target)
            decides = Text(carry_over(decides.sentences, translations).sentences, pair.target)
        settings = self.settings.tagger
        if not row.characters:
            settings = settings.without_characters()
        checkpoint.parent.mkdir(exist_ok=True)
        model = train(
            table,
            learnt,
            decides,
            settings,
            self.settings.fit,
            seed=seed,
            checkpoint=checkpoint,
            progress=self._trainings.progress,
        )
        counts, types = counted(test.sentences, tagged(model, test))
        return {
            "row": row.name,
            "target": pair.target,
            "seed": seed,
            "counts": counts.tolist(),
            "types": {name: asdict(one) for name, one in sorted(types.items())},
            "permuted": self._permuted(model, test, seed).tolist(),
            "coverage": coverage(model, test),
            "gamma": self.spaces.gamma(row, pair),
            **about,
            **model.about,
        }

    def _permuted(self, model: NERModel, test: Text, seed: int) -> np.ndarray:
        """Counts with the vectors of the test text's language exchanged."""
        inputs = model.tagger.inputs
        if not isinstance(inputs, StaticInputs):
            raise JointalignError("only vectors from a table can be exchanged")
        exchanged = inputs.with_table(inputs.table.permuted(test.language, seed))
        tagger = model.tagger.with_inputs(exchanged)
        return sentence_counts(NERModel(tagger, {}), test)


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

    def missing(self, row: Row, pair: Pair) -> str | None:
        """What a row needs that is not there; `None` if all is."""
        return NEEDS_DICTIONARY if row.is_trained_so and not self.has_dictionary(pair) else None

    def stages(self, row: Row, pair: Pair, seed: int) -> list[str]:
        """Make sure that what a row's space is made of is there; the names of those stages."""
        names = self._trainings.names(pair, seed, row.space)
        if row.space is Space.REALLOCATED:
            names.append(self._cells.choose_gamma(pair))
        if row.method and not self.has_dictionary(pair):
            names.append(self._align_without(row, pair, seed, names))
        return names

    def space(self, row: Row, pair: Pair, seed: int) -> BilingualEmbedding:
        """The words of both languages."""
        space = self._cells.space(row, Place(pair, seed))
        if not row.method:
            return space
        if self.has_dictionary(pair):
            return align(space, Procrustes(), self._trainings.dictionaries(pair).training)
        mapping = read_mapping(self._folder / f"{_title(row, pair, seed)}.safetensors")
        return apply(mapping, space)

    def alignment(self, row: Row, pair: Pair, seed: int) -> dict[str, Any]:
        """How the space of a row was aligned: with how many pairs, or in which ways without any."""
        if self.has_dictionary(pair):
            return {"dictionary": len(self._trainings.dictionaries(pair).training)}
        return {"dictionary": None, **found(self._folder, _title(row, pair, seed))}

    def gamma(self, row: Row, pair: Pair) -> float | None:
        """Gamma of a row's space; `None` where nothing is reallocated."""
        return self._cells.gamma(pair) if row.space is Space.REALLOCATED else None

    def translations(
        self, row: Row, pair: Pair, seed: int, space: BilingualEmbedding, words: Sequence[str]
    ) -> dict[str, str]:
        """Of each of some source words the best translation, for those that have one.

        The first that the training dictionary gives and the text knows, else the nearest target word
        (CSLS); with ranking, the best-ranked one. Words without a vector have none.

        Args:
            row: Ranked or not.
            pair: Languages.
            seed: Of the ranking.
            space: As `space` gives it.
            words: In lower case.
        """
        lexicon = self._trainings.dictionaries(pair).training
        if row.ranked:
            unaligned = self._cells.space(row, Place(pair, seed))
            ranked = rank(unaligned, lexicon, words, count=1, seed=seed)
            return {word: best[0].target for word, best in zip(words, ranked, strict=True) if best}
        answers = Translations(space).of([word for word in words if word in space.source], count=1)
        nearest = {answer.word: answer.translations[0].target for answer in answers if answer.translations}
        known: dict[str, str] = {}
        for source, target in lexicon.known(space.source.vocabulary, space.target.vocabulary):
            known.setdefault(source, target)
        return nearest | known

    def has_dictionary(self, pair: Pair) -> bool:
        """Whether there is a training dictionary."""
        return len(self._trainings.dictionaries(pair).training) > 0

    def _align_without(self, row: Row, pair: Pair, seed: int, after: list[str]) -> str:
        """Make sure that a space is aligned without a dictionary; the name of that stage."""
        name = _title(row, pair, seed)
        most = self._trainings.settings.max_vocabulary

        def work() -> dict[str, Any]:
            frequent = first(self._cells.space(row, Place(pair, seed)), most)
            result = align_unsupervised(frequent, seed=seed, progress=self._trainings.progress)
            write_mapping(result.mapping, self._folder / f"{name}.safetensors")
            return {
                "method": described(result.method),
                "worked": result.worked,
                "attempts": [str(attempt) for attempt in result.attempts],
            }

        stages = self._trainings.stages
        if name not in stages.records:
            settings = {"version": __version__, "gamma": self.gamma(row, pair), "max_vocabulary": most}
            kept(stages, name, settings, work, after, [f"{name}.safetensors"])
        return name


def _title(row: Row, pair: Pair, seed: int) -> str:
    return f"unsupervised.{row.space}.{pair}.seed{seed}"
