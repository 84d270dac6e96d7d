"""One number of Table 3 each: a tagger of a row, used in one language, from one seed."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jointalign.errors import JointalignError
from jointalign.ner import StaticInputs, Text, WordTable, conll
from jointalign.ner.api import NERModel, coverage, drawn, sentence_counts, train
from jointalign.storage.files import atomic, file_facts
from jointalign.study._cells import Cells
from jointalign.study._data import one_file, text_of
from jointalign.study._ner_rows import NER_ROWS, Kind, NERRow
from jointalign.study._ner_spaces import NERSpaces
from jointalign.study.base import NERStudySettings, Pair
from jointalign.version import __version__

PARTS = ("train", "valid", "test")


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
        self._data, self._folder = cells.settings.data, cells.folder
        self._read = cache(self._read_text)

    def cell(self, row: NERRow, target: str, seed: int) -> dict[str, Any]:
        """Scores of a row's tagger, made unless they are there."""
        pair = Pair(self.settings.source, target)
        stages = self._trainings.stages
        name = f"ner.{row.name}.{pair}.seed{seed}"
        path = Path("cells") / f"{name}.json"

        def work() -> None:
            facts = self._made(row, pair, seed, self._folder / "checkpoints" / name)
            with atomic(self._folder / path, "w") as file:
                json.dump(facts, file)

        after = self.spaces.stages(row, pair, seed)
        stages.do(name, self._facts(row, pair), [str(path)], work, after)
        (self._folder / "checkpoints" / name).unlink(missing_ok=True)
        return json.loads((self._folder / path).read_text("utf-8"))

    def missing(self, row: NERRow, target: str) -> str | None:
        """What a row needs of a language that is not there; `None` if all is."""
        if row.kind is Kind.UPPER:
            lacking = [part for part in PARTS if self._path(target, part) is None]
            if lacking:
                return f"needs ner/{target}/{lacking[0]}.txt"
        return self.spaces.missing(row, Pair(self.settings.source, target))

    def check(self, target: str) -> None:
        """Make sure that there are texts, before hours of training.

        Raises:
            JointalignError: If a language has no text, or the tagged text that decides or is scored
                is not there.
        """
        pair = Pair(self.settings.source, target)
        text_of(self._trainings.settings, pair, target)
        for place in self._places(NER_ROWS[0], pair):
            self._needed(*place)

    def test(self, target: str) -> Text:
        """The text that scores are of."""
        return self._read(target, "test")

    def _facts(self, row: NERRow, pair: Pair) -> list[Any]:
        paths = [self._path(*place) for place in self._places(row, pair)]
        texts = [file_facts(path) for path in paths if path is not None]
        settings = asdict(self.settings)
        for name in ("targets", "rows"):  # they decide which cells there are, not what is in them
            del settings[name]
        lexicon = self._trainings.dictionaries(pair).training.pairs
        return [__version__, str(row), settings, texts, lexicon]

    def _places(self, row: NERRow, pair: Pair) -> list[tuple[str, str]]:
        """Language and part of the training, development and test text."""
        own = pair.target if row.kind is Kind.UPPER else pair.source
        decides = pair.target if self.settings.select_on_target else own
        return [(own, "train"), (decides, "valid"), (pair.target, "test")]

    def _made(self, row: NERRow, pair: Pair, seed: int, checkpoint: Path) -> dict[str, Any]:
        training, development, test = (self._read(*place) for place in self._places(row, pair))
        sizes = self.settings.sentences, self.settings.development
        learnt, decides = (
            text._replace(sentences=drawn(text.sentences, size, seed))
            for text, size in zip((training, development), sizes, strict=True)
        )
        table = WordTable.of(self.spaces.space(row, pair, seed))
        if row.kind is Kind.FLOOR:
            table = table.random(seed)
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
        return {
            "row": row.name,
            "target": pair.target,
            "seed": seed,
            "counts": sentence_counts(model, test).tolist(),
            "permuted": self._permuted(model, test, seed).tolist(),
            "coverage": coverage(model, test),
            "gamma": self.spaces.gamma(row, pair),
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

    def _read_text(self, language: str, part: str) -> Text:
        return Text(conll.read(self._needed(language, part)).sentences, language)

    def _needed(self, language: str, part: str) -> Path:
        path = self._path(language, part)
        if path is None:
            raise JointalignError(
                f"expected {self._data}/ner/{language}/{part}.txt, compressed or not: a word and "
                "its tag a line, an empty line after each sentence; there is none"
            )
        return path

    def _path(self, language: str, part: str) -> Path | None:
        return one_file(self._data / "ner" / language / f"{part}.txt")
