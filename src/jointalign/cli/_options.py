"""Options that several commands take, each spelled and explained once."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from jointalign.cli._help import ENCODER, RUNNING, TEXT

if TYPE_CHECKING:
    from jointalign.word_alignment.bayesian import BayesianAligner
    from jointalign.word_alignment.diagonal import DiagonalAligner


class Group(TyperGroup):
    """Commands under one name."""

    def get_help_option(self, ctx: Any) -> Any:
        """Not given is no: `None` would be converted, for which typer imports all of pydantic."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False
        return option


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Seed = Annotated[int, typer.Option(min=0, help="The only source of randomness.", rich_help_panel=RUNNING)]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=512,
        help="How many; default: all processors. One gives the same bytes again.",
        rich_help_panel=RUNNING,
    ),
]


def writable(path: Path | None) -> Path | None:
    """A place for results, looked at before any work is done."""
    from jointalign.storage.files import check_place

    if path is not None:
        check_place(path)
    return path


OutFolder = Annotated[Path, typer.Option("--out", help="Folder for the results.", callback=writable)]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.", callback=writable)]
TestLexicon = Annotated[Path, typer.Option("--lexicon", help="Test dictionary, 'source target' a line.")]
SourceLanguage = Annotated[str, typer.Option(help="Code of the source language, e.g. en.")]
TargetLanguage = Annotated[str, typer.Option(help="Code of the target language, e.g. es.")]
MaxVocabulary = Annotated[
    int,
    typer.Option(
        min=1, help="Most frequent words of each language to use (200,000: MUSE).", rich_help_panel=TEXT
    ),
]
Tokenized = Annotated[
    bool,
    typer.Option(
        "--tokenized", help="The text is cut into words already, at white space.", rich_help_panel=TEXT
    ),
]
KeepCase = Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.", rich_help_panel=TEXT)]
KeepMarks = Annotated[
    bool,
    typer.Option(
        "--keep-marks",
        help="List punctuation, digits and words spelt alike by accident in the ranked dictionary, too.",
        rich_help_panel=TEXT,
    ),
]
Gamma = Annotated[
    float | None, typer.Option(help="Of reallocation, 0.5 to 1; default: chosen on held-out training pairs.")
]
SpellSource = Annotated[
    str,
    typer.Option(
        "--source-language", help="Source words of the dictionary are spelt as in it.", rich_help_panel=TEXT
    ),
]
SpellTarget = Annotated[
    str, typer.Option("--target-language", help="And target words as in it.", rich_help_panel=TEXT)
]
Device = Annotated[
    str, typer.Option(help="Where to compute: cpu, cuda, cuda:1, ...", rich_help_panel=RUNNING)
]
Encoder = Annotated[
    str,
    typer.Option(
        "--encoder",
        help="A model's folder, or its name on the Hugging Face hub, such as bert-base-multilingual-cased.",
    ),
]
LocalOnly = Annotated[
    bool,
    typer.Option(
        "--local-only", help="Never ask the hub; use what was fetched before.", rich_help_panel=RUNNING
    ),
]
BatchPieces = Annotated[
    int, typer.Option(min=16, help="Pieces that go through the encoder at once.", rich_help_panel=RUNNING)
]
Layers = Annotated[
    str,
    typer.Option(
        help="Which, e.g. -4,-3,-2,-1; 0 is the embedding layer, -1 the last.", rich_help_panel=ENCODER
    ),
]
Fresh = Annotated[
    bool,
    typer.Option(
        "--fresh", help="Start anew where work of other settings is in the way.", rich_help_panel=RUNNING
    ),
]
CheckpointSeconds = Annotated[
    float,
    typer.Option(
        min=0.0, help="Time between two checkpoints; more if saving is slow.", rich_help_panel=RUNNING
    ),
]


class AlignmentMethod(StrEnum):
    """Which model links words."""

    BAYES = "bayes"
    DIAGONAL = "diagonal"

    def defaults(self) -> BayesianAligner | DiagonalAligner:
        """Its settings where nothing is given."""
        from jointalign.word_alignment.bayesian import BayesianAligner
        from jointalign.word_alignment.diagonal import DiagonalAligner

        return BayesianAligner() if self is AlignmentMethod.BAYES else DiagonalAligner()
