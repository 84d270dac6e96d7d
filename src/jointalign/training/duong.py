"""Supervised joint training with a bilingual dictionary (Duong et al. 2016), a row of the tables.

"Learning Crosslingual Word Embeddings without Bilingual Corpora", EMNLP 2016: CBOW on the texts of
both languages, where the words around a middle word predict the word and its translation too. Of
several translations the one is taken that fits the context best with the vectors as they are (the
E step of their EM). Input and output vector of a word are pulled together, and the output vectors
are the result. A spelling that both languages have is two words: nothing is shared.

Differences from the authors' code (XlingualEmb):

* Noise words are drawn from what may be right in the language of the sentence: its own words, and
  the translations that the dictionary has for them. Their code draws from all words of both
  languages (`noise="joint"`). Then half of the noise is the other language's words, and one that
  the dictionary lacks is never right in this language: all that its output vector learns from this
  language's text is to point away, so that it lies far from its translation.
* All scores of a middle word are taken before any vector moves, not one after the other.
* The two texts are read block by block in random order, the smaller one repeated up to the tokens
  of the larger, instead of from one shuffled file.
* There is no token for the end of a line; lines are cut after 1024 tokens instead of 1000.
* The logistic function is flat beyond 8, not beyond 6; the learning rate falls to zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.lexicon import Lexicon
from jointalign.ranges import check_ranges, within
from jointalign.training._bag_course import BagCourse, Entries
from jointalign.training._checkpoint import checkpoint_in, described
from jointalign.training._model import joint_vocabulary
from jointalign.training._reading import check_known, rows_of_types
from jointalign.training._schedule import repetitions
from jointalign.training.base import Balance, Noise, Trainer, Work, as_choice
from jointalign.vocabulary import Vocabulary


@dataclass(frozen=True)
class SupervisedJoint(Trainer[BilingualEmbedding]):
    r"""Predict each word, and a dictionary translation of it, from the words around it.

    The defaults are those of the authors' README, which the code's own differ from: dimensions 100,
    window 5, epochs 5, negatives 5, subsampling 1e-3, no regularisation. The paper of Joint-Align
    gives none; the other rows of its tables have 300 dimensions.

    Args:
        dimensions: Length of the vectors.
        window: Largest distance of a context; each middle word draws one from 1 to this.
        epochs: How often all text is read.
        minimum_count: Rarer words get no vector (5: their code).
        negatives: Noise words of a middle word and its translation together, drawn by how often
            they are to be predicted, to the power of 0.75.
        subsampling: Threshold t; frequent words are left out with chance 1 - sqrt(t/f) - t/f.
        learning_rate: At the start, falling linearly to zero.
        regularisation: How strongly input and output vectors of each word predicted, noise too, are
            pulled together.
        balance: How often each corpus is read in an epoch.
        noise: Where noise words and subsampling come from: `language`, what may be right in the
            language of the sentence; `joint`, all words of both languages, as in the authors' code.

    Raises:
        JointalignError: If a setting is out of its range.

    Example:
        >>> import tempfile, pathlib
        >>> from jointalign.corpora.corpus import Corpus
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "en").write_text("the cat sat on the mat\n" * 20)
        >>> _ = (folder / "es").write_text("el gato en el tapete\n" * 20)
        >>> texts = Corpus(folder / "en", "en"), Corpus(folder / "es", "es")
        >>> lexicon = Lexicon((("cat", "gato"), ("the", "el")))
        >>> space = SupervisedJoint(dimensions=8, epochs=1).fit(texts, lexicon, threads=1)
        >>> space.source.words[0], space.target.words[0], len(space.shared)
        ('the', 'el', 0)
    """

    dimensions: int = within(200, least=1)
    window: int = within(48, least=1)
    epochs: int = within(15, least=1)
    minimum_count: int = within(5, least=1)
    negatives: int = within(25, least=1)
    subsampling: float = within(1e-4, least=0)
    learning_rate: float = within(0.025, above=0, below=10)
    regularisation: float = within(0.01, least=0, below=10)
    balance: Balance = Balance.TOKENS
    noise: Noise = Noise.LANGUAGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "balance", as_choice(Balance, "balance", self.balance))
        object.__setattr__(self, "noise", as_choice(Noise, "noise", self.noise))
        check_ranges(self)

    def _course(self) -> BagCourse:
        return BagCourse(**asdict(self))

    @property
    def supervised(self) -> bool:
        """Needs a lexicon."""
        return True

    def fit_encoded(
        self, corpora: Sequence[EncodedCorpus], lexicon: Lexicon | None = None, work: Work = Work()
    ) -> BilingualEmbedding:
        """See `Trainer.fit`; needs a lexicon and two corpora, its source language first."""
        lexicon = self._check(len(corpora), lexicon)
        repeats = repetitions(corpora, self.balance)
        source, target = vocabularies = [
            joint_vocabulary([corpus.counts], [repeat], self.minimum_count)
            for corpus, repeat in zip(corpora, repeats, strict=True)
        ]
        pairs = lexicon.rows(source, target) + [0, len(source)]
        check_known(len(pairs), lexicon)
        settings = described("supervised-joint", self, corpora, work.seed, pairs=len(pairs))
        _, outputs = self._course().run(
            corpora,
            _rows(corpora, vocabularies),
            Entries.of(pairs, len(source) + len(target)),
            work,
            checkpoint_in(work.folder, settings, corpora, vocabularies, lexicon),
        )
        sides = outputs[: len(source)].copy(), outputs[len(source) :].copy()
        return BilingualEmbedding.separate(
            Embedding(source, sides[0], settings=settings),
            Embedding(target, sides[1], settings=settings),
            corpora[0].language,
            corpora[1].language,
        )


def _rows(corpora: Sequence[EncodedCorpus], vocabularies: Sequence[Vocabulary]) -> list[np.ndarray]:
    """Rows of the types: first all source words, then all target words."""
    source = rows_of_types(corpora[0], vocabularies[0])
    target = rows_of_types(corpora[1], vocabularies[1])
    return [source, np.where(target < 0, target, target + len(vocabularies[0])).astype(np.int32)]
