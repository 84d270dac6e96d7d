"""What the commands of `jointalign ner` share."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import say
from jointalign.cli._help import FILES, RUNNING
from jointalign.ner.base import Sentence

Encoding = Annotated[
    str,
    typer.Option(
        help="Of the CoNLL files; latin-1 for those of 2002 as they came out.", rich_help_panel=FILES
    ),
]
WordColumn = Annotated[
    int | None,
    typer.Option(min=0, help="Column of the words, from 0; default: found out.", rich_help_panel=FILES),
]
TagColumn = Annotated[
    int | None,
    typer.Option(min=0, help="Column of the tags, from 0; default: found out.", rich_help_panel=FILES),
]
Threads = Annotated[
    int, typer.Option(min=1, max=512, help="One is fastest for short sentences.", rich_help_panel=RUNNING)
]
Device = Annotated[str, typer.Option(help="cpu, cuda, ...", rich_help_panel=RUNNING)]
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


def language_of(languages: Sequence[str], given: str) -> str:
    """Which of a tagger's languages is meant: by its code, of two or three letters, or its role.

    Args:
        languages: The tagger's, its source first; empty where any will do.
        given: A code, `source` or `target`.
    """
    from jointalign.corpora.tokenization import language_code

    if given in languages or not languages:
        return given
    if len(languages) == 2 and given in ("source", "target"):
        return languages[given == "target"]
    alike = [code for code in languages if language_code(code) == language_code(given)]
    return alike[0] if len(alike) == 1 else given
