"""`jointalign mine`: sentences of two texts that translate each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
from jointalign.cli._options import Json, KeepCase, OutFile, Threads, Tokenized
from jointalign.cli._spaces import Source, Space, Target, VectorsFormat, read_space
from jointalign.formats.static import Weighting


def command(
    source: Annotated[Path, typer.Option(help="Text of the source language, a sentence a line.")],
    target: Annotated[Path, typer.Option(help="Text of the target language, in any order.")],
    out: OutFile,
    embedding: Space = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    weights: Annotated[
        Weighting, typer.Option(help="Of words: smooth inverse frequency, -log of the frequency, or none.")
    ] = Weighting.SIF,
    threshold: Annotated[float | None, typer.Option(help="Leave out pairs that score lower.")] = None,
    source_language: Annotated[str, typer.Option(help="Code of the source language.")] = "und",
    target_language: Annotated[str, typer.Option(help="Code of the target language.")] = "und",
    format: VectorsFormat = None,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Find the sentences of two texts that translate each other, the surest first."""
    from jointalign.dictionary.api import write_tsv
    from jointalign.dictionary.sentences import mine
    from jointalign.numerics.processors import limited_to
    from jointalign.storage.files import read_lines, spare_inputs

    given = source, target, embedding, source_vectors, target_vectors
    spare_inputs(filter(None, given), [out])
    with progress("mine"), limited_to(threads):
        space = read_space(
            *(embedding, source_vectors, target_vectors),
            codes=(source_language, target_language),
            format=format,
        )
        sides = [[line for _, line in read_lines(path) if line.strip()] for path in (source, target)]
        pairs = mine(
            space,
            *sides,
            weighting=weights,
            threshold=threshold,
            tokenized=tokenized,
            lowercase=not keep_case,
        )
        write_tsv(pairs, out)
    sizes = [len(side) for side in sides]
    facts = {"source": sizes[0], "target": sizes[1], "pairs": len(pairs), "out": str(out)}
    answer(json, facts, f"{out}: {len(pairs):,} pairs from {sizes[0]:,} and {sizes[1]:,} sentences")
