"""`jointalign align`: two sets of vectors and a dictionary in, one space out."""

from __future__ import annotations

from typing import Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import (
    Json,
    KeepCase,
    LearningRate,
    OutFolder,
    Seed,
    SpellSource,
    SpellTarget,
    Steps,
    Threads,
    TrainingLexicon,
)
from jointalign.cli._spaces import Source, Space, Target, read_space

OUTPUTS = ("source.vec", "target.vec", "mapping.safetensors", "aligned.safetensors")


def command(
    lexicon: TrainingLexicon,
    out: OutFolder,
    source_vectors: Source = None,
    target_vectors: Target = None,
    embedding: Space = None,
    method: Annotated[str, typer.Option(help="rcsls or procrustes.")] = "rcsls",
    learning_rate: LearningRate = None,
    steps: Steps = None,
    max_vocabulary: Annotated[
        int, typer.Option(min=1, help="Learn from so many words of each side; all words move.")
    ] = 200_000,
    source_language: SpellSource = "und",
    target_language: SpellTarget = "und",
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Learn a mapping from a dictionary and move all words by it.

    Writes source.vec and target.vec, mapping.safetensors, and aligned.safetensors with all of it.
    """
    from jointalign.alignment.api import apply, fit, noted, training_pairs, usable_pairs
    from jointalign.alignment.storage import write_mapping
    from jointalign.files import check_folder, spare_inputs
    from jointalign.formats.api import write, write_bilingual
    from jointalign.lexicon import Lexicon
    from jointalign.processors import limited_to
    from jointalign.tuning import Wishes, tune_alignment

    given = [path for path in (source_vectors, target_vectors, embedding) if path is not None]
    spare_inputs(given, [out / name for name in OUTPUTS])
    with progress("align") as bar, limited_to(threads):
        training = Lexicon.read(lexicon, not keep_case, source_language, target_language)
        say(f"{lexicon}: {training.report}")
        space = read_space(embedding, source_vectors, target_vectors)
        _, report = training_pairs(space, training)
        usable_pairs(space, training)
        check_folder(out)
        wishes = Wishes(method, None, learning_rate, steps)
        tuned = tune_alignment(space, training, wishes, seed=seed, progress=bar)
        mapping = fit(space, tuned.method, training, seed=seed, max_vocabulary=max_vocabulary)
        aligned = apply(mapping, space, noted(tuned.method, seed))
        bar.title("write")
        write(aligned.source, out / OUTPUTS[0])
        write(aligned.target, out / OUTPUTS[1])
        write_mapping(mapping, out / OUTPUTS[2])
        write_bilingual(aligned, out / OUTPUTS[3])
    if json:
        show_json({**tuned.to_json(), "pairs": report.to_json(), "out": str(out)})
    else:
        show(f"{tuned}\n{report}\n{out}: {', '.join(OUTPUTS)}")
