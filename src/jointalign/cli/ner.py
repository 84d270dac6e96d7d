"""`jointalign ner`: learn a tagger in one language, use it in another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
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
from jointalign.ner.base import Sentence

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
    """Tag text: a word and its tag a line, or the columns of a CoNLL file and one more."""
    from jointalign.contextual.storage import read_tagger
    from jointalign.ner import api as ner
    from jointalign.ner import torch_threads
    from jointalign.storage.files import spare_inputs, write_text

    paths = texts or [Path("-")]
    if out is not None:
        spare_inputs([*(path for path in paths if str(path) != "-"), *model.glob("*")], [out])

    def tagged(loaded: ner.NERModel) -> Iterator[tuple[str, Sentence]]:
        named = language_of(loaded.languages, language)
        for path in paths:
            if format is Format.CONLL:
                yield from ner.predict_conll(loaded, path, named, encoding, word_column)
            else:
                yield from ner.predict_lines(loaded, path, named, tokenized)

    kept: list[dict[str, Any]] = []
    with torch_threads(threads), progress("tag") as bar:
        loaded = read_tagger(model, device, encoder, local_only=local_only)
        begun, count = time.monotonic(), 0
        with nullcontext(sys.stdout) if out is None else write_text(out) as stream:
            for text, sentence in tagged(loaded):
                count += 1
                if out is not None or not json:
                    stream.write(text)
                else:
                    kept.append(_facts(sentence))
                if count % 1000 == 0:
                    bar(count, None, f"{count / (time.monotonic() - begun):.0f} sentences/s")
    speed = count / max(time.monotonic() - begun, 1e-9)
    if json:
        done = {"language": language, "count": count, "sentences_per_second": round(speed)}
        show_json(done | ({"sentences": kept} if out is None else {"out": str(out)}))
    say(f"{count:,} sentences, {speed:,.0f} a second")


@application.command("evaluate")
def evaluate(
    model: Model,
    test: Annotated[Path, typer.Argument(help="CoNLL file with tags.")],
    language: Language,
    predictions: Annotated[
        Path | None, typer.Option(help="Write word, tag and predicted tag here, for conlleval.")
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
    """Score a tagger on a file with tags: F1 of entities, as conlleval counts them."""
    from jointalign.contextual.storage import read_tagger
    from jointalign.ner import Text, score, torch_threads
    from jointalign.ner import api as ner
    from jointalign.storage.files import spare_inputs, write_text

    if predictions is not None:
        spare_inputs([test, *model.glob("*")], [predictions])
    sentences = read_conll(test, encoding, word_column, tag_column)
    with torch_threads(threads), progress("tag"):
        loaded = read_tagger(model, device, encoder, local_only=local_only)
        language = language_of(loaded.languages, language)
        unknown = _warn_of_types(loaded.tagger.labels, sentences)
        found = ner.predict(loaded, sentences, language)
        result = score(sentences, [s.tags or () for s in found], language, seed=seed)
        covered = ner.coverage(loaded, Text(sentences, language))
    if predictions is not None:
        with write_text(predictions) as stream:
            _write_columns(stream, sentences, found)
    if json:
        show_json(result.to_json() | {"coverage": covered, "no_common_type": unknown})
        return
    show(str(result))
    for name, counts in result.types.items():
        show(
            f"  {name:<6} F1 {counts.f1:5.1f}  P {counts.precision:5.1f}  R {counts.recall:5.1f}  "
            f"gold {counts.gold}"
        )
    if covered is not None:
        show(f"  {covered:.1f} % of the words have a vector")


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
