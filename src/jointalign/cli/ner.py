"""`jointalign ner`: learn a tagger in one language, use it in another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._ner_options import (
    Device,
    Encoding,
    Format,
    Language,
    Model,
    TagColumn,
    Threads,
    WhereEncoder,
    WordColumn,
    language_of,
    read_conll,
)
from jointalign.cli._ner_training import train
from jointalign.cli._options import Group, Json, LocalOnly, Seed, Tokenized, writable
from jointalign.ner.base import Entity, EntityCounts, Sentence
from jointalign.ner.errors import ByKnown, ErrorReport, by_known, errors_of
from jointalign.ner.output import Output, TaggedText, check_form, write_tagged, written
from jointalign.progress import Progress

application = typer.Typer(
    cls=Group,
    help="Named entities: learn a tagger in one language, use it in another without a label there.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

application.command("train")(train)


@application.command("predict")
def predict(
    model: Model,
    language: Language,
    texts: Annotated[list[Path] | None, typer.Argument(help="Files; without any, standard input.")] = None,
    format: Annotated[
        Format, typer.Option(help="text: a sentence a line; conll: a word a line.")
    ] = Format.TEXT,
    to: Annotated[
        Output | None,
        typer.Option("--to", help="Form of what is written; default: by the suffix of --out, else conll."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: standard output.", callback=writable)
    ] = None,
    tokenized: Tokenized = False,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    encoder: WhereEncoder = None,
    local_only: LocalOnly = False,
    device: Device = "cpu",
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Tag text: a word and its tag a line, or the columns of a CoNLL file and one more.

    As JSON lines, CoNLL-U or spaCy's DocBin (.jsonl, .conllu, .spacy) with the probability of each entity.
    """
    from jointalign.contextual.storage import read_tagger
    from jointalign.ner import api as ner
    from jointalign.ner import torch_threads
    from jointalign.storage.files import spare_inputs

    form = to or Output.of(out)
    check_form(form, out)
    paths = texts or [Path("-")]
    if out is not None:
        spare_inputs([*(path for path in paths if str(path) != "-"), *model.glob("*")], [out])
    probable = form is not Output.CONLL

    def tagged(loaded: ner.NERModel) -> Iterator[TaggedText]:
        named = language_of(loaded.languages, language)
        for path in paths:
            if format is Format.CONLL:
                yield from ner.predict_conll(loaded, path, named, encoding, word_column, probable)
            else:
                yield from ner.predict_lines(loaded, path, named, tokenized, probable)

    kept: list[dict[str, Any]] = []
    with torch_threads(threads), progress("tag") as bar:
        loaded = read_tagger(model, device, encoder, local_only=local_only)
        counted = _Counted(tagged(loaded), bar)
        if out is not None:
            write_tagged(counted, out, form)
        else:
            for found in counted:
                if json:
                    kept.append(found.to_json() if probable else _facts(found.sentence))
                else:
                    sys.stdout.write(written(found, form, counted.count))
    if json:
        done = {"language": language, "count": counted.count, "sentences_per_second": round(counted.speed)}
        show_json(done | ({"sentences": kept} if out is None else {"out": str(out)}))
    say(f"{counted.count:,} sentences, {counted.speed:,.0f} a second")


class _Counted:
    """Tagged text that counts itself while it goes by."""

    def __init__(self, found: Iterator[TaggedText], bar: Progress) -> None:
        self._found, self._bar = found, bar
        self.count, self._begun = 0, time.monotonic()

    @property
    def speed(self) -> float:
        """Sentences a second."""
        return self.count / max(time.monotonic() - self._begun, 1e-9)

    def __iter__(self) -> Iterator[TaggedText]:
        for found in self._found:
            self.count += 1
            if self.count % 1000 == 0:
                self._bar(self.count, None, f"{self.speed:.0f} sentences/s")
            yield found


@application.command("evaluate")
def evaluate(
    model: Model,
    test: Annotated[Path, typer.Argument(help="CoNLL file with tags.")],
    language: Language,
    predictions: Annotated[
        Path | None, typer.Option(help="Write word, tag and predicted tag here, for conlleval.")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option("--train", help="CoNLL file learnt from: names it has are scored apart from others."),
    ] = None,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    tag_column: TagColumn = None,
    encoder: WhereEncoder = None,
    local_only: LocalOnly = False,
    device: Device = "cpu",
    threads: Threads = 1,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Score a tagger on a file with tags: F1 of entities, as conlleval counts them.

    And what goes wrong: errors by kind and type, names with known and unknown words, and how far the
    probabilities of entities are from how often they are right.
    """
    from jointalign.contextual.storage import read_tagger
    from jointalign.ner import Text, score, torch_threads
    from jointalign.ner import api as ner
    from jointalign.storage.files import spare_inputs, write_text

    if predictions is not None:
        spare_inputs([test, *model.glob("*")], [predictions])
    sentences = read_conll(test, encoding, word_column, tag_column)
    seen = None if training is None else read_conll(training, encoding, word_column, tag_column)
    with torch_threads(threads), progress("tag"):
        loaded = read_tagger(model, device, encoder, local_only=local_only)
        language = language_of(loaded.languages, language)
        unknown = _warn_of_types(loaded.tagger.labels, sentences)
        probable = ner.find(loaded, sentences, language)
        found = [sentence for sentence, _ in probable]
        tags = [s.tags or () for s in found]
        result = score(sentences, tags, language, seed=seed)
        covered = ner.coverage(loaded, Text(sentences, language))
    if predictions is not None:
        with write_text(predictions) as stream:
            _write_columns(stream, sentences, found)
    errors, apart = errors_of(sentences, tags), {}
    if seen is not None:
        words = {word for sentence in seen for word in sentence.words}
        apart["training text"] = by_known(sentences, tags, words.__contains__)
    if (has_vector := ner.vocabulary_of(loaded, language)) is not None:
        apart["vocabulary"] = by_known(sentences, tags, has_vector)
    if json:
        more = {"coverage": covered, "no_common_type": unknown, "errors": errors.to_json()}
        more["words_known_to"] = {name: one.to_json() for name, one in apart.items()}
        show_json(result.to_json() | more | {"calibration_error": _calibration_error(sentences, probable)})
        return
    show(str(result))
    for name, counts in result.types.items():
        show(_scores(name, counts))
    if covered is not None:
        show(f"  {covered:.1f} % of the words have a vector")
    _show_errors(errors, apart)
    if (error := _calibration_error(sentences, probable)) is not None:
        show(f"  probabilities of entities are off by {100 * error:.1f} points (expected calibration error)")


def _scores(name: str, counts: EntityCounts) -> str:
    return (
        f"  {name:<6} F1 {counts.f1:5.1f}  P {counts.precision:5.1f}  R {counts.recall:5.1f}  "
        f"gold {counts.gold}"
    )


def _show_errors(errors: ErrorReport, apart: Mapping[str, ByKnown]) -> None:
    show("what became of the names of each type, and names where there are none:")
    for name, one in errors.types.items():
        show(
            f"  {name:<6} right {one.correct}, as another type {one.other_type}, other words "
            f"{one.other_words}, both {one.both}, missed {one.missed}, spurious {one.spurious}"
        )
    for gold, found, count in errors.confused[:5]:
        show(f"  {gold} taken for {found}: {count}")
    for name, one in apart.items():
        show(f"names with all words in the {name}, and others:")
        show(_scores("known", one.known))
        show(_scores("others", one.unknown))


def _calibration_error(
    gold: Sequence[Sentence], found: Sequence[tuple[Sentence, tuple[Entity, ...]]]
) -> float | None:
    """How far probabilities of entities are from how often they are right; `None` without any."""
    import numpy as np

    from jointalign.ner import spans
    from jointalign.ranking.calibration import calibration_error

    sure, right = [], []
    for sentence, (_, entities) in zip(gold, found, strict=True):
        wanted = {(span.start, span.end, span.type) for span in spans(sentence.tags or ())}
        for entity in entities:
            sure.append(entity.probability)
            right.append((entity.start, entity.end, entity.type) in wanted)
    return calibration_error(np.array(sure), np.array(right)) if sure else None


def _warn_of_types(labels: Sequence[str], sentences: Sequence[Sentence]) -> bool:
    """Whether a file has types of entities, and none that the tagger knows; says so."""
    from jointalign.ner import spans

    known = sorted({label.partition("-")[2] for label in labels} - {""})
    there = sorted({span.type for sentence in sentences for span in spans(sentence.tags or ())})
    if not there or set(known) & set(there):
        return False
    say(
        f"warning: the tagger knows the types {', '.join(known)}, the file has {', '.join(there)}, and none "
        "is in both: nothing can be right"
    )
    return True


def _facts(sentence: Sentence) -> dict[str, Any]:
    from jointalign.ner import spans

    entities = [
        {
            "type": span.type,
            "start": span.start,
            "end": span.end,
            "text": " ".join(sentence.words[span.start : span.end]),
        }
        for span in spans(sentence.tags or ())
    ]
    return {"words": sentence.words, "tags": sentence.tags, "entities": entities}


def _write_columns(stream: TextIO, gold: tuple[Sentence, ...], found: list[Sentence]) -> None:
    for wanted, tagged in zip(gold, found, strict=True):
        for cells in zip(wanted.words, wanted.tags or (), tagged.tags or (), strict=True):
            stream.write(" ".join(cells) + "\n")
        stream.write("\n")
