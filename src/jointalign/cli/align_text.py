"""`jointalign align-text`: parallel text in, the words that translate each other out."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say
from jointalign.cli._help import MORE, RUNNING
from jointalign.cli._options import (
    AlignmentMethod,
    Fresh,
    Json,
    KeepCase,
    OutFile,
    Seed,
    SourceLanguage,
    TargetLanguage,
    Threads,
    Tokenized,
)
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.word_alignment.bayesian import BayesianAligner
from jointalign.word_alignment.diagonal import DiagonalAligner
from jointalign.word_alignment.lexical import DictionarySettings
from jointalign.word_alignment.symmetrization import Symmetrization


@with_settings(
    aligner=Options(BayesianAligner(), {"diagonal": DiagonalAligner()}, within=(DiagonalAligner(),)),
    entries=Options(DictionarySettings()),
)
def command(
    input: Annotated[
        list[Path],
        typer.Option(
            help="Parallel text: one file of 'source ||| target' lines, or twice: the source's "
            "and the target's file, line by line the same sentences."
        ),
    ],
    out: OutFile,
    aligner: Changes,
    entries: DictionarySettings,
    method: Annotated[
        AlignmentMethod,
        typer.Option(help="bayes: sampled, half the errors; diagonal: fast_align's, a tenth of the time."),
    ] = AlignmentMethod.BAYES,
    symmetrization: Annotated[
        Symmetrization, typer.Option(help="How the links of both directions are joined.")
    ] = Symmetrization.GROW_DIAG_FINAL_AND,
    words: Annotated[
        Path | None, typer.Option(help="Also write the text as it was cut into words, which links count.")
    ] = None,
    marginals: Annotated[
        Path | None,
        typer.Option(
            help="Also write each likely link with its probability, '0-0:0.9871'.", rich_help_panel=MORE
        ),
    ] = None,
    n_best: Annotated[
        Path | None,
        typer.Option(
            help="Also write the likeliest sets of links, '0 ||| 0-0 1-1 ||| -0.12'.", rich_help_panel=MORE
        ),
    ] = None,
    sets: Annotated[
        int, typer.Option(min=1, help="How many sets a sentence pair, for --n-best.", rich_help_panel=MORE)
    ] = 10,
    table: Annotated[
        Path | None,
        typer.Option(
            help="Also write 'target source probability' lines, of target words given source words.",
            rich_help_panel=MORE,
        ),
    ] = None,
    reverse_table: Annotated[
        Path | None,
        typer.Option(help="The same the other way round: 'source target probability'.", rich_help_panel=MORE),
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(help="Also write a dictionary of the words that are linked: .tsv, .csv, .json, .tmx."),
    ] = None,
    gold: Annotated[
        Path | None, typer.Option(help="Links by hand ('1-1' sure, '1p1' possible) of the text's last lines.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Link with this model, from --save-model; languages and cutting are as it has them."
        ),
    ] = None,
    prior: Annotated[
        Path | None, typer.Option(help="A dictionary that counts as seen before the text: helps little text.")
    ] = None,
    prior_weight: Annotated[
        float, typer.Option(min=0.001, help="How often each of its source words counts as seen.")
    ] = 1.0,
    save_model: Annotated[
        Path | None, typer.Option(help="Also keep what was learnt, to link other text with it.")
    ] = None,
    memory: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="MiB that a part of the text may take: what is larger is linked in chunks by what a "
            "sample has taught, and goes on where it was stopped.",
            rich_help_panel=RUNNING,
        ),
    ] = None,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "es",
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Link the words of sentences that translate each other.

    Writes a line for each sentence pair, '0-0 1-2', positions counted from 0.
    """
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.tables import check_table
    from jointalign.word_alignment.base import Computation
    from jointalign.word_alignment.job import LinkFiles, Task, align_files
    from jointalign.word_alignment.reading import Cutting, read_gold
    from jointalign.word_alignment.scoring import alignment_error_rate
    from jointalign.word_alignment.storage import read_model

    if len(input) > 2:
        raise typer.BadParameter("give --input once or twice")
    if model is not None and (save_model is not None or aligner.origins):
        raise typer.BadParameter("--model is used as it is: give no --save-model and no settings beside it")
    if prior is not None and (model is not None or method is not AlignmentMethod.BAYES):
        raise typer.BadParameter("--prior is for --method bayes, and for learning: give no --model beside it")
    files = LinkFiles(out, words, marginals, n_best, sets, table, reverse_table, dictionary, entries)
    written = [*files.by_line.values(), *files.by_word, *([save_model] if save_model else [])]
    spare_inputs(
        [*input, *([gold] if gold else []), *([model] if model else []), *([prior] if prior else [])], written
    )
    saved = None if model is None else read_model(model)
    chosen = aligner.over(method.defaults()) if saved is None else saved.model.settings
    if not isinstance(chosen, BayesianAligner) and (marginals or n_best):
        raise typer.BadParameter("--marginals and --n-best need links that were sampled: --method bayes")
    cutting = Cutting((source_language, target_language), tokenized, not keep_case)
    cutting = cutting if saved is None else saved.cutting
    if dictionary is not None:
        check_table(dictionary, cutting.languages)
    drawn = None if gold is None else read_gold(gold)
    begun = time.monotonic()
    with progress("align") as bar:
        task = Task(tuple(input), cutting, chosen, symmetrization, model, gold, prior, prior_weight)
        report = align_files(task, files, memory, Computation(seed, threads, bar), save_model, fresh)
    if report["empty"]:
        say(f"{report['empty']} of {report['sentences']} sentence pairs have an empty side, and no links")
    facts = {
        **{name: value for name, value in report.items() if name != "history"},
        **report["history"],
        "method": "bayes" if isinstance(chosen, BayesianAligner) else "diagonal",
        "seconds": round(time.monotonic() - begun, 3),
        "settings": plain(chosen),
        "out": str(out),
    }
    lines = [f"{out}: {report['links']:,} links in {report['sentences']:,} sentence pairs"]
    if report["entries"] is not None:
        lines.append(f"{dictionary}: {report['entries']:,} entries")
    if drawn is not None:
        score = alignment_error_rate(list(files.last_links(len(drawn))), drawn)
        facts["gold"] = score.to_json()
        lines.append(str(score))
    answer(json, facts, "\n".join(lines))
