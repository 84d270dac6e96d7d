"""`jointalign align METHOD`: two sets of vectors and a dictionary in, one space out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jointalign.alignment.api import METHODS, method_named
from jointalign.alignment.seeds import Seeds
from jointalign.alignment.variants import chosen_settings, core
from jointalign.cli._console import answer, progress, say
from jointalign.cli._options import Json, KeepCase, OutFolder, Seed, SpellSource, SpellTarget, Threads
from jointalign.cli._pivot import align_several, used
from jointalign.cli._settings import Changes, Options, summary, with_settings
from jointalign.cli._spaces import Source, Space, Target, VectorsFormat, read_space

if TYPE_CHECKING:
    from jointalign.alignment.base import Mapping
    from jointalign.embedding import BilingualEmbedding
    from jointalign.selection.tuning import Tuned

OUTPUTS = ("aligned.safetensors", "source.vec", "target.vec", "mapping.safetensors")

application = typer.Typer(
    help="Learn a mapping and move all words by it. Writes source.vec and target.vec, "
    "mapping.safetensors, and aligned.safetensors with all of it.",
    rich_markup_mode=None,
)

Lexicons = Annotated[
    Path | None, typer.Option("--lexicon", help="Training dictionary, 'source target' a line.")
]
Pairs = Annotated[
    Seeds | None,
    typer.Option("--pairs", help="Instead of a dictionary: words or numbers spelt alike, or none."),
]


def command(
    method: str,
    given: Changes,
    out: OutFolder,
    lexicon: Lexicons = None,
    pairs: Pairs = None,
    source_vectors: Source = None,
    target_vectors: Target = None,
    embedding: Space = None,
    max_vocabulary: Annotated[
        int, typer.Option(min=1, help="Learn from so many words of each side; all words move.")
    ] = 200_000,
    source_language: SpellSource = "und",
    target_language: SpellTarget = "und",
    format: VectorsFormat = None,
    pivot: Annotated[
        str | None, typer.Option(help="Align each language of an --embedding of several to this one.")
    ] = None,
    pivot_lexicon: Annotated[
        list[str] | None,
        typer.Option(help="Training dictionary from the pivot: es=en-es.txt; once a language."),
    ] = None,
    keep_case: KeepCase = False,
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Choose a method on held-out pairs, learn a mapping, and move all words by it."""
    from jointalign.alignment.api import apply, fit, noted, training_pairs, usable_pairs
    from jointalign.alignment.seeds import pairs_of
    from jointalign.alignment.storage import write_mapping
    from jointalign.formats.api import write
    from jointalign.lexicon import Lexicon
    from jointalign.numerics.processors import limited_to
    from jointalign.selection.tuning import Tuned, Wishes, tune_alignment
    from jointalign.storage.files import check_folder, spare_inputs
    from jointalign.storage.stages import spare_others

    if pivot is not None:
        others = lexicon, pairs, source_vectors, target_vectors
        if embedding is None or any(other is not None for other in others):
            raise typer.BadParameter("--pivot goes with --embedding and --pivot-lexicon alone")
        align_several(
            method,
            given,
            embedding,
            pivot,
            pivot_lexicon or [],
            out,
            max_vocabulary,
            keep_case,
            threads,
            seed,
            json,
        )
        return
    if (lexicon is None) == (pairs is None):
        raise typer.BadParameter("give either --lexicon, or --pairs identical, numerals or none")
    if method == "auto" and pairs is Seeds.NONE:
        raise typer.BadParameter("auto chooses on pairs: give some, or name vecmap_unsupervised or muse")
    inputs = lexicon, source_vectors, target_vectors, embedding
    spare_inputs(filter(None, inputs), [out / name for name in OUTPUTS])
    spare_others(out, OUTPUTS, OUTPUTS[0])
    with given.named():
        wishes = Wishes(method, None, given.values)
    with progress("align") as bar, limited_to(threads):
        space = read_space(
            *(embedding, source_vectors, target_vectors),
            codes=(source_language, target_language),
            format=format,
        )
        training = None
        if lexicon is not None:
            spelt_by = space.source_language, space.target_language
            training = Lexicon.read(lexicon, not keep_case, *spelt_by)
            say(f"{lexicon}: {training.report}")
        if training is None and pairs is not None:
            training = pairs_of(pairs, space)
        report = None
        if training is not None:
            _, report = training_pairs(space, training)
            usable_pairs(space, training)
        check_folder(out)
        if training is None:
            tuned = Tuned(None, wishes.aligner)
        else:
            tuned = tune_alignment(space, training, wishes, seed=seed, progress=bar)
        mapping = fit(space, tuned.method, training, seed=seed, max_vocabulary=max_vocabulary)
        worked = _worked(space, tuned, mapping, training is None, seed, max_vocabulary)
        aligned = apply(mapping, space, noted(tuned.method, seed))
        bar.title("write")
        write(aligned, out / OUTPUTS[0])
        write(aligned.source, out / OUTPUTS[1])
        write(aligned.target, out / OUTPUTS[2])
        write_mapping(mapping, out / OUTPUTS[3])
    counted = {} if report is None else {"pairs": report.to_json()}
    facts = {**tuned.to_json(), "worked": worked, **counted, "settings": used(tuned.method), "out": str(out)}
    failed = ["ALIGNMENT FAILED: do not trust it; give some pairs or more text"] * (worked is False)
    lines = [str(tuned), *failed, *([] if report is None else [str(report)]), f"{out}: {', '.join(OUTPUTS)}"]
    answer(json, facts, "\n".join(lines))


def _worked(
    space: BilingualEmbedding,
    tuned: Tuned,
    mapping: Mapping,
    unsupervised: bool,
    seed: int,
    max_vocabulary: int,
) -> bool | None:
    """Whether the alignment can be trusted; `None` where nothing was held out to tell."""
    from jointalign.alignment.api import first, is_chance
    from jointalign.alignment.unsupervised import trusted

    if unsupervised:
        return trusted(first(space, max_vocabulary), tuned.method, mapping, seed=seed)
    if tuned.choice is None:
        return None
    right = round(tuned.choice.best.precision * tuned.choice.held_out / 100)
    return not is_chance(right, tuned.choice.held_out, len(space.target))


application.command("auto", help=summary(command))(with_settings()(partial(command, "auto", Changes({}, {}))))
for _name in METHODS:
    _method = method_named(_name)
    _inner = core(_method)
    _options = Options(
        _method, within=() if _inner is _method else (_inner,), open=tuple(chosen_settings(_method))
    )
    application.command(_name, help=summary(type(_method)))(
        with_settings(given=_options)(partial(command, _name))
    )
