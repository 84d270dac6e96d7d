"""`jointalign align METHOD`: two sets of vectors and a dictionary in, one space out."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jointalign.alignment.api import METHODS, method_named, method_names
from jointalign.alignment.seeds import Seeds
from jointalign.cli._console import answer, progress, say
from jointalign.cli._help import Command
from jointalign.cli._options import Group, Json, KeepCase, OutFolder, Seed, SpellSource, SpellTarget, Threads
from jointalign.cli._pivot import align_several, used
from jointalign.cli._settings import Changes, Options, summary, with_settings
from jointalign.cli._spaces import Source, Space, Target, VectorsFormat, read_space, spellings
from jointalign.errors import JointalignError

if TYPE_CHECKING:
    from jointalign.selection.wishes import Wishes

logger = logging.getLogger(__name__)

SELF_LEARNING = ("vecmap_semi_supervised",)


class Sides(StrEnum):
    """How each language is written, besides the file that holds both."""

    TEXT = "text"
    FASTTEXT = "fasttext"

    @property
    def outputs(self) -> tuple[str, str, str, str]:
        """Names of what is written."""
        suffix = "vec" if self is Sides.TEXT else "bin"
        return "aligned.safetensors", f"source.{suffix}", f"target.{suffix}", "mapping.safetensors"


class _Methods(Group):
    """A command for each method, made when it is asked for: nothing else is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Ours, and those of other packages that can be loaded."""
        return ["auto", *(name for name in method_names() if name in METHODS or _works(name))]

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """A line for each, without making its options."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _about(name).partition("\n")[0]) for name in self.list_commands(ctx)])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One that has the method's settings as options."""
        if cmd_name == "auto":
            made = with_settings()(partial(command, "auto", Changes({}, {})))
        elif cmd_name in method_names():
            method = method_named(cmd_name)
            within = () if method.core is method else (method.core,)
            options = Options(method, within=within, open=tuple(method.chosen))
            made = with_settings(given=options)(partial(command, cmd_name))
        else:
            return None
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(cmd_name, help=_about(cmd_name), cls=Command)(made)
        return typer.main.get_command(single)


def _about(name: str) -> str:
    return summary(command if name == "auto" else type(method_named(name)))


def _works(name: str) -> bool:
    try:
        method_named(name)
    except JointalignError as error:
        logger.warning("%s", error)
        return False
    return True


application = typer.Typer(
    cls=_Methods,
    help="Learn a mapping and move all words by it. Writes source.vec and target.vec (.bin with "
    "--to fasttext), mapping.safetensors, and aligned.safetensors with all of it.",
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
    to: Annotated[
        Sides, typer.Option(help="Write each side as text, or as a model that fastText opens.")
    ] = Sides.TEXT,
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
    from jointalign.alignment.api import apply, first, fit, noted, training_pairs, usable_pairs
    from jointalign.alignment.seeds import pairs_of
    from jointalign.alignment.storage import write_mapping
    from jointalign.alignment.unsupervised import trusted
    from jointalign.formats.api import Format, write
    from jointalign.lexicon import Lexicon
    from jointalign.numerics.processors import limited_to
    from jointalign.selection.base import FAILED, Choice, Trial
    from jointalign.selection.wishes import Wishes, decide
    from jointalign.storage.files import spare_inputs
    from jointalign.storage.stages import claimed, spare_others

    if pivot is not None:
        others = any(other is not None for other in (lexicon, pairs, source_vectors, target_vectors))
        if embedding is None or others or to is not Sides.TEXT:
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
    spare_inputs(filter(None, inputs), [out / name for name in to.outputs])
    spare_others(out, to.outputs, to.outputs[0])
    with given.named():
        wishes = Wishes(method, None, given.values)
    with progress("align") as bar, limited_to(threads), ExitStack() as held:
        space = read_space(
            *(embedding, source_vectors, target_vectors),
            codes=(source_language, target_language),
            format=format,
        )
        training, spelt = None, {}
        if lexicon is not None:
            spelt_by = space.source_language, space.target_language
            training = Lexicon.read(lexicon, not keep_case, *spelt_by)
            say(f"{lexicon}: {training.report}")
            spelt = spellings(space, training)
        if training is None and pairs is not None:
            training = pairs_of(pairs, space)
        report, warnings = None, []
        if training is not None:
            _, report = training_pairs(space, training)
            usable_pairs(space, training)
            warnings = _few(report.used, wishes)
        held.enter_context(claimed(out))
        if training is None:
            choice = Choice(Trial(None, wishes.aligner))
        else:
            choice = decide(space, training, wishes, seed=seed, progress=bar)
        mapping = fit(space, choice.method, training, seed=seed, max_vocabulary=max_vocabulary)
        worked = choice.worked
        if lexicon is None:
            used_words = first(space, max_vocabulary)
            worked = trusted(used_words, choice.method, mapping, training, seed=seed) and worked is not False
        aligned = apply(mapping, space, noted(choice.method, seed))
        bar.title("write")
        whole, source, target, learnt = (out / name for name in to.outputs)
        write(aligned, whole)
        write(aligned.source, source, Format(to))
        write(aligned.target, target, Format(to))
        write_mapping(mapping, learnt)
    counted = {} if report is None else {"pairs": report.to_json()}
    facts = {
        **choice.to_json(),
        "worked": worked,
        **counted,
        "settings": used(choice.method),
        "spellings": spelt,
        "out": str(out),
    }
    failed = [FAILED] * (worked is False)
    lines = [
        str(choice),
        *failed,
        *([] if report is None else [str(report)]),
        f"{out}: {', '.join(to.outputs)}",
    ]
    answer(json, facts, "\n".join(lines), warnings)


def _few(known: int, wishes: Wishes) -> list[str]:
    """A warning where the pairs are too few for the method."""
    from jointalign.lexicon import ENOUGH_PAIRS, ENOUGH_SEEDS, few_pairs

    warnings = few_pairs(known, ENOUGH_SEEDS if wishes.method in SELF_LEARNING else ENOUGH_PAIRS)
    for warning in warnings:
        logger.warning("%s", warning)
    return warnings
