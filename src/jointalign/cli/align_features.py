"""`jointalign align-features`: an encoder and parallel text in, a map for each layer out."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._encoders import parsed_layers
from jointalign.cli._options import (
    AlignmentMethod,
    BatchPieces,
    Device,
    Encoder,
    Fresh,
    Json,
    Layers,
    LocalOnly,
    OutFile,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    Tokenized,
)


def command(
    encoder: Encoder,
    input: Annotated[
        list[Path],
        typer.Option(
            help="Parallel text: one file of 'source ||| target' lines, or twice: the source's "
            "and the target's file."
        ),
    ],
    out: OutFile,
    links: Annotated[
        Path | None,
        typer.Option(help="Links of its words, '0-0 1-2' a line; default: found as by align-text."),
    ] = None,
    word_alignment: Annotated[
        AlignmentMethod, typer.Option(help="What finds links: a method of align-text.")
    ] = AlignmentMethod.BAYES,
    layers: Layers = "-4,-3,-2,-1",
    method: Annotated[
        str,
        typer.Option(
            help="orthogonal, least-squares, whitened, plain (eq. (1) of the paper as it stands), "
            "or any method of `jointalign align`."
        ),
    ] = "orthogonal",
    side: Annotated[str, typer.Option(help="Which side moves: source or target.")] = "source",
    sentences: Annotated[
        int, typer.Option(min=1, help="Use so many pairs from the start (the paper's: 30,000).")
    ] = 30_000,
    longest: Annotated[int, typer.Option(min=1, help="Leave out pairs with more words on a side.")] = 99,
    sample: Annotated[
        int, typer.Option(min=10, help="Word pairs that a method of `align` learns from.")
    ] = 20_000,
    held_out: Annotated[int, typer.Option(min=10, help="Word pairs to test on.")] = 2_000,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "es",
    tokenized: Tokenized = False,
    batch_pieces: BatchPieces = 2048,
    device: Device = "cpu",
    local_only: LocalOnly = False,
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Learn a map for each layer of an encoder from words that translate each other.

    Reports how often held-out words find their translation, before and after. Stopped, it goes on
    where it was when started again.
    """
    from jointalign.contextual import Encoder as Loaded
    from jointalign.contextual import (
        learn_mappings,
        mapping_settings,
        read_aligned_text,
        torch_threads,
        write_layer_mappings,
    )
    from jointalign.numerics.processors import limited_to
    from jointalign.storage.checkpoint import or_fresh
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import claimed

    if len(input) > 2:
        raise typer.BadParameter("give --input once or twice")
    spare_inputs([*input, *([links] if links else []), *Path(encoder).glob("*")], [out])
    settings = mapping_settings(
        method, layers=parsed_layers(layers), side=side, sample=sample, held_out=held_out
    )
    codes = source_language, target_language
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    begun = time.monotonic()
    with progress("load") as bar, limited_to(threads), torch_threads(threads), claimed(out.parent, out.name):
        loaded = Loaded.load(encoder, device=device, local_only=local_only)
        bar.title("align words")
        text, left_out = read_aligned_text(
            input,
            links,
            codes,
            word_aligner=word_alignment.defaults(),
            tokenized=tokenized,
            most=sentences,
            longest=longest,
            threads=threads,
            progress=bar,
        )
        if left_out:
            say(f"{left_out} sentence pairs left out: empty, or more than {longest} words")
        bar.title("learn")
        learnt = or_fresh(
            lambda: learn_mappings(
                loaded,
                text,
                settings,
                languages=codes,
                batch_pieces=batch_pieces,
                seed=seed,
                checkpoint=checkpoint,
                progress=bar,
            ),
            fresh,
        )
        write_layer_mappings(learnt.mappings, out)
        checkpoint.unlink(missing_ok=True)
    if json:
        show_json(
            {
                "method": method,
                "side": side,
                "pairs": learnt.pairs,
                "sentences": learnt.sentences,
                "left_out": left_out,
                "layers": [asdict(score) for score in learnt.scores],
                "seconds": round(time.monotonic() - begun, 3),
                "out": str(out),
            }
        )
        return
    lines = [f"{out}: {learnt.pairs:,} aligned words of {learnt.sentences:,} sentence pairs"]
    for score in learnt.scores:
        lines.append(
            f"layer {score.layer}: P@1 of {score.pairs} held-out words by CSLS {score.before:.1f} "
            f"before, {score.after:.1f} after; by cosine {score.nearest_before:.1f}, "
            f"{score.nearest_after:.1f}"
        )
    show("\n".join(lines))
