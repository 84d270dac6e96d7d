"""The whole job in one folder: vectors of pieces, then a model that begins with them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from jointalign.checks import check_fields
from jointalign.embedding import BilingualEmbedding
from jointalign.lexicon import Lexicon
from jointalign.numerics.processors import limited_to
from jointalign.progress import Progress
from jointalign.storage.checkpoint import digest_of
from jointalign.storage.files import digest
from jointalign.storage.stages import Stages, locked
from jointalign.translation.api import FitResult, Group, Segmentation, Validation, fit
from jointalign.translation.base import Shape, TranslationFitSettings
from jointalign.translation.vectors import Start, Vectors, VectorSettings, piece_trainer
from jointalign.version import __version__


@dataclass(frozen=True)
class JobSettings:
    """Everything that decides a model besides its texts.

    Args:
        start: What the model begins with.
        shape: Of the model.
        fit: Of its training.
        vectors: How the vectors of pieces are made; of as many dimensions as the model.
        seed: The only source of randomness.
    """

    start: Start = Start.JOINT_ALIGN
    shape: Shape = field(default_factory=Shape.small)
    fit: TranslationFitSettings = field(default_factory=TranslationFitSettings.small)
    vectors: VectorSettings = field(
        default_factory=lambda: VectorSettings(piece_trainer(Shape.small().dimensions))
    )
    seed: int = 0
    __post_init__ = check_fields


def train_from_texts(
    texts: tuple[tuple[str, ...], tuple[str, ...]],
    languages: tuple[str, str],
    folder: Path,
    settings: JobSettings | None = None,
    *,
    lexicon: Lexicon | None = None,
    larger: tuple[Path, Path] | None = None,
    validation: Validation | None = None,
    epochs: int = 20,
    group: Group | None = None,
    threads: int | None = None,
    max_minutes: float | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
    announce: Callable[[str, bool], None] | None = None,
    told: Callable[[dict[str, Any]], None] | None = None,
) -> FitResult:
    """Make the vectors and train the model; what is done already in the folder is not done again.

    Args:
        texts: Lines of the source and of the target language, no translations of each other.
        languages: Their codes.
        folder: Where all files go; made if missing.
        settings: The defaults for a processor for `None`.
        lexicon: Training dictionary, of words; `None` where nothing needs one.
        larger: More text of both languages, for the vectors alone.
        validation: Held-out lines, which choose the best epoch.
        epochs: How many (20: the paper); more can be asked for later.
        group: The processes that learn together, from `joined`; all call this with the same
            arguments, and the first one writes and reports.
        threads: How many; `None` for all processors.
        max_minutes: Save the state and stop after this time.
        fresh: Whether work of other settings in the folder is begun anew; it is refused otherwise.
        progress: Told how far the work at hand is.
        announce: Told the name of each stage as it begins, and whether it was done before.
        told: Told each epoch's entry of the history.

    Returns:
        The model, with what was read and left out for it and for its vectors.

    Raises:
        JointalignError: If a text or a setting is bad, or the folder holds another training.
        MissingExtraError: If torch, tokenizers or sacrebleu is not installed.
    """
    settings, group = settings or JobSettings(), group or Group()
    validation = validation or Validation()
    with locked(folder) if group.first else nullcontext(), limited_to(threads):
        stages = Stages(folder, announce if group.first else None, fresh=fresh)
        vectors = Vectors(
            languages, settings.vectors, texts, larger, lexicon, stages, settings.seed, threads, progress
        )
        decisive = _decisive(texts, languages, settings, lexicon, larger, validation)

        def begun() -> tuple[Segmentation, BilingualEmbedding | None]:
            # A stage that knows of all settings: others are refused before any work.
            stages.do("settings", decisive, [], lambda: vectors.check(settings.start))
            return vectors.segmentation(), vectors.space(settings.start)

        segmentation, space = group.led(begun)
        result = fit(
            texts,
            segmentation,
            languages,
            epochs=epochs,
            shape=settings.shape,
            settings=settings.fit,
            embedding=space,
            separate=settings.start.separate,
            validation=validation,
            criterion="bleu" if validation.parallel else "round_trip",
            seed=settings.seed,
            device=group.device,
            folder=folder,
            max_minutes=max_minutes,
            group=group,
            fresh=fresh,
            progress=progress,
            announce=told if group.first else None,
        )
    return replace(result, report=result.report | vectors.report)


def _decisive(
    texts: tuple[tuple[str, ...], tuple[str, ...]],
    languages: tuple[str, str],
    settings: JobSettings,
    lexicon: Lexicon | None,
    larger: tuple[Path, Path] | None,
    validation: Validation,
) -> dict[str, Any]:
    """All that decides the result."""
    return {
        "texts": digest_of(repr(texts)),
        "languages": languages,
        "vectors": {
            "init": settings.start,
            **asdict(settings.vectors),
            "lexicon": lexicon and lexicon.pairs,
            "larger texts": [digest(path) for path in larger or ()],
        },
        "shape": asdict(settings.shape),
        "fit": asdict(settings.fit),
        "validation": digest_of(repr([validation.source, validation.target, validation.parallel])),
        "seed": settings.seed,
        "version": __version__,
    }
