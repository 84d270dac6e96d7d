"""Where Figure 2 finds its texts, and its toy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jointalign.errors import JointalignError
from jointalign.storage.compression import COMPRESSIONS
from jointalign.storage.files import read_lines
from jointalign.study._data import one_file
from jointalign.study.base import Pair
from jointalign.translation.cipher import CipherSettings, make_cipher

Lines = tuple[str, ...]
TOY = Pair("one", "two")


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
