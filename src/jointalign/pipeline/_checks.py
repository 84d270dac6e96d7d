"""What can be known to be wrong is said before the training, not after it."""

from __future__ import annotations

import logging
from pathlib import Path

from jointalign.alignment.api import check_extras
from jointalign.alignment.base import Supervision
from jointalign.corpora.tokenization import language_code
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon, few_pairs
from jointalign.pipeline.base import RunSettings
from jointalign.selection.wishes import check_size
from jointalign.storage.files import file_facts
from jointalign.vocabulary import Counts

logger = logging.getLogger(__name__)


def read_lexicon(path: Path, settings: RunSettings) -> Lexicon:
    """Read a dictionary of a run, spelt as its texts are."""
    return Lexicon.read(path, settings.lowercase, settings.source_language, settings.target_language)


def check_settings(settings: RunSettings) -> None:
    """Look at the files and settings alone.

    Raises:
        JointalignError: If one cannot be used.
    """
    for path in (settings.source, settings.target):
        if str(path) == "-":
            raise JointalignError("a run reads its texts again after a stop: save them to files first")
        file_facts(path)
    if settings.source.samefile(settings.target):
        raise JointalignError(
            f"{settings.source}: source and target are the same file; name a text of each language"
        )
    code = language_code(settings.source_language)
    if code == language_code(settings.target_language) != "und":
        raise JointalignError(
            f"both texts are of one language, '{code}', whose words would all be shared, so that there is "
            "nothing to align; train each text by itself, then use `align --pairs identical`"
        )
    if settings.max_vocabulary < 1:
        raise JointalignError(f"max_vocabulary must be positive, got {settings.max_vocabulary}")
    training = None
    _check_method(settings)
    if settings.lexicon is None:
        _check_unsupervised(settings)
    else:
        training = read_lexicon(settings.lexicon, settings)
        logger.info("%s: %s", settings.lexicon, training.report)
    if settings.test is not None:
        test = read_lexicon(settings.test, settings)
        logger.info("%s: %s", settings.test, test.report)
        overlap = 0 if training is None else test.overlap(training)
        if overlap:
            logger.warning(
                "%d of %d test pairs are in the training dictionary, too: the scores will be too "
                "high; take them out of one of the two",
                overlap,
                len(test),
            )
    if training is not None and not settings.wishes.all_given:
        check_size(training)


def _check_method(settings: RunSettings) -> None:
    wishes = settings.wishes
    if wishes.automatic:
        return
    if settings.lexicon is not None and wishes.aligner.supervision is Supervision.NONE:
        raise JointalignError(
            f"{wishes.method} takes no dictionary, and one is given; leave it out, or use "
            "vecmap_semi_supervised"
        )
    check_extras(wishes.aligner, settings.lexicon is not None)


def _check_unsupervised(settings: RunSettings) -> None:
    wishes = settings.wishes
    if not wishes.automatic and wishes.aligner.supervision is Supervision.REQUIRED:
        raise JointalignError(
            f"{wishes.method} learns from a dictionary and there is none; name one with `lexicon`, "
            "or use a method that needs none: auto, vecmap_unsupervised, muse"
        )


def check_dictionaries(
    source: Counts, target: Counts, training: Lexicon | None, test: Lexicon | None, minimum_count: int
) -> list[str]:
    """Look the dictionaries up in the texts.

    Args:
        source: Counts of the source text.
        target: Counts of the target text.
        training: Training dictionary; `None` for none.
        test: Test dictionary; likewise.
        minimum_count: Words must occur so often to get a vector.

    Returns:
        A warning if few of the training pairs are known.

    Raises:
        JointalignError: If no pair of one of them can have two vectors, or it is the wrong way
            round.
    """
    few: list[str] = []
    for name, lexicon in (("training", training), ("test", test)):
        if lexicon is None:
            continue
        known = _known(source, target, lexicon, minimum_count)
        reversed_known = _known(source, target, lexicon.reversed(), minimum_count)
        if reversed_known > 2 * known:
            raise JointalignError(
                f"the {name} dictionary seems to be in the order target, source: {known} of its "
                f"{len(lexicon)} pairs are known as they are, {reversed_known} the other way "
                "round; exchange its columns, or source and target"
            )
        logger.info("%d of %d pairs of the %s dictionary are known", known, len(lexicon), name)
        if name == "training":
            few = few_pairs(known)
        if not known:
            raise JointalignError(
                f"none of the {len(lexicon)} pairs of the {name} dictionary has both words "
                f"{minimum_count} times or more in the texts; check that it is in the order "
                "source, target, that the languages are right, and that there is enough text"
            )
    return few


def _known(source: Counts, target: Counts, lexicon: Lexicon, minimum_count: int) -> int:
    return sum(
        _has_vector(word, source, target, minimum_count) and _has_vector(other, target, source, minimum_count)
        for word, other in lexicon
    )


def _has_vector(word: str, own: Counts, other: Counts, minimum_count: int) -> bool:
    return own[word] > 0 and own[word] + other[word] >= minimum_count
