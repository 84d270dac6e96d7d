"""Where a study finds its texts, dictionaries, tagged texts and captions; and the toy of Figure 2."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.ner import Text, conll
from jointalign.ner.api import drawn
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.files import read_lines
from jointalign.study.base import NERStudySettings, Pair, StudySettings
from jointalign.translation.cipher import CipherSettings, make_cipher

PARTS = ("train", "valid", "test")
TRAINING, TEST = "0-5000", "5000-6500"
_NONE = Lexicon(())
Lines = tuple[str, ...]
TOY = Pair("one", "two")


@dataclass(frozen=True)
class Dictionaries:
    """Those of one direction.

    Args:
        training: To learn and to choose settings from; empty where there is none.
        test: To score; empty where there is none.
        is_reversed: Whether they are those of the other direction, turned round.
    """

    training: Lexicon
    test: Lexicon
    is_reversed: bool


def text_of(settings: StudySettings, pair: Pair, language: str) -> tuple[str, Path]:
    """Name of the corpus of a pair, and the file of one of its languages.

    Raises:
        JointalignError: If there is none with both languages, or more than one, or a text is there
            compressed and plain.
    """
    sides = [_texts(settings.data / "mono", code) for code in (pair.source, pair.target)]
    names = sorted(sides[0] & sides[1])
    if settings.corpus is not None:
        names = [name for name in names if name == settings.corpus]
    if len(names) != 1:
        found = f"several ({', '.join(names)}); choose one with `corpus`" if names else "none"
        wanted = "NAME" if settings.corpus is None else settings.corpus
        raise JointalignError(
            f"expected one corpus with both languages of {pair}, {settings.data}/mono/{wanted}."
            f"{pair.source}.txt and {wanted}.{pair.target}.txt, compressed or not; found {found}"
        )
    path = one_file(settings.data / "mono" / f"{names[0]}.{language}.txt")
    if path is None:
        raise JointalignError(f"{settings.data}/mono: the text of '{language}' is no file")
    return names[0], path


def _texts(folder: Path, language: str) -> set[str]:
    """Names of the corpora that have a text in a language."""
    return {
        path.name.removesuffix(f".{language}.txt{ending}")
        for ending in ("", *COMPRESSIONS)
        for path in folder.glob(f"*.{language}.txt{ending}")
    }


def one_file(path: Path) -> Path | None:
    """A file, compressed or not; `None` if there is none.

    Args:
        path: Its name without the suffix of a compression.

    Raises:
        JointalignError: If there are several, which may differ.
    """
    found = [p for ending in ("", *COMPRESSIONS) if (p := Path(f"{path}{ending}")).is_file()]
    if len(found) > 1:
        names = " and ".join(p.name for p in found)
        raise JointalignError(f"{path.parent}: found {names}, which may differ; leave one there")
    return found[0] if found else None


def dictionaries(settings: StudySettings, pair: Pair) -> Dictionaries:
    """The dictionaries of a direction; where there is none, the other direction's turned round.

    Raises:
        JointalignError: If there is neither.
    """
    found = found_dictionaries(settings, pair)
    if not len(found.training) or not len(found.test):
        folder = settings.data / "lexicons"
        raise JointalignError(
            f"{folder}: expected {pair}.{TRAINING}.txt and {pair}.{TEST}.txt, or those of "
            f"{pair.reversed()}; `jointalign data get muse --pair {pair} --out {folder}` fetches "
            "them"
        )
    return found


def found_dictionaries(settings: StudySettings, pair: Pair) -> Dictionaries:
    """What there is of them, from one direction: both if it has both, or only the training one."""
    ways = [(str(pair), False), (str(pair.reversed()), True)]
    for parts in ((TRAINING, TEST), (TRAINING,)):
        for name, is_reversed in ways:
            paths = [settings.data / "lexicons" / f"{name}.{part}.txt" for part in parts]
            if all(path.is_file() for path in paths):
                return _read(name, paths, is_reversed)
    return Dictionaries(_NONE, _NONE, False)


def _read(name: str, paths: list[Path], is_reversed: bool) -> Dictionaries:
    source, target = name.split("-")
    lexicons = [Lexicon.read(path, source_language=source, target_language=target) for path in paths]
    if is_reversed:
        lexicons = [lexicon.reversed() for lexicon in lexicons]
    return Dictionaries(lexicons[0], lexicons[1] if len(lexicons) > 1 else _NONE, is_reversed)


class TaggedTexts:
    """The tagged texts of Table 3: `ner/LANGUAGE/{train,valid,test}.txt`, each read once.

    Args:
        settings: Which language is learnt from, how much of it, and what decides.
        data: Folder of the study's data.
    """

    def __init__(self, settings: NERStudySettings, data: Path) -> None:
        self._settings, self._folder = settings, data / "ner"
        self._read = cache(self._text)

    def places(self, target: str, in_language: bool = False) -> list[tuple[str, str]]:
        """Language and part of what is learnt from, what decides and what is tagged.

        Args:
            target: The language that is tagged.
            in_language: Whether it is that language itself which is learnt from.
        """
        own = target if in_language else self._settings.source
        decides = target if self._settings.select_on_target else own
        return list(zip((own, decides, target), PARTS, strict=True))

    def drawn(self, target: str, seed: int, in_language: bool = False) -> tuple[Text, Text, Text]:
        """These texts; of the first two as many sentences as the settings say, drawn by the seed."""
        learnt, decides, tagged = (self._read(*place) for place in self.places(target, in_language))
        sizes = self._settings.sentences, self._settings.development
        learnt, decides = (
            text._replace(sentences=drawn(text.sentences, size, seed))
            for text, size in zip((learnt, decides), sizes, strict=True)
        )
        return learnt, decides, tagged

    def read(self, language: str, part: str) -> Text:
        """All sentences of a part."""
        return self._read(language, part)

    def path(self, language: str, part: str) -> Path | None:
        """The file of a part; `None` if there is none."""
        return one_file(self._folder / language / f"{part}.txt")

    def needed(self, language: str, part: str) -> Path:
        """The file of a part.

        Raises:
            JointalignError: If there is none.
        """
        path = self.path(language, part)
        if path is None:
            raise JointalignError(
                f"expected {self._folder}/{language}/{part}.txt, compressed or not: a word and its "
                "tag a line, an empty line after each sentence; there is none"
            )
        return path

    def _text(self, language: str, part: str) -> Text:
        return Text(conll.read(self.needed(language, part)).sentences, language)


@dataclass(frozen=True)
class Captions:
    """A parallel corpus, of which learning without supervision sees two halves of different lines.

    Args:
        folder: Where it lies.
        train: Lines of source and target, translations of each other.
        validation: Likewise, held out.
        test: Likewise.
    """

    folder: Path
    train: tuple[Lines, Lines]
    validation: tuple[Lines, Lines]
    test: tuple[Lines, Lines]

    @property
    def halves(self) -> tuple[Lines, Lines]:
        """The first half of the source and the second half of the target: no translations."""
        source, target = self.train
        return source[: len(source) // 2], target[len(target) // 2 :]


def captions(data: Path, pair: Pair) -> Captions:
    """The parallel corpus of a pair: `translation/NAME.en-de/train.en`, `val.en`, `test.en`.

    Where there is no `test.en` and `test.de`, the first beginning by name that both languages have
    is taken, such as `test_2016_flickr` before `test_2017_flickr`.

    Raises:
        JointalignError: If there is none, or more than one, or a part is missing, uneven, or there
            both compressed and plain.
    """
    names = str(pair), str(pair.reversed())
    folders = sorted(f for name in names for f in (data / "translation").glob(f"*.{name}"))
    if len(folders) != 1:
        found = ", ".join(folder.name for folder in folders) or "none"
        raise JointalignError(
            f"expected one folder {data}/translation/NAME.{pair} with train.{pair.source}, "
            f"val.{pair.source}, test.{pair.source} and the same in {pair.target}; found {found}"
        )
    parts = [_part(folders[0], name, pair) for name in ("train", "val", "test")]
    return Captions(folders[0], *parts)


def _part(folder: Path, name: str, pair: Pair) -> tuple[Lines, Lines]:
    stem = _stem(folder, name, pair)
    sides = []
    for code in (pair.source, pair.target):
        path = one_file(folder / f"{stem}.{code}")
        if path is None:
            raise JointalignError(f"{folder}: expected {stem}.{code}, compressed or not")
        sides.append((path, tuple(line for _, line in read_lines(path))))
    (one, source), (two, target) = sides
    if len(source) != len(target):
        raise JointalignError(
            f"{one} has {len(source)} lines and {two} has {len(target)}; they must be translations "
            "of each other, line by line"
        )
    return source, target


def _stem(folder: Path, name: str, pair: Pair) -> str:
    """What the files of a part are called in both languages, before the code."""
    stems = [
        {
            path.name.removesuffix(f".{code}{ending}")
            for ending in ("", *COMPRESSIONS)
            for path in folder.glob(f"{name}*.{code}{ending}")
        }
        for code in (pair.source, pair.target)
    ]
    both = sorted(stems[0] & stems[1])
    return name if name in both or not both else both[0]


def write_toy(folder: Path, seed: int) -> None:
    """The toy cipher, where the study looks for its data."""
    make_cipher(CipherSettings(sentences=12_000), seed).write(folder, (TOY.source, TOY.target))
