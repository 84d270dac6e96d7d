"""What a trainer takes and gives; its subclasses hold one method a file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory

from jointalign.corpus import Corpus
from jointalign.embedding import Embedding
from jointalign.encoding import EncodedCorpus, encode
from jointalign.errors import JointalignError
from jointalign.progress import Progress
from jointalign.training._checkpoint import Checkpoint

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


class Trainer(ABC):
    """One way to learn vectors. Subclasses are frozen dataclasses whose fields are its settings."""

    def fit(
        self,
        corpora: Sequence[Corpus] | Corpus,
        *,
        seed: int = 0,
        threads: int | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> Embedding:
        """Learn one vector a word from all corpora together: one vocabulary, one space.

        Args:
            corpora: One corpus, or one for each language (the paper's unsupervised joint training).
            seed: The only source of randomness; with one thread the same seed gives the same bytes.
            threads: How many; `None` for all processors that this process may use.
            folder: Where the encoded text and checkpoints lie, so that a stopped training goes on
                from there; `None` for a temporary folder.
            progress: Told how many tokens are done.
            checkpoint_seconds: Time between two checkpoints; more where saving takes long.

        Returns:
            Words by falling frequency, one vector each, and the n-gram table.

        Raises:
            JointalignError: If a corpus is empty or no word is frequent enough.
        """
        corpora = [corpora] if isinstance(corpora, Corpus) else list(corpora)
        if not corpora:
            raise JointalignError("expected at least one corpus, got none")
        if folder is None:
            with TemporaryDirectory(prefix="jointalign-") as temporary:
                encoded = _encode_all(corpora, Path(temporary), threads, progress)
                return self.fit_encoded(encoded, seed=seed, threads=threads, progress=progress)
        encoded = _encode_all(corpora, folder, threads, progress)
        return self.fit_encoded(
            encoded,
            seed=seed,
            threads=threads,
            folder=folder,
            progress=progress,
            checkpoint_seconds=checkpoint_seconds,
        )

    @staticmethod
    def forget(folder: Path) -> None:
        """Remove the checkpoint from a folder, once the result is safe elsewhere."""
        Checkpoint.remove(folder)

    @abstractmethod
    def fit_encoded(
        self,
        corpora: Sequence[EncodedCorpus],
        *,
        seed: int = 0,
        threads: int | None = None,
        folder: Path | None = None,
        progress: Progress | None = None,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> Embedding:
        """The same on corpora that are already counted and encoded."""


def _encode_all(
    corpora: Sequence[Corpus], folder: Path, workers: int | None, progress: Progress | None
) -> list[EncodedCorpus]:
    return [
        encode(corpus, folder / f"corpus-{number}", workers, progress, key=corpus.key)
        for number, corpus in enumerate(corpora)
    ]
