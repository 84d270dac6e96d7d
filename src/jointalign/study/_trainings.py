"""The trainings of a study: each is done once and shared by all rows of all its tables."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from jointalign.corpora.corpus import Corpus
from jointalign.corpora.encoding import FILES, EncodedCorpus, encode
from jointalign.corpora.tokenization import tokenizer
from jointalign.embedding import BilingualEmbedding, Embedding
from jointalign.formats.api import read, read_bilingual, write
from jointalign.lexicon import Lexicon
from jointalign.progress import Progress
from jointalign.storage.files import atomic, digest, read_lines
from jointalign.storage.stages import Stages
from jointalign.study._data import found_dictionaries, text_of
from jointalign.study._rows import Space
from jointalign.study.base import Pair, StudySettings
from jointalign.training.base import Work
from jointalign.training.duong import SupervisedJoint
from jointalign.training.replace import JointReplace
from jointalign.version import __version__
from jointalign.vocabulary import Counts


class Trainings:
    """Encoded texts and embeddings in a folder, made when they are first asked for.

    Args:
        settings: Of the study.
        folder: Where they go.
        threads: How many; `None` for all processors.
        progress: Told how far the work at hand is.
        announce: Told the name of each piece of work, and whether it was done before.
        fresh: Whether work of other settings is made anew; it is refused otherwise.
    """

    def __init__(
        self,
        settings: StudySettings,
        folder: Path,
        threads: int | None = None,
        progress: Progress | None = None,
        announce: Callable[[str, bool], None] | None = None,
        fresh: bool = False,
    ) -> None:
        self.settings, self.folder = settings, folder
        self.threads, self.progress = threads, progress
        self.stages = Stages(folder, announce, fresh=fresh)
        # Every cell asks for these: files are read, and texts digested, once for all of them.
        self.dictionaries = cache(partial(found_dictionaries, settings))
        self._text_of = cache(partial(text_of, settings))
        self._text = cache(self._encoded)

    def names(self, pair: Pair, seed: int, space: Space) -> list[str]:
        """Make sure that what a space is made of is trained; the names of those stages."""
        together = sorted([pair.source, pair.target])
        if space in (Space.REPLACED, Space.SUPERVISED_JOINT):
            return [self._supervised(Pair(*together), seed, space)]
        groups = [[pair.source], [pair.target]] if space is Space.SEPARATE else [together]
        return [self._trained(pair, group, seed) for group in groups]

    def joint(self, pair: Pair, seed: int, space: Space = Space.JOINT) -> Embedding:
        """Trained on both languages together; in the space `replaced`, with a dictionary."""
        return self._read(self.names(pair, seed, space)[0])

    def supervised_joint(self, pair: Pair, seed: int) -> BilingualEmbedding:
        """Trained on both languages together with a dictionary, nothing shared."""
        (name,) = self.names(pair, seed, Space.SUPERVISED_JOINT)
        found = read_bilingual(self.folder / f"{name}.safetensors")
        return found if found.source_language == pair.source else found.reversed()

    def separate(self, pair: Pair, seed: int) -> BilingualEmbedding:
        """Two trainings that know nothing of each other."""
        source, target = (self._read(name) for name in self.names(pair, seed, Space.SEPARATE))
        return BilingualEmbedding.separate(source, target, pair.source, pair.target)

    def counts(self, pair: Pair) -> tuple[Counts, Counts]:
        """Of the source and the target text."""
        return self._text(pair, pair.source).counts, self._text(pair, pair.target).counts

    def _read(self, name: str) -> Embedding:
        return read(self.folder / f"{name}.safetensors")

    def _trained(self, pair: Pair, languages: list[str], seed: int) -> str:
        title = self._title(pair, languages, seed)
        path = f"{title}.safetensors"

        def work() -> None:
            corpora = [self._text(pair, code) for code in languages]
            embedding = self.settings.trainer.fit_encoded(corpora, work=self._work(title, seed))
            write(embedding, self.folder / path)

        texts = [self._name(pair, code) for code in languages]
        for code in languages:
            self._text(pair, code)
        settings = {"version": __version__, "trainer": asdict(self.settings.trainer), "seed": seed}
        if title not in self.stages.records:
            self.stages.do(title, settings, [path], work, after=texts)
            self._clear(title)
        return title

    def _work(self, title: str, seed: int) -> Work:
        return Work(seed, self.threads, self._parts(title), self.progress)

    def _supervised(self, pair: Pair, seed: int, space: Space) -> str:
        """Train with the dictionary of a pair whose languages are in alphabetical order."""
        languages = [pair.source, pair.target]
        lexicon = self._taught(pair)
        title = f"{self._title(pair, languages, seed)}.{space}"
        path = self.folder / f"{title}.safetensors"
        base = self.settings.trainer
        # The window, epochs and noise of Duong et al. are part of the method.
        supervised = SupervisedJoint(base.dimensions, minimum_count=base.minimum_count)
        trainer = JointReplace(base) if space is Space.REPLACED else supervised

        def work() -> None:
            corpora = [self._text(pair, code) for code in languages]
            write(trainer.fit_encoded(corpora, lexicon, self._work(title, seed)), path)

        for code in languages:
            self._text(pair, code)
        settings = {
            "version": __version__,
            "trainer": asdict(trainer),
            "dictionary": lexicon.pairs,
            "seed": seed,
        }
        if title not in self.stages.records:
            texts = [self._name(pair, code) for code in languages]
            self.stages.do(title, settings, [path.name], work, after=texts)
            self._clear(title)
        return title

    def _parts(self, title: str) -> Path:
        """Where a training keeps its state."""
        return self.folder / f"{title}.parts"

    def _clear(self, title: str) -> None:
        """Remove the state of a training whose result is there: it is several times as large."""
        shutil.rmtree(self._parts(title), ignore_errors=True)

    def _taught(self, pair: Pair) -> Lexicon:
        """The training dictionary without any pair that is tested in either direction."""
        tested = {*self.dictionaries(pair).test, *self.dictionaries(pair.reversed()).test.reversed()}
        training = self.dictionaries(pair).training
        return Lexicon(tuple(entry for entry in training if entry not in tested))

    def _encoded(self, pair: Pair, language: str) -> EncodedCorpus:
        _, path = self._text_of(pair, language)
        name = self._name(pair, language)
        folder = self.folder / name
        # By content: a study may go on in another place, with a copy of its data.
        facts = {"version": __version__, "text": digest(path), "tokens": self.settings.tokens}

        def work() -> None:
            text = path if self.settings.tokens is None else self._shortened(path, language, name)
            encode(Corpus(text, language), folder, self.threads, self.progress, facts)

        if name not in self.stages.records:
            self.stages.do(name, facts, [f"{name}/{file}" for file in FILES], work)
        return EncodedCorpus.open(folder)

    def _shortened(self, path: Path, language: str, name: str) -> Path:
        """The first lines that together have about so many tokens."""
        short, tokenize, seen = self.folder / f"{name}.txt", tokenizer(language), 0
        with atomic(short, "w") as file:
            for _, line in read_lines(path):
                file.write(line + "\n")
                seen += len(tokenize(line))
                if seen >= (self.settings.tokens or 0):
                    break
        return short

    def _name(self, pair: Pair, language: str) -> str:
        corpus, _ = self._text_of(pair, language)
        return f"{corpus}.{language}"

    def _title(self, pair: Pair, languages: list[str], seed: int) -> str:
        corpus, _ = self._text_of(pair, languages[0])
        return f"{corpus}.{'+'.join(languages)}.seed{seed}"
