"""What a trainer takes and gives; its subclasses hold one method a file."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Generic, TypeVar

from jointalign.checks import checked
from jointalign.corpora.corpus import Corpus, Lines, as_corpus
from jointalign.corpora.encoding import EncodedCorpus, encode
from jointalign.corpora.enough import little_text
from jointalign.embedding import Embedding
from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.training._checkpoint import NAME

logger = logging.getLogger(__name__)

CHECKPOINT_SECONDS = 60.0


class Balance(StrEnum):
    """How often each corpus is read in an epoch."""

    TOKENS = "tokens"
    """Smaller corpora are repeated, whole copies and a random share of lines, up to the tokens of
    the largest; no text is left out."""

    LINES = "lines"
    """The first corpora are repeated or sampled to the number of lines of the last: what the
    paper's released code does. It may leave text out."""

    NONE = "none"
    """Each corpus once."""


class Noise(StrEnum):
    """Whose word counts decide which noise words are drawn and which tokens are left out."""

    JOINT = "joint"
    """Those of all corpora together: the paper, and fastText on concatenated text."""

    LANGUAGE = "language"
    """Those of the sentence's own corpus: each is taken for a language of its own, whatever its
    code, so give several files of one language as one corpus. About half of the noise of joint
    training comes from
    the other language, where it teaches a word nothing and pushes the two languages apart."""


Option = TypeVar("Option", bound=StrEnum)


def as_choice(options: type[Option], name: str, value: str) -> Option:
    """One of the options, from itself or its plain word.

    Raises:
        JointalignError: If it is none of them.
    """
    if value not in list(options):
        *first, last = options
        raise JointalignError(f"{name} must be {', '.join(first)} or {last}, got '{value}'")
    return options(value)


@dataclass(frozen=True)
class Work:
    """How a training is done, which is all that its settings and its text do not say; see `Trainer.fit`."""

    seed: int = 0
    threads: int | None = None
    folder: Path | None = None
    progress: Progress | None = None
    checkpoint_seconds: float = CHECKPOINT_SECONDS


Learned = TypeVar("Learned", covariant=True)
"""What a trainer returns: an `Embedding`, or a `BilingualEmbedding` where nothing is shared."""


class Trainer(ABC, Generic[Learned]):
    """One way to learn vectors. Subclasses are frozen dataclasses whose fields are its settings."""

    @property
    @abstractmethod
    def supervised(self) -> bool:
        """Whether it learns from a lexicon too; then it needs one, and otherwise takes none."""

    @checked
    def fit(
        self,
        corpora: Sequence[Corpus] | Corpus | Lines,
        lexicon: Lexicon | None = None,
        *,
        seed: int = 0,
        threads: int | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> Learned:
        """Learn one vector a word from all corpora together: one space.

        Args:
            corpora: One corpus, or one for each language (the paper's joint training); or lines of text
                in memory, which are one corpus, as `Corpus.of` makes it.
            lexicon: Seed dictionary, for supervised trainers alone; they take two corpora, that of
                its source language first.
            seed: The only source of randomness; with one thread the same seed gives the same bytes.
            threads: How many; `None` for all processors that this process may use.
            folder: Where the encoded text and checkpoints lie, so that a stopped training goes on
                from there; `None` for a temporary folder.
            progress: Told how many tokens are done.
            checkpoint_seconds: Time between two checkpoints; more where saving takes long.

        Returns:
            Words by falling frequency, one vector each, and the n-gram table.

        Raises:
            JointalignError: If a corpus is empty or no word is frequent enough; if a supervised
                trainer gets no lexicon, or another gets one; if the folder holds the checkpoint
                of another training (`forget` removes it).
        """
        several = isinstance(corpora, Sequence) and all(isinstance(one, Corpus) for one in corpora)
        corpora = list(corpora) if several else [as_corpus("fit: corpora", corpora)]  # type: ignore[arg-type]
        if not corpora:
            raise JointalignError("expected at least one corpus, got none")
        self._check(len(corpora), lexicon)  # before any work
        work = Work(seed, threads, folder, progress, checkpoint_seconds)
        with nullcontext(folder) if folder else TemporaryDirectory(prefix="jointalign-") as texts:
            encoded = [
                encode(corpus, Path(texts) / f"corpus-{number}", threads, progress, corpus.facts)
                for number, corpus in enumerate(corpora)
            ]
            for warning in little_text((corpus.language, corpus.counts) for corpus in encoded):
                logger.warning("%s", warning)
            return self.fit_encoded(encoded, lexicon, work)

    def _check(self, corpora: int, lexicon: Lexicon | None) -> Lexicon:
        """The lexicon, an empty one for trainers that take none."""
        name = type(self).__name__
        if not self.supervised:
            if lexicon is not None:
                raise JointalignError(
                    f"{name} learns from text alone and got a lexicon, which it would not use; "
                    "leave it out, or train JointReplace or SupervisedJoint"
                )
            return Lexicon(())
        if lexicon is None:
            raise JointalignError(
                f"{name} learns from a seed dictionary and got none; pass Lexicon.read(path)"
            )
        check_two(corpora)
        return lexicon

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove the checkpoint from a folder, once the result is safe elsewhere."""
        (folder / NAME).unlink(missing_ok=True)

    @abstractmethod
    def fit_encoded(
        self, corpora: Sequence[EncodedCorpus], lexicon: Lexicon | None = None, work: Work = Work()
    ) -> Learned:
        """The same on corpora that are already counted and encoded."""


@dataclass(frozen=True)
class Replacement:
    """Words of two texts are replaced by translations, at random, each time they are read.

    A word that the lexicon has is replaced with chance `probability` by one of its translations
    that the joint vocabulary has, each as likely as the others; in both languages.

    Args:
        lexicon: Translations of words of the first corpus into those of the second.
        probability: Chance of a token that has translations.

    Raises:
        JointalignError: If the probability is not in (0, 1].
    """

    lexicon: Lexicon
    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise JointalignError(
                f"the probability of replacement must lie in (0, 1], got {self.probability}"
            )


class ReplacingTrainer(Trainer[Embedding]):
    """A trainer that can be shown text with words replaced."""

    @abstractmethod
    def fit_replaced(
        self, corpora: Sequence[EncodedCorpus], replacement: Replacement, work: Work
    ) -> Embedding:
        """Learn as `fit_encoded` does, from two corpora whose words change on the fly."""


def check_two(corpora: int) -> None:
    """Raise unless there are two corpora, as a lexicon has two sides."""
    if corpora != 2:
        raise JointalignError(
            f"expected two corpora, that of the lexicon's source language first, got {corpora}"
        )
