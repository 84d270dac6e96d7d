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
    from jointalign.word_alignment.api import align_text
    from jointalign.word_alignment.base import Computation
    from jointalign.word_alignment.reading import check_links, read_gold, read_parallel
    from jointalign.word_alignment.scoring import alignment_error_rate

    if len(input) > 2:
        raise typer.BadParameter("give --input once or twice")
    given = [*input, *([gold] if gold else [])]
    spare_inputs(given, [out, *([words] if words else [])])
    chosen = aligner.over(method.defaults())
    drawn = None if gold is None else read_gold(gold)
    begun = time.monotonic()
    with progress("read") as bar:
        text = read_parallel(
            *input, languages=(source_language, target_language), tokenized=tokenized, lowercase=not keep_case
        )
        if text.empty:
            say(f"{text.empty} of {len(text)} sentence pairs have an empty side, and no links")
        if gold is not None and drawn is not None:
            check_links(drawn.possible, text, gold, start=1, last=True)
        bar.title("align")
        result = align_text(text, chosen, symmetrization, Computation(seed, threads, bar))
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
        "method": str(method),
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
