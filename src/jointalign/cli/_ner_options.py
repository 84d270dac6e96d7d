"""What the commands of `jointalign ner` share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import say
from jointalign.ner.base import Sentence

Encoding = Annotated[
    str, typer.Option(help="Of the CoNLL files; latin-1 for those of 2002 as they came out.")
]
WordColumn = Annotated[
    int | None, typer.Option(min=0, help="Column of the words, from 0; default: found out.")
]
TagColumn = Annotated[int | None, typer.Option(min=0, help="Column of the tags, from 0; default: found out.")]
Threads = Annotated[int, typer.Option(min=1, max=512, help="One is fastest for short sentences.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, ...")]
Model = Annotated[Path, typer.Argument(help="Folder of a tagger, as `ner train` writes it.")]
Language = Annotated[str, typer.Option(help="Code of the text's language, e.g. es.")]
WhereEncoder = Annotated[
    str | None,
    typer.Option("--encoder", help="Of a tagger on features: its folder or name, if it is elsewhere now."),
]


class Format(StrEnum):
    """What a text to be tagged looks like."""

    TEXT = "text"
    CONLL = "conll"


def read_conll(
    path: Path, encoding: str, word_column: int | None, tag_column: int | None
) -> tuple[Sentence, ...]:
    """Sentences of a file with tags, and a message on what is in it."""
    from jointalign.ner import conll

    found = conll.read(path, encoding=encoding, word_column=word_column, tag_column=tag_column)
    say(
        f"{path}: {len(found.sentences):,} sentences, {found.tokens:,} words, {found.scheme}, "
        f"{found.documents} marks of documents left out"
    )
    return found.sentences
