"""Two languages in one space: from one native file, of two languages or more, or from two files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jointalign.cli._console import say
from jointalign.cli._help import TEXT
from jointalign.embedding import BilingualEmbedding
from jointalign.formats.api import Format

if TYPE_CHECKING:
    from jointalign.lexicon import Lexicon

Space = Annotated[
    Path | None, typer.Option("--embedding", help="Both languages in one file: .safetensors of run or align.")
]
Source = Annotated[
    Path | None, typer.Option("--source-vectors", help="Or source vectors: .vec, .bin, .safetensors, ...")
]
Target = Annotated[Path | None, typer.Option("--target-vectors", help="and target vectors.")]
SourceCode = Annotated[
    str | None,
    typer.Option("--source", help="Language to take from an --embedding of several.", rich_help_panel=TEXT),
]
TargetCode = Annotated[
    str | None, typer.Option("--target", help="And the language to go with it.", rich_help_panel=TEXT)
]


VectorsFormat = Annotated[
    Format | None,
    typer.Option(
        "--format", help="Of the vectors' files; default: as their content says.", rich_help_panel=TEXT
    ),
]
UNKNOWN = "und"


def spellings(space: BilingualEmbedding, lexicon: Lexicon) -> dict[str, dict[str, int]]:
    """How many words of each side are found under another spelling, and how many not at all; both are said.

    Args:
        space: Whose words are looked up.
        lexicon: With the rules that its own words are spelt by.
    """
    found = {}
    for side, spelling in zip(("source", "target"), lexicon.spellings or (), strict=False):
        parts = (getattr(space, f"{side}_only"), space.shared)
        counts = [part.vocabulary.spelt(spelling) for part in parts]
        respelt, merged = (sum(each) for each in zip(*counts, strict=True))
        found[side] = {"respelt": respelt, "merged": merged}
        if respelt or merged:
            say(
                f"{side} vectors: {respelt:,} words are found under another spelling (capitals, apostrophes, "
                f"accents), {merged:,} have that of an earlier word, which is taken"
            )
    return found


def read_space(
    embedding: Path | None,
    source_vectors: Path | None,
    target_vectors: Path | None,
    max_vocabulary: int | None = None,
    languages: tuple[str | None, str | None] = (None, None),
    codes: tuple[str, str] = (UNKNOWN, UNKNOWN),
    format: Format | None = None,
) -> BilingualEmbedding:
    """Read whichever of the forms was given.

    Args:
        embedding: A bilingual file, or one of several languages.
        source_vectors: Or one file a language.
        target_vectors: And the other.
        max_vocabulary: Of the two files, only so many words are read.
        languages: Source and target to take from a file of several languages.
        codes: Of both languages; those of the file where they are `und`.
        format: Of the two files; default: as their content says.

    Raises:
        BadParameter: If neither or both were, or one language only.
    """
    from jointalign.formats.api import read, read_bilingual, read_multilingual

    def named(space: BilingualEmbedding) -> BilingualEmbedding:
        own = space.source_language, space.target_language
        source, target = (code if code != UNKNOWN else old for code, old in zip(codes, own, strict=True))
        return replace(space, source_language=source, target_language=target)

    source_language, target_language = languages
    if source_language is not None or target_language is not None:
        if embedding is None or source_language is None or target_language is None:
            raise typer.BadParameter("--source and --target go together, and with --embedding")
        return named(read_multilingual(embedding).pair(source_language, target_language))
    if embedding is not None and source_vectors is None and target_vectors is None:
        return named(read_bilingual(embedding))
    if embedding is None and source_vectors is not None and target_vectors is not None:
        source = read(source_vectors, max_vocabulary, format)
        return named(BilingualEmbedding.separate(source, read(target_vectors, max_vocabulary, format)))
    raise typer.BadParameter("give either --embedding, or both --source-vectors and --target-vectors")
