"""`jointalign ner train`: text with tags in, a tagger over any of the project's vectors out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, show, show_json
from jointalign.cli._encoders import parsed_layers
from jointalign.cli._ner_options import Device, Encoding, Format, TagColumn, Threads, WordColumn, read_conll
from jointalign.cli._ner_taggers import (
    CHECKPOINT,
    FEATURES,
    EncoderGiven,
    Wishes,
    check_options,
    maps_of,
    unlabelled_text,
)
from jointalign.cli._options import (
    BatchPieces,
    Json,
    Layers,
    LocalOnly,
    OutFolder,
    Seed,
    SourceLanguage,
    TargetLanguage,
)
from jointalign.cli._spaces import Source, Space, Target, read_space
from jointalign.ner.api import Select


def train(
    training: Annotated[Path, typer.Option("--train", help="CoNLL file to learn from.")],
    development: Annotated[Path, typer.Option(help="CoNLL file that decides when to stop.")],
    out: OutFolder,
    embedding: Space = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    encoder: Annotated[
        str | None, typer.Option(help="Or an encoder's folder or name, for contextual vectors.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Of the encoder's layers, from `jointalign align-features`.")
    ] = None,
    side: Annotated[
        str | None, typer.Option(help="Side of --mapping that the source language is on; default: as named.")
    ] = None,
    layers: Layers = "-4,-3,-2,-1",
    fine_tune: Annotated[
        bool, typer.Option("--fine-tune", help="Learn the encoder itself, with a linear layer.")
    ] = False,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Text of the target language, for --fine-tune with an adversary.")
    ] = None,
    unlabelled_format: Annotated[
        Format, typer.Option(help="text: a sentence a line; conll: a word a line.")
    ] = Format.TEXT,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "target",
    select: Annotated[
        Select, typer.Option(help="Language of the development file: source-dev (zero-shot), target-dev.")
    ] = Select.SOURCE,
    sentences: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many sentences, drawn at random.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="At most so many; default: 30, on features 40, fine-tuned 3.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            min=1, help="Stop after so many epochs without a better one; default: 5, with an encoder: never."
        ),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Sentences a step; default: 16, on features 10, fine-tuned 32.")
    ] = None,
    learning_rate: Annotated[
        float | None,
        typer.Option(min=1e-7, help="Of Adam; default: 1e-3, on features 1e-4, fine-tuned 3e-5."),
    ] = None,
    hidden: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Of the LSTM in each direction; default: 100 (Lample et al.), on features 384 (the paper).",
        ),
    ] = None,
    characters: Annotated[
        bool, typer.Option("--characters/--no-characters", help="Whether words are spelt to it.")
    ] = True,
    learn_vectors: Annotated[
        bool, typer.Option("--learn-vectors", help="Move the vectors of the training text, too.")
    ] = False,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    tag_column: TagColumn = None,
    batch_pieces: BatchPieces = 2048,
    device: Device = "cpu",
    local_only: LocalOnly = False,
    threads: Threads = 1,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Learn a tagger over vectors of two languages in one space, or over those of an encoder.

    With --embedding the languages are those of the file; --source-vectors and --target-vectors need
    --source-language and --target-language. With --encoder words have no characters of their own;
    a tagger on features tags any language that the encoder knows, or with --mapping those of the
    map. Stopped, it goes on where it was when started again.
    """
    from jointalign.contextual.storage import write_tagger
    from jointalign.ner import Text, torch_threads
    from jointalign.ner import api as ner
    from jointalign.storage.files import spare_folder
    from jointalign.storage.stages import locked

    check_options(
        encoder,
        fine_tune,
        unlabelled,
        {
            "--mapping": mapping,
            "--side": side,
            "--fine-tune": fine_tune or None,
            "--embedding": embedding,
            "--source-vectors": source_vectors,
            "--target-vectors": target_vectors,
            "--learn-vectors": learn_vectors or None,
        },
    )
    spare_folder(
        (training, development, embedding, source_vectors, target_vectors, mapping, unlabelled, encoder), out
    )
    space, languages = None, (source_language, target_language)
    if encoder is None:
        space = read_space(embedding, source_vectors, target_vectors)
        if embedding is None:
            space = replace(space, source_language=languages[0], target_language=languages[1])
        languages = space.source_language, space.target_language
    texts = [read_conll(path, encoding, word_column, tag_column) for path in (training, development)]
    learnt_from = Text(ner.drawn(texts[0], sentences, seed), languages[0])
    decided_by = Text(texts[1], languages[select is Select.TARGET])
    wishes = Wishes(hidden, characters, epochs, patience, batch_size, learning_rate, seed)
    with locked(out), torch_threads(threads), progress("train") as bar:
        if space is not None:
            model = wishes.static(space, learnt_from, decided_by, learn_vectors, device, out, bar)
        else:
            given = EncoderGiven(encoder or "", device, local_only, batch_pieces)
            if fine_tune:
                other = unlabelled_text(unlabelled, target_language, unlabelled_format)
                model = wishes.fine_tuned(given, learnt_from, decided_by, other, out, bar)
            else:
                maps, chosen = maps_of(mapping, side, languages), parsed_layers(layers)
                model = wishes.features(given, chosen, maps, learnt_from, decided_by, out, bar)
        write_tagger(model, out)
        (out / CHECKPOINT).unlink(missing_ok=True)
        shutil.rmtree(out / FEATURES, ignore_errors=True)
    facts = {"out": str(out), "languages": languages, **model.about}
    best = model.about["development_f1"][model.about["best"]]
    if json:
        show_json(facts | {"best_f1": best})
    else:
        show(f"{out}: F1 {best:.1f} on {development} (best of {len(model.about['losses'])} epochs)")
