"""Models of word alignment in a file: arrays and facts, and nothing that runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, NotRequired, TypedDict

import numpy as np

from jointalign.errors import JointalignError
from jointalign.storage.facts import Number, fits
from jointalign.storage.tensors import Schema, read_tensors, write_tensors
from jointalign.version import __version__
from jointalign.word_alignment.base import TextModel
from jointalign.word_alignment.bayesian import BayesianAligner, BayesianModel
from jointalign.word_alignment.counts import DirectionCounts, LinkCounts, WordPairs
from jointalign.word_alignment.diagonal import DiagonalAligner, DiagonalModel, DirectionTable
from jointalign.word_alignment.reading import Cutting

_KIND = "word alignment"
_LANGUAGES = "source", "target"
_WAYS = "forward", "reverse"


class SavedModel(NamedTuple):
    """A model, and how the text was cut into words that it has learnt from."""

    model: BayesianModel | DiagonalModel
    cutting: Cutting


def write_model(model: TextModel, path: str | Path, cutting: Cutting) -> None:
    """Write what an aligner has learnt into one `.safetensors` file; equal models give equal bytes.

    Args:
        model: A `BayesianModel` or a `DiagonalModel`.
        path: The file, replaced if it is there.
        cutting: How its text was cut into words, which other text should be, too.

    Raises:
        JointalignError: If the file cannot be written, or a word holds the end of a line.
    """
    facts = {
        "format": "jointalign",
        "kind": _KIND,
        "version": __version__,
        "cutting": json.dumps(asdict(cutting)),
    }
    if isinstance(model, BayesianModel):
        pairs, ways = model.counts.pairs, (model.counts.forward, model.counts.reverse)
        facts |= {"method": "bayes", "sentences": str(model.counts.sentences)}
        named = [way._asdict() for way in ways]
    elif isinstance(model, DiagonalModel):
        pairs, ways = model.pairs, (model.forward, model.reverse)
        facts |= {"method": "diagonal", "tensions": json.dumps([way.tension for way in ways])}
        named = [{"pairs": way.pairs, "null": way.null} for way in ways]
    else:
        raise JointalignError(
            f"expected a BayesianModel or a DiagonalModel to write, got {type(model).__name__}"
        )
    tensors: dict[str, np.ndarray] = {"pairs": pairs.places}
    for language, words in zip(_LANGUAGES, pairs.words, strict=True):
        if any("\n" in word for word in words):
            raise JointalignError(f"{path}: a {language} word holds the end of a line, so it cannot be kept")
        tensors[f"{language}.words"] = np.frombuffer(
            "".join(f"{word}\n" for word in words).encode(), np.uint8
        )
    for way, arrays in zip(_WAYS, named, strict=True):
        tensors |= {f"{way}.{name}": array for name, array in arrays.items()}
    write_tensors(path, tensors, facts | {"settings": json.dumps(asdict(model.settings))})


def read_model(path: str | Path) -> SavedModel:
    """Read what `write_model` has written.

    Raises:
        JointalignError: If the file cannot be read.
        FormatError: If it holds no such model, or a part of it has another type, shape or range.

    Example:
        >>> import tempfile
        >>> from jointalign.word_alignment.base import ParallelText
        >>> pairs = [("the house", "das haus"), ("the book", "das buch"), ("a book", "ein buch")]
        >>> text = ParallelText.of((a.split(), b.split()) for a, b in pairs * 20)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_model(BayesianAligner().fit(text).model, f"{folder}/model", Cutting(("en", "de")))
        ...     saved = read_model(f"{folder}/model")
        >>> saved.cutting.languages, saved.model.align(text)[0].best[:2].tolist()
        (('en', 'de'), [0, 1])
    """
    tensors, facts = read_tensors(path, _MODEL)
    with fits(path, _MODEL.what):
        return _Reader(tensors, facts).saved()


class _ModelFacts(TypedDict):
    format: str
    kind: str
    version: str
    method: str
    cutting: dict[str, Any]
    settings: dict[str, Any]
    sentences: NotRequired[Number]
    tensions: NotRequired[tuple[float, float]]


_MODEL = Schema("a model that `jointalign align-text --save-model` has written", _ModelFacts, kind=_KIND)


class _Reader:
    """Takes arrays out of a file, each checked: which there should be depends on the settings."""

    def __init__(self, tensors: Mapping[str, np.ndarray], facts: _ModelFacts) -> None:
        self._left, self._facts = dict(tensors), facts

    def saved(self) -> SavedModel:
        settings, cutting = self._facts["settings"], dict(self._facts["cutting"])
        source, target = cutting.pop("languages")
        method = self._facts["method"]
        if method not in ("bayes", "diagonal"):
            raise ValueError(f"there is no method '{method}'")
        read = self._bayesian if method == "bayes" else self._diagonal
        model = read(settings)
        if self._left:
            raise ValueError(f"it has {', '.join(sorted(self._left))}, which no model has")
        return SavedModel(model, Cutting((source, target), **cutting))

    def _bayesian(self, given: Mapping[str, Any]) -> BayesianModel:
        settings, pairs = BayesianAligner(**given), self._pairs()
        counts = []
        for way, generated in zip(_WAYS, (1, 0), strict=True):
            sizes = len(pairs.words[generated]), len(pairs.words[1 - generated])
            taken = (
                self._take(f"{way}.pairs", np.float32, (len(pairs.places),)),
                self._take(f"{way}.null", np.float32, sizes[:1]),
                self._take(f"{way}.jumps", np.float32, (None,)),
                self._take(f"{way}.fertilities", np.float32, (sizes[1], settings.most_words + 1)),
            )
            if not len(taken[2]) % 2:
                raise ValueError(f"{way}.jumps has no middle")
            counts.append(DirectionCounts(*taken))
        sentences = self._facts.get("sentences", 0)
        return BayesianModel(settings, LinkCounts(pairs, counts[0], counts[1], sentences))

    def _diagonal(self, given: Mapping[str, Any]) -> DiagonalModel:
        settings, pairs = DiagonalAligner(**given), self._pairs()
        tensions = self._facts.get("tensions", (-1.0, -1.0))
        if not all(0 <= tension < np.inf for tension in tensions):
            raise ValueError(f"its tensions are {tensions}")
        tables = [
            DirectionTable(
                self._take(f"{way}.pairs", np.float64, (len(pairs.places),)),
                self._take(f"{way}.null", np.float64, (len(pairs.words[generated]),)),
                tension,
            )
            for way, generated, tension in zip(_WAYS, (1, 0), tensions, strict=True)
        ]
        return DiagonalModel(settings, pairs, tables[0], tables[1])

    def _pairs(self) -> WordPairs:
        source, target = (self._words(f"{language}.words") for language in _LANGUAGES)
        places = self._take("pairs", np.uint32, (None, 2))
        pairs = WordPairs((source, target), places)
        if len(places):
            if (places.max(axis=0) >= (len(source), len(target))).any():
                raise ValueError("a pair names a word that is not there")
            if (np.diff(pairs.keys()) <= 0).any():
                raise ValueError("its pairs are out of order")
        return pairs

    def _words(self, name: str) -> tuple[str, ...]:
        words = self._take(name, np.uint8, (None,)).tobytes().decode().split("\n")
        if words.pop() or len(set(words)) != len(words):
            raise ValueError(f"{name} is cut off, or has a word twice")
        return tuple(words)

    def _take(self, name: str, kind: type[np.generic], shape: tuple[int | None, ...]) -> np.ndarray:
        """An array of this type and shape, without negative or infinite numbers."""
        if name not in self._left:
            raise ValueError(f"{name} is missing")
        array = self._left.pop(name)
        same = len(array.shape) == len(shape)
        if not same or any(want not in (None, size) for size, want in zip(array.shape, shape, strict=True)):
            raise ValueError(f"{name} has the shape {array.shape}, expected {shape}")
        if array.dtype != kind:
            raise ValueError(f"{name} has the type {array.dtype}, expected {np.dtype(kind)}")
        if array.size and not (array.min() >= 0 and array.max() < np.inf):
            raise ValueError(f"{name} has a number that is no count")
        return array
