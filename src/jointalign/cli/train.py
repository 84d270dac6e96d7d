"""`jointalign train`: text in, one embedding out."""

from __future__ import annotations

import shutil
import time
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import answer, progress
from jointalign.cli._languages import languages
from jointalign.cli._options import (
    CheckpointSeconds,
    Fresh,
    Json,
    KeepCase,
    OutFile,
    Seed,
    Threads,
    Tokenized,
)
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.training.cbow import CBOW
from jointalign.training.skipgram import SkipGram


class Model(StrEnum):
    """What words are learnt from."""

    SKIPGRAM = "skipgram"
    CBOW = "cbow"


@with_settings(trainer=Options(SkipGram()))
def command(
    input: Annotated[
        list[Path], typer.Option(help="Text, one sentence or paragraph a line; once a language.")
    ],
    out: OutFile,
    trainer: Changes,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Code for each --input, in order; default: as named in the file name."),
    ] = None,
    model: Annotated[
        Model, typer.Option(help="skipgram; cbow: faster, and without n-grams.")
    ] = Model.SKIPGRAM,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    fresh: Fresh = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train one embedding on all texts together: skip-gram with character n-grams.

    Stopped, it goes on from its last checkpoint when started again with the same settings.
    """
    from jointalign.corpora.corpus import Corpus
    from jointalign.corpora.encoding import EncodedCorpus
    from jointalign.corpora.enough import little_text
    from jointalign.formats.api import check_output, write
    from jointalign.storage.checkpoint import or_fresh
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import locked

    chosen = trainer.over(CBOW() if model is Model.CBOW else SkipGram())
    spare_inputs(input, [out])
    check_output(out)
    codes = languages(input, language)
    corpora = [
        Corpus(_path(path), code, tokenized, not keep_case) for path, code in zip(input, codes, strict=True)
    ]
    folder = out.with_name(out.name + ".training")
    begun = time.monotonic()
    with progress("train") as bar, locked(folder, "corpus-0"):
        fit = partial(
            chosen.fit,
            corpora,
            seed=seed,
            threads=threads,
            folder=folder,
            progress=bar,
            checkpoint_seconds=checkpoint_seconds,
        )
        embedding = or_fresh(fit, fresh)
        encoded = [EncodedCorpus.open(folder / f"corpus-{number}") for number in range(len(corpora))]
        warnings = little_text((corpus.language, corpus.counts) for corpus in encoded)
        write(embedding, out)
    seconds = time.monotonic() - begun
    shutil.rmtree(folder, ignore_errors=True)
    facts = {
        "vocabulary": len(embedding),
        "dimensions": embedding.dimensions,
        "ngrams": 0 if embedding.subwords is None else len(embedding.subwords.vectors),
        "tokens": int(embedding.settings["tokens"] or 0),
        "languages": codes,
        "words_per_second": round(bar.speed),
        "seconds": round(seconds, 3),
        "settings": plain(chosen),
        "out": str(out),
    }
    answer(
        json,
        facts,
        f"{out}: {len(embedding):,} words and {facts['ngrams']:,} n-grams x {embedding.dimensions}, "
        f"{facts['words_per_second']:,} words/s, {seconds:.0f} s",
        warnings,
    )


def _path(path: Path) -> Path | str:
    return "-" if str(path) == "-" else path
