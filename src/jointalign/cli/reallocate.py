"""`jointalign reallocate`: one joint embedding in, three disjoint vocabularies out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, show, show_json
from jointalign.cli._languages import languages
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
    out: OutFile,
    source: Annotated[
        Path | None, typer.Option(help="Text of the source language, to count words in.")
    ] = None,
    target: Annotated[Path | None, typer.Option(help="Text of the target language.")] = None,
    input: Annotated[
        list[Path] | None, typer.Option(help="Instead, for more than two languages: text, once a language.")
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Code for each --input, in order; default: as named in the file name."),
    ] = None,
    gamma: Annotated[float, typer.Option(help="Words with a share up to this stay shared.")] = 0.9,
    source_language: SourceLanguage = "en",
    target_language: TargetLanguage = "es",
    lexicon: Annotated[
        Path | None, typer.Option(help="Training dictionary, to count the pairs touched.")
    ] = None,
    test: Annotated[Path | None, typer.Option(help="Test dictionary, to count the pairs touched.")] = None,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Give words of one language back to it, and report oversharing.

    Equations (5) and (6) of the paper.
    """
    if input:
        if source or target or lexicon or test:
            raise typer.BadParameter(
                "--input is for several languages; it goes without --source, --target, --lexicon and --test"
            )
        several(joint, input, language, out, gamma, tokenized, keep_case, threads, json)
        return
    if source is None or target is None:
        raise typer.BadParameter("give --source and --target, or --input once a language")
    from jointalign.corpora.corpus import Corpus
    from jointalign.formats.api import check_output, read, write
    from jointalign.lexicon import Lexicon
    from jointalign.overshared import oversharing
    from jointalign.reallocation import reallocate
    from jointalign.storage.files import spare_inputs

    given = (joint, source, target, lexicon, test)
    spare_inputs([path for path in given if path is not None], [out])
    check_output(out, native=True)
    embedding = read(joint)
    spelt = source_language, target_language
    training_lexicon = None if lexicon is None else Lexicon.read(lexicon, not keep_case, *spelt)
    test_lexicon = None if test is None else Lexicon.read(test, not keep_case, *spelt)
    with progress("count"):
        source_counts = Corpus(source, source_language, tokenized, not keep_case).counts(threads)
        target_counts = Corpus(target, target_language, tokenized, not keep_case).counts(threads)
    split = reallocate(embedding, source_counts, target_counts, gamma, source_language, target_language)
    write(split, out)
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


def several(
    joint: Path,
    texts: list[Path],
    codes: list[str] | None,
    out: Path,
    gamma: float,
    tokenized: bool,
    keep_case: bool,
    threads: int | None,
    json: bool,
) -> None:
    """The same for more than two languages: a part for each set of languages."""
    from jointalign.corpora.corpus import Corpus
    from jointalign.formats.api import check_output, read, write
    from jointalign.reallocation import reallocate_languages
    from jointalign.storage.files import spare_inputs

    spare_inputs([joint, *texts], [out])
    check_output(out, native=True)
    codes = languages(texts, codes)
    if len(set(codes)) < len(codes):
        raise typer.BadParameter(
            f"expected a language of its own for each --input, got {', '.join(codes)}; see --language"
        )
    embedding = read(joint)
    with progress("count"):
        counts = {
            code: Corpus(text, code, tokenized, not keep_case).counts(threads)
            for code, text in zip(codes, texts, strict=True)
        }
    split = reallocate_languages(embedding, counts, gamma)
    write(split, out)
    if json:
        show_json({"gamma": gamma, "parts": split.sizes, "out": str(out)})
    else:
        sizes = ", ".join(f"{size:,} {name}" for name, size in split.sizes.items())
        show(f"{out}: {sizes} at gamma {gamma:g}")
