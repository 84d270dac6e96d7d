"""`jointalign reallocate`: one joint embedding in, three disjoint vocabularies out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
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
    from jointalign.corpora.corpus import Corpus
    from jointalign.formats.api import check_output, read, write
    from jointalign.lexicon import Lexicon
    from jointalign.multilingual_reallocation import reallocate_languages
    from jointalign.overshared import oversharing
    from jointalign.reallocation import reallocate
    from jointalign.storage.files import spare_inputs

    others = [path for path in (source, target, lexicon, test) if path is not None]
    if input and others:
        raise typer.BadParameter(
            "--input is for several languages; it goes without --source, --target, --lexicon and --test"
        )
    if not input and (source is None or target is None):
        raise typer.BadParameter("give --source and --target, or --input once a language")
    spare_inputs([joint, *(input or others)], [out])
    check_output(out, native=True)
    codes = languages(input, language) if input else [source_language, target_language]
    if input and len(set(codes)) < len(codes):
        raise typer.BadParameter(
            f"expected a language of its own for each --input, got {', '.join(codes)}; see --language"
        )
    embedding = read(joint)
    known = [None if path is None else Lexicon.read(path, not keep_case, *codes) for path in (lexicon, test)]
    with progress("count"):
        counts = [
            Corpus(text, code, tokenized, not keep_case).counts(threads)
            for text, code in zip(input or others[:2], codes, strict=True)
        ]
    if input:
        several = reallocate_languages(embedding, dict(zip(codes, counts, strict=True)), gamma)
        write(several, out)
        sizes = ", ".join(f"{size:,} {name}" for name, size in several.sizes.items())
        facts = {"gamma": gamma, "parts": several.sizes, "out": str(out)}
        answer(json, facts, f"{out}: {sizes} at gamma {gamma:g}")
        return
    split = reallocate(embedding, counts[0], counts[1], gamma, codes[0], codes[1])
    write(split, out)
    report = oversharing(embedding, counts[0], counts[1], training=known[0], test=known[1])
    facts = {
        "gamma": gamma,
        "source_only": len(split.source_only),
        "target_only": len(split.target_only),
        "shared": len(split.shared),
        "oversharing": report.to_json(),
        "out": str(out),
    }
    sizes = f"{facts['source_only']:,} source, {facts['target_only']:,} target, {facts['shared']:,} shared"
    answer(json, facts, f"{out}: {sizes} words at gamma {gamma:g}\n{report}")
