"""`jointalign mt`: unsupervised machine translation."""

from __future__ import annotations

import hashlib
import json as json_module
import sys
from contextlib import nullcontext
from dataclasses import asdict, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jointalign.cli._console import progress, say, show, show_json
from jointalign.cli._options import Json, OutFolder, Seed, Threads
from jointalign.cli._translation import Beam, Device, Direction, MaxMinutes, Model, lines_of

if TYPE_CHECKING:
    from jointalign.translation.api import Validation
    from jointalign.translation.base import Shape, TranslationFitSettings

JOB = "job.json"

application = typer.Typer(
    help="Translation learnt from two texts that are no translations of each other.", no_args_is_help=True
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


@application.command("train")
def train(
    source: Annotated[Path, typer.Option(help="Sentences of the source language, one a line.")],
    target: Annotated[Path, typer.Option(help="Of the target language; no translations needed.")],
    out: OutFolder,
    source_language: Annotated[str, typer.Option(help="Code, e.g. en.")],
    target_language: Annotated[str, typer.Option(help="Code, e.g. de.")],
    init: Annotated[Init, typer.Option(help="Vectors that the model begins with.")] = Init.JOINT_ALIGN,
    lexicon: Annotated[
        Path | None, typer.Option(help="Training dictionary, for all but joint and random.")
    ] = None,
    source_text: Annotated[
        Path | None, typer.Option(help="More text of the source language, for the vectors alone.")
    ] = None,
    target_text: Annotated[Path | None, typer.Option(help="Likewise of the target's.")] = None,
    tokens: Annotated[int, typer.Option(min=1, help="Of that text, at most.")] = 2_000_000,
    validation_source: Annotated[
        Path | None, typer.Option(help="Held-out sentences, to choose the best epoch.")
    ] = None,
    validation_target: Annotated[Path | None, typer.Option(help="Likewise.")] = None,
    parallel: Annotated[
        bool, typer.Option("--parallel", help="The two are translations: choose by BLEU.")
    ] = False,
    size: Annotated[
        Size, typer.Option(help="published (for a GPU), small (a processor), tiny (a toy).")
    ] = Size.SMALL,
    epochs: Annotated[int, typer.Option(min=1, help="How many (20: the paper).")] = 20,
    epoch_sentences: Annotated[int | None, typer.Option(min=1, help="Sentences an epoch.")] = None,
    batch_sentences: Annotated[
        int | None, typer.Option(min=1, help="Sentences a step, of all processes together.")
    ] = None,
    pieces: Annotated[int, typer.Option(min=300, help="Of words (60,000: published).")] = 5000,
    method: Annotated[str, typer.Option(help="Of alignment.")] = "procrustes",
    gamma: Annotated[float, typer.Option(min=0.5, max=1, help="Of reallocation.")] = 0.9,
    keep_case: Annotated[bool, typer.Option("--keep-case", help="Do not lower-case.")] = False,
    max_minutes: MaxMinutes = None,
    device: Device = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Make vectors of pieces of words, then train a model that begins with them.

    Stopped, it goes on from its last checkpoint when started again. Several GPUs share each batch:
    `torchrun --nproc-per-node 2 -m jointalign mt train ...`.
    """
    from jointalign.lexicon import Lexicon
    from jointalign.numerics.processors import limited_to
    from jointalign.storage.files import digest, spare_folder
    from jointalign.storage.stages import Stages, claim, locked
    from jointalign.translation.api import MODEL, check_extra, fit, joined
    from jointalign.translation.vectors import Start, Vectors, VectorSettings, piece_trainer

    check_extra()
    start = Start(init.value)
    shape, settings = _sizes(size, epoch_sentences, batch_sentences)
    given = source, target, lexicon, source_text, target_text, validation_source, validation_target
    spare_folder(given, out)
    texts, codes = (lines_of(source), lines_of(target)), (source_language, target_language)
    large = _both(source_text, target_text, "--source-text and --target-text")
    held_out = _held_out(validation_source, validation_target, parallel)
    with (
        joined(device) as group,
        progress("mt", group.first) as bar,
        locked(out) if group.first else nullcontext(),
        limited_to(threads),
    ):

        def announce(stage: str, done: bool) -> None:
            if not done:
                say(stage)
            bar.title(stage)

        def told(entry: dict) -> None:
            if group.first:
                say(_told(entry))

        known = None if lexicon is None else Lexicon.read(lexicon, not keep_case)
        vectors = Vectors(
            codes,
            VectorSettings(piece_trainer(shape.dimensions), method, gamma, pieces, tokens, not keep_case),
            texts,
            large,
            known,
            Stages(out, announce),
            seed,
            threads,
            bar,
        )
        claimed = {
            "texts": hashlib.sha256(repr(texts).encode()).hexdigest(),
            "languages": codes,
            "vectors": {
                "init": start,
                **asdict(vectors.settings),
                "lexicon": known and known.pairs,
                "larger texts": [digest(path) for path in large or ()],
            },
            "settings": [asdict(shape), asdict(settings)],
            "seed": seed,
        }

        def begun() -> tuple:
            claim(out / JOB, out, json_module.loads(json_module.dumps(claimed)))
            return vectors.segmentation(), vectors.space(start)

        segmentation, space = group.led(begun)
        result = fit(
            texts,
            segmentation,
            codes,
            epochs=epochs,
            shape=shape,
            settings=settings,
            embedding=space,
            separate=start.separate,
            validation=held_out,
            criterion="bleu" if parallel else "round_trip",
            seed=seed,
            device=group.device,
            folder=out,
            max_minutes=max_minutes,
            group=group,
            progress=bar,
            announce=told,
        )
    if not group.first:
        return
    facts = {
        "out": str(out / MODEL),
        "finished": result.finished,
        "read": result.report | vectors.report,
        "epochs": list(result.history),
    }
    for line in _left_out(result.report | vectors.report):
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


def _sizes(
    size: Size, epoch_sentences: int | None, batch_sentences: int | None
) -> tuple[Shape, TranslationFitSettings]:
    from jointalign.translation.base import Shape, TranslationFitSettings

    shape, settings = {
        Size.PUBLISHED: (Shape(), TranslationFitSettings()),
        Size.SMALL: (Shape.small(), TranslationFitSettings.small()),
        Size.TINY: (Shape.tiny(), TranslationFitSettings.tiny()),
    }[size]
    if epoch_sentences is not None:
        settings = replace(settings, epoch_sentences=epoch_sentences)
    if batch_sentences is not None:
        settings = replace(settings, batch_sentences=batch_sentences)
    return shape, settings


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
