"""Where a study finds its texts and dictionaries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import JointalignError
from jointalign.lexicon import Lexicon
from jointalign.storage.compression import COMPRESSIONS
from jointalign.study.base import Pair, StudySettings

TRAINING, TEST = "0-5000", "5000-6500"
_NONE = Lexicon(())


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
