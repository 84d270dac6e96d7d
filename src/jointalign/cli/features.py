"""`jointalign features`: text in, the vectors that an encoder gives its words out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say
from jointalign.cli._encoders import parsed_layers, sentences
from jointalign.cli._options import (
    BatchPieces,
    Device,
    Encoder,
    Fresh,
    Json,
    Layers,
    LocalOnly,
    OutFolder,
    Seed,
    Threads,
    Tokenized,
)


def command(
    encoder: Encoder,
    input: Annotated[Path, typer.Option(help="Text, one sentence a line; or a CoNLL file.")],
    out: OutFolder,
    language: Annotated[str, typer.Option(help="Code of its language, e.g. en.")] = "en",
    layers: Layers = "-4,-3,-2,-1",
    pooling: Annotated[
        str, typer.Option(help="mean or first piece of each word, or all pieces, for a tagger.")
    ] = "mean",
    combine: Annotated[str, typer.Option(help="each layer, or their sum.")] = "each",
    mapping: Annotated[
        Path | None, typer.Option(help="Of each layer, from `jointalign align-features`.")
    ] = None,
    side: Annotated[str, typer.Option(help="Whose map: source or target.")] = "source",
    conll: Annotated[bool, typer.Option("--conll", help="The text has a word a line.")] = False,
    tokenized: Tokenized = False,
    batch_pieces: BatchPieces = 2048,
    device: Device = "cpu",
    local_only: LocalOnly = False,
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Write a vector for each word of a text, in its sentence, in half precision.

    Long sentences go through in overlapping windows; nothing is cut off. Stopped, it goes on where
    it was when started again. Nothing is random.
    """
    from jointalign.contextual import Encoder as Loaded
    from jointalign.contextual import (
        FeatureSettings,
        FeatureSide,
        choice,
        read_layer_mappings,
        torch_threads,
        write_features,
    )
    from jointalign.contextual.base import Combine, Pooling
    from jointalign.numerics.processors import limited_to
    from jointalign.storage.checkpoint import or_fresh
    from jointalign.storage.files import file_facts, spare_inputs

    settings = FeatureSettings(parsed_layers(layers), choice(Pooling, pooling), choice(Combine, combine))
    given = [input, *([mapping] if mapping else [])]
    spare_inputs(given, out.iterdir() if out.is_dir() else [])
    text = {"text": file_facts(input), "tokenized": tokenized, "conll": conll}
    learnt = None if mapping is None else read_layer_mappings(mapping)
    begun = time.monotonic()
    with progress("features") as bar, limited_to(threads), torch_threads(threads):
        loaded = Loaded.load(encoder, device=device, local_only=local_only)
        store = or_fresh(
            lambda: write_features(
                loaded,
                sentences(input, language, tokenized, conll),
                out,
                settings,
                mappings=learnt,
                side=choice(FeatureSide, side),
                language=language,
                batch_pieces=batch_pieces,
                facts=text,
                progress=bar,
            ),
            fresh,
        )
    facts = {
        "sentences": len(store),
        "words": store.facts["words"],
        "rows": store.facts["rows"],
        "layers": list(store.layers),
        "dimensions": store.dimensions,
        "windows_beyond_the_first": store.facts["windows"],
        "seconds": round(time.monotonic() - begun, 3),
        "out": str(out),
    }
    if facts["windows_beyond_the_first"]:
        say(
            f"sentences beyond {loaded.longest} pieces were read in overlapping windows, "
            f"{facts['windows_beyond_the_first']} more in all"
        )
    answer(
        json,
        facts,
        f"{out}: {len(store):,} sentences, {facts['rows']:,} vectors x {store.dimensions} in "
        f"{len(store.vectors)} arrays, layers {', '.join(map(str, store.layers))}",
    )
