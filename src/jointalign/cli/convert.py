"""`jointalign convert`: vectors from one format into another."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, show, show_json
from jointalign.cli._options import Json, OutFile
from jointalign.cli._spaces import VectorsFormat
from jointalign.formats.api import Format


class Side(StrEnum):
    """Which words of a bilingual file."""

    SOURCE = "source"
    TARGET = "target"


def command(
    input: Annotated[Path, typer.Option(help="Vectors: .vec, .bin, .safetensors, ...")],
    out: OutFile,
    side: Annotated[Side | None, typer.Option(help="Which language of a file that holds two.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Which language of a file that holds more than two.")
    ] = None,
    max_vocabulary: Annotated[
        int | None, typer.Option(min=1, help="Only so many words, from the first on.")
    ] = None,
    format: VectorsFormat = None,
    to: Annotated[
        Format | None, typer.Option(help="Format to write; default: as the suffix says, .bin word2vec's.")
    ] = None,
    json: Json = False,
) -> None:
    """Convert vectors; content tells what is read, the suffix or --to what is written."""
    from jointalign.formats.api import check_output, read, read_bilingual, read_multilingual, write
    from jointalign.storage.files import spare_inputs

    if side is not None and language is not None:
        raise typer.BadParameter("give --side or --language, not both")
    spare_inputs([input], [out])
    check_output(out, format=to)
    with progress("convert"):
        if language is not None:
            embedding = read_multilingual(input).language(language).first(max_vocabulary)
        elif side is None:
            embedding = read(input, max_vocabulary, format)
        else:
            both = read_bilingual(input)
            embedding = (both.source if side is Side.SOURCE else both.target).first(max_vocabulary)
        write(embedding, out, to)
    facts = {"words": len(embedding), "dimensions": embedding.dimensions, "out": str(out)}
    show_json(facts) if json else show(f"{out}: {len(embedding):,} x {embedding.dimensions}")
