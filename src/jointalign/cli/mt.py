"""`jointalign mt`: unsupervised machine translation."""

from __future__ import annotations

import sys
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import Fresh, Group, Json, OutFolder, Seed, Threads
from jointalign.cli._settings import Changes, Options, plain, with_settings
from jointalign.cli._translation import Beam, Device, Direction, MaxMinutes, Model, lines_of
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.vectors import Start, VectorSettings, piece_trainer

if TYPE_CHECKING:
    from jointalign.translation.api import Validation

application = typer.Typer(
    cls=Group,
    help="Translation learnt from two texts that are no translations of each other.",
    no_args_is_help=True,
)


class Init(StrEnum):
    """What a model may begin with."""

    JOINT_ALIGN = "joint-align"
    JOINT = "joint"
    ALIGN = "align"
    SUPERVISED_JOINT = "supervised-joint"
    RANDOM = "random"


class Size(StrEnum):
    """Sets of settings for models and their training."""

    PUBLISHED = "published"
    SMALL = "small"
    TINY = "tiny"


SIZES = {
    Size.SMALL: (Shape.small(), TranslationFitSettings.small()),
    Size.PUBLISHED: (Shape(), TranslationFitSettings()),
    Size.TINY: (Shape.tiny(), TranslationFitSettings.tiny()),
}


@application.command("train")
@with_settings(
    shape=Options(SIZES[Size.SMALL][0], {size: shape for size, (shape, _) in SIZES.items()}),
    fit=Options(SIZES[Size.SMALL][1], {size: fit for size, (_, fit) in SIZES.items()}),
    vectors=Options(
        VectorSettings(piece_trainer(1)), leave=("trainer", "lowercase"), title="Of the vectors: "
    ),
)
def train(
    source: Annotated[Path, typer.Option(help="Sentences of the source language, one a line.")],
    target: Annotated[Path, typer.Option(help="Of the target language; no translations needed.")],
    out: OutFolder,
    source_language: Annotated[str, typer.Option(help="Code, e.g. en.")],
    target_language: Annotated[str, typer.Option(help="Code, e.g. de.")],
    shape: Changes[Shape],
    fit: Changes[TranslationFitSettings],
    vectors: VectorSettings,
    init: Annotated[Init, typer.Option(help="Vectors that the model begins with.")] = Init.JOINT_ALIGN,
    lexicon: Annotated[
        Path | None, typer.Option(help="Training dictionary, for all but joint and random.")
    ] = None,
    source_text: Annotated[
        Path | None, typer.Option(help="More text of the source language, for the vectors alone.")
    ] = None,
    target_text: Annotated[Path | None, typer.Option(help="Likewise of the target's.")] = None,
    validation_source: Annotated[
        Path | None, typer.Option(help="Held-out sentences, to choose the best epoch.")
    ] = None,
    validation_target: Annotated[Path | None, typer.Option(help="Likewise.")] = None,
    parallel: Annotated[
        bool, typer.Option("--parallel", help="The two are translations: choose by BLEU.")
    ] = False,
    size: Annotated[
        Size,
        typer.Option(help="Settings not given: published (for a GPU), small (a processor), tiny (a toy)."),
    ] = Size.SMALL,
    epochs: Annotated[int, typer.Option(min=1, help="How many (20: the paper).")] = 20,
    keep_case: Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.")] = False,
    max_minutes: MaxMinutes = None,
    device: Device = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    fresh: Fresh = False,
    json: Json = False,
) -> None:
    """Make vectors of pieces of words, then train a model that begins with them.

    Stopped, it goes on from its last checkpoint when started again. Several GPUs share each batch:
    `torchrun --nproc-per-node 2 -m jointalign mt train ...`.
    """
    from jointalign.lexicon import Lexicon
    from jointalign.storage.files import spare_folder
    from jointalign.translation.api import MODEL, check_extra, joined
    from jointalign.translation.job import JobSettings, train_from_texts

    check_extra()
    default_shape, default_fit = SIZES[size]
    model = shape.over(default_shape)
    vectors = replace(vectors, trainer=piece_trainer(model.dimensions), lowercase=not keep_case)
    settings = JobSettings(Start(init.value), model, fit.over(default_fit), vectors, seed)
    given = source, target, lexicon, source_text, target_text, validation_source, validation_target
    spare_folder(given, out)
    texts = lines_of(source), lines_of(target)
    larger = _both(source_text, target_text, "--source-text and --target-text")
    validation = _held_out(validation_source, validation_target, parallel)
    known = None if lexicon is None else Lexicon.read(lexicon, not keep_case)
    with joined(device) as group, progress("mt", group.first) as bar:
        result = train_from_texts(
            texts,
            (source_language, target_language),
            out,
            settings,
            lexicon=known,
            larger=larger,
            validation=validation,
            epochs=epochs,
            group=group,
            threads=threads,
            max_minutes=max_minutes,
            fresh=fresh,
            progress=bar,
            announce=bar.stage,
            told=lambda entry: say(_told(entry)),
        )
    if not group.first:
        return
    facts = {
        "out": str(out / MODEL),
        "finished": result.finished,
        "read": result.report,
        "epochs": list(result.history),
        "settings": plain({"shape": settings.shape, "fit": settings.fit, "vectors": vectors}),
    }
    for line in _left_out(result.report):
        say(line)
    if json:
        show_json(facts)
    elif result.finished:
        show(f"{out / MODEL}: {len(result.history)} epochs")
    else:
        show(f"{out}: {len(result.history)} of {epochs} epochs; start again to go on")


@application.command("translate")
def translate(
    model: Model,
    direction: Direction,
    input: Annotated[
        Path | None, typer.Option(help="Sentences, one a line; default: standard input.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File; default: standard output.")] = None,
    beam: Beam = 1,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Translate sentences; nothing about it is random."""
    from jointalign.storage.files import spare_inputs, write_text
    from jointalign.translation.api import TranslationSearch, check_extra, read_translator

    check_extra()
    if out is not None:
        spare_inputs([model, *([input] if input else [])], [out])
    lines = lines_of(input or Path("-"))
    with progress("translate"):
        found = read_translator(model, device).translate(lines, direction, TranslationSearch(beam))
    if out is not None:
        with write_text(out) as file:
            file.writelines(line + "\n" for line in found)
    if json:
        facts = {"direction": direction, "sentences": len(found), "seed": seed}
        show_json(facts | ({"out": str(out)} if out else {"translations": found}))
    elif out is None:
        sys.stdout.writelines(line + "\n" for line in found)


@application.command("evaluate")
def evaluate(
    model: Model,
    direction: Direction,
    source: Annotated[Path, typer.Option(help="Sentences to translate, one a line.")],
    reference: Annotated[Path, typer.Option(help="Their translations, line by line.")],
    beam: Beam = 1,
    device: Device = "auto",
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """BLEU and chrF of a model, beside the copied source and the words translated one by one."""
    from jointalign.translation.api import TranslationSearch, check_extra, read_translator
    from jointalign.translation.api import evaluate as scored
    from jointalign.translation.scoring import baselines

    check_extra()
    with progress("evaluate"):
        translator = read_translator(model, device)
        texts = lines_of(source), lines_of(reference)
        result = scored(translator, *texts, direction, TranslationSearch(beam))
        beside = baselines(translator, *texts, direction, model.parent)
    if len(beside) < 2:
        say(f"{model.parent}: no vectors beside the model, so no words one by one")
    if json:
        scores = {name: found.to_json() for name, found in beside.items()}
        show_json({"model": result.to_json(), "baselines": scores, "beam": beam, "seed": seed})
    else:
        show(str(result))
        for name, found in beside.items():
            show(f"  {name}: {found}")


def _both(source: Path | None, target: Path | None, names: str) -> tuple[Path, Path] | None:
    """Two files that go together, or none."""
    if source is None and target is None:
        return None
    if source is None or target is None:
        raise typer.BadParameter(f"give both {names}, or neither")
    return source, target


def _held_out(source: Path | None, target: Path | None, parallel: bool) -> Validation:
    from jointalign.translation.api import Validation

    paths = _both(source, target, "--validation-source and --validation-target")
    if paths is None:
        if parallel:
            raise typer.BadParameter("--parallel says what --validation-source and -target are")
        return Validation()
    return Validation(lines_of(paths[0]), lines_of(paths[1]), parallel)


def _left_out(report: dict[str, dict]) -> list[str]:
    """A line about each thing of which not all was used."""
    lines = []
    for name, read in report.items():
        if name == "lexicon" and read["of_one_piece_each"] < read["pairs"]:
            kept, pairs = read["of_one_piece_each"], read["pairs"]
            lines.append(f"dictionary: {kept} of {pairs} pairs are of one piece each and were used")
        if read.get("empty") or read.get("too_long"):
            lines.append(
                f"{name}: {read['sentences']} sentences; left out: {read['empty']} empty, "
                f"{read['too_long']} too long"
            )
    return lines


def _told(entry: dict) -> str:
    """One line about an epoch."""
    parts = [f"epoch {entry['epoch']}", f"{entry['tokens_per_cpu_second']:,.0f} tokens/CPU-s"]
    parts += [f"{name} {loss:.3f}" for name, loss in entry["losses"].items()]
    if "round_trip" in entry:
        parts.append(f"round trip {entry['round_trip']:.2f}")
    parts += [f"{way} {found['bleu']:.2f}" for way, found in entry.get("validation", {}).items()]
    return ", ".join(parts)
