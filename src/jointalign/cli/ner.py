"""`jointalign ner`: learn a tagger in one language, use it in another."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import Json, OutFolder, Seed, SourceLanguage, TargetLanguage, Tokenized
from jointalign.cli._spaces import Source, Space, Target, read_space
from jointalign.ner.api import Select
from jointalign.ner.base import Sentence

CHECKPOINT = "training.checkpoint"

application = typer.Typer(
    help="Named entities: learn a tagger in one language, use it in another without a label there.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Encoding = Annotated[
    str, typer.Option(help="Of the CoNLL files; latin-1 for those of 2002 as they came out.")
]
WordColumn = Annotated[
    int | None, typer.Option(min=0, help="Column of the words, from 0; default: found out.")
]
TagColumn = Annotated[
    int | None, typer.Option(min=0, help="Column of the tags, from 0; default: found out.")
]
Threads = Annotated[int, typer.Option(min=1, max=512, help="One is fastest for short sentences.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, ...")]
Model = Annotated[Path, typer.Argument(help="Folder of a tagger, as `ner train` writes it.")]
Language = Annotated[str, typer.Option(help="Code of the text's language, e.g. es.")]


class Format(StrEnum):
    """What a text to be tagged looks like."""

    TEXT = "text"
    CONLL = "conll"


@application.command("train")
def train(
    training: Annotated[Path, typer.Option("--train", help="CoNLL file to learn from.")],
    development: Annotated[Path, typer.Option(help="CoNLL file that decides when to stop.")],
    out: OutFolder,
    embedding: Space = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "target",
    select: Annotated[
        Select,
        typer.Option(help="Language of the development file: source-dev (zero-shot), target-dev."),
    ] = Select.SOURCE,
    sentences: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many sentences, drawn at random.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="At most so many.")] = 30,
    patience: Annotated[
        int, typer.Option(min=1, help="Stop after so many epochs without a better one.")
    ] = 5,
    batch_size: Annotated[int, typer.Option(min=1, help="Sentences a step.")] = 16,
    learning_rate: Annotated[float, typer.Option(min=1e-6, help="Of Adam.")] = 1e-3,
    hidden: Annotated[
        int, typer.Option(min=1, help="Of the LSTM in each direction (100: Lample et al.).")
    ] = 100,
    characters: Annotated[
        bool, typer.Option("--characters/--no-characters", help="Whether words are spelt to it.")
    ] = True,
    learn_vectors: Annotated[
        bool, typer.Option("--learn-vectors", help="Move the vectors of the training text, too.")
    ] = False,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    tag_column: TagColumn = None,
    device: Device = "cpu",
    threads: Threads = 1,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Learn a BiLSTM-CRF tagger over frozen vectors of two languages in one space.

    With --embedding the languages are those of the file; --source-vectors and --target-vectors need
    --source-language and --target-language. Stopped, it goes on where it was when started again.
    """
    from jointalign.ner import FitSettings, TaggerSettings, Text, torch_threads
    from jointalign.ner import api as ner
    from jointalign.stages import locked

    space = read_space(embedding, source_vectors, target_vectors)
    if embedding is None:
        space = replace(space, source_language=source_language, target_language=target_language)
    languages = space.source_language, space.target_language
    texts = [_read(path, encoding, word_column, tag_column) for path in (training, development)]
    texts[0] = ner.drawn(texts[0], sentences, seed)
    learnt_from = Text(texts[0], languages[0])
    decided_by = Text(texts[1], languages[select is Select.TARGET])
    settings = TaggerSettings(hidden=hidden)
    if not characters:
        settings = TaggerSettings(hidden=hidden, character_hidden=0)
    how = FitSettings(epochs, batch_size, learning_rate, patience=patience)
    with locked(out), torch_threads(threads), progress("train") as bar:
        model = ner.train(
            space, learnt_from, decided_by, settings, how,
            learn_vectors=learn_vectors, device=device, seed=seed,
            checkpoint=out / CHECKPOINT, progress=bar,
        )  # fmt: skip
        ner.write(model, out)
        (out / CHECKPOINT).unlink(missing_ok=True)
    facts = {"out": str(out), "languages": languages, **model.about}
    best = model.about["development_f1"][model.about["best"]]
    if json:
        show_json(facts | {"best_f1": best})
    else:
        show(f"{out}: F1 {best:.1f} on {development} (best of {len(model.about['losses'])} epochs)")


@application.command("predict")
def predict(
    model: Model,
    language: Language,
    texts: Annotated[
        list[Path] | None, typer.Argument(help="Files; without any, standard input.")
    ] = None,
    format: Annotated[
        Format, typer.Option(help="text: a sentence a line; conll: a word a line.")
    ] = Format.TEXT,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: standard output.")
    ] = None,
    tokenized: Tokenized = False,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json: Json = False,
) -> None:
    """Tag text: a word and its tag a line, or the columns of a CoNLL file and one more."""
    from jointalign.files import spare_inputs, write_text
    from jointalign.ner import api as ner
    from jointalign.ner import torch_threads

    paths = texts or [Path("-")]
    if out is not None:
        spare_inputs([*(path for path in paths if str(path) != "-"), *model.glob("*")], [out])

    def tagged(loaded: ner.NERModel) -> Iterator[tuple[str, Sentence]]:
        for path in paths:
            if format is Format.CONLL:
                yield from ner.predict_conll(loaded, path, language, encoding, word_column)
            else:
                yield from ner.predict_lines(loaded, path, language, tokenized)

    kept: list[dict[str, Any]] = []
    with torch_threads(threads), progress("tag") as bar:
        loaded = ner.read(model, device)
        begun, count = time.monotonic(), 0
        with nullcontext(sys.stdout) if out is None else write_text(out) as stream:
            for text, sentence in tagged(loaded):
                count += 1
                if json:
                    kept.append(_facts(sentence))
                if out is not None or not json:
                    stream.write(text)
                if count % 1000 == 0:
                    bar(count, None, f"{count / (time.monotonic() - begun):.0f} sentences/s")
    speed = count / max(time.monotonic() - begun, 1e-9)
    if json:
        show_json({"language": language, "sentences": kept, "sentences_per_second": round(speed)})
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
    device: Device = "cpu",
    threads: Threads = 1,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Score a tagger on a file with tags: F1 of entities, as conlleval counts them."""
    from jointalign.files import spare_inputs, write_text
    from jointalign.ner import Text, score, torch_threads
    from jointalign.ner import api as ner

    if predictions is not None:
        spare_inputs([test, *model.glob("*")], [predictions])
    sentences = _read(test, encoding, word_column, tag_column)
    with torch_threads(threads), progress("tag"):
        loaded = ner.read(model, device)
        found = ner.predict(loaded, sentences, language)
        result = score(sentences, [s.tags or () for s in found], language, seed=seed)
        covered = ner.coverage(loaded, Text(sentences, language))
    if predictions is not None:
        with write_text(predictions) as stream:
            _write_columns(stream, sentences, found)
    if json:
        show_json(result.to_json() | {"coverage": covered})
        return
    show(str(result))
    for name, counts in result.types.items():
        show(f"  {name:<6} F1 {counts.f1:5.1f}  P {counts.precision:5.1f}  R {counts.recall:5.1f}  "
             f"gold {counts.gold}")  # fmt: skip
    if covered is not None:
        show(f"  {covered:.1f} % of the words have a vector")


def _read(
    path: Path, encoding: str, word_column: int | None, tag_column: int | None
) -> tuple[Sentence, ...]:
    from jointalign.ner import conll

    found = conll.read(path, encoding=encoding, word_column=word_column, tag_column=tag_column)
    say(
        f"{path}: {len(found.sentences):,} sentences, {found.tokens:,} words, {found.scheme}, "
        f"{found.documents} marks of documents left out"
    )
    return found.sentences


def _facts(sentence: Sentence) -> dict[str, Any]:
    from jointalign.ner import spans

    entities = [
        {"type": span.type, "start": span.start, "end": span.end,
         "text": " ".join(sentence.words[span.start : span.end])}
        for span in spans(sentence.tags or ())
    ]  # fmt: skip
    return {"words": sentence.words, "tags": sentence.tags, "entities": entities}


def _write_columns(stream: TextIO, gold: tuple[Sentence, ...], found: list[Sentence]) -> None:
    for wanted, tagged in zip(gold, found, strict=True):
        for cells in zip(wanted.words, wanted.tags or (), tagged.tags or (), strict=True):
            stream.write(" ".join(cells) + "\n")
        stream.write("\n")
