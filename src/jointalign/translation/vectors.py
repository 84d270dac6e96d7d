"""Vectors of pieces: trained together, apart, or with a dictionary; then aligned."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from jointalign.alignment.api import align, method_named
from jointalign.corpora.corpus import Corpus
from jointalign.embedding import BilingualEmbedding
from jointalign.errors import JointalignError
from jointalign.formats.api import read, read_bilingual, write
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.ranges import check_ranges, within
from jointalign.reallocation import reallocate
from jointalign.storage.facts import REMOVE, fits
from jointalign.storage.files import atomic, digest, read_lines
from jointalign.storage.stages import Stages
from jointalign.training.duong import SupervisedJoint
from jointalign.training.skipgram import SkipGram
from jointalign.translation._text import Segmentation

SEGMENTATION = "pieces.json"


class Start(StrEnum):
    """What a model begins with."""

    ALIGN = "align"
    """Two trainings, one mapped onto the other; a table for each language."""

    JOINT = "joint"
    """One training on both texts, one table: all pieces seen in both texts are shared."""

    JOINT_ALIGN = "joint-align"
    """The same, reallocated and aligned: one table, the shared part stays shared."""

    SUPERVISED_JOINT = "supervised-joint"
    """Trained on both texts with a dictionary (Duong et al. 2016); a table for each language."""

    RANDOM = "random"
    """Random vectors, one table."""

    SUPERVISED = "supervised"
    """Random vectors, learnt from translations: what the model could reach."""

    @property
    def separate(self) -> bool:
        """Whether each language has a table of its own."""
        return self in (Start.ALIGN, Start.SUPERVISED_JOINT)

    @property
    def has_vectors(self) -> bool:
        """Whether there is anything to begin with."""
        return self not in (Start.RANDOM, Start.SUPERVISED)

    @property
    def needs_lexicon(self) -> bool:
        """Whether it learns from a training dictionary."""
        return self.has_vectors and self is not Start.JOINT


@dataclass(frozen=True)
class VectorSettings:
    """How the vectors of pieces are made.

    Args:
        trainer: Of the unsupervised ones. Lample et al. (2018b): fastText's skip-gram without
            n-grams, 512 dimensions, 10 epochs, 10 negatives, every piece.
        method: Of alignment.
        gamma: Of reallocation.
        pieces: Of both languages together.
        tokens: Of the large texts, so many of each language are used besides the model's text.
        lowercase: Whether text is lower-cased.
    """

    trainer: SkipGram
    method: str = "procrustes"
    gamma: float = within(0.9, least=0.5, most=1)
    pieces: int = within(5000, least=300)
    tokens: int = within(2_000_000, least=0)
    lowercase: bool = True

    def __post_init__(self) -> None:
        check_ranges(self)


class Vectors:
    """Makes the vectors of one pair in a folder, each once.

    Args:
        languages: Codes of source and target.
        settings: How.
        texts: Lines of the two languages that the translation model learns from.
        large: Files of larger texts, one a language; none where there are none.
        lexicon: Training dictionary, of words; `None` where nothing needs one.
        stages: Of the folder.
        seed: Of all trainings.
        threads: How many; `None` for all processors.
        progress: Told how far a training is.

    Raises:
        JointalignError: If there is no such method of alignment, or both languages are one.
    """

    def __init__(
        self,
        languages: tuple[str, str],
        settings: VectorSettings,
        texts: tuple[tuple[str, ...], tuple[str, ...]],
        large: tuple[Path, Path] | None,
        lexicon: Lexicon | None,
        stages: Stages,
        seed: int,
        threads: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        method_named(settings.method)  # before anything is trained
        if languages[0] == languages[1]:
            raise JointalignError(f"expected two languages, got '{languages[0]}' twice")
        self.languages, self.settings, self._texts, self._large = languages, settings, texts, large
        self.report: dict[str, Any] = {}
        self._lexicon, self._stages, self._seed = lexicon, stages, seed
        self._threads, self._progress = threads, progress
        self._folder = stages.folder

    def check(self, start: Start) -> None:
        """Make sure that there is a dictionary of use where one is needed, before anything is trained.

        Raises:
            JointalignError: If there is none, or none of its pairs has two words of one piece each.
        """
        if start.has_vectors:
            self._pieces_lexicon(start)

    def segmentation(self) -> Segmentation:
        """Of both languages, learnt on the model's text."""
        path = self._folder / SEGMENTATION
        size, lowercase = self.settings.pieces, self.settings.lowercase

        def work() -> None:
            learnt = Segmentation.learn(self._texts, size, lowercase)
            with atomic(path, "w") as file:
                file.write(learnt.to_text())

        if "pieces" not in self._stages.records:
            facts = {"pieces": size, "lowercase": lowercase, "texts": self._texts}
            self._stages.do("pieces", facts, [SEGMENTATION], work)
        with fits(path, "the pieces of a translation model", REMOVE):
            return Segmentation.from_text(path.read_text("utf-8"), lowercase)

    def space(self, start: Start) -> BilingualEmbedding | None:
        """The vectors that a model begins with; `None` for random ones."""
        if not start.has_vectors:
            return None
        name = f"space.{start}"
        path = self._folder / f"{name}.safetensors"
        lexicon = self._pieces_lexicon(start)
        trained = self._trained(start, lexicon)

        def work() -> None:
            write(self._made(start, trained, lexicon), path)

        facts = {
            "method": self.settings.method,
            "gamma": self.settings.gamma,
            "lexicon": lexicon.pairs,
            "seed": self._seed,
        }
        if name not in self._stages.records:
            self._stages.do(name, facts, [path.name], work, after=trained)
        return read_bilingual(path)

    def _pieces_lexicon(self, start: Start) -> Lexicon:
        if start is Start.JOINT:
            return Lexicon(())
        if self._lexicon is None:
            raise JointalignError(
                f"'{start}' learns from a training dictionary and got none; name one, or take joint"
            )
        found = self.segmentation().whole_words(self._lexicon)
        self.report["lexicon"] = {"pairs": len(self._lexicon), "of_one_piece_each": len(found)}
        if not len(found):
            raise JointalignError(
                f"none of the {len(self._lexicon)} dictionary pairs has two words of one piece "
                "each; ask for more pieces, or check the dictionary's order and case"
            )
        return found

    def _made(self, start: Start, names: list[str], lexicon: Lexicon) -> BilingualEmbedding:
        paths = [self._folder / f"{name}.safetensors" for name in names]
        codes = self.languages
        if start is Start.SUPERVISED_JOINT:
            return read_bilingual(paths[0])
        if start is Start.ALIGN:
            space = BilingualEmbedding.separate(read(paths[0]), read(paths[1]), *codes)
        else:
            gamma = 1.0 if start is Start.JOINT else self.settings.gamma
            counts = [self._corpus(code).counts() for code in codes]
            space = reallocate(read(paths[0]), counts[0], counts[1], gamma, *codes)
        if start is Start.JOINT:
            return space
        return align(space, self.settings.method, lexicon, seed=self._seed)

    def _trained(self, start: Start, lexicon: Lexicon) -> list[str]:
        """Names of the trainings that a space is made of, each done once."""
        codes = list(self.languages)
        if start is Start.ALIGN:
            return [self._train([code], None) for code in codes]
        return [self._train(codes, lexicon if start is Start.SUPERVISED_JOINT else None)]

    def _train(self, codes: list[str], lexicon: Lexicon | None) -> str:
        base = self.settings.trainer
        supervised = SupervisedJoint(base.dimensions, minimum_count=base.minimum_count)
        trainer = base if lexicon is None else supervised
        name = f"vectors.{'+'.join(codes)}" + ("" if lexicon is None else ".supervised")
        path = self._folder / f"{name}.safetensors"

        def work() -> None:
            parts = self._folder / f"{name}.parts"
            learnt = trainer.fit(
                [self._corpus(code) for code in codes],
                lexicon,
                seed=self._seed,
                threads=self._threads,
                folder=parts,
                progress=self._progress,
            )
            write(learnt, path)
            shutil.rmtree(parts, ignore_errors=True)

        texts = [self._written(code) for code in codes]
        taught = None if lexicon is None else lexicon.pairs
        facts = {"trainer": asdict(trainer), "lexicon": taught, "seed": self._seed}
        if name not in self._stages.records:
            self._stages.do(name, facts, [path.name], work, after=texts)
        return name

    def _corpus(self, code: str) -> Corpus:
        return Corpus(self._folder / f"text.{code}.txt", code, tokenized=True, lowercase=False)

    def _written(self, code: str) -> str:
        """Write the model's text and the large one of a language as pieces; name of that stage."""
        name, side = f"text.{code}", self.languages.index(code)
        segmentation = self.segmentation()

        def work() -> None:
            left = self.settings.tokens if self._large else 0
            with atomic(self._folder / f"{name}.txt", "w") as file:
                for line in segmentation.written(segmentation.encode(self._texts[side])):
                    file.write(line + "\n")
                for _, line in read_lines(self._large[side]) if self._large else ():
                    sentence = segmentation.encode([line])
                    file.writelines(text + "\n" for text in segmentation.written(sentence))
                    left -= len(sentence.tokens)
                    if left <= 0:
                        break

        large = None if self._large is None else digest(self._large[side])
        if name not in self._stages.records:
            facts = {"large": large, "tokens": self.settings.tokens, "text": self._texts[side]}
            self._stages.do(name, facts, [f"{name}.txt"], work, after=["pieces"])
        return name


def piece_trainer(dimensions: int, epochs: int = 10) -> SkipGram:
    """Skip-gram as Lample et al. (2018b) train it on pieces of words."""
    return SkipGram(dimensions, epochs=epochs, minimum_count=1, negatives=10, maximum_ngram=0)


def starts_named(names: str) -> tuple[Start, ...]:
    """What models begin with, from names with commas between.

    Raises:
        JointalignError: If there is no such beginning.

    Example:
        >>> starts_named("align,joint")
        (<Start.ALIGN: 'align'>, <Start.JOINT: 'joint'>)
    """
    found = []
    for name in names.split(","):
        if name.strip() not in list(Start):
            raise JointalignError(
                f"a model cannot begin with '{name.strip()}'; choose from {', '.join(Start)}"
            )
        found.append(Start(name.strip()))
    return tuple(dict.fromkeys(found))
