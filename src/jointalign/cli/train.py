"""`jointalign train`: text in, one embedding out."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Annotated

import typer

from jointalign.cli._console import progress, show, show_json
from jointalign.cli._languages import languages
from jointalign.cli._options import Json, KeepCase, OutFile, Seed, Threads, Tokenized
from jointalign.cli._training import (
    BalanceOption,
    CheckpointSeconds,
    Dimensions,
    Epochs,
    MaximumNgram,
    MinimumCount,
    MinimumNgram,
    Negatives,
    NoiseOption,
    SharedNoise,
    Subsampling,
    TrainingRate,
    Window,
)
from jointalign.training.base import Balance, Noise


def command(
    input: Annotated[
        list[Path], typer.Option(help="Text, one sentence or paragraph a line; once a language.")
    ],
    out: OutFile,
    language: Annotated[
        list[str] | None,
        typer.Option(help="Code for each --input, in order; default: as named in the file name."),
    ] = None,
    dimensions: Dimensions = 300,
    epochs: Epochs = 5,
    window: Window = 5,
    minimum_count: MinimumCount = 5,
    negatives: Negatives = 5,
    minimum_ngram: MinimumNgram = 3,
    maximum_ngram: MaximumNgram = 6,
    subsampling: Subsampling = 1e-4,
    learning_rate: TrainingRate = 0.05,
    balance: BalanceOption = Balance.TOKENS,
    noise: NoiseOption = Noise.LANGUAGE,
    shared_noise: SharedNoise = 8,
    tokenized: Tokenized = False,
    keep_case: KeepCase = False,
    checkpoint_seconds: CheckpointSeconds = 60.0,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Train one embedding on all texts together: skip-gram with character n-grams.

    Stopped, it goes on from its last checkpoint when started again.
    """
    from jointalign.corpora.corpus import Corpus
    from jointalign.formats.api import check_output, write
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import locked
    from jointalign.training.skipgram import SkipGram

    trainer = SkipGram(
        dimensions,
        window,
        epochs,
        minimum_count,
        negatives,
        minimum_ngram,
        maximum_ngram,
        subsampling=subsampling,
        learning_rate=learning_rate,
        balance=balance,
        noise=noise,
        shared_noise=shared_noise,
    )
    spare_inputs(input, [out])
    check_output(out)
    codes = languages(input, language)
    corpora = [
        Corpus(_path(path), code, tokenized, not keep_case) for path, code in zip(input, codes, strict=True)
    ]
    folder = out.with_name(out.name + ".training")
    begun = time.monotonic()
    with progress("train") as bar, locked(folder, "corpus-0"):
        embedding = trainer.fit(
            corpora,
            seed=seed,
            threads=threads,
            folder=folder,
            progress=bar,
            checkpoint_seconds=checkpoint_seconds,
        )
        write(embedding, out)
    seconds = time.monotonic() - begun
    shutil.rmtree(folder, ignore_errors=True)
    facts = {
        "vocabulary": len(embedding),
        "dimensions": dimensions,
        "ngrams": 0 if embedding.subwords is None else len(embedding.subwords.vectors),
        "tokens": int(embedding.settings["tokens"] or 0),
        "languages": codes,
        "words_per_second": round(bar.speed),
        "seconds": round(seconds, 3),
        "out": str(out),
    }
    if json:
        show_json(facts)
    else:
        show(
            f"{out}: {len(embedding):,} words and {facts['ngrams']:,} n-grams x {dimensions}, "
            f"{facts['words_per_second']:,} words/s, {seconds:.0f} s"
        )


def _path(path: Path) -> Path | str:
    return "-" if str(path) == "-" else path
