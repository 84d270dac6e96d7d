"""Two toy languages, and trainings that are stopped and go on."""

from dataclasses import dataclass

import numpy as np
import pytest

from jointalign.corpora.corpus import Corpus
from jointalign.embedding import Embedding
from jointalign.lexicon import Lexicon
from jointalign.training import _course
from jointalign.training._checkpoint import NAME

WORDS = 60


@dataclass(frozen=True)
class Ring:
    """Two texts whose words lie on a ring: those of a sentence are near each other.

    Word `aN` of the first language means `bN` of the second, and `common` is in both. The lexicon
    has two thirds of the words, the test the others.
    """

    corpora: list[Corpus]
    lexicon: Lexicon
    test: Lexicon
    size: int = WORDS

    def found_at_1(self, source: Embedding, target: Embedding) -> float:
        """Share of test pairs whose target word is the nearest, by cosine, of the test words."""
        words = [word for _, word in self.test]
        candidates = np.array([target.vector(word) for word in words])
        candidates /= np.linalg.norm(candidates, axis=1, keepdims=True)
        best = [words[(candidates @ source.vector(word)).argmax()] for word, _ in self.test]
        return float(np.mean([found == word for found, word in zip(best, words, strict=True)]))


@pytest.fixture(scope="session")
def ring(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ring")
    corpora = []
    for seed, letter in enumerate("ab"):
        random = np.random.default_rng(seed)
        centres = random.integers(WORDS, size=(3000, 1))
        numbers = (centres + np.rint(random.normal(0, 1.5, (3000, 9))).astype(int)) % WORDS
        lines = [" ".join(f"{letter}{n}" for n in line) + " common" for line in numbers.tolist()]
        path = folder / f"{letter}.txt"
        path.write_text("\n".join(lines) + "\n")
        corpora.append(Corpus(path, language=f"{letter}{letter}", tokenized=True))
    pairs = [(f"a{number}", f"b{number}") for number in range(WORDS)]
    test = Lexicon(tuple(pairs[::3]))
    return Ring(corpora, Lexicon(tuple(pair for pair in pairs if pair not in test.pairs)), test)


class Killed(BaseException):
    pass


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """A fit that is killed twice after a checkpoint, and then goes on."""

    def fit(trainer, corpora, lexicon):
        monkeypatch.setattr(_course, "REPORT_SECONDS", 0.001)
        stopped_at = []

        def kill_after_a_checkpoint(done, total, note=""):
            if (tmp_path / NAME).exists() and done > max(stopped_at, default=0) + 20_000:
                stopped_at.append(done)
                raise Killed

        for _ in range(2):
            with pytest.raises(Killed):
                trainer.fit(
                    corpora,
                    lexicon,
                    threads=1,
                    folder=tmp_path,
                    checkpoint_seconds=0.0,
                    progress=kill_after_a_checkpoint,
                )
        seen = []
        resumed = trainer.fit(
            corpora,
            lexicon,
            threads=1,
            folder=tmp_path,
            progress=lambda done, total, note="": seen.append(done) if "words/s" in note else None,
        )
        assert seen[0] > 0, "it started from the beginning"
        return resumed

    return fit
