"""`jointalign study`: the tables of the paper on any languages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, typed
from jointalign.cli._figure2 import Form, PrintFormat, figure2, with_files
from jointalign.cli._help import ENCODER, TEXT
from jointalign.cli._options import Device, Fresh, Group, Json, LocalOnly, MaxVocabulary, OutFolder, Threads
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.contextual.tagging import FEATURE_FIT, FEATURE_TAGGER, FINE_TUNING_FIT, shortened
from jointalign.ner import TaggerFitSettings, TaggerSettings
from jointalign.ner.api import Select
from jointalign.training.skipgram import SkipGram

application = typer.Typer(
    cls=Group, help="Tables 1 to 4 and Figure 2 of the paper on your languages, beside the published numbers."
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
Tokens = Annotated[int | None, typer.Option(min=1, help="Read only so many tokens of each language.")]


QUICK_TOKENS, QUICK_SENTENCES, QUICK_VOCABULARY = 300_000, 1000, 4000


def _command(table: str, title: str) -> None:
    def command(
        context: typer.Context,
        data: Data,
        pairs: Pairs,
        out: OutFolder,
        trainer: SkipGram,
        methods: Methods = "all",
        seeds: Seeds = 3,
        corpus: CorpusName = None,
        tokens: Tokens = None,
        max_vocabulary: MaxVocabulary = 200_000,
        threads: Threads = None,
        fresh: Fresh = False,
        format: PrintFormat = Form.MARKDOWN,
        json: Json = False,
    ) -> None:
        from jointalign.study import Pair, StudySettings, planned, study

        names = () if methods == "all" else tuple(name.strip() for name in methods.split(","))
        settings = StudySettings(
            data,
            tuple(Pair.parse(pair) for pair in pairs.split(",")),
            names,
            seeds,
            corpus,
            tokens,
            trainer,
            max_vocabulary,
        )
        with progress("study") as bar:
            bar.plan(dict.fromkeys(planned(settings), 1.0))
            result = study(
                table,
                settings,
                out,
                threads=threads,
                command=typed(context),
                progress=bar,
                announce=bar.stage,
                fresh=fresh,
            )
        answer(json, result.facts | {"settings": plain(trainer)}, with_files(result, format))

    command.__doc__ = (
        f"{title}.\n\nTrains what is missing once, shares it between rows and tables of one folder,"
        " and goes on where it was when started again."
    )
    application.command(table)(with_settings(trainer=Options(SkipGram()))(command))


_command("table1", "P@1 of all systems, words out of vocabulary counted as in the paper")
_command("table2", "The same without test pairs of one surface form, which joint training gets free")
_command("table4", "The same without the test pairs that reallocation tears apart")


QUICK_TRAINER, QUICK_FIT = SkipGram(50), TaggerFitSettings(4)


@application.command("table3")
@with_settings(
    trainer=Options(
        SkipGram(),
        {"--quick": QUICK_TRAINER},
        names={"epochs": "vector_epochs", "learning_rate": "vector_rate"},
        title="Of the vectors: ",
    ),
    fit=Options(TaggerFitSettings(), {"--quick": QUICK_FIT}, title="Of the taggers: "),
    tagger=Options(FEATURE_TAGGER, title="Of the tagger on features: "),
)
def table3(
    context: typer.Context,
    data: Data,
    out: OutFolder,
    trainer: Changes[SkipGram],
    fit: Changes[TaggerFitSettings],
    tagger: TaggerSettings,
    languages: Annotated[str, typer.Option(help="Languages to tag, with commas.")] = "es,nl,de",
    source: Annotated[str, typer.Option(help="Language to learn from.")] = "en",
    rows: Annotated[str, typer.Option(help="Rows, with commas; all of them by default.")] = "all",
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of trainings and taggers (3; quick: 1).")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Everything small, for a first look: minutes.")
    ] = False,
    corpus: CorpusName = None,
    tokens: Tokens = None,
    sentences: Annotated[
        int | None, typer.Option(min=1, help="Learn from so many, drawn at random (all; quick: 1000).")
    ] = None,
    development: Annotated[
        int | None,
        typer.Option(min=1, help="Decide on so many, likewise (all; quick: 500).", rich_help_panel=TEXT),
    ] = None,
    select: Annotated[
        Select, typer.Option(help="Whose development text decides: source-dev (zero-shot), target-dev.")
    ] = Select.SOURCE,
    encoder: Annotated[
        str | None,
        typer.Option(
            help="Of the M-BERT rows: a model's folder, or its name on the hub.", rich_help_panel=ENCODER
        ),
    ] = None,
    xlm: Annotated[
        str | None, typer.Option(help="Of the XLM row, likewise.", rich_help_panel=ENCODER)
    ] = None,
    parallel: Annotated[
        list[str] | None,
        typer.Option(
            help="LANGUAGE=FILE of 'source ||| target' lines, or LANGUAGE=SOURCEFILE,TARGETFILE: "
            "parallel text for the row with mapped features.",
            rich_help_panel=ENCODER,
        ),
    ] = None,
    device: Device = "cpu",
    local_only: LocalOnly = False,
    max_vocabulary: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Words a language that alignment without a dictionary learns from (200,000; quick: 4000).",
            rich_help_panel=TEXT,
        ),
    ] = None,
    threads: Threads = None,
    fresh: Fresh = False,
    format: PrintFormat = Form.MARKDOWN,
    json: Json = False,
) -> None:
    """F1 of taggers learnt in one language and used in others, beside the published.

    The data folder needs ner/LANGUAGE/train.txt, valid.txt and test.txt (or .gz, .bz2, ...), too; a
    language that is only tagged, test.txt alone. Where there is no training dictionary, rows are
    aligned without one; the table says how. Trains what is missing once, shares it with the other
    tables of one folder, and goes on where it was when started again. Rows that need what is not
    there, a dictionary or the weights of an encoder, are shown as such.
    """
    from jointalign.study import NERStudySettings, Pair, StudySettings
    from jointalign.study import table3 as study_table3

    chosen = () if rows == "all" else tuple(name.strip() for name in rows.split(","))
    ner = NERStudySettings(
        source,
        tuple(code.strip() for code in languages.split(",")),
        chosen,
        sentences or (QUICK_SENTENCES if quick else None),
        development or (500 if quick else None),
        fit=fit.over(QUICK_FIT if quick else TaggerFitSettings()),
        select_on_target=select is Select.TARGET,
    )
    settings = StudySettings(
        data,
        tuple(Pair(source, target) for target in ner.targets),
        seeds=seeds or (1 if quick else 3),
        corpus=corpus,
        tokens=tokens or (QUICK_TOKENS if quick else None),
        trainer=trainer.over(QUICK_TRAINER if quick else SkipGram()),
        max_vocabulary=max_vocabulary or (QUICK_VOCABULARY if quick else 200_000),
    )
    with progress("study") as bar:
        contextual = None
        if encoder is not None or xlm is not None:
            from jointalign.study import ContextualCells, ContextualSettings

            epochs = fit.values.get("epochs", QUICK_FIT.epochs if quick else None)
            rows_settings = ContextualSettings(
                encoder,
                xlm,
                _parallel(parallel or []),
                tagger=tagger,
                tagger_fit=shortened(FEATURE_FIT, epochs),
                tuning_fit=shortened(FINE_TUNING_FIT, epochs),
                device=device,
                local_only=local_only,
            )
            contextual = ContextualCells(rows_settings, ner, data, out, bar, bar.stage, fresh)
        result = study_table3(
            settings,
            ner,
            out,
            contextual=contextual,
            threads=threads,
            command=typed(context),
            progress=bar,
            announce=bar.stage,
            fresh=fresh,
        )
    used = {"trainer": settings.trainer, "fit": ner.fit, "tagger": tagger}
    answer(json, result.facts | {"settings": plain(used)}, with_files(result, format))


def _parallel(given: list[str]) -> dict[str, tuple[Path, ...]]:
    """Files by language, from `es=text` or `es=text.en,text.es`."""
    found = {}
    for item in given:
        language, _, files = item.partition("=")
        paths = tuple(Path(name) for name in files.split(",") if name)
        if not language or not 1 <= len(paths) <= 2:
            raise typer.BadParameter(f"expected LANGUAGE=FILE or LANGUAGE=FILE,FILE, got '{item}'")
        found[language] = paths
    return found


application.command("figure2")(figure2)


@application.command("paper")
def paper(
    data: Data,
    out: OutFolder,
    quick: Annotated[
        bool, typer.Option("--quick", help="Everything small: under twenty minutes on two processors.")
    ] = False,
    threads: Threads = None,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Tables 1 to 4 and Figures 1 and 2 on one page, with the paper's claims and whether they hold.

    Writes index.html, with tables as CSV, JSON and Markdown beside it. What the data lacks, and a part that
    fails, are told there. Without --quick it takes a night. Stopped, it goes on when started again.
    """
    from jointalign.study.claims import verdict
    from jointalign.study.paper import PaperSettings, PaperWork, study_paper

    settings = PaperSettings.of(data, quick)
    with progress("paper") as bar:
        result = study_paper(settings, out, PaperWork(out, threads, bar, bar.stage, fresh))
    claims = [
        {"part": part.name, "claim": claim.text, "here": verdict(evidence)}
        for part in result.parts
        for claim, evidence in part.claims
    ]
    seconds = {part.name: round(part.seconds, 1) for part in result.parts}
    facts = {"page": str(result.page), "failures": result.failures, "seconds": seconds, "claims": claims}
    lines = [f"{one['part']}: {one['claim']}: {one['here']}" for one in claims]
    lines += [f"{name} failed: {reason}" for name, reason in result.failures.items()]
    answer(json, facts, "\n".join([*lines, "", str(result.page)]))
    if result.failures:
        raise typer.Exit(1)
