"""`jointalign align-text`: parallel text in, the words that translate each other out."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say
from jointalign.cli._options import (
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
from jointalign.word_alignment.symmetrization import Symmetrization


class AlignmentMethod(StrEnum):
    """Which model links words."""

    BAYES = "bayes"
    DIAGONAL = "diagonal"

    def defaults(self) -> BayesianAligner | DiagonalAligner:
        """Its settings where nothing is given."""
        return BayesianAligner() if self is AlignmentMethod.BAYES else DiagonalAligner()


@with_settings(
    aligner=Options(BayesianAligner(), {"diagonal": DiagonalAligner()}, within=(DiagonalAligner(),))
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
    gold: Annotated[
        Path | None, typer.Option(help="Links by hand ('1-1' sure, '1p1' possible) of the text's last lines.")
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Link with this model, from --save-model; languages and cutting are as it has them."
        ),
    ] = None,
    save_model: Annotated[
        Path | None, typer.Option(help="Also keep what was learnt, to link other text with it.")
    ] = None,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "es",
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Link the words of sentences that translate each other.

    Writes a line for each sentence pair, '0-0 1-2', positions counted from 0.
    """
    from jointalign.storage.files import spare_inputs, write_text
    from jointalign.word_alignment.api import align_text, align_with
    from jointalign.word_alignment.base import Computation, ParallelText
    from jointalign.word_alignment.reading import Cutting, check_links, read_gold
    from jointalign.word_alignment.scoring import alignment_error_rate
    from jointalign.word_alignment.storage import read_model, write_model

    if len(input) > 2:
        raise typer.BadParameter("give --input once or twice")
    if model is not None and (save_model is not None or aligner.origins):
        raise typer.BadParameter("--model is used as it is: give no --save-model and no settings beside it")
    given = [*input, *([gold] if gold else []), *([model] if model else [])]
    spare_inputs(given, [out, *([words] if words else []), *([save_model] if save_model else [])])
    saved = None if model is None else read_model(model)
    chosen = aligner.over(method.defaults()) if saved is None else saved.model.settings
    cutting = Cutting((source_language, target_language), tokenized, not keep_case)
    drawn = None if gold is None else read_gold(gold)
    begun = time.monotonic()
    with progress("read") as bar:
        text = ParallelText.of((cutting if saved is None else saved.cutting).pairs(*input))
        if text.empty:
            say(f"{text.empty} of {len(text)} sentence pairs have an empty side, and no links")
        if gold is not None and drawn is not None:
            check_links(drawn.possible, text, gold, start=1, last=True)
        bar.title("align")
        computation = Computation(seed, threads, bar)
        if saved is None:
            result = align_text(text, chosen, symmetrization, computation)
        else:
            result = align_with(saved.model, text, symmetrization, computation)
    if save_model is not None:
        write_model(result.model, save_model, cutting)
    with write_text(out) as file:
        file.writelines(f"{line}\n" for line in result.links.lines())
    if words is not None:
        with write_text(words) as file:
            for k in range(len(text)):
                file.write(f"{' '.join(text.source[k])} ||| {' '.join(text.target[k])}\n")
    ways = result.forward, result.reverse
    facts = {
        "sentences": len(text),
        "empty": text.empty,
        "links": len(result.links.pairs),
        "method": "bayes" if isinstance(chosen, BayesianAligner) else "diagonal",
        **{name: [way.history[name][-1] for way in ways] for name in ways[0].history},
        "seconds": round(time.monotonic() - begun, 3),
        "settings": plain(chosen),
        "out": str(out),
    }
    lines = [f"{out}: {len(result.links.pairs):,} links in {len(text):,} sentence pairs"]
    if drawn is not None:
        score = alignment_error_rate(list(result.links)[-len(drawn) :], drawn)
        facts["gold"] = score.to_json()
        lines.append(str(score))
    answer(json, facts, "\n".join(lines))
