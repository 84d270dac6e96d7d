"""`jointalign reallocate`: one joint embedding in, three disjoint vocabularies out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, show, show_json
from jointalign.cli._options import (
    Json,
    KeepCase,
    OutFile,
    SourceLanguage,
    TargetLanguage,
    Threads,
    Tokenized,
)


def command(
    joint: Annotated[Path, typer.Option(help="Joint embedding, from `jointalign train`.")],
    source: Annotated[Path, typer.Option(help="Text of the source language, to count words in.")],
    target: Annotated[Path, typer.Option(help="Text of the target language.")],
    out: OutFile,
    gamma: Annotated[float, typer.Option(help="Words with a share up to this stay shared.")] = 0.9,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "es",
    lexicon: Annotated[
        Path | None, typer.Option(help="Training dictionary, to count the pairs touched.")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Test dictionary, to count the pairs touched.")
    ] = None,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Give words of one language back to it, and report oversharing.

    Equations (5) and (6) of the paper.
    """
    from jointalign.corpus import Corpus
    from jointalign.files import spare_inputs
    from jointalign.formats.api import check_output, read, write_bilingual
    from jointalign.lexicon import Lexicon
    from jointalign.oversharing import oversharing
    from jointalign.reallocation import reallocate

    given = (joint, source, target, lexicon, test)
    spare_inputs([path for path in given if path is not None], [out])
    check_output(out, native=True)
    embedding = read(joint)
    languages = source_language, target_language
    training_lexicon = None if lexicon is None else Lexicon.read(lexicon, not keep_case, *languages)
    test_lexicon = None if test is None else Lexicon.read(test, not keep_case, *languages)
    with progress("count"):
        source_counts = Corpus(source, source_language, tokenized, not keep_case).counts(threads)
        target_counts = Corpus(target, target_language, tokenized, not keep_case).counts(threads)
    split = reallocate(
        embedding, source_counts, target_counts, gamma, source_language, target_language
    )
    write_bilingual(split, out)
    report = oversharing(
        embedding, source_counts, target_counts, training=training_lexicon, test=test_lexicon
    )
    if json:
        show_json(
            {
                "gamma": gamma,
                "source_only": len(split.source_only),
                "target_only": len(split.target_only),
                "shared": len(split.shared),
                "oversharing": report.to_json(),
                "out": str(out),
            }
        )
    else:
        show(
            f"{out}: {len(split.source_only):,} source, {len(split.target_only):,} target, "
            f"{len(split.shared):,} shared words at gamma {gamma:g}\n{report}"
        )
