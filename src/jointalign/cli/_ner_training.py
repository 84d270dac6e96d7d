"""`jointalign ner train`: text with tags in, a tagger over any of the project's vectors out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jointalign.cli._console import answer, progress, say
from jointalign.cli._encoders import parsed_layers
from jointalign.cli._encoders import sentences as words_of
from jointalign.cli._help import ENCODER
from jointalign.cli._ner_options import Device, Encoding, Format, TagColumn, Threads, WordColumn, read_conll
from jointalign.cli._options import (
    BatchPieces,
    Fresh,
    Json,
    Layers,
    LocalOnly,
    OutFolder,
    Seed,
    SourceLanguage,
    TargetLanguage,
)
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.cli._spaces import Source, Space, Target, read_space
from jointalign.contextual import tagging
from jointalign.ner import TaggerFitSettings, TaggerSettings
from jointalign.ner.api import Select

if TYPE_CHECKING:
    from jointalign.contextual import LayerMappings
    from jointalign.ner import Text

TAGGERS = {
    "": (TaggerSettings(), TaggerFitSettings()),
    "--encoder": (tagging.FEATURE_TAGGER, tagging.FEATURE_FIT),
    "--fine-tune": (tagging.FINE_TUNING_TAGGER, tagging.FINE_TUNING_FIT),
}
"""The kinds of taggers, by the option that asks for them, and their published settings."""


@with_settings(
    tagger=Options(
        TaggerSettings(), {kind: one for kind, (one, _) in TAGGERS.items()}, names={"layers": "tagger_layers"}
    ),
    fit=Options(TaggerFitSettings(), {kind: one for kind, (_, one) in TAGGERS.items()}),
)
def train(
    training: Annotated[Path, typer.Option("--train", help="CoNLL file to learn from.")],
    development: Annotated[Path, typer.Option(help="CoNLL file that decides when to stop.")],
    out: OutFolder,
    tagger: Changes[TaggerSettings],
    fit: Changes[TaggerFitSettings],
    embedding: Space = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    encoder: Annotated[
        str | None, typer.Option(help="Or an encoder's folder or name, for contextual vectors.")
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="Of the encoder's layers, from `jointalign align-features`.", rich_help_panel=ENCODER
        ),
    ] = None,
    side: Annotated[
        str | None,
        typer.Option(
            help="Side of --mapping that the source language is on; default: as named.",
            rich_help_panel=ENCODER,
        ),
    ] = None,
    layers: Layers = "-4,-3,-2,-1",
    fine_tune: Annotated[
        bool,
        typer.Option(
            "--fine-tune", help="Learn the encoder itself, with a linear layer.", rich_help_panel=ENCODER
        ),
    ] = False,
    unlabelled: Annotated[
        Path | None,
        typer.Option(
            help="Text of the target language, for --fine-tune with an adversary.", rich_help_panel=ENCODER
        ),
    ] = None,
    unlabelled_format: Annotated[
        Format, typer.Option(help="text: a sentence a line; conll: a word a line.", rich_help_panel=ENCODER)
    ] = Format.TEXT,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "target",
    select: Annotated[
        Select, typer.Option(help="Language of the development file: source-dev (zero-shot), target-dev.")
    ] = Select.SOURCE,
    sentences: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many sentences, drawn at random.")
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            "--translate",
            help="Dictionary, as `rank` or `translate` writes it: the training text is carried over into "
            "the target language word by word, labels kept, and the tagger learnt there.",
        ),
    ] = None,
    characters: Annotated[
        bool,
        typer.Option(
            "--characters/--no-characters",
            help="Whether words are spelt to it.",
            rich_help_panel="Settings of the tagger",
        ),
    ] = True,
    learn_vectors: Annotated[
        bool,
        typer.Option(
            "--learn-vectors",
            help="Move the vectors of the training text, too.",
            rich_help_panel="Settings of the tagger",
        ),
    ] = False,
    encoding: Encoding = "utf-8",
    word_column: WordColumn = None,
    tag_column: TagColumn = None,
    batch_pieces: BatchPieces = 2048,
    device: Device = "cpu",
    local_only: LocalOnly = False,
    threads: Threads = 1,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Learn a tagger over vectors of two languages in one space, or over those of an encoder.

    With --embedding the languages are those of the file; --source-vectors and --target-vectors need
    --source-language and --target-language. With --encoder words have no characters of their own;
    a tagger on features tags any language that the encoder knows, or with --mapping those of the
    map. Stopped, it goes on where it was when started again.
    """
    from jointalign.contextual import Encoder
    from jointalign.contextual.job import train_in_folder
    from jointalign.ner import Text, torch_threads
    from jointalign.ner import api as ner
    from jointalign.storage.files import spare_folder

    _check_options(
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
            "--translate": dictionary,
        },
    )
    inputs = (training, development, embedding, source_vectors, target_vectors, mapping, unlabelled)
    spare_folder((*inputs, dictionary, encoder), out)
    space, languages = None, (source_language, target_language)
    if encoder is None:
        space = read_space(embedding, source_vectors, target_vectors)
        if embedding is None:
            space = replace(space, source_language=languages[0], target_language=languages[1])
        languages = space.source_language, space.target_language
    texts = [read_conll(path, encoding, word_column, tag_column) for path in (training, development)]
    learnt_from = Text(ner.drawn(texts[0], sentences, seed), languages[0])
    decided_by = Text(texts[1], languages[select is Select.TARGET])
    if dictionary is not None:
        learnt_from, decided_by = _carried((learnt_from, decided_by), dictionary, languages)
    standard = TAGGERS["--fine-tune" if fine_tune else "--encoder"] if encoder else TAGGERS[""]
    network, learning = tagger.over(standard[0]), fit.over(standard[1])
    if encoder is None and not characters:
        network = network.without_characters()
    with torch_threads(threads), progress("train") as bar:
        model = train_in_folder(
            space or Encoder.load(encoder or "", device=device, local_only=local_only),
            learnt_from,
            decided_by,
            out,
            network,
            learning,
            fine_tuned=fine_tune,
            features=replace(tagging.TAGGER_FEATURES, layers=parsed_layers(layers)),
            mappings=_maps_of(mapping, side, languages),
            unlabelled=_unlabelled_text(unlabelled, target_language, unlabelled_format),
            learn_vectors=learn_vectors,
            batch_pieces=batch_pieces,
            device=device,
            seed=seed,
            fresh=fresh,
            progress=bar,
        )
    used = {"tagger": network, "fit": learning}
    facts = {"out": str(out), "languages": languages, "settings": plain(used), **model.about}
    best = model.about["development_f1"][model.about["best"]]
    answer(
        json,
        facts | {"best_f1": best},
        f"{out}: F1 {best:.1f} on {development} (best of {len(model.about['losses'])} epochs)",
    )


def _check_options(
    encoder: str | None, fine_tune: bool, unlabelled: Path | None, given: dict[str, object]
) -> None:
    """Options that mean nothing beside others are mistakes, not wishes."""
    static = ("--embedding", "--source-vectors", "--target-vectors", "--learn-vectors", "--translate")
    for name, value in given.items():
        if value is None:
            continue
        if encoder is None and name not in static:
            raise typer.BadParameter(f"{name} is for a tagger over an encoder; name it (--encoder)")
        if encoder is not None and name in static:
            raise typer.BadParameter(f"{name} is for vectors from a table; leave out --encoder")
        if fine_tune and name in ("--mapping", "--side"):
            raise typer.BadParameter(f"{name} is for features; leave out --fine-tune")
    if unlabelled is not None and not fine_tune:
        raise typer.BadParameter("--unlabelled is for --fine-tune")
    if given["--side"] is not None and given["--mapping"] is None:
        raise typer.BadParameter("--side is that of a --mapping")


def _carried(texts: tuple[Text, Text], path: Path, languages: tuple[str, str]) -> list[Text]:
    """Texts of the source language carried over into the target."""
    from jointalign import Lexicon
    from jointalign.ner import Text, carry_over

    lexicon = Lexicon.read(path, source_language=languages[0], target_language=languages[1])
    found = []
    for text in texts:
        if text.language == languages[0]:
            carried = carry_over(text.sentences, lexicon)
            say(f"{path}: {carried.translated:,} words translated, {carried.kept:,} kept as they are")
            text = Text(carried.sentences, languages[1])
        found.append(text)
    return found


def _maps_of(path: Path | None, side: str | None, languages: tuple[str, str]) -> LayerMappings | None:
    from jointalign.contextual import FeatureSide, choice, read_layer_mappings

    if path is None:
        return None
    maps = read_layer_mappings(path)
    if side is None:
        return maps
    if languages[1] == "target":
        raise typer.BadParameter("--side needs --target-language, for the other side")
    turned = choice(FeatureSide, side) is FeatureSide.TARGET
    return replace(maps, languages=languages[::-1] if turned else languages)


def _unlabelled_text(path: Path | None, language: str, form: Format) -> Text | None:
    from jointalign.ner import Sentence, Text

    if path is None:
        return None
    found = words_of(path, language, False, form is Format.CONLL)
    return Text([Sentence(tuple(words)) for words in found if words], language)
