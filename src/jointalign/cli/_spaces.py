"""Two languages in one space, from one native file or from two files of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.embedding import BilingualEmbedding

Space = Annotated[
    Path | None,
    typer.Option("--embedding", help="Both languages in one file: .safetensors of run or align."),
]
Source = Annotated[
    Path | None,
    typer.Option("--source-vectors", help="Or source vectors: .vec, .bin, .safetensors, ..."),
]
Target = Annotated[Path | None, typer.Option("--target-vectors", help="and target vectors.")]


def read_space(
    embedding: Path | None,
    source_vectors: Path | None,
    target_vectors: Path | None,
    max_vocabulary: int | None = None,
) -> BilingualEmbedding:
    """Read whichever of the two forms was given.

    Args:
        embedding: A bilingual file.
        source_vectors: Or one file a language.
        target_vectors: And the other.
        max_vocabulary: Of the two files, only so many words are read.

    Raises:
        BadParameter: If neither or both were.
    """
    from jointalign.formats.api import read, read_bilingual

    if embedding is not None and source_vectors is None and target_vectors is None:
        return read_bilingual(embedding)
    if embedding is None and source_vectors is not None and target_vectors is not None:
        source = read(source_vectors, max_vocabulary)
        return BilingualEmbedding.separate(source, read(target_vectors, max_vocabulary))
    raise typer.BadParameter(
        "give either --embedding, or both --source-vectors and --target-vectors"
    )
