"""`jointalign align METHOD`: two sets of vectors and a dictionary in, one space out."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from jointalign.alignment.api import METHODS, method_named, method_names
from jointalign.alignment.seeds import Seeds
from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._methods import with_settings, without_settings
from jointalign.cli._options import Json, KeepCase, OutFolder, Seed, SpellSource, SpellTarget, Threads
from jointalign.cli._pivot import align_several
from jointalign.cli._spaces import Source, Space, Target, read_space
from jointalign.errors import JointalignError

logger = logging.getLogger(__name__)

OUTPUTS = ("aligned.safetensors", "source.vec", "target.vec", "mapping.safetensors")


class _Methods(TyperGroup):
    """A command for each method, made when it is asked for: nothing else is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Ours, and those of other packages that can be loaded."""
        return ["auto", *(name for name in method_names() if name in METHODS or _works(name))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One that has the method's settings as options."""
        if cmd_name == "auto":
            made = without_settings(command, cmd_name)
        elif cmd_name in method_names():
            made = with_settings(command, method_named(cmd_name), cmd_name)
        else:
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name)(made)
        return typer.main.get_command(single)


def _works(name: str) -> bool:
    try:
        method_named(name)
    except JointalignError as error:
        logger.warning("%s", error)
        return False
    return True


application = typer.Typer(
    cls=_Methods,
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
    settings: dict[str, Any],
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
    from jointalign.formats.api import write, write_bilingual
    from jointalign.lexicon import Lexicon
    from jointalign.numerics.processors import limited_to
    from jointalign.selection.base import Choice, Trial
    from jointalign.selection.wishes import Wishes, decide
    from jointalign.storage.files import check_folder, spare_inputs
    from jointalign.storage.stages import spare_others

    if pivot is not None:
        others = lexicon, pairs, source_vectors, target_vectors
        if embedding is None or any(other is not None for other in others):
            raise typer.BadParameter("--pivot goes with --embedding and --pivot-lexicon alone")
        align_several(
            method,
            settings,
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
    given = [lexicon, source_vectors, target_vectors, embedding]
    spare_inputs(filter(None, given), [out / name for name in OUTPUTS])
    spare_others(out, OUTPUTS, OUTPUTS[0])
    wishes = Wishes(method, None, settings)
    with progress("align") as bar, limited_to(threads):
        training = None
        if lexicon is not None:
            training = Lexicon.read(lexicon, not keep_case, source_language, target_language)
            say(f"{lexicon}: {training.report}")
        space = read_space(embedding, source_vectors, target_vectors)
        if training is None and pairs is not None:
            training = pairs_of(pairs, space)
        report = None
        if training is not None:
            _, report = training_pairs(space, training)
            usable_pairs(space, training)
        check_folder(out)
        if training is None:
            choice = Choice(Trial(None, wishes.aligner))
        else:
            choice = decide(space, training, wishes, seed=seed, progress=bar)
        mapping = fit(space, choice.method, training, seed=seed, max_vocabulary=max_vocabulary)
        aligned = apply(mapping, space, noted(choice.method, seed))
        bar.title("write")
        write_bilingual(aligned, out / OUTPUTS[0])
        write(aligned.source, out / OUTPUTS[1])
        write(aligned.target, out / OUTPUTS[2])
        write_mapping(mapping, out / OUTPUTS[3])
    counted = {} if report is None else {"pairs": report.to_json()}
    if json:
        show_json({**choice.to_json(), **counted, "out": str(out)})
    else:
        show("\n".join(filter(None, [str(choice), report and str(report)])))
        show(f"{out}: {', '.join(OUTPUTS)}")
