"""Joint-Replace: joint training on text whose words are replaced by translations at random.

Section 4.2 of the paper describes the baseline in one sentence: unsupervised joint training that
"utilizes a seed dictionary to randomly replace words with their translations". The probability, the
choice among several translations and the direction are not given there and no code was published;
here they are:

* A token whose word has translations is replaced with probability 0.5, that of BARISTA (Gouws and
  Søgaard 2015), which started the idea.
* Each translation that is in the joint vocabulary is as likely as the others.
* Words of both languages are replaced, and anew each time that the text is read.
* Noise and subsampling go by the counts to be expected after replacement, as if the text had been
  written so; the vocabulary is that of the text as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jointalign.corpora.encoding import EncodedCorpus
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.training.base import Replacement, ReplacingTrainer, Trainer, Work


@dataclass(frozen=True)
class JointReplace(Trainer[Embedding]):
    r"""Joint training in which translations stand in for each other's contexts.

    Args:
        base: The trainer, with its settings; `SkipGram` in the paper.
        probability: Chance of a token that has translations to be replaced by one of them (0.5:
            BARISTA; the paper gives none).

    Raises:
        JointalignError: If the probability is not in (0, 1].

    Example:
        >>> import tempfile, pathlib
        >>> from jointalign.corpora.corpus import Corpus
        >>> from jointalign.training.skipgram import SkipGram
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (folder / "en").write_text("the cat sat on the mat\n" * 20)
        >>> _ = (folder / "es").write_text("el gato en el tapete\n" * 20)
        >>> trainer = JointReplace(SkipGram(dimensions=8, epochs=1), probability=0.3)
        >>> texts = Corpus(folder / "en", "en"), Corpus(folder / "es", "es")
        >>> joint = trainer.fit(texts, Lexicon((("cat", "gato"), ("the", "el"))), threads=1)
        >>> len(joint), joint.settings["trainer"]
        (9, 'joint-replace')
    """

    base: ReplacingTrainer
    probability: float = 0.5

    def __post_init__(self) -> None:
        Replacement(Lexicon(()), self.probability)  # checks the probability

    @property
    def supervised(self) -> bool:
        """Needs a lexicon."""
        return True

    def fit_encoded(
        self, corpora: Sequence[EncodedCorpus], lexicon: Lexicon | None = None, work: Work = Work()
    ) -> Embedding:
        """See `Trainer.fit`; needs a lexicon and two corpora, its source language first."""
        return self.base.fit_replaced(
            corpora, Replacement(self._check(len(corpora), lexicon), self.probability), work
        )
