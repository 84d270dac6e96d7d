"""`jointalign convert`: vectors from one format into another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, show, show_json
from jointalign.cli._options import Json
from jointalign.cli._spaces import VectorsFormat
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.formats.api import Format
from jointalign.formats.static import Weighting
from jointalign.multilingual import MultilingualEmbedding


class Side(StrEnum):
    """Which words of a bilingual file."""

    SOURCE = "source"
    TARGET = "target"


class To(StrEnum):
    """What is written: one of the formats of files, or a folder."""

    TEXT = "text"
    WORD2VEC = "word2vec"
    FASTTEXT = "fasttext"
    NATIVE = "native"
    STATIC = "static"


def command(
    input: Annotated[Path, typer.Option(help="Vectors: .vec, .bin, .safetensors, ...")],
    out: Annotated[Path, typer.Option("--out", help="File to write; the folder of a static model.")],
    side: Annotated[Side | None, typer.Option(help="Which language of a file that holds two.")] = None,
    language: Annotated[
        str | None, typer.Option(help="Which language of a file that holds more than two.")
    ] = None,
    max_vocabulary: Annotated[
        int | None, typer.Option(min=1, help="Only so many words, from the first on.")
    ] = None,
    format: VectorsFormat = None,
    to: Annotated[
        To | None,
        typer.Option(
            help="Format to write; default: as the suffix says, .bin word2vec's. static: a folder for "
            "sentence-transformers, with all languages of the file."
        ),
    ] = None,
    weights: Annotated[
        Weighting | None, typer.Option(help="Of words in the mean of a text, with --to static. [sif]")
    ] = None,
    json: Json = False,
) -> None:
    """Convert vectors; content tells what is read, the suffix or --to what is written."""
    from jointalign.formats.api import check_output, write
    from jointalign.storage.files import spare_inputs

    if side is not None and language is not None:
        raise typer.BadParameter("give --side or --language, not both")
    if weights is not None and to is not To.STATIC:
        raise typer.BadParameter("--weights goes with --to static")
    if to is To.STATIC:
        whole = side is None and language is None
        read = partial(_whole, input, format) if whole else partial(_one, input, side, language)
        _write_static(input, read, out, weights or Weighting.SIF, max_vocabulary, json)
        return
    spare_inputs([input], [out])
    written = None if to is None else Format(to)
    check_output(out, format=written)
    with progress("convert"):
        embedding = _one(input, side, language, max_vocabulary, format)
        write(embedding, out, written)
    facts = {"words": len(embedding), "dimensions": embedding.dimensions, "out": str(out)}
    show_json(facts) if json else show(f"{out}: {len(embedding):,} x {embedding.dimensions}")


Space = Embedding | BilingualEmbedding | MultilingualEmbedding


def _write_static(
    input: Path, read: Callable[[], Space], out: Path, weights: Weighting, maximum: int | None, json: bool
) -> None:
    from jointalign.formats import static
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import spare_others

    spare_inputs([input], [out / name for name in static.FILES])
    spare_others(out, static.FILES, static.FILES[-1])
    with progress("convert"):
        told = static.write_static(read(), out, weights, maximum)
    merged = f"{told.merged:,} spellings of several languages have the mean of their vectors"
    left_out = f"{told.unreachable:,} words that no text is cut into are left out"
    text = f"{out}: {told.words:,} x {told.dimensions}; {merged}; {left_out}"
    answer(json, {**asdict(told), "out": str(out)}, text)


def _one(
    path: Path,
    side: Side | None,
    language: str | None,
    max_vocabulary: int | None = None,
    format: Format | None = None,
) -> Embedding:
    """One language."""
    from jointalign.formats.api import read, read_bilingual, read_multilingual

    if language is not None:
        return read_multilingual(path).language(language).first(max_vocabulary)
    if side is None:
        return read(path, max_vocabulary, format)
    both = read_bilingual(path)
    return (both.source if side is Side.SOURCE else both.target).first(max_vocabulary)


def _whole(path: Path, format: Format | None) -> Space:
    """Whatever a file holds."""
    from jointalign.formats import native
    from jointalign.formats.api import read, read_bilingual, read_multilingual
    from jointalign.formats.hub import fetched

    path = Path(fetched(path))
    kind = native.kind(path) if path.suffix.lower() == ".safetensors" else "embedding"
    if kind == "bilingual":
        return read_bilingual(path)
    return read_multilingual(path) if kind == "multilingual" else read(path, None, format)
