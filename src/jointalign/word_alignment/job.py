"""Files of parallel text in, files of links out: at once, or by chunks of bounded memory."""

from __future__ import annotations

import json
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import TypedDict

import numpy as np

from jointalign.lexicon import Lexicon
from jointalign.storage.facts import read_json
from jointalign.storage.files import atomic, file_facts, read_lines, write_bytes, write_text
from jointalign.storage.stages import Stages, locked
from jointalign.word_alignment.api import Alignment, TextAligner, align_text, align_with
from jointalign.word_alignment.base import DEFAULT, Computation, Links, ParallelText, TextModel
from jointalign.word_alignment.counts import LinkCounts
from jointalign.word_alignment.lexical import (
    DictionarySettings,
    LinkCount,
    WordLinks,
    added_counts,
    count_links,
    read_counts,
    write_counts,
)
from jointalign.word_alignment.marginals import Marginals
from jointalign.word_alignment.reading import Cutting, check_links, parse_links, raw_pairs, read_gold
from jointalign.word_alignment.storage import SavedModel, read_model, write_model
from jointalign.word_alignment.symmetrization import Symmetrization

_MODEL = "model.safetensors"
BYTES_A_CELL = 32
"""At most, of all that a chunk needs: where each cell is an entry of its own, and a model is given."""


@dataclass(frozen=True)
class LinkFiles:
    """What is written; `None` for what is not wanted.

    Args:
        links: A line for each sentence pair, `0-0 1-2`.
        words: The text as it was cut.
        marginals: `0-0:0.9871`: each link and its probability.
        n_best: The likeliest sets of links.
        sets: How many of them a sentence pair.
        table: Probabilities of target words given source words.
        reverse_table: Of source words given target words.
        dictionary: Pairs of words that are linked often enough.
        entries: Which these are.
    """

    links: Path
    words: Path | None = None
    marginals: Path | None = None
    n_best: Path | None = None
    sets: int = 10
    table: Path | None = None
    reverse_table: Path | None = None
    dictionary: Path | None = None
    entries: DictionarySettings = DictionarySettings()

    @property
    def by_line(self) -> dict[str, Path]:
        """Files that grow with the text, by name."""
        every = {"links": self.links, "words": self.words, "marginals": self.marginals, "n-best": self.n_best}
        return {name: path for name, path in every.items() if path is not None}

    @property
    def by_word(self) -> list[Path]:
        """Files of the words of the text."""
        return [path for path in (self.table, self.reverse_table, self.dictionary) if path is not None]

    def lines(self, name: str, found: Alignment, text: ParallelText, first: int = 0) -> Iterator[str]:
        """Lines of a file that grows with the text; `first` is the number of its first sentence pair."""
        if name == "links":
            return found.links.lines()
        if name == "words":
            return (f"{' '.join(text.source[k])} ||| {' '.join(text.target[k])}" for k in range(len(text)))
        marginals = Marginals.of((found.forward, found.reverse))
        return marginals.lines() if name == "marginals" else marginals.n_best_lines(self.sets, first)

    def write_words(
        self, counts: Callable[[], Iterator[LinkCount]], languages: tuple[str, str]
    ) -> int | None:
        """Write what is wanted of the words; how many entries the dictionary has, if it is."""
        if not self.by_word:
            return None
        words = WordLinks(counts)
        for path, reverse in ((self.table, False), (self.reverse_table, True)):
            if path is not None:
                words.write_table(path, reverse)
        if self.dictionary is None:
            return None
        dictionary = words.dictionary(self.entries)
        dictionary.write(self.dictionary, languages)
        return len(dictionary.lexicon)

    def last_links(self, count: int) -> Links:
        """The links of so many sentence pairs at the end."""
        last = deque(read_lines(self.links), maxlen=count)
        return parse_links(last, self.links)


@dataclass(frozen=True)
class Task:
    """A text and how it is linked.

    Args:
        inputs: One file or two.
        cutting: How lines become words.
        aligner: What learns.
        symmetrization: How directions are joined.
        model: A file to link with, in place of learning.
        gold: Links by hand of the last lines; whether they fit is found out before anything is learnt.
        prior: A dictionary that is counted before the text, where it is learnt from.
        prior_weight: How often each of its source words counts as seen, its translations in equal parts.
    """

    inputs: tuple[Path, ...]
    cutting: Cutting
    aligner: TextAligner
    symmetrization: Symmetrization = Symmetrization.GROW_DIAG_FINAL_AND
    model: Path | None = None
    gold: Path | None = None
    prior: Path | None = None
    prior_weight: float = 1.0

    def check_gold(self, text: ParallelText) -> None:
        """Make sure that the links by hand belong to the last sentence pairs of a text."""
        if self.gold is not None:
            check_links(read_gold(self.gold).possible, text, self.gold, start=1, last=True)

    def align(self, text: ParallelText, model: TextModel | None, computation: Computation) -> Alignment:
        """Link a text that is held."""
        if model is None:
            return align_text(text, self.aligner, self.symmetrization, computation, self._counted())
        return align_with(model, text, self.symmetrization, computation)

    def _counted(self) -> LinkCounts | None:
        if self.prior is None:
            return None
        codes = dict(zip(("source_language", "target_language"), self.cutting.languages, strict=True))
        pairs = Lexicon.read(self.prior, self.cutting.lowercase, **codes).pairs
        known = Counter(source for source, _ in pairs)
        shares = np.array([1 / known[source] for source, _ in pairs])
        return LinkCounts.of_dictionary(pairs, shares, self.prior_weight)


def align_files(
    task: Task,
    files: LinkFiles,
    memory: int | None = None,
    computation: Computation = DEFAULT,
    save_model: Path | None = None,
    fresh: bool = False,
) -> Report:
    """Link the sentence pairs of files, at once or, with `memory`, in chunks.

    In chunks, a sample of the text teaches a model, which links one chunk after the other. What is
    finished is kept in a folder beside the links (`links.parts`) until all is: killed at any moment, the
    same call goes on, and what it writes is what it would have written at once. A text that is one chunk
    is linked at once.

    Args:
        task: The text; in chunks it is read up to three times.
        files: What to write.
        memory: MiB that a chunk and a sample may take, besides the program and the model.
        computation: Seed, threads, and who is told.
        save_model: Where to keep what was learnt.
        fresh: Whether parts that were made with other settings are made again.

    Raises:
        JointalignError: If a file cannot be read or written, or there is nothing to align.
        OtherWorkError: If there are parts of other settings, unless `fresh`.
    """
    if memory is None:
        return _align_at_once(task, files, computation, save_model)
    folder = files.links.with_name(f"{files.links.name}.parts")
    with locked(folder):
        report = _Chunks(task, files, memory, computation, folder, fresh).run(save_model)
    shutil.rmtree(folder)
    return report or _align_at_once(task, files, computation, save_model)


def _align_at_once(task: Task, files: LinkFiles, computation: Computation, save_model: Path | None) -> Report:
    text = ParallelText.of(task.cutting.pairs(*task.inputs))
    task.check_gold(text)
    found = task.align(text, None if task.model is None else read_model(task.model).model, computation)
    if save_model is not None:
        write_model(found.model, save_model, task.cutting)
    for name, path in files.by_line.items():
        _write_lines(path, files.lines(name, found, text))
    entries = files.write_words(lambda: iter(count_links(text, found.links)), task.cutting.languages)
    ways = found.forward, found.reverse
    history = {name: [way.history[name][-1] for way in ways] for name in ways[0].history}
    return {**_report(found, text), "chunks": 1, "entries": entries, "history": history}


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    with write_text(path) as file:
        file.writelines(f"{line}\n" for line in lines)


class _Counted(TypedDict):
    sentences: int
    empty: int
    links: int


def _report(found: Alignment, text: ParallelText) -> _Counted:
    return {"sentences": len(text), "empty": text.empty, "links": len(found.links.pairs)}


class Report(_Counted):
    """Chunks, entries of the dictionary, and what learning at once tells of both directions at its end."""

    chunks: int
    entries: int | None
    history: dict[str, list[float]]


class _Plan(TypedDict):
    """Where chunks begin, and the end; and how many cells there are."""

    bounds: list[int]
    cells: int


class _Chunks:
    def __init__(
        self, task: Task, files: LinkFiles, memory: int, computation: Computation, folder: Path, fresh: bool
    ) -> None:
        self._task, self._files, self._computation = task, files, computation
        self._folder, self._stages = folder, Stages(folder, fresh=fresh)
        self._budget = max(1, memory * 2**20 // BYTES_A_CELL)
        self._settings = {
            "inputs": [list(file_facts(path)) for path in task.inputs],
            "cutting": asdict(task.cutting),
            "method": type(task.aligner).__name__,
            "aligner": asdict(task.aligner),  # type: ignore[call-overload]
            "prior": None if task.prior is None else [*file_facts(task.prior), task.prior_weight],
            "gold": None if task.gold is None else list(file_facts(task.gold)),
            "model": None if task.model is None else list(file_facts(task.model)),
            "memory": memory,
            "seed": computation.seed,
        }
        self._lines = [*files.by_line, *(["linked"] if files.by_word else [])]
        self._read: SavedModel | None = None

    def run(self, save_model: Path | None) -> Report | None:
        """Link chunk by chunk; `None` if the text is one chunk."""
        self._stages.do("plan", self._settings, ["plan.json"], self._make_plan)
        plan = read_json(self._folder / "plan.json", _Plan, "a plan of chunks")
        bounds, after = plan["bounds"], ["plan"]
        if len(bounds) == 2:
            return None
        if self._task.model is None:
            self._stages.do("model", {}, [_MODEL], lambda: self._learn(plan), after=["plan"])
            after.append("model")
        reader = _Reader(self._task)
        settings = {"symmetrization": self._task.symmetrization, "files": self._lines}
        settings["sets"] = self._files.sets if self._files.n_best else None
        for k, (first, last) in enumerate(pairwise(bounds)):
            outputs = [f"{k}.{name}" for name in [*self._lines, "report"]]
            work = partial(self._link, k, reader, bounds)
            self._stages.do(f"chunk{k}", {**settings, "pairs": [first, last]}, outputs, work, after=after)
        if save_model is not None:
            write_model(self._model, save_model, self._task.cutting)
        return self._join(len(bounds) - 1)

    def _make_plan(self) -> None:
        bounds, cells, number, total = [0], 0, 0, 0
        last = deque(maxlen=0 if self._task.gold is None else len(read_gold(self._task.gold)))
        for number, (one, other) in enumerate(self._task.cutting.pairs(*self._task.inputs), 1):
            size = len(one) * len(other)
            if cells and cells + size > self._budget:
                bounds.append(number - 1)
                cells = 0
            cells += size
            total += size
            last.append((one, other))
        self._task.check_gold(ParallelText.of(last))
        plan: _Plan = {"bounds": [*bounds, number], "cells": total}
        with atomic(self._folder / "plan.json", "w") as file:
            json.dump(plan, file)

    def _learn(self, plan: _Plan) -> None:
        """What a sample teaches that is as large as a chunk."""
        draw, cells = np.random.default_rng([self._computation.seed, len(plan["bounds"])]), 0
        sample, share = [], self._budget / plan["cells"]
        for one, other in self._task.cutting.pairs(*self._task.inputs):
            if draw.random() < share and cells + len(one) * len(other) <= self._budget:
                cells += len(one) * len(other)
                sample.append((one, other))
        text = ParallelText.of(sample)
        del sample
        found = self._task.align(text, None, self._computation.part(0, len(plan["bounds"])))
        write_model(found.model, self._folder / _MODEL, self._task.cutting)

    @property
    def _model(self) -> TextModel:
        if self._read is None:
            self._read = read_model(self._task.model or self._folder / _MODEL)
        return self._read.model

    def _link(self, k: int, reader: _Reader, bounds: list[int]) -> None:
        text = reader.text(bounds[k], bounds[k + 1])
        found = self._task.align(text, self._model, self._computation.part(k + 1, len(bounds)))
        for name in self._files.by_line:
            _write_lines(self._folder / f"{k}.{name}", self._files.lines(name, found, text, bounds[k]))
        if self._files.by_word:
            write_counts(count_links(text, found.links), self._folder / f"{k}.linked")
        with atomic(self._folder / f"{k}.report", "w") as file:
            json.dump(_report(found, text), file)

    def _join(self, parts: int) -> Report:
        """Make the files of those of the chunks."""
        for name, path in self._files.by_line.items():
            with write_bytes(path) as file:
                for k in range(parts):
                    with (self._folder / f"{k}.{name}").open("rb") as part:
                        shutil.copyfileobj(part, file)
        counts = [self._folder / f"{k}.linked" for k in range(parts)]
        entries = self._files.write_words(
            lambda: added_counts(map(read_counts, counts)), self._task.cutting.languages
        )
        total: Counter[str] = Counter()
        for k in range(parts):
            total.update(read_json(self._folder / f"{k}.report", _Counted, "a report of a chunk"))
        counted: _Counted = {
            "sentences": total["sentences"],
            "empty": total["empty"],
            "links": total["links"],
        }
        return {**counted, "chunks": parts, "entries": entries, "history": {}}


class _Reader:
    """Reads a text once from beginning to end, and cuts what is asked for."""

    def __init__(self, task: Task) -> None:
        self._cutting, self._at = task.cutting, 0
        self._pairs = raw_pairs(*task.inputs, languages=task.cutting.languages)

    def text(self, first: int, last: int) -> ParallelText:
        """Sentence pairs after those that were read before."""
        wanted = islice(self._pairs, first - self._at, last - self._at)
        self._at = last
        return ParallelText.of(self._cutting.words(wanted))
