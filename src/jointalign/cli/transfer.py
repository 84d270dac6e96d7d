"""`jointalign transfer`: a language model for another language, whose vocabulary is made of the old one."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress, say
from jointalign.cli._options import Fresh, Json, KeepCase, LocalOnly, OutFolder, Seed, Threads
from jointalign.cli._settings import Changes, Options, with_settings
from jointalign.cli._spaces import Source, Target, VectorsFormat, read_space
from jointalign.training.skipgram import SkipGram
from jointalign.transfer import Copied, TokAlign, Units, Wechsel


class Way(StrEnum):
    """Methods by name."""

    WECHSEL = "wechsel"
    FOCUS = "focus"
    TOKALIGN = "tokalign"
    MEAN = "mean"
    RANDOM = "random"


@with_settings(
    given=Options(Wechsel(), within=(TokAlign(),), leave=("copied",)),
    trainer=Options(SkipGram(), only=("dimensions", "epochs", "minimum_count"), title="Of the training: "),
)
def command(
    model: Annotated[
        str, typer.Option(help="The old model: a folder of transformers, or its name on the hub.")
    ],
    tokenizer: Annotated[str, typer.Option(help="The new tokeniser, likewise.")],
    out: OutFolder,
    given: Changes,
    trainer: SkipGram,
    space: Annotated[
        Path | None,
        typer.Option(help="Aligned, from the model's language to the new one: a folder of run, or a file."),
    ] = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    source_text: Annotated[
        Path | None, typer.Option(help="Or train a space: text of the model's language,")
    ] = None,
    target_text: Annotated[Path | None, typer.Option(help="and of the new one,")] = None,
    lexicon: Annotated[
        Path | None, typer.Option(help="with a dictionary, 'source target' a line; none: without one.")
    ] = None,
    method: Annotated[
        Way,
        typer.Option(
            help="wechsel: mean of the nearest old tokens; focus: sparse mean of tokens that both have; "
            "tokalign: the nearest; mean, random: without vectors."
        ),
    ] = Way.WECHSEL,
    copied: Annotated[
        Copied | None,
        typer.Option(
            help="Tokens that keep their row: special ones, or all shared ones. [shared; wechsel, "
            "random: special]"
        ),
    ] = None,
    units: Annotated[
        Units, typer.Option(help="What the words of the space are: words, or tokens of the two tokenisers.")
    ] = Units.WORDS,
    source_language: Annotated[str, typer.Option(help="Code of the model's language.")] = "und",
    target_language: Annotated[str, typer.Option(help="Code of the new one.")] = "und",
    format: VectorsFormat = None,
    keep_case: KeepCase = False,
    local_only: LocalOnly = False,
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Give a language model the vocabulary of another language; all its other weights stay.

    The folder opens by `from_pretrained`. mapping.json has what each new token is made of, transfer.json
    the report. A space that is trained here lies in the folder `space`.
    """
    from jointalign.numerics.processors import limited_to
    from jointalign.pipeline import RunSettings
    from jointalign.transfer import load_tokenizer, method_named, space_of_text, transfer

    plain = method_named(method)
    chosen = given.over(plain if copied is None else replace(plain, copied=copied))  # type: ignore[type-var]
    vectors = space is not None or source_vectors is not None or target_vectors is not None
    if (source_text is None) != (target_text is None) or (vectors and source_text is not None):
        raise typer.BadParameter("give a space, or both --source-text and --target-text")
    with progress("transfer") as bar, limited_to(threads):
        found = None
        if source_text is not None and target_text is not None and chosen.uses_space:
            say("train a space")
            settings = RunSettings(
                source=source_text,
                target=target_text,
                lexicon=lexicon,
                source_language=source_language,
                target_language=target_language,
                trainer=trainer,
                lowercase=not keep_case,
                seed=seed,
            )
            both = None
            if units is Units.TOKENS:
                both = load_tokenizer(model, local_only), load_tokenizer(tokenizer, local_only)
            found = space_of_text(
                settings, out / "space", tokenizers=both, threads=threads, fresh=fresh, progress=bar
            )
        elif vectors and chosen.uses_space:
            file = space / "aligned.safetensors" if space is not None and space.is_dir() else space
            found = read_space(
                *(file, source_vectors, target_vectors),
                codes=(source_language, target_language),
                format=format,
            )
        report = transfer(model, tokenizer, out, found, chosen, units=units, seed=seed, local_only=local_only)
    answer(json, {**report.to_json(), "out": str(out)}, f"{out}: {report}")
