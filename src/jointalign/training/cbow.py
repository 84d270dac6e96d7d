"""Continuous bag of words with negative sampling (Mikolov et al. 2013), without n-grams.

Differences from word2vec: all scores of a middle word are taken before any vector moves; output
vectors start from random numbers instead of zero; there is no token for the end of a line; several
corpora are read block by block in random order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.ranges import check_ranges, within
from jointalign.training._bag_course import BagCourse, Entries
from jointalign.training._checkpoint import checkpoint_in, described
from jointalign.training._model import joint_vocabulary
from jointalign.training._reading import rows_of_types
from jointalign.training._schedule import repetitions
from jointalign.training.base import Balance, Noise, Trainer, Work, as_choice


@dataclass(frozen=True)
class CBOW(Trainer[Embedding]):
    r"""Predict each word from the mean of the words around it.

    Faster than `SkipGram`, and worse for rare words, which have no n-grams here.

    Args:
        dimensions: Length of the vectors (300, as for `SkipGram`).
        window: Largest distance of a context; each middle word draws one from 1 to this (5).
        epochs: How often all text is read (5: word2vec).
        minimum_count: Rarer words get no vector (5: word2vec).
        negatives: Noise words of a middle word (5: word2vec), drawn by the count to the power of
            0.75.
        subsampling: Threshold t; frequent words are left out with chance 1 - sqrt(t/f) - t/f
            (1e-4, as for `SkipGram`).
        learning_rate: At the start, falling linearly to zero (0.05: word2vec).
        balance: How often each corpus is read in an epoch.
        noise: Whose word counts decide noise and subsampling.

    Raises:
        JointalignError: If a setting is out of its range.

    Example:
        >>> import tempfile, pathlib
        >>> from jointalign.corpora.corpus import Corpus
        >>> file = pathlib.Path(tempfile.mkdtemp()) / "tiny.txt"
        >>> _ = file.write_text("the cat sat on the mat\n" * 20)
        >>> tiny = CBOW(dimensions=8, epochs=1).fit(Corpus(file), threads=1)
        >>> tiny.words[0], tiny.vectors.shape
        ('the', (5, 8))
    """

    dimensions: int = within(300, least=1)
    window: int = within(5, least=1)
    epochs: int = within(5, least=1)
    minimum_count: int = within(5, least=1)
    negatives: int = within(5, least=1)
    subsampling: float = within(1e-4, least=0)
    learning_rate: float = within(0.05, above=0, below=10)
    balance: Balance = Balance.TOKENS
    noise: Noise = Noise.LANGUAGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "balance", as_choice(Balance, "balance", self.balance))
        object.__setattr__(self, "noise", as_choice(Noise, "noise", self.noise))
        check_ranges(self)

    def _course(self) -> BagCourse:
        return BagCourse(**asdict(self), regularisation=0.0)

    @property
    def supervised(self) -> bool:
        """Learns from text alone."""
        return False

    def fit_encoded(
        self, corpora: Sequence[EncodedCorpus], lexicon: Lexicon | None = None, work: Work = Work()
    ) -> Embedding:
        """See `Trainer.fit`; takes no lexicon."""
        self._check(len(corpora), lexicon)
        counts = [corpus.counts for corpus in corpora]
        vocabulary = joint_vocabulary(counts, repetitions(corpora, self.balance), self.minimum_count)
        settings = described("cbow", self, corpora, work.seed)
        inputs, _ = self._course().run(
            corpora,
            [rows_of_types(corpus, vocabulary) for corpus in corpora],
            Entries.none(len(vocabulary)),
            work,
            checkpoint_in(work.folder, settings, corpora, [vocabulary]),
        )
        return Embedding(vocabulary, inputs.copy(), settings=settings)
