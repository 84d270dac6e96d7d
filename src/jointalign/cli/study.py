"""`jointalign study`: the tables of the paper on any languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._figure2 import figure2
from jointalign.cli._options import Json, MaxVocabulary, OutFolder, Threads
from jointalign.cli._training import Dimensions, Epochs, MinimumCount

application = typer.Typer(
    help="Tables 1, 2 and 4 of the paper: every method on your languages, beside the published."
)

Data = Annotated[
    Path,
    typer.Option(
        envvar="JOINTALIGN_DATA",
        help="Folder with mono/NAME.LANGUAGE.txt (or .gz, .bz2, ...) and lexicons/en-es.0-5000.txt "
        "(training) and en-es.5000-6500.txt (test).",
    ),
]
Pairs = Annotated[str, typer.Option(help="Pairs of languages, with commas: en-es,en-de.")]
Methods = Annotated[str, typer.Option(help="Rows, with commas; all of them by default.")]
Seeds = Annotated[int, typer.Option(min=1, help="Number of trainings and runs of everything.")]
CorpusName = Annotated[str | None, typer.Option("--corpus", help="NAME, where there are several.")]
Tokens = Annotated[
    int | None, typer.Option(min=1, help="Read only so many tokens of each language.")
]


def _command(table: str, title: str) -> None:
    def command(
        data: Data,
        pairs: Pairs,
        out: OutFolder,
        methods: Methods = "all",
        seeds: Seeds = 3,
        corpus: CorpusName = None,
        tokens: Tokens = None,
        dimensions: Dimensions = 300,
        epochs: Epochs = 5,
        minimum_count: MinimumCount = 5,
        max_vocabulary: MaxVocabulary = 200_000,
        threads: Threads = None,
        json: Json = False,
    ) -> None:
        from jointalign.study import Pair, StudySettings, study
        from jointalign.training.skipgram import SkipGram

        names = () if methods == "all" else tuple(name.strip() for name in methods.split(","))
        settings = StudySettings(
            data,
            tuple(Pair.parse(pair) for pair in pairs.split(",")),
            names,
            seeds,
            corpus,
            tokens,
            SkipGram(dimensions, epochs=epochs, minimum_count=minimum_count),
            max_vocabulary,
        )
        with progress("study") as bar:

            def announce(stage: str, done: bool) -> None:
                if not done:
                    say(stage)
                bar.title(stage)

            result = study(table, settings, out, threads=threads, progress=bar, announce=announce)
        if json:
            show_json(result.facts)
        else:
            show(result.markdown)
            show("\n" + "\n".join(str(path) for path in result.files))

    command.__doc__ = (
        f"{title}.\n\nTrains what is missing once, shares it between rows and tables of one folder,"
        " and goes on where it was when started again."
    )
    application.command(table)(command)


_command("table1", "P@1 of all systems, words out of vocabulary counted as in the paper")
_command(
    "table2", "The same without test pairs of one surface form, which joint training gets free"
)
_command("table4", "The same without the test pairs that reallocation tears apart")
application.command("figure2")(figure2)
