"""Unsupervised machine translation: from two texts and one space of vectors to a translator."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jointalign.embedding import BilingualEmbedding, Setting
from jointalign.errors import JointalignError
from jointalign.numerics.devices import device_named
from jointalign.storage.checkpoint import or_fresh
from jointalign.translation._decode import TranslationSearch
from jointalign.translation._loop import Group, joined
from jointalign.translation._model import Plan, check_extra, initial_weights, put_vectors
from jointalign.translation._session import (
    CHECKPOINT,
    CHECKPOINT_SECONDS,
    HISTORY,
    MODEL,
    Job,
    Session,
    checked_criterion,
    usable,
)
from jointalign.translation._text import Segmentation
from jointalign.translation._translator import Translator, read_translator, tokens_of, write_translator
from jointalign.translation.base import MTResult, Shape, TranslationFitSettings
from jointalign.translation.scoring import Validation, score, tokenised, tokenised_bleu

__all__ = [
    "CHECKPOINT",
    "HISTORY",
    "MODEL",
    "FitResult",
    "Group",
    "Job",
    "TranslationSearch",
    "Segmentation",
    "Session",
    "Translator",
    "Validation",
    "check_extra",
    "evaluate",
    "fit",
    "joined",
    "prepare",
    "read_translator",
    "score",
    "tokenised",
    "tokenised_bleu",
    "write_translator",
]


@dataclass(frozen=True, eq=False)
class FitResult:
    """A trained model and how it came about.

    Args:
        translator: The best epoch's, by the criterion.
        history: One entry an epoch: losses, speed, validation.
        finished: Whether all epochs are done, or time was up before.
        report: What was read and what was left out.
    """

    translator: Translator
    history: tuple[dict[str, Any], ...]
    finished: bool
    report: dict[str, Any]


def prepare(
    texts: tuple[Sequence[str], Sequence[str]],
    segmentation: Segmentation,
    languages: tuple[str, str],
    *,
    shape: Shape | None = None,
    settings: TranslationFitSettings | None = None,
    embedding: BilingualEmbedding | None = None,
    separate: bool = False,
    validation: Validation | None = None,
    criterion: str = "round_trip",
    seed: int = 0,
    device: str = "auto",
) -> tuple[Job, dict[str, Any]]:
    """Cut the texts and make the untrained model; arguments as for `fit`.

    Returns:
        What there is to learn, and what was read and left out.
    """
    check_extra()
    shape, settings = shape or Shape(), settings or TranslationFitSettings()
    validation = validation or Validation()
    plan = Plan(shape, segmentation.vocabulary, separate)
    weights = initial_weights(plan, seed)
    report: dict[str, Any] = {}
    if embedding is not None:
        report["vectors"] = put_vectors(weights, plan, segmentation.pieces, embedding)
    found = []
    for language, lines in zip(languages, texts, strict=True):
        sentences, empty, long = usable(segmentation.encode(lines), settings.maximum_length)
        if not len(sentences):
            raise JointalignError(f"the text in '{language}' has no sentence to learn from")
        report[language] = {
            "sentences": len(sentences),
            "tokens": len(sentences.tokens),
            "empty": empty,
            "too_long": long,
        }
        found.append(sentences)
    place = device_named(device, "mt")
    noted: dict[str, Setting] = {"seed": seed, "separate": separate}
    translator = Translator(
        plan,
        {name: weight.to(place) for name, weight in weights.items()},
        segmentation,
        languages,
        (tokens_of(found[0]), tokens_of(found[1])),
        noted,
        settings.precision,
    )
    checked = checked_criterion(criterion, validation)
    return Job(translator, (found[0], found[1]), settings, seed, validation, checked), report


def fit(
    texts: tuple[Sequence[str], Sequence[str]],
    segmentation: Segmentation,
    languages: tuple[str, str] = ("source", "target"),
    *,
    epochs: int = 20,
    shape: Shape | None = None,
    settings: TranslationFitSettings | None = None,
    embedding: BilingualEmbedding | None = None,
    separate: bool = False,
    validation: Validation | None = None,
    criterion: str = "round_trip",
    seed: int = 0,
    device: str = "auto",
    folder: Path | None = None,
    max_minutes: float | None = None,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
    group: Group | None = None,
    fresh: bool = False,
    progress: Callable[[float, float | None, str], None] | None = None,
    announce: Callable[[dict[str, Any]], None] | None = None,
) -> FitResult:
    """Learn to translate from two texts that are no translations of each other.

    Args:
        texts: Lines of the source and of the target language.
        segmentation: Learnt on both.
        languages: Their codes.
        epochs: How many (20: Figure 2 of the paper).
        shape: Of the model; default: the published one, which needs a GPU.
        settings: Of the training; default: the published ones.
        embedding: Vectors of the pieces, of as many dimensions as the model; `None` for random
            ones, from which hardly anything can be learnt without a dictionary.
        separate: Whether each language has a table of its own. Aligned vectors need that; vectors
            of joint training, and those after reallocation, fit into one table.
        validation: Held-out lines, measured after each epoch.
        criterion: What chooses the epoch to keep: `round_trip`, which needs no translations, or
            `bleu`, as in the paper. Without validation the last one is kept.
        seed: The only source of randomness; on one processor the same seed gives the same model.
        device: `cpu`, `cuda`, or `auto` for a GPU where there is one.
        folder: Where the state is kept, so that a stopped training goes on from there.
        max_minutes: Save the state and stop after this time.
        checkpoint_seconds: Time between two checkpoints.
        group: The processes that learn together, from `joined`; this one alone by default. Each
            then calls `fit` with the same arguments and the group's device.
        fresh: Whether a training of other settings in the folder is begun anew; it is refused
            otherwise.
        progress: Told how far the epoch is.
        announce: Told each epoch's entry of the history.

    Raises:
        JointalignError: If a text is empty, the vectors do not fit the model, or another training
            is in the folder.
        MissingExtraError: If torch, tokenizers or sacrebleu is not installed.

    Example:
        >>> from jointalign.translation.cipher import CipherSettings, make_cipher
        >>> cipher = make_cipher(CipherSettings(sentences=200, held_out=5))
        >>> texts = cipher.source_lines, cipher.target_lines
        >>> settings = TranslationFitSettings.small(epoch_sentences=100)
        >>> segmentation = Segmentation.learn(texts, 500)
        >>> result = fit(texts, segmentation, epochs=1, shape=Shape.tiny(), settings=settings)
        >>> len(result.history), result.finished
        (1, True)
    """
    if epochs < 1:
        raise JointalignError(f"epochs must be at least 1, got {epochs}")
    begun = time.monotonic()
    job, report = prepare(
        texts,
        segmentation,
        languages,
        shape=shape,
        settings=settings,
        embedding=embedding,
        separate=separate,
        validation=validation,
        criterion=criterion,
        seed=seed,
        device=device,
    )
    group = group or Group()
    session = or_fresh(lambda: Session(job, folder, checkpoint_seconds, group), fresh)
    deadline = None if max_minutes is None else begun + 60 * max_minutes
    while session.epochs < epochs:
        if not session.epoch(deadline, progress):
            break
        if announce is not None:
            announce(session.history[-1])
    group.told(None)  # the first has written the model
    best = session.best
    if folder is not None and session.history:
        best = read_translator(folder / MODEL, device, job.settings.precision)
    finished = session.epochs >= epochs
    return FitResult(best, tuple(session.history), finished, report)


def evaluate(
    translator: Translator,
    source: Sequence[str],
    references: Sequence[str],
    direction: str,
    search: TranslationSearch | None = None,
) -> MTResult:
    """Translate a test set and score it.

    Args:
        translator: The model.
        source: Lines to translate.
        references: Their translations.
        direction: Such as `en-de`.
        search: Greedy by default.

    Raises:
        JointalignError: If the numbers of lines differ, or the model has not these languages.
    """
    begun = time.monotonic()
    found = translator.translate(source, direction, search)
    seconds = time.monotonic() - begun
    lowercase = translator.segmentation.lowercase
    return score(found, references, direction, lowercase=lowercase, seconds=seconds)
