"""`jointalign align`: two sets of vectors and a dictionary in, one space out."""

from __future__ import annotations

from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import (
    Json,
    KeepCase,
    LearningRate,
    MaxVocabulary,
    OutFolder,
    Seed,
    Steps,
    Threads,
    TrainingLexicon,
)
from jointalign.cli._spaces import Source, Space, Target, read_space


def command(
    lexicon: TrainingLexicon,
    out: OutFolder,
    source_vectors: Source = None,
    target_vectors: Target = None,
    embedding: Space = None,
    method: Annotated[str, typer.Option(help="rcsls or procrustes.")] = "rcsls",
    learning_rate: LearningRate = None,
    steps: Steps = None,
    max_vocabulary: MaxVocabulary = 200_000,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Learn a mapping from a dictionary and move all words by it.

    Writes source.vec and target.vec, mapping.safetensors, and aligned.safetensors with all of it.
    """
    from jointalign.alignment.api import apply, fit, noted, training_pairs
    from jointalign.alignment.storage import write_mapping
    from jointalign.formats.api import write, write_bilingual
    from jointalign.lexicon import Lexicon
    from jointalign.processors import limited_to
    from jointalign.tuning import Wishes, tune_alignment

    with progress("align") as bar, limited_to(threads):
        training = Lexicon.read(lexicon, lowercase=not keep_case)
        say(f"{lexicon}: {training.report}")
        space = read_space(embedding, source_vectors, target_vectors, max_vocabulary)
        _, report = training_pairs(space, training)
        wishes = Wishes(method, None, learning_rate, steps)
        tuned = tune_alignment(space, training, wishes, seed=seed, progress=bar)
        mapping = fit(space, tuned.method, training, seed=seed)
        aligned = apply(mapping, space, noted(tuned.method, seed))
        bar.title("write")
        write(aligned.source, out / "source.vec")
        write(aligned.target, out / "target.vec")
        write_mapping(mapping, out / "mapping.safetensors")
        write_bilingual(aligned, out / "aligned.safetensors")
    if json:
        show_json({**tuned.to_json(), "pairs": report.to_json(), "out": str(out)})
    else:
        show(f"{tuned}\n{report}\n{out}: source.vec, target.vec, mapping, aligned.safetensors")
